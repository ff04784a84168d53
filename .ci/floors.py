"""The oldest version that pyproject.toml allows of each package, as constraints for pip."""

import re
import tomllib
from pathlib import Path

text = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
project, extras = text["project"], text["project"]["optional-dependencies"]
for requirement in [*text["build-system"]["requires"], *project["dependencies"], *extras["test"], *extras["plot"]]:
    name, floor = re.fullmatch(r"([\w-]+)(?:\[.*\])?>=([\d.]+)", requirement).groups()  # each has one
    print(f"{name}=={floor}")

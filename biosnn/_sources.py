"""What a function's machine code may depend on: the text of its module, and of every module imported from there.

All that compiled code can refer to by name (functions, constants, named tuples, overloads of what stands in the same
file) is imported, directly or further on. What is *not*: an overload in another file, which Numba finds in a registry.
It chooses by the types of arguments, so modules of these count as well (`homes`): `put` is written beside each ring.

Imports are read from the text, wherever they stand, so that the answer does not depend on what has been imported yet:
those inside of a function count (an overload may choose by what it finds there), and so does what only reads like one,
in a docstring; a function compiled once too often does no harm. Those under `TYPE_CHECKING` never happen.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent
_PACKAGE = __name__.partition(".")[0]
_IMPORT = re.compile(r"\b(?:from\s+([\w.]+)\s+)?import\s+(\([^)]*\)|(?:\\\n|[^\n;])*)")
_TYPING_ONLY = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t].*\n|\n)+", re.MULTILINE)
_NAME = re.compile(r"([\w.]+)(?:\s+as\s+\w+)?")
# of which the version counts, not the text
_VERSIONED = sys.stdlib_module_names | {"llvmlite", "numba", "numpy", "scipy"}


def digest(text: str, modules: Iterable[str] = ()) -> str:
    """Hash of a text, of modules, and of all that these import: some 5 ms for the first in a process."""
    found: dict[str, str] = {}
    waiting = [*_imports(text), *modules]
    while waiting:
        name = waiting.pop()
        if name not in found and (source := _source(name)) is not None:
            found[name], further = source
            waiting += further
    return hashlib.sha256("\n".join([text, *(name + found[name] for name in sorted(found))]).encode()).hexdigest()


def homes(kind: Any) -> Iterator[str]:
    """The modules of the named tuples that a Numba type consists of."""
    if hasattr(kind, "instance_class"):
        yield kind.instance_class.__module__
    for part in getattr(kind, "types", ()):
        yield from homes(part)


@functools.cache
def _source(name: str) -> tuple[str, list[str]] | None:
    """Hash of a module's text, and the modules that it imports; None for others than ours and the user's own."""
    path = _path(name)
    try:
        text = path.read_text(encoding="utf-8") if path is not None else None
    except (OSError, UnicodeDecodeError):
        return None
    if path is None or text is None:
        return None
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return hashlib.sha256(text.encode()).hexdigest(), list(_imports(text, package))


def _path(name: str) -> Path | None:
    top, _, rest = name.partition(".")
    if top in _VERSIONED:
        return None
    if top == _PACKAGE:  # by its name alone, be it imported already or not
        path = _ROOT.joinpath(*rest.split("."))
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    file = getattr(sys.modules.get(name), "__file__", None)
    return Path(file) if file and file.endswith(".py") else None


def _imports(text: str, package: str = "") -> Iterator[str]:
    """Names of the modules that a text may import: of `from a import b` a.b, and a if there is none."""
    for module, names in _IMPORT.findall(_TYPING_ONLY.sub("", text) if "TYPE_CHECKING:" in text else text):
        if module.startswith("."):  # which ours do not; a user's may
            above = package.split(".")[: len(package.split(".")) + 1 - (len(module) - len(module.lstrip(".")))]
            module = ".".join([*above, *filter(None, module.lstrip(".").split("."))])
        for name in _NAME.findall(re.sub(r"#[^\n]*", "", names)):
            inner = f"{module}.{name}" if module else name
            yield inner if not module or _is_module(inner) else module


@functools.cache
def _is_module(name: str) -> bool:
    path = _path(name)
    return path is not None and path.is_file()

"""One odd command line, through `main(argv)`: mostly a plan, now and then a short run of a small network."""

from __future__ import annotations

import contextlib
import io
import tempfile

import numpy as np
from fuzz import FindingError

from biosnn.runners import cli
from biosnn.runners.parser import build_parser

DEMOS = ("network", "vogels_abbott", "coba", "brunel", "microcircuit", "million")
ODD = (
    "", " ", "0", "-0", "-1", "1", "2", "3", "1.0", "0.1", "0.05", "1e-3", "1e-9", "1e3", "1e9", "1e308", "1e400",
    "nan", "inf", "-inf", "None", "True", "x", "é", "\n", "--", "-", "%s", "{}", "2147483648", "9223372036854775808",
    "1" + 30 * "0", "0x10", "1_000", "1,5", "1e", "../x", "/dev/null", "/dev/null/x", "auto", "cpu", "a" * 300,
)  # fmt: skip
RUN = 0.03  # of the lines, whose drivers may have to be compiled
# A flag of the parser's, and values that it may well have
USUAL = {
    "--n": ("10", "100", "1000", "100000", "1000000000"), "--p": ("0", "0.1", "1"), "--seed": ("1", "7"),
    "--scale": ("0.01", "0.1", "1"), "--steps": ("1", "10"), "--duration": ("0.1", "5"), "--warmup": ("0", "1"),
    "--dt": ("0.1", "0.05", "1"), "--threads": ("1", "2", "5", "1024"), "--ring-capacity-max": ("1", "100000"),
    "--max-ring-mib": ("0", "-1", "1", "100"), "--max-record-mib": ("0", "-1", "0.001", "100"),
    "--monitors": ("spikes", "traces,topology", "populations,spikes"), "--monitor-neuron-sample": ("0", "1", "100000"),
    "--monitor-edge-sample": ("0", "1", "100000"), "--profile-steps": ("1", "20"), "--frames": ("frames.npy",),
}  # fmt: skip


def case(seed: int) -> str:
    """Hand `main` an odd line. Raises what is a finding."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        line = _line(rng)
        if rng.random() < RUN:
            line = [*line, "--n", "200", "--duration", "2", "--warmup", "0", "--out", f"{folder}/run"]
        else:
            line.append("--plan")
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = cli.main(line)
            except SystemExit as ended:
                code = ended.code
    said = err.getvalue()
    if code not in (0, 2):
        raise FindingError(f"{line}: exit code {code}: {said}")
    errors = [k for k, text in enumerate(said.splitlines()) if text.startswith("biosnn: error: ")]
    if (code == 2) != (len(errors) == 1 and errors[0] == len(said.splitlines()) - 1):
        raise FindingError(f"{line}: exit code {code}, with {said!r}")
    if code == 0 and not out.getvalue().strip():
        raise FindingError(f"{line}: nothing printed")
    return "refused" if code else "done"


def _line(rng: np.random.Generator) -> list[str]:
    actions = [a for a in build_parser()._actions if a.nargs != 0 and a.option_strings[0] not in ("--demo", "--out")]
    line = ["--demo", str(rng.choice(DEMOS))] if rng.random() < 0.95 else []
    for action in rng.choice(np.array(actions, object), rng.integers(0, 5), replace=False):
        flag = action.option_strings[0]
        usual = action.choices or USUAL[flag]
        value = str(rng.choice(list(usual))) if rng.random() < 0.7 else ODD[rng.integers(len(ODD))]
        line += [f"{flag}={value}"] if rng.random() < 0.5 else [flag, value]
    if rng.random() < 0.1:
        line.insert(int(rng.integers(len(line) + 1)), ODD[rng.integers(len(ODD))])
    return line

"""Where compiled code is kept between processes, and the fingerprint that keeps it from going stale.

Numba's own cache looks only at the file of the function itself: after a change in a function that it calls, from
another file, it would hand out old machine code. So everything is kept in a folder named by a hash of BioSNN's own
sources.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import tempfile
from pathlib import Path


@functools.cache
def folder() -> Path:
    """A writable folder for these sources, in $BIOSNN_CACHE_DIR or the user's cache; else a temporary one."""
    for root in _candidates():
        path = root / f"{sys.implementation.cache_tag}-{sources()[:16]}"
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError:
            continue
        return path
    return Path(tempfile.mkdtemp(prefix="biosnn-"))  # private to this process: compiled code is never shared by /tmp


def is_new() -> bool:
    """Whether nothing has been compiled into the folder yet."""
    return next(folder().rglob("*.nbi"), None) is None


@functools.cache
def sources() -> str:
    """Hash of the text of every module of this package: about 2 ms for 60 files."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _candidates() -> list[Path]:
    asked = os.environ.get("BIOSNN_CACHE_DIR")
    if asked:
        return [Path(asked)]
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return [Path(home) / "biosnn"]

"""Compiled functions on disk: what Numba's dispatchers ask of a cache, in place of Numba's own.

Numba's keeps an index and numbered files for each function, believes what it finds in them, and looks only at the file
of the function itself: after a change in a function that it calls, from another file, it hands out old machine code.
Here each compiled function is one file, sealed by a digest, and its name is a hash of all that it depends on.
"""

from __future__ import annotations

import hashlib
import linecache
import pickle
from collections.abc import Callable
from typing import Any

import llvmlite
import numba
from numba.core import config, serialize, sigutils
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock

from biosnn import _cache, _forks, _sources
from biosnn._lazy import collecting

_forks.let_go(global_compiler_lock)  # of Numba, which holds it while it compiles

# Numba's settings that change what is compiled; each can be set by an environment variable.
SETTINGS = (
    "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "DEBUG_ARRAY_OPT_RUNTIME", "DEBUG_NRT", "DISABLE_INTEL_SVML",
    "ENABLE_PROFILING", "EXTEND_VARIABLE_LIFETIMES", "LLVM_REFPRUNE_FLAGS", "LLVM_REFPRUNE_PASS", "LOOP_VECTORIZE",
    "NRT_STATS", "OPT", "PARFOR_MAX_TUPLE_SIZE", "SLP_VECTORIZE",
)  # fmt: skip


class Kept:
    """The compiled forms of one function. Numba calls it while it holds its lock on compiling."""

    cache_path = None  # of Numba's own

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self.function, self.options = function, options

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The function as it was compiled for a signature; None if that has to be done."""
        target.refresh()
        data = _cache.load(self._name(signature, target.codegen()))
        try:
            with collecting(target.codegen()):
                return CompileResult._rebuild(target, *pickle.loads(data)) if data is not None else None
        except Exception:  # sealed, yet not what this Numba writes: whatever it is, compiling is the way out
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep a function that was compiled for a signature."""
        if not compiled.library.has_dynamic_globals:  # those are addresses of this process
            data = serialize.dumps(compiled._reduce())
            _cache.save(self._name(signature, compiled.codegen), data)

    def flush(self) -> None:
        """Numba calls it before it compiles everything anew, which writes every file anew."""

    def _name(self, signature: Any, codegen: Any) -> str:
        function = self.function
        code, settings = function.__code__, [getattr(config, name, None) for name in SETTINGS]
        text = "".join(linecache.getlines(code.co_filename))
        homes = [home for kind in sigutils.normalize_signature(signature)[0] for home in _sources.homes(kind)]
        key = (
            function.__module__, function.__qualname__, code.co_firstlineno, code.co_code,
            _sources.digest(text, [function.__module__, *homes]), str(signature),
            sorted(self.options.items()), codegen.magic_tuple(), numba.__version__, llvmlite.__version__, settings,
        )  # fmt: skip
        # Readable, and in letters that every file system knows.
        readable = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        return f"{readable.encode('ascii', 'ignore').decode()}-{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}"

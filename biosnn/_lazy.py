"""Compiling each line once: what a function calls is optimised and made machine code with its caller, not before.

Numba does both for every function by itself, then links it into its caller and does both again: a neuron's update three
times. Here a function's code is only collected (LLVM's cheap simplifications apart), until something asks for an
address of it: Python, as a rule, of the outermost one. A driver of one group takes half the time, and runs as fast.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from typing import Any

from llvmlite import binding
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.compiler import Compiler
from numba.core.environment import lookup_environment


class Library(JITCodeLibrary):  # type: ignore[misc]
    """The code of one function and of all that it calls, made when it is first asked for an address."""

    _is_made = False

    @property
    def codegen(self) -> Library:
        """Itself: whoever asks for it wants `set_env`."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Tell the machine code where its environment is; what is not made yet is told when it is."""
        if self._codegen._engine.is_symbol_defined(name):
            self._codegen.set_env(name, environment)

    def finalize(self) -> None:
        """Collect what was linked. From here on nothing is added."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """The address of a function; 0 if this library has none of that name."""
        self._ensure_finalized()
        if not self._is_made and name in {function.name for function in self.get_defined_functions()}:
            self._make()
        return super().get_pointer_to_function(name) if self._is_made else 0

    def _make(self) -> None:
        self._is_made = True
        self._codegen._check_llvm_bugs()
        self._optimize_final_module()
        self._final_module.verify()
        names = [v.name for v in self._final_module.global_variables if v.name.startswith("_ZN08NumbaEnv")]
        self._finalize_final_module()
        for name in names:
            environment = lookup_environment(name)
            if environment is not None:
                self.set_env(name, environment)

    def serialize_using_object_code(self) -> tuple[Any, ...]:
        """What is kept on disk: machine code, or where none was made, what it is to be made of."""
        kept: tuple[Any, ...] = (
            super().serialize_using_object_code() if self._is_made else self.serialize_using_bitcode()
        )
        return kept

    @classmethod
    def _unserialize(cls, codegen: JITCPUCodegen, state: tuple[Any, ...]) -> JITCodeLibrary:
        name, kind, data = state
        if kind == "object":
            found = super()._unserialize(codegen, state)
            found._is_made = True
            return found
        library = cls(codegen, name)
        library._final_module = binding.parse_bitcode(data)
        library._finalized = True
        return library


@contextlib.contextmanager
def collecting(codegen: JITCPUCodegen) -> Iterator[None]:
    """Whatever library is made in here is such a one. For whoever holds Numba's lock on compiling.

    Python's cyclic garbage collector waits: going through all of Numba's objects again and again was an eighth of the
    time that compiling takes.
    """
    before, collects = codegen._library_class, gc.isenabled()
    codegen._library_class = Library
    gc.disable()
    try:
        yield
    finally:
        codegen._library_class = before
        if collects:
            gc.enable()


class Collecting(Compiler):  # type: ignore[misc]
    """Numba's compiler, with such libraries."""

    def compile_extra(self, func: Callable[..., Any]) -> Any:
        """Compile a function."""
        with collecting(self.state.targetctx.codegen()):
            return super().compile_extra(func)

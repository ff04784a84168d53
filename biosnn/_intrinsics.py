"""What kernels ask of the processor and the system, as Python has it; _lowering.py says what Numba makes of each.

Where Python has no such thing, nothing is done, as long as no result depends on it.
"""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
import threading
import time

import numpy as np

_FENV, _MXCSR = 32, 28  # bytes of the C library's fenv_t on x86, and where the control word stands in it
HAS_MXCSR = platform.machine().lower() in ("x86_64", "amd64")
FLUSH = 0x8000 | 0x0040  # bits of the x86 control word: results, and operands, that are subnormal become zero
_before: dict[int, int] = {}  # of each thread that flushes them, the mode that it was in


def word_at(octets, index):
    """The eight bytes octets[index : index + 8] as one number, the first the lowest, at any address.

    A view as u64 has to begin at a multiple of eight.
    """
    return np.uint64(int.from_bytes(octets[index : index + 8].tobytes(), "little"))


def array_at(address, n, number):
    """The array of n numbers of a type that stands at an address: that which another array has its values at."""
    size = int(n) * np.dtype(number).itemsize
    return np.frombuffer((ctypes.c_byte * size).from_address(int(address)), number)


def prefetch(array, index):
    """Ask for the 64-byte line of array[index] ahead of its use; index must lie in the array."""


def add_atomically(array, index, value):
    """array[index] += value, seen whole by other threads, after all that was written before it; the old value."""
    old = array[index]
    array[index] += value
    return old


def load_atomically(array, index):
    """array[index] as other threads have it now, and all that they had written before."""
    return array[index]


def nap():
    """Sleep for as short as the system can: some 60 us on Linux."""
    time.sleep(1e-6)


def nanoseconds():
    """A clock that only goes forward, ns; reading it takes some 25 ns on Linux."""
    return np.int64(time.monotonic_ns())


def widen(bits):
    """float32 of the bits of a float16."""
    return np.float32(np.uint16(bits).view(np.float16))


def narrow(x):
    """The bits of the float16 next to a float32."""
    return np.float16(x).view(np.uint16)


def align_stack():
    """Have the function that calls it begin its stack with a cache line.

    Constants that find no register are read from there in each iteration, 64 bytes at a time; LLVM would align them to
    16, so that in three of four processes each read took two lines.
    """


def flush_subnormals():
    """From here on, numbers below 1.2e-38 are zero on this thread; returns the mode before, for `restore_mode`.

    A current that decays where nothing arrives passes through them, and each operation on one takes 150 cycles: a
    silent network of 20,000 neurons took 78 us a step instead of 15. Only x86 is that slow; elsewhere nothing is done.
    Uncompiled, it takes a C library whose floating-point environment is known here: that of Linux.
    """
    library = _library()
    if library is None:
        return np.int32(0)
    before = _exchange(library, FLUSH, keep=-1)
    return np.int32(_before.setdefault(threading.get_ident(), before))


def restore_mode(mode):
    """Undo `flush_subnormals`, which returned `mode`: the user's own arithmetic on this thread is left alone."""
    library = _library()
    if library is not None:
        _before.pop(threading.get_ident(), None)
        _exchange(library, int(mode), keep=0)


def unwind():
    """Undo `flush_subnormals` where an exception, of a debugger for one, has come before `restore_mode`."""
    if threading.get_ident() in _before:
        restore_mode(_before[threading.get_ident()])


@functools.cache
def _library():
    return ctypes.CDLL(None) if HAS_MXCSR and sys.platform == "linux" else None


def _exchange(library, bits, keep):
    """Set the control word of this thread to `bits`, and those of its own that `keep` has; the word before."""
    environment = ctypes.create_string_buffer(_FENV)
    library.fegetenv(environment)
    word = ctypes.c_uint32.from_buffer(environment, _MXCSR)
    before = word.value
    word.value = before & keep | bits
    library.fesetenv(environment)
    return before

"""Kernels of each kind that reach outside of an array: to be run with NUMBA_BOUNDSCHECK=1, which has to tell of each.

Prints the names of those of which nothing is heard.
"""

import numpy as np

from biosnn._numba import (
    add_atomically,
    allocating_kernel,
    i64,
    kernel,
    load_atomically,
    parallel_kernel,
    prange,
    prefetch,
    u64,
    word_at,
)


@kernel
def writes(a, i):
    a[i] = 1


@kernel
def unsigned(a, i):
    a[u64(i)] = 1


@kernel
def calls(a, i):
    writes(a, i)


@kernel
def of_a_view(a, i):
    return a[8:][i - 8]


@allocating_kernel
def allocates(a, i):
    room = np.empty(a.size)
    room[i] = 1.0
    return room


@parallel_kernel
def in_a_worker(a, i):
    for worker in prange(2):  # of two threads the second one fails
        writes(a, i * worker)


@kernel
def words(octets, i):
    return word_at(octets, i64(i) - 7)  # its last byte is outside


@kernel
def prefetches(a, i):
    prefetch(a, i64(i))


@kernel
def adds(a, i):
    add_atomically(a, i64(i), i64(1))


@kernel
def loads(a, i):
    return load_atomically(a, i64(i))


KERNELS = (writes, unsigned, calls, of_a_view, allocates, in_a_worker, words, prefetches, adds, loads)


def tells(kernel, array, i):
    """Whether a kernel raises IndexError."""
    try:
        kernel(array, i)
    except IndexError:
        return True
    return False


if __name__ == "__main__":
    for kernel in KERNELS:
        array = np.zeros(16, np.uint8 if kernel is words else np.int64)
        if tells(kernel, array, 8):
            print(kernel.__name__, "inside")
        for i in (16, -1):
            if not tells(kernel, array, i):
                print(kernel.__name__, i)

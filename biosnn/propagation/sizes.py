"""Sizes that a plan has to know without loading the compiler."""

BLOCK = 64  # events of one block of the event-bucketed ring; with int32 values it is four cache lines
LISTED = 4096  # segments that event-driven delivery lists before it sends them: the list stays in the cache
POST_BYTES = 2  # of the input slot of an event
LINE = 16  # int32 numbers in a cache line


def padded(n: int) -> int:
    """Numbers in a row of which n are used, so that rows of different threads share no cache line."""
    return (-(-n // LINE) + 1) * LINE

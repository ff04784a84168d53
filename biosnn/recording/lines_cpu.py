"""The kernel that writes spikes as lines of text: 30 to 50 ns a spike, where Python takes 400."""

from __future__ import annotations

from biosnn._numba import kernel, u64
from biosnn.recording.shared import PER_MS


@kernel
def spike_lines(steps, ids, scale, first_id, texts, text_at, out):
    """Write a line for each spike into `out`, uint8, which has room; returns the number of bytes.

    Step s is at (s + 1) scale / PER_MS ms. Text k is texts[text_at[k]] to texts[text_at[k + 1] - 1]: what a line begins
    with, what it ends with, and for each population what stands between time and neuron.
    """
    end, a, head, behind = 0, 0, 0, 0
    for k in range(steps.size):
        begun = end
        if k > 0 and steps[k] == steps[k - 1]:
            end = _copy(out, head, behind, out, end)
        else:
            end = _copy(texts, text_at[0], text_at[1], out, end)
            end = _time((steps[k] + 1) * scale, out, end)
        head, behind = begun, end
        a = _population(first_id, ids[k], a)
        end = _copy(texts, text_at[a + 2], text_at[a + 3], out, end)
        end = _number(ids[k] - first_id[a], out, end)
        end = _copy(texts, text_at[1], text_at[2], out, end)
    return end


@kernel
def _copy(source, first, last, out, end):
    for j in range(u64(last - first)):
        out[u64(end) + j] = source[u64(first) + j]
    return end + last - first


@kernel
def _time(x, out, end):
    """x / PER_MS as Python prints a float: no zeros at the end, but for a whole number."""
    end = _number(x // PER_MS, out, end)
    out[end] = 46  # a point
    end += 1
    rest, unit = x % PER_MS, PER_MS // 10
    out[end] = 48 + rest // unit
    end += 1
    rest %= unit
    while rest > 0:
        unit //= 10
        out[end] = 48 + rest // unit
        end += 1
        rest %= unit
    return end


@kernel
def _number(x, out, end):
    """The digits of x, at least 0; as all of these, returns where they end."""
    n, left = 1, x // 10
    while left > 0:
        n += 1
        left //= 10
    for j in range(n):
        out[end + n - 1 - j] = 48 + x % 10
        x //= 10
    return end + n


@kernel
def _population(first_id, i, a):
    """Number of the population of id i; a is that of the id before, which is often the same."""
    if first_id[a] <= i < first_id[a + 1]:
        return a
    low, high = 0, first_id.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if first_id[middle] <= i:
            low = middle
        else:
            high = middle
    return low

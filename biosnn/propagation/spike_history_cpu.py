"""The spikes in flight: per step the ids of the neurons that fired, kept for as long as the longest delay.

One list per partition (and one for the spike sources), filled in the order of the steps. A chunk of steps appends to
it; between chunks, what is older than the longest delay is handed to the recorders and dropped. So the history is at
once what delivery reads and what spike recording costs: 4 bytes a spike.
"""

from __future__ import annotations

from collections import namedtuple

from biosnn._numba import i32, i64, kernel, scalar, u64, word_at
from biosnn.propagation.rings_cpu import ring

# The spikes have waited: what is put is due, and added to the input itself. base: the partition's first slot.
Now = namedtuple("Now", "drive base")


@ring(Now)
def put_now(ring, p, delay, slot, amount):
    """Add to the input."""
    ring.drive[ring.base + slot] += amount


@kernel
def collect(spiked, section, q, n, spike_ids):
    """Append the ids of the neurons of a section that spiked to list q, from position n on; returns the new end.

    section = (first index, last index + 1, id - index, ...); `spiked` holds a byte per neuron, 0 or 1, of which 64 are
    looked at in one go, because spikes are rare.
    """
    first, last, to_id = u64(section[0]), u64(section[1]), section[2]
    blocks = first + (last - first) // u64(64) * u64(64)
    words = blocks + (last - blocks) // u64(8) * u64(8)
    end = u64(n)
    for i in range(first, blocks, u64(64)):
        some = word_at(spiked, i)
        for k in range(u64(8), u64(64), u64(8)):
            some |= word_at(spiked, i + k)
        if some:
            for k in range(u64(0), u64(64), u64(8)):
                end = _append_of_eight(word_at(spiked, i + k), i32(i + k) + i32(to_id), q, end, spike_ids)
    for i in range(blocks, words, u64(8)):
        end = _append_of_eight(word_at(spiked, i), i32(i) + i32(to_id), q, end, spike_ids)
    for i in range(words, last):
        spike_ids[q, end] = i32(i) + i32(to_id)
        end += u64(spiked[i])
    return i64(end)


@scalar
def _append_of_eight(word, first_id, q, end, spike_ids):
    """The new end after eight neurons, of which each has its byte, the first the lowest, in a word.

    If any spiked, all eight ids are written, each over the one before that did not spike: a branch for each is
    mispredicted, and took 118 us instead of 3 where half of 10,000 neurons fired.
    """
    if word:
        for k in range(8):
            spike_ids[q, end] = first_id + i32(k)
            end += word & u64(1)
            word >>= u64(8)
    return end


@kernel
def collect_each(spiked, section, q, n, most, spike_ids):
    """Append the id of each neuron of a section to list q as often as it spiked, from position n on; the new end.

    `spiked` holds how often, and keeps what the list has no room for: a full list ends the stride, which is one step
    then, and the rest is appended once it has grown (propagation/history.py). A neuron that spiked more than `most`
    times ends it, too: the list counts as full. Spikes are rare: 64 neurons are looked at in one go.
    """
    first, last, to_id = u64(section[0]), u64(section[1]), section[2]
    end, capacity = u64(n), u64(spike_ids.shape[1])
    for block in range(first, last, u64(64)):
        until = min(block + u64(64), last)
        some = i32(0)
        for i in range(block, until):
            some |= spiked[i]
        if some:
            for i in range(block, until):
                times = u64(spiked[i])
                if times > u64(most):
                    return i64(capacity)
                if times:
                    after = min(end + times, capacity)
                    for at in range(end, after):
                        spike_ids[q, at] = i32(i) + i32(to_id)
                    spiked[i] = i32(times - (after - end))
                    end = after
    return i64(end)


@kernel
def collect_rest(spiked, sections, t, most, spike_first, spike_ids):
    """Append to the last step of the history, step t - 1, what `collect_each` had no room for, in all partitions."""
    for p in range(sections.shape[0]):
        for q in range(sections.shape[1]):
            spike_first[p, t] = collect_each(spiked, sections[p, q], p, spike_first[p, t], most, spike_ids)


@kernel
def is_crowded(t, spike_first, most, capacity):
    """Whether some list could overflow in the next stride, if all of its neurons fired: one more id may be written."""
    crowded = False
    for q in range(spike_first.shape[0]):
        crowded |= spike_first[q, t + 1] + most[q] >= capacity
    return crowded


@kernel
def spikes_between(begin, end, origin, spike_first, spike_ids, steps, ids):
    """Write the spikes of history steps begin..end-1 to steps and ids, by step, then list.

    In NumPy it is 0.2 s less to compile, and took Brunel's network on two threads 2 to 3 % of its time.
    """
    n = 0
    for t in range(begin, end):
        for q in range(spike_first.shape[0]):
            for s in range(spike_first[q, t], spike_first[q, t + 1]):
                steps[n] = origin + t
                ids[n] = spike_ids[q, s]
                n += 1

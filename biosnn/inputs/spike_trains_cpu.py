"""Given spike times: sources fire at listed steps, and travel like any other spike."""

from __future__ import annotations

from biosnn._numba import kernel


@kernel
def fire(step, origin, cursor, train_step, train_id, q, spike_first, spike_ids):
    """Append the sources that fire in this step to list q of the spike history; cursor[0] is the next one to come."""
    c = cursor[0]
    n = spike_first[q, step - origin]
    while c < train_step.size and train_step[c] == step:
        spike_ids[q, n] = train_id[c]
        n += 1
        c += 1
    spike_first[q, step - origin + 1] = n
    cursor[0] = c

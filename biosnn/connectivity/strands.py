"""A strand: the synapses of one connection that leave one population, in one record for the kernels."""

from __future__ import annotations

import numpy as np

# How the targets of one source are chosen; PLACED: they stand in the row already.
ANY, DISTINCT, ALL, LISTED, PLACED = range(5)

STRAND = np.dtype(
    [
        ("connection", np.int64),  # keys the random numbers
        ("degree_at", np.int64),  # out-degree of source i: degrees[degree_at + i]
        ("choice", np.int64),
        ("target_at", np.int64),  # targets: ids target_at + j, or, if scattered, target_ids[target_at + j]
        ("scattered", np.int64),
        ("n_target", np.int64),
        ("no_autapses", np.int64),
        (
            "list_at",
            np.int64,
        ),  # source i's first synapse in the list is number list_start[list_at + i]; -1 without a list
        ("listed_at", np.int64),  # target position of synapse number k: listed[listed_at + k]
        (
            "weight_at",
            np.int64,
        ),  # weight of a synapse: weights[weight_at + (bits & weight_mask) + weight_step * position]
        ("positive", np.int64),  # row of slot_shift for its positive weights, and for its negative ones
        ("negative", np.int64),
        ("weight_mask", np.int64),
        ("weight_step", np.int64),
        ("delay_at", np.int64),  # and likewise its delay class
        ("delay_mask", np.int64),
        ("delay_step", np.int64),
        ("space", np.int64),  # what follows from distances: spaces[space]; -1 for nothing
    ]
)
STRAND = np.dtype((np.record, STRAND))  # whose fields are attributes, in plain Python as well

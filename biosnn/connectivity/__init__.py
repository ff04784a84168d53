"""Drawing synapses and packing them into rows: one row per source, sorted by (partition of the target, delay)."""

"""Numbers that parts and kernels share: kernels depend on nothing else of a part, and a part on no compiler."""

# Columns of the table of probes: address of the values, how many there are, bytes of each, interval in steps, columns
# before its own in `probe_index`, and number of its columns; where its samples begin.
COLUMNS = ADDRESS, N_VALUES, N_BYTES, EVERY, AT, WIDTH, SAMPLES = range(7)

# Of a ms: times that are whole multiples of it are written by a kernel. Python writes what is smaller as 1e-05.
PER_MS = 10_000

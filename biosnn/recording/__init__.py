"""What is kept of a run: spikes, samples of state variables, statistics; and the files they are written to."""

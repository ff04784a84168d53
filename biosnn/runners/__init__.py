"""The command line, and the directory in which it leaves what a run gave."""

"""Pictures of results, by Matplotlib (the `plot` extra)."""

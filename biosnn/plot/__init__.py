"""Pictures, by Matplotlib (the `plot` extra): arrays and axes in, axes out, no result and no network.

`result.plot`, `sim.plot` and `plan.plot` bind what they hold to these functions.
"""

"""Numbers that parts and kernels share: kernels depend on nothing else of a part, and a part on no compiler."""

TILE = 512  # neurons taken at a time; small, so that what is worked on stays in the cache
WINDOW = 10  # thresholds that are compared for all neurons

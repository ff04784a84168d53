"""Groups of neurons: their arrays, and the loop that takes them over a step."""

"""Where everything of a network stands, and what a number there is worth: ids, partitions, slots, units."""

"""From a plan to arrays."""

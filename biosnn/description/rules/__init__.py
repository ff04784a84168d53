"""Connection rules: which sources reach which targets, in what numbers."""

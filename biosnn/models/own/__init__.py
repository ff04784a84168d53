"""Models of the user's own: a function, its text, and its defaults."""

"""What a network takes, and what is chosen for it."""

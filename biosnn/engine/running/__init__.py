"""Advance a network, record it, look into it."""

"""Demonstration networks. A new one is a file beside these and a line in DEMOS."""

"""From parts to the text of a driver."""

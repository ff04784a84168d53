"""The description of a network: populations, connections, stimuli, recorders. Nothing is drawn or allocated here."""

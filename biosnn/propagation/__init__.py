"""How spikes travel: the history of spikes in flight, and the delivery of the synapses that are due."""

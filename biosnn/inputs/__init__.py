"""What drives a network from outside: Poisson trains, currents, given spike times. One file each."""

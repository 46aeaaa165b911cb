"""What drives engines: the clock, the wiring, the topology, the programs."""

"""What it costs: run by `make bench`, quoted in docs with the machine it ran on."""

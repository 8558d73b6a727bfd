"""Floor 1: what the inside asks of the outside, as Protocols and plain data."""

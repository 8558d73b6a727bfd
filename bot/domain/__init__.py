"""Floor 0: what an incident is and how it may change. Pure: no clock, no I/O, no await."""

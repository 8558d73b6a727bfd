"""Floor 5: one vendor a file behind a port: how effects reach the world."""

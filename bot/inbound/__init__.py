"""Floor 5: doors in: authenticate, parse, submit, answer."""

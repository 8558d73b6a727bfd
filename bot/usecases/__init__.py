"""Floor 3: what Tocsin is asked to do, as data: which keys a case needs, and what it changes."""

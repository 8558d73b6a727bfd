"""Where alerts come from, and can be silenced."""

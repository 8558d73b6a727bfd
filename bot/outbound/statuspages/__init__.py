"""Status pages that somebody else runs; our own is in inbound/web."""

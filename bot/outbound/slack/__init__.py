"""Slack as the world that is told and shown: opens channels, posts, edits, pins."""

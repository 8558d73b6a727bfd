"""Slack's medium: blocks, views and their limits."""

"""Pagers: who wakes people up outside Slack."""

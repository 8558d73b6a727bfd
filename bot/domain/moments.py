"""Moments as they travel: RFC 3339, in UTC."""

from datetime import UTC, datetime


def rfc3339(at: datetime) -> str:
    """Return `2026-03-14T09:00:00Z`. Source: https://www.rfc-editor.org/rfc/rfc3339#section-5.6"""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

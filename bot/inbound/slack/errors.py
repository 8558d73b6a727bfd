"""What Slack's library raises when a call fails, read with care: it hands on whatever the answer was."""

from typing import Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

FAILED: Final = (SlackClientError, aiohttp.ClientError, TimeoutError, AttributeError, TypeError)
"""A call that came to nothing. The last two: an answer of another shape than Slack's, which is not looked at first."""


def code_of(error: BaseException) -> str:
    """Return Slack's error code; empty if it did not answer, or nothing that can be read (a proxy's page, say)."""
    response = error.response if isinstance(error, SlackApiError) else None
    answer = getattr(response, "data", response)
    return str(answer.get("error") or "") if isinstance(answer, dict) else ""


def name_of(error: BaseException) -> str:
    """Return what the log says of it."""
    return code_of(error) or type(error).__name__

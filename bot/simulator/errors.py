"""Refusals: Slack's to the app, and the page's to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class SlackError(Exception):
    """A Web API refusal: Slack's error code, and the fields that stand beside it."""

    def __init__(self, code: str, messages: Sequence[str] = (), **beside: Any) -> None:
        super().__init__(code)
        self.code = code
        self.messages = list(messages)
        self.beside = beside

    def body(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        answer: dict[str, Any] = {"ok": False, "error": self.code, **self.beside}
        if self.messages:
            answer["response_metadata"] = {"messages": self.messages}
        return answer


class PersonError(Exception):
    """What a person at the page cannot do, in words."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

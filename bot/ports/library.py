"""The runbooks there are, and which one fits."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity


class Runbooks(Protocol):
    """Runbooks by name and by what they match, as they were at one moment."""

    def match(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], service: str | None, severity: Severity
    ) -> tuple[Runbook | None, str]:
        """Return the runbook that fits best, or the default one, or None; and why in words."""
        ...

    def get(self, name: str) -> Runbook | None: ...

    def names(self) -> Sequence[str]: ...


class RunbookLibrary(Protocol):
    """Where the runbooks come from."""

    async def fresh(self) -> Runbooks:
        """Return the runbooks as they are now. They are files: they are read off the event loop."""
        ...

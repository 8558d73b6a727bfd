"""What a decision may know besides the incident: who asks, when, and what the organisation decided beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.incident.state import Incident
from bot.domain.policy import Policy
from bot.domain.refusals import (
    AlreadyOver,
    EmptyText,
    FinallyCancelled,
    NotAround,
    TextTooLong,
    TitleTooLong,
    TitleUnreadable,
)
from bot.domain.severity import Severity, Status
from bot.domain.text import TEXT_MAX, TITLE_MAX, clean, clean_line, has_letters


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, at what time, under which policy. `number` is set for a declaration only."""

    policy: Policy
    now: datetime
    actor: str
    number: int = 0

    def update_by(self, severity: Severity, asked: timedelta | None = None) -> datetime | None:
        """When the next internal update is owed, if this severity owes any (or the author promised one)."""
        every = asked or self.policy.severities[severity].update_every
        return self.now + every if every else None

    def respond_by(self, severity: Severity) -> datetime:
        """When the response timer of a fresh incident rings."""
        return self.now + self.policy.severities[severity].respond

    def missing_roles(self, severity: Severity, held: Mapping[str, str]) -> tuple[str, ...]:
        """Return the roles that this severity requires and nobody holds."""
        return tuple(role for role in self.policy.severities[severity].roles if role not in held)

    def role_by(self, severity: Severity, held: Mapping[str, str]) -> datetime | None:
        """When to ask for the missing roles; None if none is missing."""
        policy = self.policy.severities[severity]
        return self.now + policy.roles_within if self.missing_roles(severity, held) else None

    def relief_by(self, severity: Severity) -> datetime | None:
        """When whoever takes command now should be relieved."""
        after = self.policy.severities[severity].relief_after
        return self.now + after if after else None

    def stale_after(self, severity: Severity) -> float | None:
        """Seconds without anything a person does, after which to ask whether it goes on."""
        after = self.policy.severities[severity].stale_after
        return after.total_seconds() if after else None

    def archive_by(self) -> datetime | None:
        """When the channel of an incident that ends now is archived."""
        after = self.policy.channels.archive_after
        return self.now + after if after else None

    def postmortem_by(self, severity: Severity) -> datetime | None:
        """When the postmortem of an incident resolved now is due, if it owes one."""
        span = self.policy.severities[severity].postmortem_span
        return span.after(self.now, self.policy.organization.business_days) if span else None


def must_be_active(state: Incident) -> None:
    """Refuse if the incident is over, saying how to go on."""
    if state.status is Status.CANCELLED:
        raise FinallyCancelled(key=state.key)
    if not state.is_active:
        raise AlreadyOver(key=state.key, status=state.status)


def must_be_around(user: str, ctx: Context) -> None:
    """Refuse somebody who cannot answer: a bot, or an account that was deactivated."""
    if user in ctx.policy.duty.gone:
        raise NotAround(user=user)


def read_title(raw: str) -> str:
    """Return a person's title, cleaned. Refuses one that is too long or that nobody can say aloud."""
    title = clean_line(raw, TEXT_MAX + 1)
    if len(title) > TITLE_MAX:
        raise TitleTooLong(length=f"{len(raw.strip()):,}", limit=TITLE_MAX)
    if not has_letters(title):
        raise TitleUnreadable
    return title


def read_text(raw: str, usage: str, *, optional: bool = False, limit: int = TEXT_MAX) -> str:
    """Return a person's text, cleaned. Refuses an empty one (unless optional) and one over `limit`."""
    text = clean(raw, len(raw) + 1)
    if len(text) > limit:
        raise TextTooLong(length=f"{len(text):,}", limit=f"{limit:,}")
    if not text and not optional:
        raise EmptyText(usage=usage)
    return text

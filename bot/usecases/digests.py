"""The morning digest: what is open, what is owed. Said once a day in `channels.digest`, whoever rings first."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue

from bot.domain.incident import Incident
from bot.domain.notices import Notice
from bot.domain.policy import Policy
from bot.domain.severity import Status
from bot.ports.clock import Clock
from bot.ports.reader import Reader
from bot.ports.store import Answer
from bot.usecases.committer import Submits
from bot.usecases.notices import Announce

SHOWN = 10


async def say_digest(reader: Reader, committer: Submits, policy: Policy, clock: Clock) -> Answer | None:
    """Say today's digest, if there is a channel for it. Raises Unavailable."""
    now = clock()
    notice = digest(await reader.unfinished(), policy, now)
    return await committer.submit(Announce((notice,))) if notice else None


def digest(incidents: Sequence[Incident], policy: Policy, now: datetime) -> Notice | None:
    """Return the digest of the day at `now` in the organisation's zone. Private incidents and drills are left out."""
    if not policy.channels.digest:
        return None
    seen = [state for state in incidents if not state.private and not state.drill]
    opened = sorted((s for s in seen if s.is_active), key=lambda s: (s.severity.rank, s.declared_at))
    reviews = [s for s in seen if s.postmortem_owed]
    owed: list[JsonValue] = [
        {"key": s.key, "text": t.text, "owner": t.owner, "due": _stamp(t.due)}
        for s in seen
        if s.status is not Status.CANCELLED
        for t in s.tasks
        if not t.done and t.due and t.due <= now
    ]
    fields: dict[str, JsonValue] = {
        "open": [_line(state) for state in opened[:SHOWN]],
        "open_left": max(len(opened) - SHOWN, 0),
        "reviews": [{"key": s.key, "title": s.title, "due": _stamp(s.postmortem_owed)} for s in reviews[:SHOWN]],
        "reviews_left": max(len(reviews) - SHOWN, 0),
        "owed": list(owed[:SHOWN]),
        "owed_left": max(len(owed) - SHOWN, 0),
    }
    day = now.astimezone(policy.organization.zone).date()
    return Notice(key=f"digest/{day.isoformat()}", template="digest", channel=policy.channels.digest, fields=fields)


def _line(state: Incident) -> dict[str, JsonValue]:
    return {
        "key": state.key,
        "title": state.title,
        "severity": state.severity.value,
        "status": state.status.value,
        "lead": state.lead,
        "channel": state.room.channel if state.room else None,
        "since": _stamp(state.declared_at),
        "update_by": _stamp(state.update_by),
    }


def _stamp(at: datetime | None) -> str | None:
    return at.isoformat() if at else None

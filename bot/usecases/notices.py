"""The case of the house's own messages: said once under their key, however many replicas want to say them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue

from bot.domain.effects import PostNotice
from bot.domain.notices import Notice
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded, NewEffect


@dataclass(frozen=True, slots=True)
class Announce:
    """Say `notices`, each unless its key was used before.

    `unless`: keys that, if used within `within`, silence all of them. The answer's field `said` holds the keys that
    were new.
    """

    notices: tuple[Notice, ...]
    unless: tuple[str, ...] = ()
    within: timedelta = timedelta(0)
    command_id: str = field(default="", init=False)

    def keys(self) -> Keys:
        return Keys(notices=frozenset((*(notice.key for notice in self.notices), *self.unless)))

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Queue what has not been said."""
        earlier = [loaded.notices[key] for key in self.unless if key in loaded.notices]
        quiet = any(now - at < self.within for at in earlier)
        new = [notice for notice in self.notices if not quiet and notice.key not in loaded.notices]
        changes = Changes(Answer(kind="announced", fields={"said": [notice.key for notice in new]}))
        for notice in new:
            said(changes, notice, now)
        return changes


def said(changes: Changes, notice: Notice, now: datetime) -> None:
    """Add `notice` to what a case changes. Its key must be new."""
    changes.notices.append((notice, now))
    changes.effects.append(_effect(notice, now))


def alarm(
    topic: str,
    now: datetime,
    *,
    channel: str,
    template: str,
    every: timedelta = timedelta(hours=1),
    **fields: JsonValue,
) -> Announce:
    """Return the case that says `topic` in `channel`, at most once in `every` (which must be an hour or less)."""
    hours = [f"alarm/{topic}/{at:%Y-%m-%dT%H}" for at in (now, now - timedelta(hours=1))]
    notice = Notice(key=hours[0], template=template, channel=channel, fields=fields, rank=1)
    return Announce((notice,), unless=tuple(hours), within=every)


def _effect(notice: Notice, now: datetime) -> NewEffect:
    effect = PostNotice(notice=notice.key, channel=notice.channel, user=notice.user)
    lane = f"{effect.lane}:calm" if notice.not_before else None  # nothing urgent waits behind what can wait
    return NewEffect.of_house(notice.effect_id, effect, notice.rank, now, lane=lane, not_before=notice.not_before)

"""What is noticed by its absence: a watchdog that does not come any more, an alert that nobody reports any more.

Both go through ReportBatch, as if a sender had said it, so that grouping, counting and `why` are the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from bot.domain.alert_reports import Runbooks
from bot.domain.alerts import HOUSE_SOURCE, Alert, AlertBatch, Episode
from bot.domain.durations import format_duration
from bot.domain.policy import Policy
from bot.domain.sender_news import SENDERS
from bot.domain.watchdogs import Watch, is_due, look_every, looked, silence
from bot.ports.clock import Clock
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from bot.usecases.committer import Submits
from bot.usecases.library import RunbookLibrary

ASKS_NO_REPEAT: Final = (HOUSE_SOURCE, *SENDERS)
"""Sources that report a change once and then nothing: their silence means nothing."""
AT_ONCE: Final = 200
"""Alerts closed by one commit."""


class Sees(Protocol):
    """The database, as it is read here."""

    async def watches(self) -> Mapping[str, Watch]: ...

    async def unseen(self, before: datetime, sources_without: Sequence[str], limit: int) -> list[Episode]: ...


@dataclass(frozen=True, slots=True)
class Watcher:
    """Looks, regularly. Every replica may: what is to be done is decided again within the commit, once."""

    sees: Sees
    committer: Submits
    policy: Policy
    library: RunbookLibrary
    clock: Clock

    async def watchdogs(self) -> None:
        """Report every watchdog that has fallen silent, or that is back. Raises Unavailable."""
        settings, now = self.policy.triage.watchdogs, self.clock()
        if settings and is_due(await self.sees.watches(), settings, now, look_every(settings)):
            await self.committer.submit(LookAtWatchdogs(self.policy, await self.library.fresh(), now))

    async def stale(self) -> None:
        """Close the alerts of which nobody has reported anything for `triage.stale_after`. Raises Unavailable."""
        after, now = self.policy.triage.stale_after, self.clock()
        if after is None:
            return
        found = await self.sees.unseen(now - after, ASKS_NO_REPEAT, AT_ONCE)
        if found:
            await self.committer.submit(CloseStale(tuple(found), after, self.policy, await self.library.fresh(), now))


@dataclass(frozen=True, slots=True)
class LookAtWatchdogs:
    """Hold what was heard of each watchdog against its time, and report what has changed."""

    policy: Policy
    runbooks: Runbooks
    at: datetime
    command_id: str = field(default="", init=False)

    def keys(self) -> Keys:
        """What a report on all of them would need, and the watchdogs."""
        settings = self.policy.triage.watchdogs
        unheard = [silence(Watch(one.key, self.at, self.at), one, over=False) for one in settings]
        needs = self._report(unheard).keys()
        return Keys(
            groups=needs.groups,
            fingerprints=needs.fingerprints,
            asked=needs.asked,
            watchdogs=frozenset(one.key for one in settings),
            opens=True,
        )

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Report those that fell silent or came back; remember the look."""
        settings = self.policy.triage.watchdogs
        watches: list[Watch] = []
        news: list[Alert] = []
        for setting in settings:
            watch, what = looked(loaded.watches.get(setting.key), setting, now, look_every(settings))
            watches.append(watch)
            if what:
                news.append(silence(watch, setting, over=what == "back"))
        changes = self._report(news).run(loaded, now) if news else Changes(Answer(kind="looked"))
        changes.watches += watches
        return changes

    def _report(self, news: Sequence[Alert]) -> ReportBatch:
        batch = AlertBatch(source=HOUSE_SOURCE, alerts=tuple(news))
        return ReportBatch(Request(f"alert:{HOUSE_SOURCE}"), batch, self.policy, self.runbooks, self.at)


@dataclass(frozen=True, slots=True)
class CloseStale:
    """Resolve those of `episodes` that are still open and still have not been seen for `after`."""

    episodes: tuple[Episode, ...]
    after: timedelta
    policy: Policy
    runbooks: Runbooks
    at: datetime
    command_id: str = field(default="", init=False)

    def keys(self) -> Keys:
        """What the report of their resolve needs, and when each was seen last."""
        needs = self._report([_over(one, one.last_seen, self.after) for one in self.episodes]).keys()
        return Keys(
            groups=needs.groups,
            fingerprints=needs.fingerprints,
            sights=frozenset(one.id for one in self.episodes),
        )

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Compare with what is on record now: somebody else may have closed or seen some of them."""
        over = []
        for one in self.episodes:
            known = loaded.episodes.get((one.source, one.fingerprint))
            seen = loaded.sights.get(one.id)
            if known and known.id == one.id and known.is_open and seen and now - seen > self.after:
                over.append(_over(known, seen, self.after))
        return self._report(over).run(loaded, now)

    def _report(self, over: Sequence[Alert]) -> ReportBatch:
        batch = AlertBatch(source=HOUSE_SOURCE, alerts=tuple(over))
        return ReportBatch(Request(f"alert:{HOUSE_SOURCE}"), batch, self.policy, self.runbooks, self.at)


def _over(episode: Episode, seen: datetime, after: timedelta) -> Alert:
    return Alert(
        source=episode.source,
        fingerprint=episode.fingerprint,
        status="resolved",
        name=episode.name,
        labels=episode.labels,
        annotations=episode.annotations,
        url=episode.url,
        because=f"not seen since {seen.astimezone(UTC):%Y-%m-%d %H:%M} UTC, which is over {format_duration(after)} ago",
    )

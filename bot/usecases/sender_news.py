"""The case of a delivery that tells more than states: who answered at the sender, what was noted there, which call."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from bot.domain import commands as c
from bot.domain.alert_plan import Known
from bot.domain.alerts import EARLY_KEPT, EARLY_MAX, Alert, AlertBatch, Episode, awaited
from bot.domain.durations import format_duration
from bot.domain.incident import Incident, decide
from bot.domain.incident.context import Context
from bot.domain.sender_news import News, actor_of, news_sentence
from bot.domain.text import clean_line, cut
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded
from bot.usecases.alerts import OUTCOMES, ReportBatch
from bot.usecases.unfold import unfold

TOLD_MAX: Final = 120
"""Characters of the news in the answer to its sender."""
_ANSWERS: Final = ("acknowledged", "unacknowledged")
"""News about who answers: of one that comes late it is asked what has been heard of that since."""


@dataclass(frozen=True, slots=True)
class HearBatch:
    """One delivery with news: its alerts as ReportBatch has them, then each piece of news, in the same commit."""

    report: ReportBatch
    pages: tuple[Alert, ...] = ()
    """The sender's incidents that it opened for our own pages."""

    @classmethod
    def of(cls, report: ReportBatch, installation: str) -> "HearBatch":
        """Return the case. What the sender opened for a page of this `installation` is news, not an alert."""
        batch = without_own_pages(report.batch, installation)
        pages = () if batch.alerts else report.batch.alerts
        over = tuple((p.source, p.fingerprint) for p in pages if p.status == "resolved" and not p.merged_into)
        return cls(replace(report, batch=batch, ended=over, judged=None), pages)

    @property
    def command_id(self) -> str:
        return self.report.command_id

    def keys(self) -> Keys:
        """What the alerts need, and the sender's incidents or our own that the news is about."""
        news = self.report.batch.news
        named = frozenset((one.source, name) for one in news for name in (one.fingerprint, one.into) if name)
        own = frozenset(one.incident for one in news if one.incident)
        return Keys.of_all([self.report.keys(), Keys(fingerprints=named, incidents=own)])

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Report the alerts, then hear the news: first what came before its incident was known."""
        changes = self.report.run(loaded, now)
        self._link_pages(loaded, changes, now)
        results = list(changes.answer.fields["results"])
        self._hear_early(loaded, changes, now)
        for news in self.report.batch.news:
            _merge(results, self._hear(news, loaded, changes, now))
        best = min(results, key=lambda one: OUTCOMES.index(one["outcome"]), default=None)
        if best is not None:
            number = int(best["incident"].removeprefix("INC-")) if best["incident"] else None
            fields = {name: best[name] for name in ("outcome", "incident", "reason")} | {"results": results}
            changes.answer = Answer(kind="alerts", incident=number, fields=fields)
        return changes

    def _link_pages(self, loaded: Loaded, changes: Changes, now: datetime) -> None:
        """Remember which incidents the sender opened for which page of ours, and who answers for them there."""
        for page, one in zip(self.pages, self.report.batch.news, strict=False):
            known = loaded.episodes.get((page.source, page.fingerprint))
            linked = known if known and not known.awaited else _link(page, one.incident, known, now)
            if linked.after(page) is not known and one.incident in loaded.incidents:
                changes.episodes.append(linked.after(page))

    def _hear_early(self, loaded: Loaded, changes: Changes, now: datetime) -> None:
        """What was noted at the sender before its incident came is heard with it."""
        batch = self.report.batch
        told: tuple[Alert | News, ...] = (*batch.alerts, *self.pages, *batch.news)
        for key in dict.fromkeys((one.source, one.fingerprint) for one in told):
            known = loaded.episodes.get(key)
            if known is None or not known.early or _home(key, loaded, changes) is None:
                continue
            for news in sorted(known.early, key=_told_at) if now - known.last_seen <= EARLY_KEPT else ():
                self._hear(news, loaded, changes, now)
            after = _newest(key, loaded, changes) or known
            changes.episodes.append(after.model_copy(update={"early": (), "last_seen": now}))

    def _hear(self, news: News, loaded: Loaded, changes: Changes, now: datetime) -> dict[str, Any]:
        """Let the incident hear `news`. Return the result, as an alert's."""
        before, why = self._incident(news, loaded, changes)
        if before is None:
            return _result(news, "ignored", None, why or self._keep(news, loaded, changes, now))
        again = before.asked_again_at or before.reopened_at
        if news.implied and again and not _begins(news, loaded, changes):
            return _result(news, "unchanged", before, "somebody answered, but perhaps before it was asked for again")
        if news.what == "merged":
            if not news.incident and not _goes_on_elsewhere(news, changes):
                return _result(news, "unchanged", before, "known already")
            news = news.model_copy(update={"text": f"{news.text}{_seen_here(news, before, loaded)}"})
        actor = actor_of(news.source, news.who) if news.what == "acknowledged" else f"alert:{news.source}"
        context = Context(self.report.policy, now, actor)
        events = decide(before, c.HearSender(news), context)
        if not events:
            return _result(news, "unchanged", before, "known already")
        unfold(changes, before, events, context, self.report.request.request_id)
        words = "acknowledged" if news.what == "acknowledged" else "heard"
        text = cut(clean_line(news.text), TOLD_MAX)
        return _result(news, "updated", before, f"{words}: {news_sentence(news.source, news.what, news.who, text)}")

    def _incident(self, news: News, loaded: Loaded, changes: Changes) -> tuple[Incident | None, str]:
        """Return the incident that `news` is about as it is after the alerts, or why there is none ("": none yet)."""
        key = news.source, news.fingerprint
        if news.what in _ANSWERS and _is_late(news, loaded.episodes.get(key)):
            return None, "older than what is known: it came late and changes nothing"
        number = news.incident or _home(key, loaded, changes)
        if number is None:
            return None, ""
        found = changes.incidents.get(number) or loaded.incidents.get(number)
        if found is not None and found.merged_into is not None:
            found = changes.incidents.get(found.merged_into) or loaded.incidents.get(found.merged_into) or found
        return found, f"about INC-{number}, which is not here"

    def _keep(self, news: News, loaded: Loaded, changes: Changes, now: datetime) -> str:
        """Keep it in case that its incident comes late, or that people declare one; return what is done about it."""
        about = f"about {news.fingerprint or 'an incident'}, which is no incident here"
        known = loaded.episodes.get((news.source, news.fingerprint))
        waits = known is None or known.awaited or (known.is_open and bool(known.question))
        if not waits or self.report.batch.alerts or not news.fingerprint or news in (known.early if known else ()):
            return about
        row = known or awaited(news.source, news.fingerprint, now)
        kept = {"early": (*row.early, news)[-EARLY_MAX:], "last_seen": now}
        changes.episodes.append(row.model_copy(update=kept))
        return f"{about} yet: kept for {format_duration(EARLY_KEPT)}, in case it comes late"


def without_own_pages(batch: AlertBatch, installation: str) -> AlertBatch:
    """Return `batch` as `installation` has to read it.

    An incident that the sender opened for a page of ours is our own incident come back: its alert is dropped and its
    news kept. One that was opened for another's page, or for nobody's, is an alert like every other.
    """
    if any(news.incident and news.installation == installation for news in batch.news):
        return batch.model_copy(update={"alerts": ()})
    # Whether it began or ended is then told by the alert.
    kept = [news.model_copy(update={"incident": 0}) for news in batch.news if news.what not in ("opened", "resolved")]
    return batch.model_copy(update={"news": tuple(kept)})


def _link(page: Alert, number: int, known: Episode | None, now: datetime) -> Episode:
    """Return what ties the sender's incident to the page it was opened for: later news names the sender's only.

    Closed from the start: it is no alert that fires. `known` is the row of what was told before it came.
    """
    row = known or awaited(page.source, page.fingerprint, now)
    told = {
        "incident": number,
        "name": page.name,
        "labels": page.labels,
        "url": page.url,
        "starts_at": page.starts_at,
        "last_seen": now,
        "awaited": False,
        "why": "opened by the sender for our own page",
    }
    return row.model_copy(update=told)


def _newest(key: tuple[str, str], loaded: Loaded, changes: Changes) -> Episode | None:
    """The newest firing of what the news is about; the one that this delivery began counts."""
    mine = [one for one in changes.episodes if (one.source, one.fingerprint) == key]
    return mine[-1] if mine else loaded.episodes.get(key)


def _home(key: tuple[str, str], loaded: Loaded, changes: Changes) -> int | None:
    """The incident in which it counts, as it is after the alerts."""
    episode = _newest(key, loaded, changes)
    return Known(loaded.episodes, loaded.groups, loaded.incidents, loaded.questions).home(episode)


def _told_at(news: News) -> float:
    return news.at.timestamp() if news.at else 0.0


def _goes_on_elsewhere(news: News, changes: Changes) -> bool:
    """True if this delivery merged it into something that counts elsewhere; else it has ended, or that is known."""
    mine = [one for one in changes.episodes if (one.source, one.fingerprint) == (news.source, news.fingerprint)]
    return any(one.is_open and one.merged_into for one in mine)


def _seen_here(news: News, before: Incident, loaded: Loaded) -> str:
    """`, which is INC-7 here`, if it is and whoever reads it may know."""
    home = _home((news.source, news.into), loaded, Changes(Answer(kind="")))
    other = loaded.incidents.get(home or 0)
    if other is None or other.number == before.number or (other.private and not before.private):
        return ""
    return f", which is {other.key} here"


def _begins(news: News, loaded: Loaded, changes: Changes) -> bool:
    """True if what the news is about began with this very delivery."""
    known = loaded.episodes.get((news.source, news.fingerprint))
    mine = [one for one in changes.episodes if (one.source, one.fingerprint) == (news.source, news.fingerprint)]
    return any(known is None or one.id != known.id for one in mine)


def _is_late(news: News, known: Episode | None) -> bool:
    """True if something heard already has undone what the news says. What else was heard since does not matter."""
    if known is None or news.at is None:
        return False
    bounds = [known.unanswered_at if news.what == "acknowledged" else known.answered_at]
    # Of one that is over, any word counts; so it does of one from before this was kept.
    if not known.is_open or (known.answered_at is None and known.unanswered_at is None):
        bounds.append(known.changed_at)
    return any(at is not None and news.at < at for at in bounds)


def _result(news: News, outcome: str, incident: Incident | None, reason: str) -> dict[str, Any]:
    key = incident.key if incident else None
    return {"fingerprint": news.fingerprint, "outcome": outcome, "incident": key, "reason": reason}


def _merge(results: list[dict[str, Any]], told: dict[str, Any]) -> None:
    """Put the news' result in the place of its alert's, if it says more."""
    for n, result in enumerate(results):
        if result["fingerprint"] == told["fingerprint"]:
            if OUTCOMES.index(told["outcome"]) < OUTCOMES.index(result["outcome"]):
                results[n] = told
            return
    results.append(told)

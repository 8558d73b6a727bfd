"""Incidents to render: one that lived a full life, and one made of the worst that may come in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain import events as e
from bot.domain.incident import Incident, evolve
from bot.domain.policy import Approval, Policy, StatusPage
from bot.domain.severity import Severity, Status
from bot.render.slack.message import Links, Surroundings
from bot.render.texts import Texts

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
T0 = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
ANNA, BEN = "U0001", "U0002"


def surroundings(policy: Policy | None = None) -> Surroundings:
    """The real templates, as shipped."""
    policy = policy or Policy(statuspage=StatusPage(approval=Approval(second_person=(Severity.SEV1,))))
    return Surroundings(Texts(TEMPLATES), policy, Links("https://tocsin.example"))


def declared(**changes: Any) -> e.Declared:
    """The first fact of an incident."""
    values: dict[str, Any] = {
        "number": 7,
        "title": "Checkout is down",
        "severity": Severity.SEV1,
        "service": "checkout",
        "via": "slack",
        "room_name": "inc-7-checkout-is-down",
        "respond_by": T0 + timedelta(minutes=15),
        "update_by": T0 + timedelta(minutes=30),
    }
    return e.Declared(**values | changes)


class Life:
    """An incident that goes on, event by event."""

    def __init__(self, first: e.Declared | None = None) -> None:
        self.log: list[e.Recorded] = []
        self.state: Incident = self._add(first or declared(), ANNA)

    def _add(self, event: Any, actor: str) -> Incident:
        item = e.Recorded(seq=len(self.log) + 1, at=T0 + timedelta(minutes=len(self.log)), actor=actor, event=event)
        self.log.append(item)
        self.state = evolve(self.state if len(self.log) > 1 else None, item)
        return self.state

    def then(self, event: Any, actor: str = ANNA) -> "Life":
        """Let something happen."""
        self._add(event, actor)
        return self

    @property
    def last(self) -> e.Recorded:
        """What happened last."""
        return self.log[-1]


def room(life: Life) -> Life:
    """Give the incident its channel."""
    return life.then(e.RoomCreated(channel="C0007", name="inc-7-checkout-is-down"), "tocsin")


def steps(count: int, words: str = "Look at the graph", command: str = "kubectl get pods") -> tuple[e.Step, ...]:
    """Steps in the three sections, of equal shares."""
    names = ("Diagnosis", "Resolution", "Verification")
    return tuple(
        e.Step(
            number=n + 1,
            section=names[n * 3 // count],
            text=words,
            command=command,
            expect=words,
            if_not=words,
        )
        for n in range(count)
    )


def attached(count: int, **texts: str) -> e.RunbookAttached:
    """A runbook in use."""
    made = steps(count, **texts)
    title = texts.get("words", "Service API down")
    return e.RunbookAttached(name="service-api-down", title=title, digest="d", steps=made, count=len(made))


def every_tell(text: str, url: str = "https://grafana.example/d/1") -> Iterator[e.Event]:
    """One event for each text in the channel, with `text` wherever words come in."""
    later = T0 + timedelta(minutes=15)
    fact = e.AlertFact(
        source="alertmanager", fingerprint="f", name=text, summary=text, status="firing",
        url=url, runbook_url=url, dashboard_url=url, why=text[:300],
    )  # fmt: skip
    matchers = {f"{n}{text[:40]}": text[:300] for n in range(20)}
    yield e.Acknowledged(took=192.0, late=True)
    yield e.SeverityChanged(old=Severity.SEV3, new=Severity.SEV1, reason=text, respond_by=later)
    yield e.SeverityChanged(old=Severity.SEV3, new=Severity.SEV3, reason=text)
    yield e.SeverityChanged(
        old=Severity.SEV3, new=Severity.SEV1, reason=text, by_itself=True, respond_by=later, unacknowledged=text[:60]
    )
    yield e.StatusChanged(old=Status.INVESTIGATING, new=Status.MONITORING, text=text)
    yield e.TitleChanged(old=text, new=text[:200] or "x")
    yield e.ServiceChanged(old=text[:60], new=text[:60] or "x")
    yield e.Resolved(text=text, postmortem_by=later, took=3600)
    yield e.Closed()
    yield e.Cancelled(reason=text)
    yield e.Cancelled(reason=f"merged into INC-3: {text}", merged_into=3)
    yield e.Absorbed(number=3, title=text[:200], channel="C0007", people=(ANNA, BEN))
    yield e.Absorbed(number=3, channel=text[:40])
    yield e.Reopened(reason=text, respond_by=later)
    yield e.RoleAssigned(role="lead", user=BEN, old=ANNA)
    yield e.RoleAssigned(role=text[:60] or "x", user=BEN)
    yield e.HandoffOffered(user=BEN, lead=ANNA)
    yield e.HandoffDeclined(user=BEN, reason=text)
    yield e.HandoffWithdrawn(user=BEN, reason=text)
    yield e.PageRequested(
        target=text, users=(BEN, ANNA), usergroups=("S0001", text[:40]), pagers=(text[:40],), reason=text
    )
    yield e.PageAnswered(target=text, ok=False, error=text)
    yield e.UpdatePosted(text=text or "x", update_by=later)
    yield e.TaskAdded(number=1, text=text or "x", owner=BEN, due=later)
    yield e.TaskDone(number=1)
    yield e.PublicPublished(version=1, title=text, text=text, status=Status.IDENTIFIED, components=(text[:60],))
    yield e.AlertsReported(opened=20, closed=3, firing=17, total=40, facts=(fact,) * 20)
    yield e.SenderReported(source="pagerduty", what="note", who=text[:60], text=text)
    yield e.SenderReported(source="pagerduty", what="unacknowledged")
    yield e.CallChanged(url=url, dial=text[:300], source="pagerduty", who=text[:60])
    yield e.Silenced(silence="3.0", name=text[:120], id="a1", matchers=matchers, until=later)
    yield e.SilenceLifted(silence="3.0", name=text[:120], id="a1")
    yield e.AlertsReported(opened=0, closed=3, firing=0, total=40, facts=(fact,) * 3)
    yield e.ResponseOverdue(level=1, due=T0, late_by=1.0, next_at=later)
    yield e.ResponseOverdue(level=2, due=T0, late_by=1.0)
    yield e.UpdateOverdue(due=T0, late_by=0.0)
    yield e.RoleUnfilled(roles=("lead", text[:60] or "x"), due=T0, late_by=0.0, next_at=later)
    yield e.ReliefDue(user=BEN, due=T0, late_by=0.0)
    yield e.WentStale(idle=7200.0, due=T0, late_by=0.0)
    yield e.TaskOverdue(number=1, due=T0, late_by=0.0)
    yield e.TimerSnoozed(timer=text[:60] or "x", old=T0, until=later, reason=text)
    yield e.PostmortemOverdue(due=T0, late_by=0.0)
    yield e.PostmortemOverdue(due=T0, late_by=0.0, next_at=later)


def crowded(text: str) -> Life:
    """An incident in which everything is as long and as many as the domain allows."""
    life = room(
        Life(
            declared(
                title=text[:200] or "x",
                severity_reason=text[:500],
                severity_assumed=True,
                description=text[:3000],
                private=False,
                drill=True,
                service=text[:60] or None,
                labels={f"{n}{text[:50]}": text[:200] for n in range(30)},
                previous=3,
            )
        )
    )
    life.then(e.RoleAssigned(role="lead", user=ANNA)).then(e.HandoffOffered(user=BEN, lead=ANNA))
    for n, role in enumerate(("comms", "ops", "scribe", text[:60] or "x")):
        life.then(e.RoleAssigned(role=role, user=f"U10{n}"))
    for n in range(50):
        life.then(e.TaskAdded(number=n + 1, text=text[:1000] or "x", owner=BEN, due=T0))
    users = tuple(f"U2{n:03}" for n in range(50))
    life.then(e.PageRequested(target="x", users=users, pagers=tuple(f"{n}{text[:60]}" for n in range(5))))
    fact = e.AlertFact(source=text[:40], fingerprint="f", name=text[:120], summary=text[:300], status="firing")
    life.then(e.CallChanged(url=f"https://meet.example/{'x' * 1900}", dial=text[:300]))
    life.then(e.AlertsReported(opened=1, closed=0, firing=900, total=2000, facts=(fact,)))
    life.then(attached(40, words=text[:2000] or "x", command=text[:4000]))
    life.then(e.UpdatePosted(text=text or "x", update_by=T0))
    life.then(e.PublicPublished(version=1, title=text[:200], text=text[:5000], status=Status.IDENTIFIED))
    life.then(
        e.PublicDrafted(
            version=2, title=text[:200], text=text[:5000], status=Status.INVESTIGATING, components=(text[:60],)
        )
    )
    for n in range(20):
        life.then(e.DeliveryFailed(effect=f"7.1.{n}", what=f"open the channel {text[:60]}", error=text, mend=text))
    return life

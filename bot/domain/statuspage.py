"""The public status page as data: a pure projection of what was published, and of nothing else.

Only published words reach it: never the internal title, never a private incident or a drill.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.domain.events import PublicPublished, Recorded
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.severity import Severity, Status


class Impact(StrEnum):
    """How much an incident, or the page as a whole, is affected. The words are Statuspage's `indicator`."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for none … 3 for critical."""
        return list(Impact).index(self)


class Health(StrEnum):
    """How a component does. The words are Statuspage's component status."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded_performance"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"

    @property
    def rank(self) -> int:
        """0 for operational … 3 for a major outage."""
        return list(Health).index(self)

    @property
    def words(self) -> str:
        """`Partial outage`."""
        return self.value.replace("_", " ").capitalize()


_BY_SEVERITY: Final = {
    Severity.SEV1: (Impact.CRITICAL, Health.MAJOR),
    Severity.SEV2: (Impact.MAJOR, Health.PARTIAL),
    Severity.SEV3: (Impact.MINOR, Health.DEGRADED),
    Severity.SEV4: (Impact.MINOR, Health.DEGRADED),
}

DESCRIPTIONS: Final = {
    Impact.NONE: "All Systems Operational",
    Impact.MINOR: "Partially Degraded Service",
    Impact.MAJOR: "Partial System Outage",
    Impact.CRITICAL: "Major Service Outage",
}
"""The page's overall words, as Statuspage's readers know them."""


@dataclass(frozen=True, slots=True)
class Update:
    """One thing the public was told."""

    id: str
    at: datetime
    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class PublicIncident:
    """An incident as the public may know it. `updates` are newest first and never empty."""

    id: str
    title: str
    status: Status
    impact: Impact
    health: Health
    components: tuple[str, ...]
    updates: tuple[Update, ...]

    @property
    def is_open(self) -> bool:
        """True until the public was told that it is resolved."""
        return self.status is not Status.RESOLVED

    @property
    def started_at(self) -> datetime:
        """When the public first heard of it; the internal start is not theirs to see."""
        return self.updates[-1].at

    @property
    def updated_at(self) -> datetime:
        """When the public last heard of it."""
        return self.updates[0].at

    @property
    def resolved_at(self) -> datetime | None:
        """When the public was told that it is over."""
        return None if self.is_open else self.updated_at


@dataclass(frozen=True, slots=True)
class PublicComponent:
    """A part of the service as the public calls it."""

    id: str
    name: str
    group: str | None
    description: str
    health: Health


@dataclass(frozen=True, slots=True)
class PublicPage:
    """The whole page. `incidents` are newest first."""

    id: str
    name: str
    indicator: Impact
    components: tuple[PublicComponent, ...]
    incidents: tuple[PublicIncident, ...]

    @property
    def description(self) -> str:
        """`All Systems Operational`, or what is not."""
        return DESCRIPTIONS[self.indicator]

    @property
    def open(self) -> tuple[PublicIncident, ...]:
        """What is not over yet, the worst first, then the newest."""
        return tuple(sorted((i for i in self.incidents if i.is_open), key=lambda i: -i.impact.rank))

    @property
    def groups(self) -> tuple[tuple[str | None, tuple[PublicComponent, ...]], ...]:
        """(group, its components), in the order of the policy; those without a group come first, under None."""
        names = sorted(dict.fromkeys(component.group for component in self.components), key=lambda n: n is not None)
        return tuple((name, tuple(c for c in self.components if c.group == name)) for name in names)

    def incident(self, public_id: str) -> PublicIncident | None:
        """The incident with that public id."""
        return next((incident for incident in self.incidents if incident.id == public_id), None)


def opaque_id(installation: str, *parts: object) -> str:
    """Return a stable id that does not tell the number behind it, nor how many there are: 12 hex digits."""
    told = "/".join(["status", installation, *map(str, parts)])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def public_id(installation: str, number: int) -> str:
    """Return the id under which the public knows incident `number`."""
    return opaque_id(installation, "incident", number)


def public_page(
    published: Iterable[tuple[Incident, Sequence[Recorded]]], policy: Policy, installation: str
) -> PublicPage:
    """Return the page for what was `published`, in any order. Pure: the same log gives the same page.

    The severity of an open incident sets how its published components are shown. A component that is affected is
    shown even if the policy does not list it (any more).
    """
    found = [incident for state, events in published if (incident := _incident(state, events, installation))]
    found.sort(key=lambda incident: incident.started_at, reverse=True)
    open_now = [incident for incident in found if incident.is_open]
    return PublicPage(
        id=opaque_id(installation, "page"),
        name=policy.statuspage.name or policy.organization.name,
        indicator=max((incident.impact for incident in open_now), key=lambda i: i.rank, default=Impact.NONE),
        components=_components(open_now, policy, installation),
        incidents=tuple(found),
    )


def _incident(state: Incident, events: Sequence[Recorded], installation: str) -> PublicIncident | None:
    if state.private or state.drill:
        return None
    told = [(item, item.event) for item in events if isinstance(item.event, PublicPublished)]
    if not told:
        return None
    last = told[-1][1]
    impact, health = _BY_SEVERITY[state.severity]
    return PublicIncident(
        id=public_id(installation, state.number),
        title=last.title,
        status=last.status,
        impact=impact,
        health=health,
        components=last.components,
        updates=tuple(
            Update(opaque_id(installation, "update", state.number, item.seq), item.at, ev.status, ev.text)
            for item, ev in reversed(told)
        ),
    )


def _components(open_now: Sequence[PublicIncident], policy: Policy, installation: str) -> tuple[PublicComponent, ...]:
    health: dict[str, Health] = {}
    for incident in open_now:
        for name in incident.components:
            health[name] = max(health.get(name, Health.OPERATIONAL), incident.health, key=lambda h: h.rank)
    listed = {component.name: component for component in policy.statuspage.components}
    return tuple(
        PublicComponent(
            id=opaque_id(installation, "component", name),
            name=name,
            group=listed[name].group if name in listed else None,
            description=listed[name].description if name in listed else "",
            health=health.get(name, Health.OPERATIONAL),
        )
        for name in dict.fromkeys([*listed, *health])
    )

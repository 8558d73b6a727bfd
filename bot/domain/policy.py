"""What the organisation decided beforehand: the behaviour half of `tocsin.yaml`, as pure models.

Every key is optional. Unknown keys are errors, so that a typo never silently changes a response time.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.domain.durations import Duration, Span
from bot.domain.matchers import parse as parse_matchers
from bot.domain.severity import Severity


class Section(BaseModel):
    """A part of the policy: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise ValueError(f"{name!r} is not a time zone; use a name such as Europe/Berlin or UTC") from exc
    return name


class Organization(Section):
    """Who we are."""

    name: str = "Example"
    timezone: str = "UTC"
    holidays: tuple[date, ...] = ()
    check_zone = field_validator("timezone")(_zone)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of business days and handovers."""
        return ZoneInfo(self.timezone)


class SeverityPolicy(Section):
    """What a severity promises."""

    meaning: str = ""
    respond: Duration
    update_every: Duration | None = None
    postmortem_due: str | None = None
    page: bool = False
    notify: bool = False
    invite: tuple[str, ...] = ()

    @field_validator("postmortem_due")
    @classmethod
    def _span(cls, value: str | None) -> str | None:
        if value is not None and not (value.endswith("bd") and value[:-2].strip().isdigit()):
            from bot.domain.durations import parse_duration

            parse_duration(value)
        return value

    @property
    def postmortem_span(self) -> Span | None:
        """When the postmortem is due after the resolve, if one is owed."""
        return Span(self.postmortem_due) if self.postmortem_due else None


def _minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


DEFAULT_SEVERITIES: dict[Severity, SeverityPolicy] = {
    Severity.SEV1: SeverityPolicy(
        meaning="Complete outage or data loss",
        respond=_minutes(15),
        update_every=_minutes(30),
        postmortem_due="5bd",
        page=True,
    ),
    Severity.SEV2: SeverityPolicy(
        meaning="Partial outage, degraded performance",
        respond=_minutes(30),
        update_every=_minutes(60),
        postmortem_due="5bd",
        notify=True,
    ),
    Severity.SEV3: SeverityPolicy(
        meaning="Minor issue, a workaround exists; track in the backlog", respond=timedelta(hours=4)
    ),
    Severity.SEV4: SeverityPolicy(meaning="Cosmetic, no impact; fix in the next sprint", respond=timedelta(weeks=1)),
}


class Severities(Section):
    """The four levels. A file may change single keys of a level; the rest keep their defaults."""

    sev1: SeverityPolicy = DEFAULT_SEVERITIES[Severity.SEV1]
    sev2: SeverityPolicy = DEFAULT_SEVERITIES[Severity.SEV2]
    sev3: SeverityPolicy = DEFAULT_SEVERITIES[Severity.SEV3]
    sev4: SeverityPolicy = DEFAULT_SEVERITIES[Severity.SEV4]

    @field_validator("sev1", "sev2", "sev3", "sev4", mode="before")
    @classmethod
    def _overlay(cls, value: object, info: object) -> object:
        if not isinstance(value, dict):
            return value
        default = DEFAULT_SEVERITIES[Severity(getattr(info, "field_name", "sev3"))]
        return {**{k: getattr(default, k) for k in SeverityPolicy.model_fields}, **value}

    def __getitem__(self, severity: Severity) -> SeverityPolicy:
        found: SeverityPolicy = getattr(self, severity.value)
        return found


class Service(Section):
    """Something people run: who owns it, who joins, how it escalates, what the public calls it."""

    owners: tuple[str, ...] = ()
    invite: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()
    escalation: str | None = None
    components: tuple[str, ...] = ()
    runbook: str | None = None


class Route(Section):
    """An alert that matches all of `match` is treated so. First match wins."""

    match: tuple[str, ...] = ()
    action: Literal["open", "attach", "triage", "ignore"] = "open"
    severity: Severity | None = None
    service: str | None = None
    runbook: str | None = None
    private: bool = False
    group_by: tuple[str, ...] | None = None
    window: Duration | None = None

    @field_validator("match")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for line in value:
            parse_matchers(line)
        return value


class Target(Section):
    """Whom an escalation level reaches: exactly one of these."""

    user: str | None = None
    usergroup: str | None = None
    schedule: str | None = None
    pagerduty: str | None = None


class Level(Section):
    """One level of an escalation: these targets at once, then `wait` before the next."""

    targets: tuple[Target, ...] = Field(min_length=1)
    wait: Duration = timedelta(minutes=10)


class Escalation(Section):
    """Levels, tried in order until someone acknowledges."""

    levels: tuple[Level, ...] = Field(min_length=1)


class Handover(Section):
    """When a rotation changes hands, local to its zone."""

    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = "mon"
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "09:00"


class Rotation(Section):
    """A weekly on-call rotation. `people` take a week each, in order, from `start`'s week."""

    timezone: str = "UTC"
    handover: Handover = Handover()
    people: tuple[str, ...] = Field(min_length=1)
    start: date = date(2024, 1, 1)
    check_zone = field_validator("timezone")(_zone)


class Channels(Section):
    """Where things are said. Names without `#`."""

    announce: str | None = "incidents"
    digest: str | None = None
    """Accepted, so that a file may name it; nothing is posted there yet."""
    name: str = "inc-{{ number }}-{{ slug }}"


class Role(Section):
    """A part somebody plays."""

    title: str
    duties: str = ""
    aliases: tuple[str, ...] = ()


DEFAULT_ROLES: dict[str, Role] = {
    "lead": Role(
        title="Incident commander",
        duties="Decides, delegates, keeps the updates coming. Does not debug.",
        aliases=("ic", "commander", "incident-commander"),
    ),
    "comms": Role(
        title="Communications lead", duties="Writes the internal and public updates.", aliases=("communications",)
    ),
    "ops": Role(title="Operations lead", duties="Leads the people with hands on the system.", aliases=("operations",)),
    "scribe": Role(title="Scribe", duties="Notes decisions and times that nobody types into the channel.", aliases=()),
}


class Runbooks(Section):
    """Where runbooks are, and which one serves when none matches."""

    dir: str = "runbooks"
    default: str | None = "default"


class Component(Section):
    """A public part of the status page."""

    name: str
    group: str | None = None
    description: str = ""


class Approval(Section):
    """Who must look at a public text before it goes out."""

    second_person: tuple[Severity, ...] = ()


class StatusPage(Section):
    """The public status page."""

    name: str | None = None
    components: tuple[Component, ...] = ()
    approval: Approval = Approval()
    providers: tuple[Literal["builtin", "statuspage"], ...] = ("builtin",)


class Postmortem(Section):
    """How the postmortem is compiled."""

    names: Literal["names", "roles"] = "names"


class Triage(Section):
    """Times of the default triage (CONTRACT: alerts attach for 30 min, a re-fire reopens for 30 min)."""

    attach_window: Duration = _minutes(30)
    reopen_window: Duration = _minutes(30)


class Permissions(Section):
    """Usergroup or user ids per permission; empty means everyone."""

    declare: tuple[str, ...] = ()
    approve: tuple[str, ...] = ()
    page: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()


class Policy(Section):
    """Everything `decide` may know beyond the incident itself."""

    organization: Organization = Organization()
    severities: Severities = Severities()
    routes: tuple[Route, ...] = ()
    services: dict[str, Service] = {}
    channels: Channels = Channels()
    roles: dict[str, Role] = DEFAULT_ROLES
    oncall: dict[str, Rotation] = {}
    escalations: dict[str, Escalation] = {}
    runbooks: Runbooks = Runbooks()
    statuspage: StatusPage = StatusPage()
    postmortem: Postmortem = Postmortem()
    triage: Triage = Triage()
    permissions: Permissions = Permissions()

    def service(self, name: str | None) -> Service:
        """The service called `name`, or an empty one."""
        return self.services.get(name or "", Service())

    def escalation_for(self, service: str | None) -> tuple[Level, ...]:
        """The levels for `service`: its own, else the policy `default`, else each rotation in turn."""
        name = self.service(service).escalation or "default"
        if name in self.escalations:
            return self.escalations[name].levels
        rotations: Sequence[str] = sorted(self.oncall, key=lambda n: (n != "primary", n != "secondary", n))
        return tuple(Level(targets=(Target(schedule=n),)) for n in rotations)

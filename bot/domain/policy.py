"""What the organisation decided beforehand: the behaviour half of `tocsin.yaml`, as pure models.

Every key is optional. Unknown keys are errors, so that a typo never silently changes a response time.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, field_validator

from bot.domain.durations import BusinessDays, Duration, Span
from bot.domain.duty import Duty
from bot.domain.permissions import Permissions
from bot.domain.rotations import Person, Rotation
from bot.domain.routes import Route, Triage
from bot.domain.section import DAYS, Clock, DayName, Section, zone_name
from bot.domain.severity import Severity


class Organization(Section):
    """Who we are."""

    name: str = "Example"
    timezone: str = "UTC"
    workdays: tuple[DayName, ...] = Field(("mon", "tue", "wed", "thu", "fri"), min_length=1)
    end_of_business: Clock = "17:00"
    """When a business day ends, in `timezone`: what is due in business days is due then."""
    holidays: tuple[date, ...] = ()
    check_zone = field_validator("timezone")(zone_name)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of business days and handovers."""
        return ZoneInfo(self.timezone)

    @property
    def business_days(self) -> BusinessDays:
        """The calendar that `5bd` is counted in."""
        return BusinessDays(
            self.zone,
            frozenset(DAYS.index(day) for day in self.workdays),
            time.fromisoformat(self.end_of_business),
            frozenset(self.holidays),
        )


class SeverityPolicy(Section):
    """What a severity promises."""

    meaning: str = ""
    respond: Duration
    update_every: Duration | None = None
    postmortem_due: str | None = None
    page: bool = False
    notify: bool = False
    invite: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    """Further channels that are told of such an incident, besides `channels.announce`. Names without `#`."""
    roles: tuple[str, ...] = ()
    """Roles that somebody must hold; while one is free, the channel is asked every `roles_within`."""
    roles_within: Duration = timedelta(minutes=10)
    relief_after: Duration | None = None
    """After so long in command, somebody else should take over."""
    stale_after: Duration | None = None
    """When nobody has done anything for so long, the channel is asked whether it goes on."""

    @field_validator("postmortem_due")
    @classmethod
    def _span(cls, value: str | None) -> str | None:
        if value is not None and not (value.endswith("bd") and value[:-2].strip().isdigit()):
            from bot.domain.durations import parse_duration

            parse_duration(value)
        return value

    @property
    def calls(self) -> bool:
        """True for a level that calls whoever is on call: it pages, or notifies."""
        return self.page or self.notify

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
        roles=("lead",),
        roles_within=_minutes(5),
        relief_after=timedelta(hours=4),
    ),
    Severity.SEV2: SeverityPolicy(
        meaning="Partial outage, degraded performance",
        respond=_minutes(30),
        update_every=_minutes(60),
        postmortem_due="5bd",
        notify=True,
        roles=("lead",),
        roles_within=_minutes(15),
        relief_after=timedelta(hours=8),
    ),
    Severity.SEV3: SeverityPolicy(
        meaning="Minor issue, a workaround exists; track in the backlog",
        respond=timedelta(hours=4),
        stale_after=timedelta(days=3),
    ),
    Severity.SEV4: SeverityPolicy(
        meaning="Cosmetic, no impact; fix in the next sprint",
        respond=timedelta(weeks=1),
        stale_after=timedelta(weeks=2),
    ),
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
    """Levels, tried in order until someone acknowledges; after the last, `repeat` times from the first again."""

    levels: tuple[Level, ...] = Field(min_length=1)
    repeat: int = Field(0, ge=0, le=20)


class Channels(Section):
    """Where things are said. Names without `#`."""

    announce: str | None = "incidents"
    admin: str | None = None
    """Where the house tells those who run it that something is wrong with itself; unset: `announce`."""
    digest: str | None = None
    """Each public incident has a line there that stays true; each day at `digest_at` it says what is open and owed."""
    digest_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "09:00"
    """In the organisation's zone."""
    digest_days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = (
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
    )
    oncall: str | None = None
    """Where a rotation's change of hands is told; unset: `announce`."""
    name: str = "inc-{{ number }}-{{ slug }}"
    call: Annotated[str, Field(pattern=r"^https?://\S")] | None = None
    """Where the people of an incident talk, a template like `name`: `https://meet.example/{{ slug }}`."""
    archive_after: Duration | None = None
    """So long after an incident was closed or cancelled its channel is archived. Unset: never.

    A reopened one is taken out of the archive where Slack lets the app, else it gets a new channel.
    """

    @property
    def house(self) -> str | None:
        """Where the house speaks of itself."""
        return self.admin or self.announce


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


class Reactions(Section):
    """What an emoji on a message in an incident's channel means, by its name without colons."""

    pin: tuple[str, ...] = ("pushpin", "round_pushpin", "stopwatch")
    """Pins the message to the timeline; taking the emoji away unpins it."""
    update: tuple[str, ...] = ("mega", "loudspeaker")
    """Posts the message as an internal update."""


class Policy(Section):
    """Everything `decide` may know beyond the incident itself."""

    organization: Organization = Organization()
    severities: Severities = Severities()
    routes: tuple[Route, ...] = ()
    services: dict[str, Service] = Field(default_factory=dict)
    channels: Channels = Channels()
    roles: dict[str, Role] = DEFAULT_ROLES
    """The four that are there anyway, and those of the file beside them."""
    people: dict[str, Person] = Field(default_factory=dict)
    """By Slack id."""
    oncall: dict[str, Rotation] = Field(default_factory=dict)
    escalations: dict[str, Escalation] = Field(default_factory=dict)
    runbooks: Runbooks = Runbooks()
    statuspage: StatusPage = StatusPage()
    postmortem: Postmortem = Postmortem()
    reactions: Reactions = Reactions()
    triage: Triage = Triage()
    permissions: Permissions = Permissions()

    _duty: Duty = PrivateAttr(default_factory=Duty)

    @field_validator("roles", mode="before")
    @classmethod
    def _beside(cls, value: object) -> object:
        return {**DEFAULT_ROLES, **value} if isinstance(value, dict) else value

    @property
    def duty(self) -> Duty:
        """What is known of on-call beside the configuration: the one part that changes while the process runs."""
        return self._duty

    def learn(self, duty: Duty) -> None:
        """Take over what is known now: data that never changes, replaced as a whole. Everybody shares one policy."""
        self._duty = duty

    def calm_until(self, user: str, now: datetime) -> datetime | None:
        """Return until when nothing that can wait is told to `user`; None if it may be told now."""
        person = self.people.get(user)
        return person.calm_until(now, self.organization.zone) if person else None

    def service(self, name: str | None) -> Service:
        """The service called `name`, or an empty one."""
        return self.services.get(name or "", Service())

    def repeat_for(self, service: str | None) -> int:
        """How often the levels for `service` begin anew."""
        found = self.escalations.get(self.service(service).escalation or "default")
        return found.repeat if found else 0

    def escalation_for(self, service: str | None) -> tuple[Level, ...]:
        """The levels for `service`: its own, else the policy `default`, else each rotation in turn."""
        name = self.service(service).escalation or "default"
        if name in self.escalations:
            return self.escalations[name].levels
        rotations: Sequence[str] = sorted(self.oncall, key=lambda n: (n != "primary", n != "secondary", n))
        return tuple(Level(targets=(Target(schedule=n),)) for n in rotations)

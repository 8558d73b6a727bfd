"""A small room for domain tests: one incident, commands in, events and effects out. No clock, no I/O."""

from datetime import UTC, datetime, timedelta

from bot.domain import commands as c
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.severity import Severity
from bot.ports.store import Changes, Loaded
from bot.usecases.cases import Act, Open, Request
from bot.usecases.settling import Ring

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
POLICY = Policy.model_validate(
    {
        "services": {"checkout": {"owners": ["U0OWNER"], "invite": ["U0INVITE"], "components": ["Checkout"]}},
        "oncall": {"primary": {"people": ["U0ONE"]}, "secondary": {"people": ["U0TWO"]}},
    }
)


class Room:
    """Runs commands against one incident and remembers what followed."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.now = START
        self.loaded = Loaded(next_number=1)
        self.last = Changes(answer=None)  # type: ignore[arg-type]  # replaced by the first command

    @property
    def state(self) -> Incident:
        return self.loaded.incidents[1]

    @property
    def events(self) -> list[str]:
        return [new.recorded.event.type for new in self.last.events]

    @property
    def effects(self) -> list[str]:
        return [
            getattr(new.effect, "template", None) or getattr(new.effect, "what", None) or new.effect.kind
            for new in self.last.effects
        ]

    def wait(self, **span: float) -> "Room":
        self.now += timedelta(**span)
        return self

    def declare(self, title: str = "Checkout is down", actor: str = "U0ANNA", **fields: object) -> "Room":
        fields.setdefault("severity", Severity.SEV1)
        self.last = Open(Request(actor), c.Declare(title=title, **fields), self.policy).run(self.loaded, self.now)  # type: ignore[arg-type]
        self.loaded.apply(self.last)
        return self

    def do(self, command: c.Command, actor: str = "U0ANNA") -> "Room":
        self.last = Act(Request(actor), 1, command, self.policy).run(self.loaded, self.now)
        self.loaded.apply(self.last)
        return self

    def furnish(self) -> "Room":
        """The channel and the card exist."""
        self.do(c.RoomOpened("C1", "inc-1-checkout-is-down"), "tocsin")
        return self.do(c.MessagePosted("card", "C1", "1.0", self.state.seq), "tocsin")

    def ring(self, kind: str) -> "Room":
        """Let the armed timer of that kind ring, at its time."""
        due = self.loaded.timers[1, kind]
        self.now = max(self.now, due)
        self.last = Ring(1, kind, due, self.policy).run(self.loaded, self.now)
        self.loaded.apply(self.last)
        return self

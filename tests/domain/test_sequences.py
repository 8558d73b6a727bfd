"""Whatever people type, in whatever order, through the desk: these hold, and each refusal says what to do next."""

import asyncio
import re
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.incident import Incident, fold
from bot.domain.policy import Policy
from bot.domain.refusals import Refused
from bot.domain.severity import Status
from bot.domain.timers import TIMERS
from bot.domain.verbs import VERBS
from bot.ports.store import Answer
from bot.usecases.cases import Request
from bot.usecases.desk import Form, QueryAnswer
from bot.usecases.settling import Ring
from tests.support.desks import Office, open_office

PEOPLE = ("U0ALICE0001", "U0BOB000002", "U0EVE000003")
POLICY = Policy.model_validate(
    {
        "services": {"checkout": {"components": ["Checkout"]}, "disks": {}},
        "oncall": {"primary": {"people": ["U0ALICE0001", "U0BOB000002"]}},
        "channels": {"archive_after": "1d"},
        "severities": {"sev4": {"stale_after": "2h"}},
    }
)
OPEN = {Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING}
ARROWS = {
    **{status: {*OPEN, Status.RESOLVED, Status.CANCELLED} for status in OPEN},
    Status.RESOLVED: {Status.CLOSED, Status.INVESTIGATING},
    Status.CLOSED: {Status.INVESTIGATING},
    Status.CANCELLED: set(),
}
"""From where to where."""
AFTER_WORK = {
    Status.RESOLVED: {"postmortem", "task"},
    Status.CLOSED: {"task", "archive"},
    Status.CANCELLED: {"archive"},
}
"""The clocks that may run when the work is over: those of what is owed (`test_invariants.py` says why)."""

WORDS = st.sampled_from(
    ["", "because", "because x", "it broke", "@bob", "@alice", "me", "INC-1", "INC-2", "INC-99", "1", "2", "done",
     "all", "draft", "approve", "publish", "discard", "review", "accept", "scribe @bob", "lead @alice",
     "investigating", "identified", "monitoring", "resolved", "closed", "cancelled", "sev1 it grows",
     "4 because smaller", "update 30m", "task 5m", "next 10m",
     "#checkout", "disk-full", "due 1d", "<!channel>", "\u202e{{7*7}}", "x" * 300, "0", "-1",
     "done 1", "into INC-2", "Another title", "--private", "--drill", "14:32 it began"]
)  # fmt: skip
PLAUSIBLE = {
    "declare": ("sev1 Search is slow #disks", "sev2 A drill --drill", "sev3 Secret --private"),
    "status": ("identified", "monitoring", "investigating", "resolved", "closed", "cancelled because none"),
    "sev": ("1", "4 because smaller"),
    "title": ("It is the pool",),
    "service": ("checkout",),
    "lead": ("@bob", "me"),
    "role": ("ops @bob", "lead @alice"),
    "handoff": ("@bob", "@alice", "accept", "decline because x", "withdraw"),
    "undo": ("", "INC-1", "INC-2"),
    "update": ("We look next 10m",),
    "note": ("it began",),
    "runbook": ("disk-full",),
    "step": ("1 done", "2 failed"),
    "task": ("look again @bob due 1d", "done 1"),
    "page": ("@bob because x", "checkout"),
    "public": ("draft", "approve", "publish", "discard"),
    "reopen": ("because it is back",),
    "cancel": ("because it was none",),
    "merge": ("INC-2", "INC-1"),
    "snooze": ("update 30m", "stale 1h"),
}
"""Arguments with which a verb can do something; every verb is also said with odd ones."""


def arguments(verb: str) -> st.SearchStrategy[str]:
    usual = PLAUSIBLE.get(verb, ("",))
    return st.one_of(st.sampled_from(usual), st.sampled_from(usual), WORDS, st.text(max_size=12))


SAID = st.sampled_from(sorted(VERBS)).flatmap(lambda verb: st.tuples(st.just(verb), arguments(verb)))
LIFE = ("ack", "resolve it is fixed", "close", "reopen because it is back", "status monitoring", "handoff @bob",
        "handoff accept", "handoff decline", "public draft", "public approve", "cancel because it was none",
        "sev 1")  # fmt: skip
MOVES = st.sampled_from(LIFE).map(lambda text: (text.partition(" ")[0], text.partition(" ")[2]))
"""What moves an incident along, so that a story gets somewhere."""
STEPS = st.tuples(
    st.one_of(SAID, SAID, MOVES, MOVES, st.tuples(st.sampled_from(["join instead", "ring"]), st.just(""))),
    st.sampled_from(PEOPLE),
    st.sampled_from([None, 1, 1, 1, 2]),
    st.integers(0, 90),
)
NEXT_STEP = re.compile(
    r"`[^`]+`|Known: |[Nn]othing|@|Declare|Name|Use|Read|Say|Shorten|Set|Write|must approve|needs at least one"
)


@dataclass
class Story:
    """What was so before a step."""

    office: Office
    states: dict[int, Incident]

    def check_untouched(self, refused: Refused) -> None:
        assert self.office.store.tables.incidents == self.states, f"{refused.code} changed something"
        assert NEXT_STEP.search(refused.text), f"{refused.code} leaves people alone: {refused.text}"
        assert not re.search(r"\{[a-z_]+\}", refused.text), refused.text

    def check_moves(self) -> None:
        tables = self.office.store.tables
        assert sorted(tables.incidents) == list(range(1, len(tables.incidents) + 1)), "numbers have no gaps"
        for number, state in tables.incidents.items():
            log = tables.events[number]
            assert [item.seq for item in log] == list(range(1, len(log) + 1))
            assert fold(log) == state
            before = self.states.get(number)
            if before is not None and before.status is not state.status:
                passed = [fold(log[: item.seq]).status for item in log[before.seq :]]
                for old, new in zip([before.status, *passed], passed, strict=False):
                    assert new is old or new in ARROWS[old], f"{old} → {new}"
            self.check_clocks(state)
            assert sum(role == "lead" for role in state.roles) <= 1

    def check_clocks(self, state: Incident) -> None:
        armed = {
            kind: timer.due
            for (number, kind), timer in self.office.store.tables.timers.items()
            if number == state.number and timer.state == "armed"
        }
        fields = {kind: getattr(state, timer.field) for kind, timer in TIMERS.items()}
        assert armed == {kind: due for kind, due in fields.items() if due is not None}
        if not state.is_active:
            assert armed.keys() <= AFTER_WORK[state.status], "the work's clocks end with the work"
            assert state.handoff is None
        if state.acknowledged_at is not None:
            assert "respond" not in armed


async def _do(office: Office, verb: str, text: str, who: Request, where: int | None) -> None:
    match verb:
        case "join instead":
            await office.desk.join_instead(who, 2, 1, where)
        case "ring":
            armed = [(key, t.due) for key, t in office.store.tables.timers.items() if t.state == "armed"]
            if armed:
                (number, kind), due = min(armed, key=lambda one: one[1])
                office.clock.now = max(office.clock.now, due)
                await office.committer.submit(Ring(number, kind, due, office.policy))
        case _:
            outcome = await office.desk.do(f"{verb} {text}", who, where)
            assert isinstance(outcome, Answer | QueryAnswer | Form)


async def live(steps: list[tuple[tuple[str, str], str, int | None, int]]) -> None:
    async with open_office(POLICY) as office:
        await office.incident("C1", severity=None, service="checkout")
        await office.incident("C2", title="The other one", actor=PEOPLE[1])
        for (verb, text), actor, where, minutes in steps:
            office.clock.pass_by(minutes=minutes)
            story = Story(office, dict(office.store.tables.incidents))
            try:
                await _do(office, verb, text, Request(actor, surface="slack:slash"), where)
            except Refused as refused:
                story.check_untouched(refused)
            story.check_moves()


@settings(deadline=None)
@given(st.lists(STEPS, min_size=8, max_size=24))
def test_any_sequence_of_what_people_say_keeps_the_invariants(
    steps: list[tuple[tuple[str, str], str, int | None, int]],
) -> None:
    asyncio.run(live(steps))

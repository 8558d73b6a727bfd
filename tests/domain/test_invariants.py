"""Whatever people do, in whatever order, these hold."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain import commands as c
from bot.domain.events import read_event, words_of
from bot.domain.incident import fold
from bot.domain.refusals import Refused
from bot.domain.severity import Severity, Status
from bot.domain.timers import TIMERS
from bot.ports.store import Superseded
from tests.domain.room import POLICY as HOUSE
from tests.domain.room import Room
from tests.domain.test_people_and_words import BOOK

MAY_RUN = {
    Status.RESOLVED: {"postmortem", "task"},
    Status.CLOSED: {"task", "archive"},
    Status.CANCELLED: {"archive"},
}
"""The work's clocks end with the work. What is owed afterwards has one still: the postmortem until the incident is
closed, since closing says that it is done; an action item until it was said, since it is about later. A cancelled
incident owes nothing. The channel goes some time after all that was closed or cancelled."""
POLICY = HOUSE.model_copy(update={"channels": HOUSE.channels.model_copy(update={"archive_after": timedelta(days=2)})})

USERS = st.sampled_from(["U0ANNA", "U0BOB", "U0CY"])
WORDS = st.text(max_size=30)
COMMANDS = st.one_of(
    st.just(c.Acknowledge()),
    st.builds(c.SetSeverity, st.sampled_from(Severity), WORDS),
    st.builds(c.SetStatus, st.sampled_from(Status), WORDS),
    st.builds(c.SetTitle, WORDS),
    st.builds(c.SetService, st.sampled_from(["checkout", "search"])),
    st.builds(c.Resolve, WORDS),
    st.builds(c.Reopen, WORDS),
    st.builds(c.Cancel, WORDS, st.booleans()),
    st.builds(c.Snooze, st.sampled_from([*TIMERS, "none"]), st.timedeltas(timedelta(0), timedelta(hours=2)), WORDS),
    st.builds(c.RoomNamed, st.just("inc-1-other")),
    st.just(c.Close()),
    st.builds(c.AssignRole, st.sampled_from(["lead", "ops", "nobody"]), USERS),
    st.builds(c.OfferHandoff, USERS),
    st.just(c.AcceptHandoff()),
    st.builds(c.DeclineHandoff, WORDS),
    st.builds(c.WithdrawHandoff, WORDS),
    st.builds(c.PageSomeone, USERS, WORDS),
    st.builds(c.PostUpdate, WORDS, st.none() | st.just(timedelta(minutes=5))),
    st.builds(c.AddNote, WORDS),
    st.builds(c.AddTask, WORDS, st.none() | USERS, st.none() | st.just(timedelta(minutes=30))),
    st.builds(c.CompleteTask, st.integers(0, 3)),
    st.just(c.AttachRunbook(BOOK)),
    st.builds(c.MarkStep, st.integers(0, 3), st.sampled_from(["done", "skipped", "failed", "open"])),
    st.builds(c.DraftPublic, WORDS),
    st.just(c.ApprovePublic()),
    st.just(c.PublishPublic()),
    st.just(c.DiscardPublic()),
    st.builds(
        c.ReportAlerts,
        st.just(()),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 5),
        st.integers(0, 5),
        st.none() | st.sampled_from(Severity),
        WORDS,
    ),
    st.just(c.RoomOpened("C1", "inc-1")),
    st.builds(
        c.MessagePosted, st.sampled_from(["card", "runbook", "draft"]), st.just("C1"), st.just("1.0"), st.just(1)
    ),
    st.builds(c.GiveUp, st.just("1.1.0"), st.just("open the channel"), WORDS, WORDS),
    st.just(c.RetryDelivery()),
    st.sampled_from(sorted(TIMERS)),
)


@given(st.lists(st.tuples(COMMANDS, USERS, st.integers(0, 90)), max_size=25))
def test_any_sequence_of_commands_keeps_the_invariants(steps: list[tuple[c.Command | str, str, int]]) -> None:
    room = Room(POLICY).declare()
    log = [new.recorded for new in room.last.events]
    for command, user, minutes in steps:
        room.wait(minutes=minutes)
        before = room.state
        try:
            if isinstance(command, str):
                if (1, command) not in room.loaded.timers:
                    continue
                room.ring(command)
            else:
                room.do(command, user)
        except (Refused, Superseded):
            assert room.state == before, "a refusal changes nothing"
            continue
        log += [new.recorded for new in room.last.events]
        state = room.state
        armed = {kind: due for (_, kind), due in room.loaded.timers.items()}
        for kind, timer in TIMERS.items():
            assert armed.get(kind) == getattr(state, timer.field), f"timer {kind} follows the state"
        assert armed.keys() <= MAY_RUN.get(state.status, set(TIMERS) - {"postmortem", "archive"}), state.status
        if state.lead is None or state.severity not in (Severity.SEV1, Severity.SEV2):
            assert "relief" not in armed, "nobody to relieve, or no hurry to"
        if state.is_active and state.lead and state.severity in (Severity.SEV1, Severity.SEV2):
            assert "relief" in armed, "whatever became of the severity"
        if state.status is Status.RESOLVED and state.postmortem_owed:
            assert "postmortem" in armed, "it is asked for until it is closed"
        if state.is_active and not state.acknowledged_at:
            assert "respond" in armed or state.escalation, "the clock of the response ends with the ladder, not before"
        if state.acknowledged_at:
            assert "respond" not in armed
        assert [item.seq for item in log] == list(range(1, len(log) + 1))
        ids = [new.id for new in room.last.effects]
        assert len(ids) == len(set(ids))
    assert fold(log) == room.state
    assert len(room.state.model_dump_json()) < 16_000
    for item in log:
        stored = item.event.model_dump(mode="json")
        assert read_event(stored) == item.event, "an event survives its journey through JSON"
        assert set(words_of(type(item.event))) <= stored.keys()

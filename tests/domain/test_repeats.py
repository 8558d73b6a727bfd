"""A person who got no answer types it once more: it stands once, and they are told since when."""

from datetime import timedelta

import pytest

from bot.domain import commands as c
from bot.domain.incident import fold
from tests.domain.room import Room

WORDS = (
    c.PostUpdate("We restart the pool"),
    c.PostUpdate("We restart the pool", timedelta(minutes=30)),
    c.AddNote("the deploy began"),
    c.AddTask("Add an alert", "U0BEN", timedelta(days=3)),
)
EACH = pytest.mark.parametrize("words", WORDS, ids=lambda words: f"{type(words).__name__}-{len(str(words))}")


@EACH
def test_the_same_words_within_a_minute_stand_once(words: c.Command) -> None:
    room = Room().declare().do(words)
    first, said = room.state, room.now
    room.wait(seconds=59).do(words)
    assert (room.events, room.effects, room.state) == ([], [], first)
    assert room.last.answer.kind == "said_before"
    assert room.last.answer.fields["said_at"] == said.isoformat()


@EACH
def test_after_a_minute_they_are_new(words: c.Command) -> None:
    room = Room().declare().do(words).wait(seconds=60).do(words)
    assert len(room.events) == 1


@EACH
def test_the_same_words_of_somebody_else_are_theirs(words: c.Command) -> None:
    assert len(Room().declare().do(words).do(words, "U0BEN").events) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (c.PostUpdate("We restart"), c.PostUpdate("We restart it")),
        (c.PostUpdate("We restart"), c.PostUpdate("We restart", timedelta(minutes=5))),
        (c.PostUpdate("We restart"), c.AddNote("We restart")),
        (c.AddTask("Add an alert"), c.AddTask("Add an alert", "U0BEN")),
        (c.AddTask("Add an alert"), c.AddTask("Add an alert", None, timedelta(days=1))),
    ],
)
def test_what_asks_for_something_else_is_no_repeat(one: c.Command, other: c.Command) -> None:
    assert len(Room().declare().do(one).do(other).events) == 1


def test_what_others_say_between_makes_a_repeat_no_news() -> None:
    room = Room().declare().do(WORDS[0])
    for n in range(5):
        room.do(c.AddNote(f"note {n}"), "U0BEN")
    assert room.do(WORDS[0]).last.answer.kind == "said_before"


def test_what_was_said_is_remembered_by_the_log_alone() -> None:
    room, log = Room().declare(), []
    log += room.last.events
    for words in WORDS * 4:
        log += room.wait(seconds=61).do(words).last.events
    assert fold(new.recorded for new in log) == room.state
    assert len(room.state.said) == 8

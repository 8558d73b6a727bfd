"""Several messages in one: legal whatever comes in, nothing cut, in order, each with its time."""

from datetime import timedelta

from hypothesis import given, settings

from bot.domain import events as e
from bot.domain.effects import Tell
from bot.domain.severity import Severity, Status
from bot.render.slack.message import Message
from bot.render.slack.renderer import Renderer
from tests.render.slack_cases import BEN, T0, Life, room, surroundings
from tests.render.test_slack_messages import must_be_harmless, said
from tests.render.test_slack_mrkdwn import HOSTILE

RENDER = Renderer(surroundings())
UNTIL = T0 + timedelta(minutes=40)


def waited(*events: e.Event) -> tuple[list[tuple[Tell, e.Recorded]], Life]:
    """Return these events as what waits to be told, and the incident after them."""
    life = room(Life())
    entries = [(Tell(template=event.type), life.then(event, BEN).last) for event in events]  # type: ignore[attr-defined]
    return entries, life


def made(*events: e.Event) -> tuple[Message, int]:
    """Return the digest of these events."""
    entries, life = waited(*events)
    found = RENDER.digest(entries, life.state, UNTIL)
    assert found
    return found


def test_it_says_how_long_nothing_got_through_and_lists_all_in_order() -> None:
    message, count = made(
        e.UpdatePosted(text="first"),
        e.StatusChanged(old=Status.INVESTIGATING, new=Status.IDENTIFIED, text="second"),
        e.SeverityChanged(old=Severity.SEV3, new=Severity.SEV2, reason="third"),
        e.TaskAdded(number=1, text="fourth"),
    )
    words = said(message)
    assert count == 4
    assert "could not be reached for 38m" in words
    places = [words.index(word) for word in ("first", "second", "third", "fourth")]
    assert places == sorted(places)
    assert words.count("<!date^") >= 6, "the head's two, and one for each line"


@settings(max_examples=50)
@given(HOSTILE)
def test_it_is_harmless_whatever_was_written(text: str) -> None:
    message, _ = made(*(e.UpdatePosted(text=text or "x") for _ in range(5)))
    must_be_harmless(message)


def test_what_does_not_fit_uncut_is_left_for_the_next_message() -> None:
    long = [e.UpdatePosted(text=f"{n} {'word ' * 700}") for n in range(5)]
    message, count = made(*long)
    assert count == 3
    assert "_cut" not in said(message)
    must_be_harmless(message)


def test_so_long_that_few_fit_they_are_told_one_by_one() -> None:
    entries, life = waited(*(e.UpdatePosted(text="word " * 1900) for _ in range(4)))
    assert RENDER.digest(entries, life.state, UNTIL) is None

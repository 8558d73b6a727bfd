"""Every verb, by slash command, mention and command line: one incident's story, told three times to a real `serve`."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.domain.verbs import VERBS
from bot.domain.verbs.table import SPOKEN
from tests.support.demo import Person, until, words_of
from tests.support.serving import Site

SURFACES = ("slash", "mention", "cli")
STORY: tuple[tuple[str, str, str], ...] = (
    ("help", "ack", r"you are on it|You are on it"),
    ("list", "", r"Search is slow"),
    ("status", "identified the index is corrupt", r"identified"),
    ("ack", "", r"[Aa]cknowledged"),
    ("sev", "1 because it spreads", r"SEV1"),
    ("title", "Search is down", r"is called “Search is down” now"),
    ("service", "payments", r"payments"),
    ("call", "https://meet.example/search", r"https://meet\.example/search"),
    ("lead", "@U0002", r"lead"),
    ("role", "scribe @U0003", r"[Ss]cribe"),
    ("handoff", "@U0001", r"accept"),
    ("handover", "withdraw", r"no longer offered"),
    ("update", "we rebuild the index next 30m", r"[Uu]pdate"),
    ("note", "14:32 the deploy began", r"Noted on the timeline"),
    ("runbook", "disk-full", r"(?i)disk"),
    ("step", "1 done looks fine", r"(?i)step 1"),
    ("task", "add an index alert @U0002 due 3d", r"(?i)action item 1"),
    ("page", "@U0004 because two see more", r"Paging for"),
    ("pagetest", "@U0002", r"(?i)U0002|ben|on the way|sent"),
    ("oncall", "", r"primary"),
    ("override", "primary @U0004 for 2h", r"is on call in .?primary"),
    ("public", "draft Search does not answer; we look into it.", r"(?i)draft"),
    ("snooze", "update 20m because lunch", r"(?i)next update|update"),
    ("timers", "", r"(?i)update"),
    ("catchup", "", r"(?i)in command"),
    ("why", "", r"(?i)severity|SEV"),
    ("timeline", "", r"put off the timer"),
    ("silence", "all 1h", r"cannot call Alertmanager"),
    ("unsilence", "", r"Nothing is silenced"),
    ("retry", "", r"(?i)nothing|no delivery"),
    ("undelivered", "", r"all that Tocsin had to say apart from incidents was delivered"),
    ("redeliver", "", r"nothing like that to try again"),
    ("mitigate", "answers again", r"monitoring"),
    ("resolve", "the index was rebuilt", r"(?i)resolved"),
    ("postmortem", "", r"(?i)postmortem"),
    ("reopen", "because it is back", r"(?i)reopened|open again"),
    ("resolved", "this time for good", r"(?i)resolved"),
    ("close", "", r"(?i)closed"),
    ("cancel", "INC-{spare} because it was a test", r"(?i)cancelled"),
    ("merge", "INC-{other} INC-{elsewhere} because it is the same", r"(?i)merged|folded|cancelled"),
    ("undo", "INC-{oops}", r"taken back"),
)
"""Verb, its words, what the answer must say. `declare` begins it. A verb may come again, by another of its names."""


@dataclass
class Told:
    """How one surface answered."""

    said: str
    answers: dict[str, str] = field(default_factory=dict)


def test_every_verb_has_an_example() -> None:
    assert {SPOKEN[verb].name for verb, _, _ in STORY} | {"declare"} == set(VERBS), "add the new verb to STORY"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Told]]:
    """What each surface answered to every verb."""
    folder: Path = tmp_path_factory.mktemp("verbs")
    with Site(folder) as site:
        site.start()
        anna = site.person()
        channel = until(lambda: anna.channel("incidents"), "#incidents")
        assert anna.post("/simulator/invite", channel=channel["id"], users=[_bot(anna)])["ok"]
        yield {surface: tell(site, surface) for surface in SURFACES}
        bot = site.bots[0]
        assert bot.stop() == 0
        assert not any("Traceback" in line for line in bot.output), site.said[-4000:]


def tell(site: Site, surface: str) -> Told:
    """Tell the story by one surface."""
    told = Told(speak(site, surface)("declare", f"sev2 Search is slow by {surface} #search"))
    number = _number(told.said)
    spare, other, elsewhere = (_number(site.run("incident", "declare", "sev4", f"{w}-{surface}")[1]) for w in "abc")
    oops = _number(speak(site, surface)("declare", f"sev4 Oops by {surface}"))
    places = {"spare": spare, "other": other, "elsewhere": elsewhere, "oops": oops}
    say = speak(site, surface, number)
    for verb, words, _ in STORY:
        told.answers[verb] = say(verb, words.format(**places))
    return told


def _number(said: str) -> int:
    found = re.search(r"INC-(\d+)", said)
    assert found, said
    return int(found[1])


def speak(site: Site, surface: str, number: int = 0) -> Callable[[str, str], str]:
    """Return how somebody says something about incident `number`, and hears the answer."""
    if surface == "cli":
        return lambda verb, words: _by_hand(site, verb, words, number)
    anna = site.person()
    room = _room(anna, f"inc-{number}-" if number else "incidents")  # by its id: a new title renames it
    to_us = "/incident" if surface == "slash" else "@Tocsin"

    def heard() -> list[str]:
        listed = anna.get("/simulator/messages", channel=room, limit="200")["messages"]
        return [words_of(m) for m in listed if m.get("ephemeral")]

    def say(verb: str, words: str) -> str:
        before = len(heard())
        assert anna.post("/simulator/send", channel=room, text=f"{to_us} {verb} {words}".rstrip())["ok"]
        return until(lambda: heard()[before:], f"the answer to {verb} {words}")[-1]

    return say


def _bot(person: Person) -> str:
    user: str = person.get("/simulator/state")["bot"]["user_id"]
    return user


def _room(person: Person, name: str) -> str:
    """Wait for the channel whose name begins so; return its id."""

    def look() -> str | None:
        channels = person.get("/simulator/state")["channels"]
        return next((c["id"] for c in channels if c["name"].startswith(name)), None)

    return until(look, f"a channel {name}…")


def _by_hand(site: Site, verb: str, words: str, number: int) -> str:
    about = SPOKEN[verb]
    said = words.split()
    if about.incident and not words.startswith("INC-"):
        said = [str(number), *said]
    as_anna = ["--as", "U0001"] if about.name not in ("list", "timeline") else []
    status, printed = site.run("incident", verb, *as_anna, *(["--"] if not as_anna else []), *said)
    assert status in (0, 1), printed
    return printed


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(("verb", "words", "pattern"), STORY, ids=[verb for verb, _, _ in STORY])
def test_the_verb_is_understood_and_answered(
    told: dict[str, Told], surface: str, verb: str, words: str, pattern: str
) -> None:
    assert re.search(pattern, told[surface].answers[verb]), told[surface].answers[verb]


@pytest.mark.parametrize("surface", SURFACES)
def test_a_declaration_is_answered_with_its_number(told: dict[str, Told], surface: str) -> None:
    assert "SEV2" in told[surface].said

"""Slack's published tiers, enforced by the workspace with its minute squeezed into three seconds; the bot's budgets
with it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.demo import Person, Process, fetch, until
from tests.support.serving import SERVES, Site

SCALE = 20
LIMITED = {"chat.postMessage", "conversations.invite", "pins.add"}
Call = dict[str, Any]


class Diary:
    """What the bot wrote down: its claims, each with what it could have taken, and its calls of Slack."""

    def __init__(self, path: Path) -> None:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        self.claims = [line for line in lines if "taken" in line]
        self.calls = [line for line in lines if "left" in line]

    def overtaken(self) -> list[str]:
        """The effects that were started while a worse severity's waited for the same budget."""
        return [
            f"{taken} before {waits} of {budget}"
            for claim in self.claims
            for waits, rank, budget in claim["ripe"]
            for taken, lower, same in claim["ripe"]
            if waits not in claim["taken"] and taken in claim["taken"] and same == budget and lower > rank
        ]

    def contended(self) -> set[str]:
        """The methods for which a SEV1 and lower ones waited at the same time, and not all of them got through."""
        return {
            budget.partition(":")[0]
            for claim in self.claims
            for waits, rank, budget in claim["ripe"]
            for _, worst, same in claim["ripe"]
            if waits not in claim["taken"] and rank > worst == 1 and same == budget
        }

    def kept_waiting(self) -> set[str]:
        """The effects that were not taken by the first claim that could have."""
        seen, waited = set[str](), set[str]()
        for claim in self.claims:
            new = {effect for effect, _, _ in claim["ripe"]} - seen
            seen |= new
            waited |= new - set(claim["taken"])
        return waited

    def opening(self, incident: int) -> str:
        """The effect that opens the channel of an incident."""
        ripe = (row for claim in self.claims for row in claim["ripe"])
        return next(
            effect
            for effect, _, budget in ripe
            if budget == "conversations.create" and effect.startswith(f"{incident}.")
        )

    def early(self) -> list[str]:
        """The calls that left although an answer, which had been read, asked to leave that method alone for longer."""

        def purse(call: Call) -> tuple[str, str]:
            return call["method"], str(call["channel"]) if call["method"] == "chat.postMessage" else ""

        return [
            f"{other['method']} {1000 * (other['left'] - limited['read']):.0f} ms after"
            for limited in self.calls
            if limited["wait"]
            for other in self.calls
            if purse(other) == purse(limited)
            and limited["read"] < other["left"] < limited["read"] + float(limited["wait"])
        ]


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A workspace with tiers, and a bot that works in it; the test's parameter is how many times Slack's pace."""
    scale = getattr(request, "param", SCALE)
    with Site(tmp_path, config="") as place:
        place.open_workspace()
        place.migrate()
        env = {**place.env, "SCALE": str(scale), "DIARY": str(tmp_path / "diary"), "TOCSIN_LOG_LEVEL": "ERROR"}
        with Process("serve", cwd=tmp_path, env=env, ready=SERVES, module="tests.support.tiered_serve"):
            until(lambda: fetch(f"{place.base}/health/slack")[0] == 200, "the socket")
            place.person().control(tiers={"enforced": True, "scale": 1 / scale})
            yield place


def diary(site: Site) -> Diary:
    """Return what the bot of `site` wrote down so far, as soon as that is all that Slack saw of it."""
    mine = {"conversations.create", *LIMITED}

    def counted(calls: list[Call]) -> Counter[str]:
        return Counter(call["method"] for call in calls if call["method"] in mine)

    def whole() -> bool:
        return counted(Diary(site.folder / "diary").calls) == counted(site.person().calls())

    until(whole, "the diary to tell of every call")
    return Diary(site.folder / "diary")


def incident(told: str) -> int:
    """Return the number of the incident that was declared."""
    found = re.search(r"INC-(\d+)", told)
    assert found, told
    return int(found[1])


def declare(person: Person, severities: list[str]) -> list[str]:
    """Declare all of them at once; return what each declarer was told."""
    channel = person.channel("general")
    assert channel is not None

    def one(numbered: tuple[int, str]) -> str:
        n, severity = numbered
        said = person.post(
            "/simulator/send", channel=channel["id"], text=f"/incident declare {severity} Outage of {severity} {n}"
        )
        return str(said)

    with ThreadPoolExecutor(len(severities)) as pool:
        return list(pool.map(one, enumerate(severities)))


def rooms(person: Person) -> list[Call]:
    """The calls that opened a channel, in order of their start."""
    made = [call for call in person.calls() if call["method"] == "conversations.create" and not call["error"]]
    return sorted(made, key=lambda call: float(call["at"]))


def severity_of(call: Call) -> str:
    found = re.search(r"of-(sev\d)", call["args"]["name"])
    assert found
    return found[1]


def complete(person: Person, count: int) -> bool:
    """Whether `count` incidents have channel, topic, pinned card, two bookmarks and announcement: each once."""
    channel = person.channel("incidents")
    done = [call for call in person.calls() if call["ok"]]
    made = Counter(call["method"] for call in done)
    posts = [call for call in done if call["method"] == "chat.postMessage"]
    announced = [call for call in posts if channel and call["args"]["channel"] == channel["id"]]
    kinds = ("conversations.create", "conversations.invite", "conversations.setTopic", "pins.add")
    assert all(made[kind] <= count for kind in kinds), made
    return all(made[kind] == count for kind in kinds) and made["bookmarks.add"] == 2 * count == 2 * len(announced)


def test_forty_at_once_all_complete_the_worst_first(site: Site) -> None:
    anna = site.person()
    # Our budgets keep within the tiers; these limits come on top, as they do where another app uses them, too.
    limits = [{"method": method, "kind": "429", "nth": 8, "retry_after": 1} for method in LIMITED]
    anna.control(faults=limits)
    lower = ["sev2", "sev3", "sev4"] * 10
    told = declare(anna, lower)
    told += declare(anna, ["sev1"] * 10)
    answered = len(rooms(anna))
    until(lambda: complete(anna, 40), "40 complete incidents", patience=90)
    opened = rooms(anna)
    assert len(opened) == len({call["args"]["name"] for call in opened}) == 40
    after = [severity_of(call) for call in opened][answered:]  # that the bot had not begun when all were answered
    assert after[: after.count("sev1")] == ["sev1"] * after.count("sev1")
    assert {call["method"] for call in anna.calls() if call["error"] == "ratelimited"} >= LIMITED
    wrote = diary(site)
    assert wrote.overtaken() == []
    assert "conversations.create" in wrote.contended()
    assert len(wrote.contended()) > 1, "it is judged of other methods, too"
    assert wrote.early() == []
    queued = [one for one in told if "is queued" in one]
    assert len(queued) >= 8, told  # that it is everybody who has to wait, and nobody else: tests/storage/test_waits.py
    assert all("channels a minute" in one for one in queued)


@pytest.mark.parametrize("site", [1], indirect=True)
def test_at_slacks_own_pace_a_crowd_of_lower_ones_leaves_room_for_a_sev1(site: Site) -> None:
    """Without the room that is kept, it would wait for the next of twenty a minute: three seconds, and be told so."""
    anna = site.person()
    told = declare(anna, ["sev3"] * 20)
    until(lambda: len(rooms(anna)) >= 12, "twelve channels")
    worst = declare(anna, ["sev1"])[0]
    assert "is queued" not in worst
    until(lambda: "sev1" in map(severity_of, rooms(anna)), "the channel of the SEV1")
    order = [severity_of(call) for call in rooms(anna)]
    assert order.index("sev1") < 20, "lower ones still wait"
    wrote = diary(site)
    waited = wrote.kept_waiting()
    assert wrote.opening(incident(worst)) not in waited, "it started at once"
    assert len(waited & {wrote.opening(incident(one)) for one in told}) >= 20 - order.index("sev1")
    assert [one for one in told if wrote.opening(incident(one)) in waited and "is queued" not in one] == []


def test_a_sev1_starts_at_once_after_twelve_lower_ones(site: Site) -> None:
    anna = site.person()
    declare(anna, ["sev3"] * 12)
    until(lambda: len(rooms(anna)) == 12, "twelve channels")
    said = declare(anna, ["sev1"])[0]
    assert "is queued" not in said
    until(lambda: len(rooms(anna)) == 13, "the channel of the SEV1")
    assert severity_of(rooms(anna)[-1]) == "sev1"
    wrote = diary(site)
    assert wrote.opening(incident(said)) not in wrote.kept_waiting(), "it started at once"
    anna.control(faults=[{"method": "conversations.create", "kind": "429", "retry_after": 1}])
    declare(anna, ["sev2"])
    until(lambda: len(rooms(anna)) == 14, "the channel that was limited")
    assert "conversations.create" in [call["method"] for call in anna.calls() if call["error"] == "ratelimited"]
    assert diary(site).early() == []

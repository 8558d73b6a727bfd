"""Slack's published tiers, enforced by the workspace with its minute squeezed into three seconds; the bot's budgets
with it.
"""

import re
import time
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
READ_WITHIN = 400.0
"""Milliseconds in which the bot has read an answer, on a busy machine."""
Call = dict[str, Any]


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A workspace with tiers, and a bot that works in it; the test's parameter is how many times Slack's pace."""
    scale = getattr(request, "param", SCALE)
    with Site(tmp_path, config="") as place:
        place.open_workspace()
        place.migrate()
        env = {**place.env, "SCALE": str(scale), "TOCSIN_LOG_LEVEL": "ERROR"}
        with Process("serve", cwd=tmp_path, env=env, ready=SERVES, module="tests.support.tiered_serve"):
            until(lambda: fetch(f"{place.base}/health/slack")[0] == 200, "the socket")
            place.person().control(tiers={"enforced": True, "scale": 1 / scale})
            yield place


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


def early(calls: list[Call]) -> list[str]:
    """The calls that began within the second for which a 429 asked to leave that method (and channel) alone.

    Those that were on their way when it was answered are not meant: they had left before it was read.
    """

    def purse(call: Call) -> tuple[str, str]:
        posts = call["method"] == "chat.postMessage"
        return call["method"], str(call["args"].get("channel", "")) if posts else ""

    limited = [call for call in calls if call["error"] == "ratelimited"]
    return [
        f"{other['method']} {other['at'] - call['done_at']:.0f} ms after"
        for call in limited
        for other in calls
        if purse(other) == purse(call) and call["done_at"] + READ_WITHIN < other["at"] < call["done_at"] + 1000
    ]


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
    order = [severity_of(call) for call in opened]
    after = order[answered:]  # all that started once the SEV1s were committed
    assert after[: after.count("sev1")] == ["sev1"] * after.count("sev1"), order
    assert {call["method"] for call in anna.calls() if call["error"] == "ratelimited"} >= LIMITED
    assert early(anna.calls()) == []
    queued = [one for one in told if "is queued" in one]
    assert len(queued) >= 8, told  # that it is everybody who has to wait, and nobody else: tests/storage/test_waits.py
    assert all("channels a minute" in one for one in queued)


@pytest.mark.parametrize("site", [1], indirect=True)
def test_at_slacks_own_pace_a_crowd_of_lower_ones_leaves_room_for_a_sev1(site: Site) -> None:
    """Without the room that is kept, it would wait for the next of twenty a minute: three seconds, and be told so."""
    anna = site.person()
    told = declare(anna, ["sev3"] * 20)
    until(lambda: len(rooms(anna)) >= 12, "twelve channels")
    began = time.monotonic()
    assert "is queued" not in declare(anna, ["sev1"])[0]
    until(lambda: "sev1" in map(severity_of, rooms(anna)), "the channel of the SEV1")
    assert time.monotonic() - began < 2.5
    order = [severity_of(call) for call in rooms(anna)]
    assert order.index("sev1") < 20, "eight lower ones still wait"
    assert sum("is queued" in one for one in told) >= 20 - order.index("sev1")


def test_a_sev1_starts_at_once_after_twelve_lower_ones(site: Site) -> None:
    anna = site.person()
    declare(anna, ["sev3"] * 12)
    until(lambda: len(rooms(anna)) == 12, "twelve channels")
    said = declare(anna, ["sev1"])[0]
    assert "is queued" not in said
    until(lambda: len(rooms(anna)) == 13, "the channel of the SEV1")
    assert severity_of(rooms(anna)[-1]) == "sev1"
    anna.control(faults=[{"method": "conversations.create", "kind": "429", "retry_after": 1}])
    declare(anna, ["sev2"])
    until(lambda: len(rooms(anna)) == 14, "the channel that was limited")
    assert "conversations.create" in [call["method"] for call in anna.calls() if call["error"] == "ratelimited"]
    assert early(anna.calls()) == []

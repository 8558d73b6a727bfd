"""Every effect meets every misfortune once; the incident ends as in a run that nothing disturbed.

The story is lived once for each misfortune, a few at a time side by side (most of it is waiting); then each test looks
at what was left behind.
"""

import asyncio
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest

from bot.domain.effects import AnyEffect
from bot.domain.events import AnyEvent, DeliveryFailed
from bot.domain.incident import Incident
from bot.render.slack import ids
from bot.simulator.control import CallRecord
from bot.storage import schema
from tests.faults.site import ROOM, Site, once, open_site
from tests.faults.story import live
from tests.support.demo import words_of

CALM = "calm"
PASSING = (
    "429",
    "ratelimited",
    "500",
    "503",
    "reset_before",
    "reset_after",
    "silence",
    "silence_after",
    "malformed",
)
"""Misfortunes that pass. `…_after`, and `malformed`: the vendor has done it, and we do not know."""
LIMITED = ("429", "ratelimited")
PERMANENT = ("channel_not_found", "is_archived", "missing_scope", "account_inactive")
SIDE_BY_SIDE = 4
WAIT = 1.0
"""Seconds that a limited answer asks for."""


@dataclass
class Run:
    """What was left behind by one life of the story."""

    picture: dict[str, Any]
    struck: Counter[str]
    registry: set[str]
    kinds: dict[str, str]
    twice: list[str]
    tells: list[str]
    calls: list[CallRecord]
    state: Incident
    events: list[AnyEvent]
    shown: list[str]
    """What the card said while something stood failed."""
    undelivered: set[str]
    """Kinds of what belongs to no incident and was listed as refused."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run | Exception]:
    """One life for each misfortune, and one without."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)
    migrated = tmp_path_factory.mktemp("migrated") / "tocsin.db"
    schema.migrate(f"sqlite:///{migrated}")

    async def one(kind: str) -> Run | Exception:
        async with places:
            try:
                folder = tmp_path_factory.mktemp("run")
                shutil.copy(migrated, folder)
                return await run(kind, folder)
            except Exception as exc:  # named by each test of this misfortune
                return exc

    async def all_of_them() -> dict[str, Run | Exception]:
        kinds = (CALM, *PASSING, *PERMANENT)
        return dict(zip(kinds, await asyncio.gather(*map(one, kinds)), strict=True))

    return asyncio.run(all_of_them())


async def run(kind: str, folder: Path) -> Run:
    """Live the story under one misfortune."""
    shown: list[str] = []
    undelivered: set[str] = set()

    async def retried(site: Site) -> None:
        """Have a person try again what failed, until nothing is left: by the card's button if there is a card."""
        while of_the_house := await site.database.undelivered():
            undelivered.update(one.effect.kind for one in of_the_house if one.mend)
            await site.say("incidents", "/incident redeliver")
            await site.quiet()
        while (state := await site.database.incident(1)) and state.failed:
            shown.append("\n".join(words_of(m) for m in site.messages(ROOM)))
            if not await site.press(ids.RETRY):
                await site.say("incidents", "/incident INC-1 retry")
            await site.quiet()

    async with open_site(folder) as site:
        if kind != CALM:
            site.strike(kind, once(), retry_after=WAIT)
        if kind in LIMITED:  # what is in flight together has then left before the first answer
            site.workspace.control.latency_ms = 40
        async with asyncio.timeout(100):
            await live(site, retried if kind in PERMANENT else None)
        state = await site.database.incident(1)
        assert state
        return Run(
            site.picture(),
            site.struck,
            set(site.registry),
            site.kinds,
            site.twice(),
            site.order_of_tells(),
            list(site.workspace.control.calls),
            state,
            [item.event for item in await site.database.events(1)],
            shown,
            undelivered,
        )


@pytest.fixture
def calm(runs: dict[str, Run | Exception]) -> Run:
    """What stands in the world after a life that nothing disturbs."""
    return _of(runs, CALM)


def _of(runs: dict[str, Run | Exception], kind: str) -> Run:
    found = runs[kind]
    if isinstance(found, Exception):
        raise found
    return found


def test_every_effect_there_is_has_a_handler_and_takes_part(calm: Run) -> None:
    union, _ = get_args(AnyEffect)
    assert {effect.model_fields["kind"].default for effect in get_args(union)} == calm.registry
    assert calm.registry - set(calm.kinds.values()) == set(), "the story does not need these effects: extend it"


def test_no_more_connections_are_made_than_calls_go_side_by_side(calm: Run) -> None:
    ends = [(call.at, call.done_at or call.at) for call in calm.calls]
    at_once = max(sum(begun <= at <= done for begun, done in ends) for at, _ in ends)
    connections = {call.connection for call in calm.calls}
    assert len(calm.calls) > 60
    assert len(connections) <= at_once + 2, "what two of them begin in the same moment may take one more each"


@pytest.mark.parametrize("kind", [*PASSING, *PERMANENT])
def test_every_effect_met_the_misfortune(kind: str, runs: dict[str, Run | Exception]) -> None:
    met = _of(runs, kind)
    assert met.registry - set(met.struck) == set(), "these effects met none: extend the story, or aim at their calls"


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_leaves_the_world_as_if_nothing_had_happened(
    kind: str, runs: dict[str, Run | Exception], calm: Run
) -> None:
    met = _of(runs, kind)
    assert met.picture == calm.picture
    assert met.twice == []
    assert met.state.failed == {}
    assert _taken_away(met) == _taken_away(calm), "who looks before it repeats leaves no copy to take away"


def _taken_away(run: Run) -> tuple[int, int]:
    """How many messages, and how many bookmarks: that of a call that is another one now goes."""
    deleted = [call for call in run.calls if call.method == "chat.delete"]
    return len(deleted), len({call.args["bookmark_id"] for call in run.calls if call.method == "bookmarks.remove"})


@pytest.mark.parametrize("kind", [CALM, *PASSING])
def test_what_is_said_in_the_room_keeps_the_order_of_the_log(kind: str, runs: dict[str, Run | Exception]) -> None:
    told = _of(runs, kind).tells
    assert len(told) > 3
    assert told == sorted(told, key=lambda effect: tuple(map(int, effect.split("."))))


@pytest.mark.parametrize("kind", LIMITED)
def test_nothing_of_a_limited_budget_is_called_before_its_time(kind: str, runs: dict[str, Run | Exception]) -> None:
    calls = _of(runs, kind).calls
    limits = [call for call in calls if call.error == "ratelimited"]
    early = [
        (call.method, call.at - limited.done_at)
        for limited in limits
        for call in calls
        if limited.done_at and _same_budget(call, limited) and 0 < call.at - limited.done_at < WAIT * 1000
    ]
    assert len(limits) > 8
    assert early == []


def _same_budget(one: CallRecord, other: CallRecord) -> bool:
    """https://docs.slack.dev/apis/web-api/rate-limits: by method; of posts, also by channel."""
    same_channel = one.args.get("channel") == other.args.get("channel")
    return one.method == other.method and (one.method != "chat.postMessage" or same_channel)


# --- refusals that do not pass ------------------------------------------------------------------------

_TOLD = re.compile(r"(?i)could not|failed|retry|pager")


@pytest.mark.parametrize("kind", PERMANENT)
def test_a_refused_effect_is_told_once_with_its_mend(kind: str, runs: dict[str, Run | Exception]) -> None:
    met = _of(runs, kind)
    failed = [event for event in met.events if isinstance(event, DeliveryFailed)]
    another_way = {"restore_room"}  # where Slack does not give the channel back, the incident gets a new one
    # These belong to no incident. The last three are asked elsewhere, or shown anew, before anybody can look.
    another_way |= {"post_notice", "try_pager", "ask_triage", "show_triage", "show_home"}
    assert met.undelivered >= {"post_notice", "try_pager"}
    assert {met.kinds[event.effect] for event in failed} == met.registry - another_way
    assert all(times == 1 for times in Counter(event.effect for event in failed).values())
    assert all(event.mend for event in failed), "each says what a person can do"


@pytest.mark.parametrize("kind", PERMANENT)
def test_what_was_refused_stands_on_the_card_until_it_is_tried_again(
    kind: str, runs: dict[str, Run | Exception]
) -> None:
    met = _of(runs, kind)
    seen = "\n".join(met.shown)
    # the card's own update was among the refused, so what was refused before it is seen by its timeline only
    for what in ("update Statuspage", "tell PagerDuty that it is handled"):
        assert re.search(rf"Could not:\* [^.\n]*{re.escape(what)}", seen), what


@pytest.mark.parametrize("kind", PERMANENT)
def test_tried_again_by_a_person_all_is_made_good(kind: str, runs: dict[str, Run | Exception], calm: Run) -> None:
    met = _of(runs, kind)
    assert met.twice == []
    assert met.state.failed == {}
    for place in ("room", "incidents"):
        assert calm.picture[place] - met.picture[place] == Counter()
        more = met.picture[place] - calm.picture[place]
        assert all(_TOLD.search(text) for text in more), more
    assert met.picture["direct"]["U0003"] == calm.picture["direct"]["U0003"], "what the house had to say"
    # A question that its channel refuses is asked in the house's own; the test of a pager is told to who asked for it.
    same = calm.picture.keys() - {"room", "incidents", "general", "direct"}
    assert {k: met.picture[k] for k in same} == {k: calm.picture[k] for k in same}

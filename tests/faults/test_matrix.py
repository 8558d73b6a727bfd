"""Every call of every effect meets every misfortune; the incident ends as in a run that nothing disturbed.

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
from bot.simulator.control import CallRecord
from bot.storage import schema
from tests.faults.person import HOUSES_OWN, NOTED, SHOWN_ANEW, Person
from tests.faults.site import Asked, open_site
from tests.faults.story import live
from tests.faults.surroundings import CONFIG, hurry
from tests.faults.weather import Called, once
from tests.outbound.vendors import Served

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
IN_A_SHELL = "account_inactive"
"""Of this one, all is tried again by `tocsin incident retry`; of the others, by buttons."""
SILENT = ("silence", "silence_after")
KINDS = (*SILENT, CALM, *(kind for kind in PASSING if kind not in SILENT), *PERMANENT)
"""In the order in which they begin: those that take longest first."""
PATIENT = CONFIG.replace("{call_timeout: 0.8s, lease: 3s}", "{call_timeout: 5s, lease: 8s}")
"""Where nobody is silent, nothing hangs on how fast this machine is."""
SIDE_BY_SIDE = 5
WAIT = 1.0
"""Seconds that a limited answer asks for."""
LATENCY = 0.04
"""Seconds that an answer takes while limits are tried: what goes out together has left before the first one."""


@dataclass
class Run:
    """What was left behind by one life of the story."""

    picture: dict[str, Any]
    called: Counter[tuple[str, str]]
    struck: Counter[Called]
    registry: set[str]
    kinds: dict[str, str]
    twice: list[str]
    tells: list[str]
    calls: list[CallRecord]
    asked: list[Asked]
    served: dict[str, list[Served]]
    state: Incident
    events: list[AnyEvent]
    again: Counter[str]
    shown: list[str]
    """What the room showed while something stood failed."""

    @property
    def met(self) -> set[tuple[str, str]]:
        """Which effects were struck, and in which of their calls."""
        return {called.pair for called, times in self.struck.items() if times}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run | Exception]:
    """One life for each misfortune, and one without."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)
    migrated = tmp_path_factory.mktemp("migrated") / "tocsin.db"
    schema.migrate(f"sqlite:///{migrated}")
    folders = {kind: tmp_path_factory.mktemp("run") for kind in KINDS}

    async def one(kind: str) -> Run | Exception:
        async with places:
            try:
                shutil.copy(migrated, folders[kind])
                return await run(kind, folders[kind])
            except Exception as exc:  # named by each test of this misfortune
                return exc

    async def all_of_them() -> dict[str, Run | Exception]:
        return dict(zip(KINDS, await asyncio.gather(*map(one, KINDS)), strict=True))

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOCSIN_DATABASE_URL", f"sqlite:///{folders[IN_A_SHELL] / 'tocsin.db'}")
        hurry(patch)
        return asyncio.run(all_of_them())


async def run(kind: str, folder: Path) -> Run:
    """Live the story under one misfortune."""
    config = CONFIG if kind in SILENT else PATIENT
    (folder / "tocsin.yaml").write_text(config)
    async with open_site(folder, config=config) as site:
        person = Person(site, folder, in_a_shell=kind == IN_A_SHELL)
        if kind != CALM:
            site.weather.strike(kind, person.strikes if kind in PERMANENT else once(), retry_after=WAIT)
        if kind in LIMITED:
            site.workspace.control.latency_ms = 1000 * LATENCY
            for vendor in site.weather.vendors:
                vendor.latency = LATENCY / 2
        async with asyncio.timeout(100):
            await live(site, person.try_again if kind in PERMANENT else None)
        state = await site.database.incident(1)
        assert state
        return Run(
            site.picture(),
            site.weather.called,
            site.weather.struck,
            set(site.registry),
            site.kinds,
            site.twice(),
            site.order_of_tells(),
            list(site.workspace.control.calls),
            site.asked,
            {type(vendor).__name__: vendor.served for vendor in site.weather.vendors},
            state,
            [item.event for item in await site.database.events(1)],
            person.again,
            person.shown,
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
def test_every_call_of_every_effect_met_the_misfortune(kind: str, runs: dict[str, Run | Exception], calm: Run) -> None:
    met = _of(runs, kind).met
    assert {effect for effect, _ in met} == calm.registry
    spared = {NOTED, *(pair for pair in calm.called if pair[0] in SHOWN_ANEW)} if kind in PERMANENT else set()
    assert set(calm.called) - met - spared == set(), "these calls met none"


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
    met = _of(runs, kind)
    limits = [one for one in met.asked if one.wait]
    early = [
        (one.method, one.left - limited.read)
        for limited in limits
        for one in met.asked
        if _same_budget(one, limited) and limited.read < one.left < limited.read + limited.wait
    ]
    assert len(limits) == len([call for call in met.calls if call.error == "ratelimited"]) > 20
    assert {limited.wait for limited in limits} == {WAIT}
    assert early == []


def _same_budget(one: Asked, other: Asked) -> bool:
    """https://docs.slack.dev/apis/web-api/rate-limits: by method; of posts, also by channel."""
    return one.method == other.method and (one.method != "chat.postMessage" or one.channel == other.channel)


@pytest.mark.parametrize("kind", LIMITED)
def test_nothing_is_asked_of_another_vendor_before_the_time_that_it_named(
    kind: str, runs: dict[str, Run | Exception]
) -> None:
    served = _of(runs, kind).served
    early = [
        (vendor, one.at - limited.done_at)
        for vendor, all_of_it in served.items()
        for limited in all_of_it
        for one in all_of_it
        if limited.status == 429 and 0 < one.at - limited.done_at < WAIT
    ]
    assert [vendor for vendor, all_of_it in served.items() if 429 not in {one.status for one in all_of_it}] == []
    assert early == []


# --- refusals that do not pass ------------------------------------------------------------------------

_TOLD = re.compile(r"(?i)could not|failed|retry|pager")


@pytest.mark.parametrize("kind", PERMANENT)
def test_a_refused_effect_is_told_once_with_its_mend(kind: str, runs: dict[str, Run | Exception]) -> None:
    met = _of(runs, kind)
    failed = [event for event in met.events if isinstance(event, DeliveryFailed)]
    assert {met.kinds[event.effect] for event in failed} == met.registry - HOUSES_OWN
    refusals = Counter[str]()
    for called, times in met.struck.items():
        # where Slack does not give the channel back, the incident gets a new one
        if called.kind not in HOUSES_OWN and called.what != "conversations.unarchive":
            refusals[called.effect] += times
    assert Counter(event.effect for event in failed) == +refusals
    assert all(event.mend for event in failed), "each says what a person can do"


@pytest.mark.parametrize("kind", PERMANENT)
def test_every_kind_that_was_refused_was_tried_again_by_a_button_or_in_a_shell(
    kind: str, runs: dict[str, Run | Exception]
) -> None:
    met = _of(runs, kind)
    assert set(met.again) >= met.registry - SHOWN_ANEW


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

"""What must be so after any life, whatever went wrong in it; and what of it must be as if nothing had."""

from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from bot.domain.effects import ANNOUNCEMENT, RESPONSE, cause_of
from bot.domain.events import Recorded
from bot.domain.incident import evolve
from bot.domain.notices import HOUSE as NO_INCIDENT
from bot.domain.reactions import react
from bot.domain.timers import TIMERS
from tests.delivery.bases import Base
from tests.delivery.living import HOUSE, Life
from tests.delivery.workplace import looks
from tests.delivery.world import START

FEEDBACK: Final = frozenset(
    {"room_created", "posted", "page_answered", "public_delivered_to", "delivery_failed", "delivery_retried"}
    | {"room_named", "room_restored", "silenced", "silence_lifted"}
)
"""What the world answers, and what is tried again because of it: comes when it comes."""
UNDECIDED: Final = frozenset({"number", "channel"})
"""Of what was decided: which was first of what came at once, and whether a channel was there yet to be named."""


def decided(log: list[Recorded]) -> list[tuple[Any, ...]]:
    """Return what people, alerts and timers made happen, without what the world answered.

    Timers of one instant ring in any order: here in that of their names.
    """
    kept = [item for item in log if item.event.type not in FEEDBACK]
    rings = [item.actor if item.actor.startswith("timer:") else "" for item in kept]
    places = [
        n for n, name in enumerate(rings) if not n or (kept[n - 1].at, bool(rings[n - 1])) != (kept[n].at, bool(name))
    ]
    told: list[tuple[Any, ...]] = []
    for first, end in pairwise([*places, len(kept)]):
        told += sorted(
            ((item.at, item.actor, item.event.model_dump(exclude=UNDECIDED)) for item in kept[first:end]),
            key=lambda one: one[1] if one[1].startswith("timer:") else "",
        )
    return told


def asked_for(log: list[Recorded]) -> dict[str, Any]:
    """Return every effect that the log brings about: id → effect."""
    state, found = None, {}
    for item in log:
        after = evolve(state, item)
        for n, effect in enumerate(react(state, after, item, HOUSE).effects):
            found[f"{after.number}.{item.seq}.{n}"] = effect
        state = after
    return found


def called_off(log: list[Recorded]) -> datetime:
    """Return when every page that still waited was called off for the last time; those of that moment, too."""
    state, last = None, START
    for item in log:
        after = evolve(state, item)
        if RESPONSE in react(state, after, item, HOUSE).cancel_causes:
            last = item.at
        state = after
    return last


def in_order(ids: list[str]) -> bool:
    """True if these effects of one incident stand in the order of its log."""
    return ids == sorted(ids, key=lambda one: tuple(map(int, one.split("."))))


async def judge(life: Life) -> None:
    """Hold a life to everything that must be so at the end of any."""
    base, place = life.base, life.place
    numbers = sorted(await life.numbers())
    assert numbers == list(range(1, len(numbers) + 1)), "numbers have no gaps"
    assert place.twice() == [], "nothing stands there twice"
    assert place.idle_calls == [], "no call for a response is claimed once it was given"
    assert await base.faults() == [], "the log, its chain, the snapshot and the replay agree"
    assert await base.unfinished(NO_INCIDENT) == [], "nothing of the house's own is left to be done"
    for number in numbers:
        await _judge_incident(life, number)


async def _judge_incident(life: Life, number: int) -> None:
    base, place = life.base, life.place
    state, log = await base.state(number), [item async for item in _log(base, number)]
    assert await base.unfinished(number) == [], "nothing is left to be done"
    assert state.failed == {}, "what was refused was tried again, and is good"
    failed = {item.event.effect for item in log if item.event.type == "delivery_failed"}
    wanted = asked_for(log)
    done = {one for kind, one in place.placed}
    refused = {one for one in place.refused if one in wanted}
    shown = {one for one in refused if wanted[one].show_key}
    assert refused - shown <= failed | done, "what was refused stands on the timeline, or whoever heard it died of it"
    says = {one for one, effect in wanted.items() if effect.show_key is None}
    unsaid = {one: wanted[one] for one in says - done - _too_late(log, refused)}
    assert {cause_of(effect) for effect in unsaid.values()} <= {RESPONSE}, "everything was said, and once"
    asked_at = [log[int(one.split(".")[1]) - 1].at for one in unsaid]
    assert max(asked_at, default=START) <= called_off(log), "of the calls, all that nobody called off"
    assert {one for one in done if one.startswith(f"{number}.")} <= says, "nothing else was"
    for lane, said in place.said.items():
        punctual = [one for one in said if one not in failed and one.startswith(f"{number}.")]
        assert in_order(punctual), f"lane {lane} keeps the order of the log"
    seen = {key for one, key in place.shown if one == number}
    for key in {key for key in state.messages.keys() & seen if not state.archived or key.startswith(ANNOUNCEMENT)}:
        assert place.shown[number, key] == looks(state, key), f"{key} shows the state"
    if state.published:
        assert place.public[number][-1] == state.published.version, "the status page shows the last update"
    assert place.public[number] == sorted(set(place.public[number])), "no status update comes twice, or late"
    for (one, target), actions in place.pager.items():
        if one == number and not state.is_active and "trigger" in actions and state.reached.get(target) != "failed":
            assert actions[-1] == "resolve", f"the page to {target} was withdrawn"
    _judge_timers(await base.history(number), state, log)


def _too_late(log: list[Recorded], refused: set[str]) -> set[str]:
    """What Slack refused for good in a channel that was put away by then: nobody misses it."""
    away = any(item.event.type == "room_expired" or getattr(item.event, "undone", False) for item in log)
    return refused if away else set()


def _judge_timers(history: list[Any], state: Any, log: list[Recorded]) -> None:
    armed = {kind: due for kind, due, how in history if how == "armed"}
    assert armed == {kind: due for kind, timer in TIMERS.items() if (due := getattr(state, timer.field)) is not None}
    rang = Counter((item.actor, item.event.due) for item in log if item.event.type.endswith("_overdue"))
    assert [one for one, times in rang.items() if times > 1] == [], "a timer rings once"


async def _log(base: Base, number: int) -> Any:
    for seq, item in enumerate(await base.recorded(number), start=1):
        assert item.seq == seq
        yield item

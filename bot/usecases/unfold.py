"""From decided events to everything that follows: state, effects, timers. The heart, in one pure function."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.domain.effects import Effect, Tell, cause_of
from bot.domain.events import Event, Recorded
from bot.domain.incident import Incident, evolve
from bot.domain.policy import Policy
from bot.domain.reactions import Reaction, react
from bot.ports.store import Changes, NewEffect, NewEvent


def unfold(
    changes: Changes,
    before: Incident | None,
    events: Sequence[Event],
    *,
    policy: Policy,
    now: datetime,
    actor: str,
    request_id: str = "",
) -> Incident | None:
    """Fold `events` into the incident one by one, adding to `changes` what each brings. Return the state after all."""
    state = before
    for event in events:
        seq = (state.seq if state else 0) + 1
        # model_construct: the event was built by decide a moment ago; validating it again costs more than deciding did
        fields: dict[str, Any] = {"seq": seq, "at": now, "actor": actor, "event": event, "request_id": request_id}
        item = Recorded.model_construct(**fields)
        after = evolve(state, item)
        reaction = react(state, after, item, policy)
        changes.incidents[after.number] = after
        changes.events.append(NewEvent(after.number, item, changes.command_id))
        changes.effects += _effect_rows(after, item, reaction.effects, now)
        _timers(changes, after.number, reaction, item.event.type)
        state = after
    _drop_cancelled(changes)
    return state


def _effect_rows(state: Incident, item: Recorded, effects: Iterable[Effect], now: datetime) -> list[NewEffect]:
    return [
        NewEffect(
            id=f"{state.number}.{item.seq}.{n}",
            incident=state.number,
            seq=item.seq,
            effect=effect,  # type: ignore[arg-type]  # every Effect class is a member of AnyEffect
            lane=f"{state.number}:room" if effect.lane == "room" else effect.lane,
            show_key=effect.show_key,
            cause=cause_of(effect),
            rank=state.severity.rank,
            held=isinstance(effect, Tell) and "card" not in state.messages,
            created_at=now,
        )
        for n, effect in enumerate(effects)
    ]


def _timers(changes: Changes, number: int, reaction: Reaction, why: str) -> None:
    changes.arm += [(number, kind, due) for kind, due in reaction.arm]
    changes.disarm += [(number, kind, why) for kind in reaction.disarm]
    changes.cancel += [(number, cause) for cause in reaction.cancel_causes]
    if reaction.release_room:
        changes.release.append(number)
    changes.retry += reaction.retry


def _drop_cancelled(changes: Changes) -> None:
    """Effects and timers of this very case that a later event of it took back are never written."""
    gone = set(changes.cancel)
    changes.effects = [new for new in changes.effects if (new.incident, new.cause) not in gone]
    last: dict[tuple[int, str], datetime] = {}
    for number, kind, due in changes.arm:
        last[number, kind] = due
    changes.arm = [(number, kind, due) for (number, kind), due in last.items()]

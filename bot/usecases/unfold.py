"""From decided events to everything that follows: state, effects, timers. The heart, in one pure function."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.domain.effects import CAN_WAIT, Effect, Tell, TellUser, cause_of
from bot.domain.events import Event, Recorded
from bot.domain.incident import Incident, evolve
from bot.domain.incident.context import Context
from bot.domain.policy import Policy
from bot.domain.reactions import Reaction, react
from bot.ports.store import Changes, NewEffect, NewEvent


def unfold(
    changes: Changes, before: Incident | None, events: Sequence[Event], ctx: Context, request_id: str = ""
) -> Incident | None:
    """Fold `events` into the incident one by one, adding to `changes` what each brings. Return the state after all.

    `ctx` is what they were decided in.
    """
    state = before
    for event in events:
        seq = (state.seq if state else 0) + 1
        item = Recorded(seq, ctx.now, ctx.actor, event, request_id)  # type: ignore[arg-type]  # every Event is one of AnyEvent
        after = evolve(state, item)
        reaction = react(state, after, item, ctx.policy)
        changes.incidents[after.number] = after
        changes.events.append(NewEvent(after.number, item, changes.command_id))
        changes.effects += _effect_rows(after, item, reaction.effects, ctx)
        _timers(changes, after.number, reaction, item.event.type)
        state = after
    _drop_cancelled(changes)
    return state


def _effect_rows(state: Incident, item: Recorded, effects: Iterable[Effect], ctx: Context) -> list[NewEffect]:
    return [
        NewEffect(
            id=f"{state.number}.{item.seq}.{n}",
            incident=state.number,
            seq=item.seq,
            effect=effect,  # type: ignore[arg-type]  # every Effect class is a member of AnyEffect
            lane=_lane(state, effect),
            show_key=effect.show_key,
            cause=cause_of(effect),
            rank=state.severity.rank,
            held=isinstance(effect, Tell) and "card" not in state.messages,
            created_at=ctx.now,
            not_before=calm_until(effect, ctx.policy, ctx.now),
        )
        for n, effect in enumerate(effects)
    ]


def calm_until(effect: Effect, policy: Policy, now: datetime) -> datetime | None:
    """Return until when a direct message waits for the end of somebody's quiet hours; None if it goes at once."""
    if isinstance(effect, TellUser) and effect.template in CAN_WAIT:
        return policy.calm_until(effect.user, now)
    return None


def _lane(state: Incident, effect: Effect) -> str | None:
    """The lanes of the channel, of a person and of a pager's alert are this incident's own.

    A person is told of one incident in order, but no page waits behind what another incident has to say (ADR 0019).
    What may wait for the end of somebody's quiet hours has a lane of its own: a page must not wait behind it.
    """
    lane = effect.lane
    if lane is None or lane.startswith("sender:"):
        return lane
    calm = isinstance(effect, TellUser) and effect.template in CAN_WAIT
    return f"{state.number}:{lane}:calm" if calm else f"{state.number}:{lane}"


def _timers(changes: Changes, number: int, reaction: Reaction, why: str) -> None:
    changes.arm += [(number, kind, due) for kind, due in reaction.arm]
    changes.disarm += [(number, kind, why) for kind in reaction.disarm]
    # What this very case armed and then took back is never armed: disarming is written before arming.
    changes.arm = [timer for timer in changes.arm if timer[0] != number or timer[1] not in reaction.disarm]
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

"""Rules for silencing alerts at their sender: asked for by people, placed and lifted by deliveries."""

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.alerts import INEXACT_SHOWN
from bot.domain.incident.context import Context, must_be_active
from bot.domain.incident.state import Incident
from bot.domain.silences import ALERTS_MAX, LONGEST, SHORTEST
from bot.domain.text import clean_line

_USAGE = "silence HighLatency 1h"


def silence_alerts(state: Incident, command: c.SilenceAlerts, ctx: Context) -> list[e.Event]:
    """Somebody wants these alerts to be quiet for a while."""
    must_be_active(state)
    if not SHORTEST <= command.span <= LONGEST:
        raise r.BadArgument(what="A silence lasts from 1 minute to 24 hours", usage=_USAGE)
    if not command.silences and command.inexact:
        raise r.NotAsSent(labels=", ".join(f"`{clean_line(name, 60)}`" for name in command.inexact[:INEXACT_SHOWN]))
    if not command.silences:
        raise r.NothingToSilence(key=state.key, word=command.word or "all")
    running = [one for one in state.silences.values() if one.until > ctx.now]
    if len(command.silences) + len(running) > ALERTS_MAX:
        raise r.TooManySilences(limit=ALERTS_MAX)
    return [e.SilenceRequested(until=ctx.now + command.span, silences=command.silences)]


def lift_silences(state: Incident, command: c.LiftSilences, ctx: Context) -> list[e.Event]:
    """Somebody wants to hear of them again. A name lifts its own silence only."""
    word = command.word.casefold()
    everything = word in ("", "all", "*")
    live = {key: one for key, one in state.silences.items() if not one.ending and one.until > ctx.now}
    picked = tuple(key for key, one in live.items() if everything or word in (key, one.name.casefold()))
    if not picked:
        raise r.NothingSilenced(key=state.key)
    return [e.SilenceLiftRequested(silences=picked)]


def silence_placed(state: Incident, command: c.SilencePlaced, ctx: Context) -> list[e.Event]:
    """The sender is silent."""
    if command.silence not in state.silences:
        return []
    return [
        e.Silenced(
            silence=command.silence,
            name=command.name,
            id=command.id,
            matchers=dict(command.matchers),
            until=command.until,
        )
    ]


def silence_ended(state: Incident, command: c.SilenceEnded, ctx: Context) -> list[e.Event]:
    """The sender is not silent any more, or never was: nobody wanted it when its turn came."""
    known = state.silences.get(command.silence)
    if known is None:
        return []
    return [e.SilenceLifted(silence=command.silence, name=known.name, id=known.remote)]

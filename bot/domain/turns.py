"""Whose turn it is: pure arithmetic of handovers in local time, over layers, overrides and vendors' calendars.

Handovers happen at wall-clock time, so a week across a DST change has 167 or 169 hours. The turns of one layer are
counted from its first handover; a moment before that counts backwards, so that there always is somebody.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.duty import Calendar, Duty, Shift
from bot.domain.rotations import Layer, Rotation, local, window_at
from bot.domain.section import DAYS

_LONGEST: Final = timedelta(days=70)
"""As far as the edges of a shift are looked for: one that is longer is told as ending there."""
_NOTHING: Final = Duty()
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Held:
    """Who holds a moment: `source` tells two turns of one person apart."""

    source: tuple[object, ...]
    user: str
    override: int = 0


def shift_at(rotation: Rotation, now: datetime, ahead: int = 0, *, name: str = "", duty: Duty = _NOTHING) -> Shift:
    """Return the shift that holds `now`, or the one `ahead` shifts later.

    `name` is the rotation's, under which `duty` has its overrides and its calendar. A time nobody covers is a shift
    without a user.
    """
    shift = _shift(rotation, now, name, duty)
    for _ in range(ahead):
        shift = _shift(rotation, shift.end, name, duty)
    return shift


def user_at(rotation: Rotation, now: datetime, *, name: str = "", duty: Duty = _NOTHING) -> str:
    """Return who is on call at `now`, empty if nobody."""
    return _held(rotation, now, name, duty).user


def next_shift(rotation: Rotation, now: datetime, *, name: str = "", duty: Duty = _NOTHING) -> Shift | None:
    """Return the first shift after the present one in which somebody else is on call; None within the next weeks."""
    shift = first = _shift(rotation, now, name, duty)
    while shift.end - now < _LONGEST:
        shift = _shift(rotation, shift.end, name, duty)
        if shift.user and shift.user != first.user:
            return shift
    return None


def _shift(rotation: Rotation, now: datetime, name: str, duty: Duty) -> Shift:
    held = _held(rotation, now, name, duty)
    start, end = _edges(rotation, now, name, duty)
    while now - start < _LONGEST and _held(rotation, start - _INSTANT, name, duty).source == held.source:
        start = _edges(rotation, start - _INSTANT, name, duty)[0]
    while end - now < _LONGEST and _held(rotation, end, name, duty).source == held.source:
        end = _edges(rotation, end, name, duty)[1]
    return Shift(held.user, start, end, held.override)


def _held(rotation: Rotation, now: datetime, name: str, duty: Duty) -> _Held:
    if override := duty.override(name, now):
        return _Held(("override", override.number), override.user, override.number)
    if rotation.pagerduty_schedule:
        found = _in_calendar(duty.calendars.get(name), now)
        return _Held(("calendar", found.start), found.user) if found else _Held((), "")
    for n, layer in reversed(list(enumerate(rotation.stack()))):
        if _covers(layer, rotation.zone, now):
            turn = _turn(layer, rotation.zone, now)
            return _Held((n, turn), layer.people[turn % len(layer.people)])
    return _Held((), "")


def _edges(rotation: Rotation, now: datetime, name: str, duty: Duty) -> tuple[datetime, datetime]:
    """Return the last moment up to `now`, and the first after it, at which anything may change."""
    moments = [now - _LONGEST, now + _LONGEST]
    for override in duty.overrides:
        if override.schedule == name and override.cancelled_at is None:
            moments += [override.start, override.end]
    if rotation.pagerduty_schedule:
        calendar = duty.calendars.get(name)
        moments += [edge for shift in (calendar.shifts if calendar else ()) for edge in (shift.start, shift.end)]
    else:
        for layer in rotation.stack():
            turn = _turn(layer, rotation.zone, now)
            moments += [_begins(layer, rotation.zone, turn), _begins(layer, rotation.zone, turn + 1)]
            if layer.hours or layer.days:
                moments += window_at(layer.hours, layer.days, rotation.zone, now)[:2]
    return max(m for m in moments if m <= now), min(m for m in moments if m > now)


def _in_calendar(calendar: Calendar | None, now: datetime) -> Shift | None:
    shifts = calendar.shifts if calendar else ()
    return next((shift for shift in shifts if shift.start <= now < shift.end), None)


def _covers(layer: Layer, zone: ZoneInfo, now: datetime) -> bool:
    return not (layer.hours or layer.days) or window_at(layer.hours, layer.days, zone, now)[2]


# --- one layer's turns ------------------------------------------------------------------------------
def _turn(layer: Layer, zone: ZoneInfo, now: datetime) -> int:
    """Return the number of the turn that holds `now`."""
    assert layer.start is not None
    first, period, offsets = _pattern(layer)
    rounds, rest = divmod((now.astimezone(zone).date() - layer.start).days - first, period)
    turn = rounds * len(offsets) + bisect_right(offsets, rest) - 1
    while _begins(layer, zone, turn) > now:
        turn -= 1
    while _begins(layer, zone, turn + 1) <= now:
        turn += 1
    return turn


def _begins(layer: Layer, zone: ZoneInfo, turn: int) -> datetime:
    assert layer.start is not None
    assert layer.handover is not None
    first, period, offsets = _pattern(layer)
    rounds, n = divmod(turn, len(offsets))
    day = layer.start + timedelta(days=first + rounds * period + offsets[n])
    return local(day, time.fromisoformat(layer.handover.at), zone)


def _pattern(layer: Layer) -> tuple[int, int, list[int]]:
    """Return the days from `start` to the first handover, the days of one round, and its handovers, from 0 on."""
    assert layer.start is not None
    assert layer.handover is not None
    if layer.every == "1d":
        return 0, 1, [0]
    weekday = layer.start.weekday()
    away = sorted((DAYS.index(day) - weekday) % 7 for day in set(layer.handover.days or (layer.handover.day,)))
    return away[0], 14 if layer.every == "2w" else 7, [one - away[0] for one in away]

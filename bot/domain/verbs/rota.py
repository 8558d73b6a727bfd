"""Parsing what changes on-call: overrides, in the rotation's own time zone."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain import commands as c
from bot.domain.durations import parse_duration
from bot.domain.policy import Policy
from bot.domain.refusals import BadArgument, MissingArgument, UnknownSchedule
from bot.domain.section import DAYS
from bot.domain.verbs.model import ParseContext, Query, Wish
from bot.domain.verbs.reading import Args, somebody

_DAY: Final = r"(?:on\s+)?(\d{4}-\d\d-\d\d|today|tomorrow|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*)"
_WHEN: Final = rf"(?:{_DAY})?(?:(?:^|[\sT])?(?:at\s+)?([01]?\d|2[0-3]):([0-5]\d))?"
_PART: Final = r"(?:(?<=\s)|^){}\s+([^\s].*?)(?=\s+(?:from|for|until|till)\s|\s*$)"


def override(args: Args, ctx: ParseContext) -> Wish:
    """`override primary @ann from 18:00 until tomorrow 09:00`, `override list`, `override cancel 3`."""
    if not args or re.fullmatch(r"(?:list|show|ls)[.!]?", args.text, re.IGNORECASE):
        return Query("override")
    if cancel := re.fullmatch(r"(?:cancel|end|delete|remove)\s+#?([0-9]{1,9})[.!]?", args.text, re.IGNORECASE):
        return c.CancelOverride(int(cancel[1]))
    start_words, until, span = (args.cut(_PART.format(word)) for word in ("from", "(?:until|till?)", "for"))
    user = args.person(ctx.actor, ctx.find_person)
    name = schedule_named(args.need("The schedule"), ctx.policy)
    if user is None:
        user = somebody(args.need("The person"), ctx.find_person)
    zone = ctx.policy.oncall[name].zone
    start = _moment(start_words[1], ctx.now, zone, args.usage) if start_words else ctx.now
    if until:
        end = _moment(until[1], start, zone, args.usage)
    elif span:
        end = start + _span(span[1], args.usage)
    else:
        raise MissingArgument(what="How long, such as `for 4h` or `until 09:00`", usage=args.usage)
    return c.OverrideOnCall(name, user, start, end)


def schedule_named(word: str, policy: Policy) -> str:
    """Return the rotation that `word` means. Refuses an unknown one, naming those there are."""
    for name in policy.oncall:
        if name.lower() == word.lstrip("#").strip(":,").lower():
            return name
    raise UnknownSchedule(
        word=word, schedules=", ".join(policy.oncall) or "none; add one under `oncall` in tocsin.yaml"
    )


def _span(text: str, usage: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as exc:
        raise BadArgument(what=f"`{text}` is not a length of time", usage=usage) from exc


def _moment(text: str, after: datetime, zone: ZoneInfo, usage: str) -> datetime:
    """Return the moment, in UTC: a time alone, or a day of the week, is the next one after `after`."""
    match = re.fullmatch(_WHEN, text.strip(" .,"), re.IGNORECASE)
    if match is None or not match[0]:
        raise BadArgument(
            what=f"`{text}` is not a time such as 18:00, `tomorrow 09:00` or 2026-12-24 18:00", usage=usage
        )
    local = after.astimezone(zone)
    clock = time(int(match[2]), int(match[3])) if match[2] else time(0)
    word = (match[1] or "").lower()
    try:
        at = datetime.combine(_day(word, local.date()), clock, zone).astimezone(UTC)
        if word[:4] != "toda" and not word[:1].isdigit() and word != "tomorrow" and at <= after:
            step = timedelta(days=7 if word else 1)
            at = datetime.combine(_day(word, local.date()) + step, clock, zone).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise BadArgument(what=f"`{text}` is not a date and time", usage=usage) from exc
    return at


def _day(word: str, today: date) -> date:
    if word == "tomorrow":
        return today + timedelta(days=1)
    if not word or word == "today":
        return today
    if word[:1].isdigit():
        return date.fromisoformat(word)
    weekday = [day for day in DAYS if word.startswith(day)]
    return today + timedelta(days=(DAYS.index(weekday[0]) - today.weekday()) % 7)

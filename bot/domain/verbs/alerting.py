"""Parsing the verbs about alerts: silence, unsilence."""

import re
from datetime import timedelta
from typing import Final

from bot.domain import commands as c
from bot.domain.durations import parse_duration
from bot.domain.silences import DEFAULT
from bot.domain.verbs.model import ParseContext, UseSilence, Wish
from bot.domain.verbs.reading import Args

_SPAN: Final = re.compile(
    r"(?:^|\s)(?:for\s+)?(\d+(?:\.\d+)?\s*(?:s|secs?|m|mins?|minutes?|h|hrs?|hours?|d|days?))[.!]?$", re.I
)


def silence(args: Args, ctx: ParseContext) -> Wish:
    """`silence HighLatency 2h`, `silence all`, or bare: everything that fires, for an hour."""
    span = _ending_span(args)
    return UseSilence(args.rest().strip("\"'`"), span)


def unsilence(args: Args, ctx: ParseContext) -> Wish:
    """`unsilence HighLatency`, or bare: every silence of the incident."""
    return c.LiftSilences(args.rest().strip("\"'`"))


def _ending_span(args: Args) -> timedelta:
    found = _SPAN.search(args.text)
    if found is None:
        return DEFAULT
    try:
        span = parse_duration(found[1])
    except ValueError:
        return DEFAULT
    args.text = args.text[: found.start()].rstrip()
    return span

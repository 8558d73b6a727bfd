"""Parsing the verbs that add words: update, note, task, runbook, step."""

import re
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

from bot.domain import commands as c
from bot.domain.durations import parse_duration
from bot.domain.refusals import BadArgument, MissingArgument
from bot.domain.verbs.model import OpenForm, ParseContext, UseRunbook, Wish
from bot.domain.verbs.reading import Args

_UNIT: Final = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)"
_SPAN: Final = rf"(\d+(?:\.\d+)?\s*{_UNIT}(?:\s*\d+\s*{_UNIT})*)"
_NEXT: Final = rf"(?:^|[\s,;(]+)next(?:\s+update)?(?:\s+in)?\s+{_SPAN}[.)]*\s*$"
_DUE: Final = r"(?:^|[\s,;(]+)due(?:\s+(?:in|by|on))?\s+{}[.)]*\s*$"
_DUE_IN: Final = _DUE.format(_SPAN)
_BUSINESS: Final = _DUE.format(r"(\d{1,3})\s*bd")
_CLOCK: Final = r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?"
_DAY: Final = _DUE.format(rf"(\d{{4}}-\d\d?-\d\d?)(?:[ T]{_CLOCK})?")
_WHEN: Final = re.compile(
    rf"(?:at\s+)?(?:(\d{{4}}-\d\d-\d\d|yesterday)[ T])?{_CLOCK}(?=$|[\s,;]|:(?!\d))[,;:]?\s*", re.IGNORECASE
)
AHEAD: Final = timedelta(minutes=5)
"""By so much the clock that somebody reads may be fast: what they note for then is now, and not a day ago."""
_OUTCOMES: Final[dict[str, Literal["done", "skipped", "failed", "open"]]] = {
    "done": "done", "ok": "done", "finished": "done", "complete": "done", "completed": "done",
    "skip": "skipped", "skipped": "skipped",
    "fail": "failed", "failed": "failed",
    "open": "open", "undo": "open", "reopen": "open",
}  # fmt: skip


def update(args: Args, ctx: ParseContext) -> Wish:
    """`update text… next 30m`."""
    if not args:
        if ctx.forms:
            return OpenForm("update")
        raise MissingArgument(what="The text of the update", usage=args.usage)
    span = _ending_span(args, _NEXT)
    return c.PostUpdate(args.rest(), span)


def _ending_span(args: Args, pattern: str) -> timedelta | None:
    """Take a span off the end; what cannot be read as one stays part of the text."""
    before = args.text
    found = args.cut(pattern)
    if not found:
        return None
    try:
        return parse_duration(found[1])
    except ValueError:
        args.text = before
        return None


def note(args: Args, ctx: ParseContext) -> Wish:
    """`note 14:32 text…`: the last time that it was so late in the organisation's zone."""
    if not args:
        raise MissingArgument(what="The text of the note", usage=args.usage)
    match = _WHEN.match(args.text)
    if match is None or not args.text[match.end() :].strip():
        return c.AddNote(args.rest())
    args.text = args.text[match.end() :]
    return c.AddNote(args.rest(), _moment(match, ctx, args.usage))


def _moment(match: re.Match[str], ctx: ParseContext, usage: str) -> datetime | None:
    """Return when it was; None for now, which is also what a clock that is a little fast means."""
    zone = ctx.policy.organization.zone
    today = ctx.now.astimezone(zone).date()
    clock = _clock(match)
    word = (match[1] or "").lower()
    try:
        day = today - timedelta(days=1) if word == "yesterday" else date.fromisoformat(word) if word else None
        days = [day] if day else [today + timedelta(days=n) for n in (1, 0, -1)]
        times = [datetime.combine(one, clock, zone).astimezone(ctx.now.tzinfo) for one in days]
    except (ValueError, OverflowError) as exc:
        raise BadArgument(what=f"`{match[0].strip()}` is not a date and time", usage=usage) from exc
    at = next((one for one in times if one <= ctx.now + AHEAD), times[-1])
    return None if ctx.now < at <= ctx.now + AHEAD else at


def _clock(match: re.Match[str]) -> time:
    """Return the time of day: the groups behind the first are its parts."""
    return time(int(match[2]), int(match[3]), int(match[4] or 0))


def task(args: Args, ctx: ParseContext) -> Wish:
    """`task text… @ann due 3d`, or `task done 2`."""
    if not args:
        raise MissingArgument(what="What is to be done", usage=args.usage)
    if done := re.fullmatch(r"done\s+#?([0-9]{1,6})[.!]?|#?([0-9]{1,6})\s+done[.!]?", args.text, re.IGNORECASE):
        return c.CompleteTask(int(done[1] or done[2]))
    before = _due(args, ctx)
    owner = args.owner(ctx.actor, ctx.find_person)
    due = before or _due(args, ctx)
    if isinstance(due, datetime):
        return c.AddTask(args.rest(), owner, due=due)
    return c.AddTask(args.rest(), owner, due)


def _due(args: Args, ctx: ParseContext) -> timedelta | datetime | None:
    """Take off the end when it is due: `due 3d`, `due 3bd`, `due 2026-12-01`. A day ends with its business hours."""
    business = ctx.policy.organization.business_days
    if counted := args.cut(_BUSINESS):
        return business.after(ctx.now, int(counted[1]))
    if day := args.cut(_DAY):
        try:
            clock = _clock(day) if day[2] else business.ends
            return datetime.combine(date.fromisoformat(day[1]), clock, business.zone).astimezone(ctx.now.tzinfo)
        except (ValueError, OverflowError) as exc:
            raise BadArgument(what=f"`{day[1]}` is not a date", usage=args.usage) from exc
    return _ending_span(args, _DUE_IN)


def runbook(args: Args, ctx: ParseContext) -> Wish:
    """`runbook NAME`, or the list to choose from."""
    if not args:
        if ctx.forms:
            return OpenForm("runbook")
        raise MissingArgument(what="The name of the runbook", usage="runbook disk-full")
    return UseRunbook(args.rest().removesuffix(".md").strip())


def step(args: Args, ctx: ParseContext) -> Wish:
    """`step 3 done it took two tries`, in either order."""
    first, second = args.need("The number of the step"), args.need("What became of the step")
    number, word = (second, first) if first.lower() in _OUTCOMES else (first, second)
    outcome = _OUTCOMES.get(word.lower().strip(".,:;!"))
    if not re.fullmatch(r"#?[0-9]{1,6}[.:]?", number):
        raise BadArgument(what=f"`{number}` is not the number of a step", usage=args.usage)
    if outcome is None:
        raise BadArgument(what=f"`{word}` is not done, skip, failed or open", usage=args.usage)
    return c.MarkStep(int(number.strip("#.:")), outcome, args.rest())

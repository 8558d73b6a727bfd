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
_DUE: Final = rf"(?:^|[\s,;(]+)due(?:\s+in)?\s+{_SPAN}[.)]*\s*$"
_WHEN: Final = re.compile(
    r"(?:at\s+)?(?:(\d{4}-\d\d-\d\d|yesterday)[ T])?([01]?\d|2[0-3]):([0-5]\d)(?=$|[\s,;:])[,;:]?\s*", re.IGNORECASE
)
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
    """`note 14:32 text…`: today in the organisation's zone, or yesterday if that is still to come."""
    if not args:
        raise MissingArgument(what="The text of the note", usage=args.usage)
    match = _WHEN.match(args.text)
    if match is None or not args.text[match.end() :].strip():
        return c.AddNote(args.rest())
    args.text = args.text[match.end() :]
    return c.AddNote(args.rest(), _moment(match, ctx, args.usage))


def _moment(match: re.Match[str], ctx: ParseContext, usage: str) -> datetime:
    zone = ctx.policy.organization.zone
    today = ctx.now.astimezone(zone).date()
    clock = time(int(match[2]), int(match[3]))
    word = (match[1] or "").lower()
    try:
        day = today - timedelta(days=1) if word == "yesterday" else date.fromisoformat(word) if word else today
        at = datetime.combine(day, clock, zone).astimezone(ctx.now.tzinfo)
        if not word and at > ctx.now:
            at = datetime.combine(day - timedelta(days=1), clock, zone).astimezone(ctx.now.tzinfo)
    except (ValueError, OverflowError) as exc:
        raise BadArgument(what=f"`{match[0].strip()}` is not a date and time", usage=usage) from exc
    return at


def task(args: Args, ctx: ParseContext) -> Wish:
    """`task text… @ann due 3d`, or `task done 2`."""
    if not args:
        raise MissingArgument(what="What is to be done", usage=args.usage)
    if done := re.fullmatch(r"done\s+#?([0-9]{1,6})[.!]?|#?([0-9]{1,6})\s+done[.!]?", args.text, re.IGNORECASE):
        return c.CompleteTask(int(done[1] or done[2]))
    due = _ending_span(args, _DUE)
    owner = args.person(ctx.actor, ctx.find_person, last=True)
    if due is None:
        due = _ending_span(args, _DUE)
    return c.AddTask(args.rest(), owner, due)


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

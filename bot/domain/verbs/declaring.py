"""Parsing `declare`: the one verb whose words are mostly a title, and are kept."""

import difflib
import re
from typing import Final

from bot.domain.commands import Declare
from bot.domain.policy import Policy
from bot.domain.refusals import BadArgument, MissingArgument, UnknownSeverity
from bot.domain.services import find_service, near_service, service_of
from bot.domain.severity import Severity, parse_severity
from bot.domain.verbs.model import OpenForm, ParseContext, Wish
from bot.domain.verbs.reading import Args, unquote

_END: Final = r"(?=$|[\s:,;])[\s:,;]*(?:[-\u2013\u2014]\s+)?"
_CLEAR: Final = re.compile(rf"(?:(?:sev|severity)[ _-]?(?:\d+)|p[0-3]|crit(?:ical)?){_END}", re.IGNORECASE)
# A title may begin with any word: "high latency", "low disk", "S3 bucket gone", "2 nodes down" are titles.
_UNCLEAR: Final = re.compile(r"(high|major|medium|low|minor|s?[1-4])\s*(?:[:,;]\s*|$)", re.IGNORECASE)
_LAST: Final = r"\s+(sev[ _-]?[1-4])[.!]?$"
_TAG: Final = r"(?<![^\s(])#({})"
_SERVICE: Final = re.compile(_TAG.format(r"[a-z][\w.-]*\w|[a-z]"), re.IGNORECASE)
"""`#checkout` among the words of a title."""
_FLAGS: Final = ("private", "drill")


def declare(args: Args, ctx: ParseContext) -> Wish:
    """Read severity, service and flags out; the first line left is the title, further lines the description."""
    if not args:
        if ctx.forms:
            return OpenForm("declare")
        raise MissingArgument(what="What is wrong", usage="declare sev1 Checkout is down #checkout")
    private, drill = args.flag("private"), args.flag("drill")
    _refuse_near_flags(args)
    severity = _option_severity(args)
    named = args.option("service")
    service = _tagged(args, ctx.policy) if named is None else service_of(named, ctx.policy)
    severity = severity or _leading_severity(args) or _last_severity(args)
    title, _, description = args.rest().partition("\n")
    return Declare(
        title=unquote(title.strip()),
        severity=severity,
        service=service or None,
        description=description.strip(),
        private=private,
        drill=drill,
        via=ctx.via,
    )


def _option_severity(args: Args) -> Severity | None:
    word = args.option("sev|severity")
    return _must_be_severity(word) if word else None


def _must_be_severity(word: str) -> Severity:
    severity = parse_severity(word)
    if severity is None:
        raise UnknownSeverity(word=word)
    return severity


def _leading_severity(args: Args) -> Severity | None:
    match = _CLEAR.match(args.text)
    if match:
        args.text = args.text[match.end() :]
        return _must_be_severity(match[0].strip(" \t\n:,;-\u2013\u2014"))
    match = _UNCLEAR.match(args.text)
    if match:
        args.text = args.text[match.end() :]
        return parse_severity(match[1])
    return None


def _last_severity(args: Args) -> Severity | None:
    found = args.cut(_LAST)
    return parse_severity(found[1]) if found else None


def _refuse_near_flags(args: Args) -> None:
    """A mistyped `--private` must never open a public channel."""
    for word in re.findall(r"(?<!\S)(?:--|[\u2013\u2014])([a-z]{4,12})(?!\S)", args.text, re.IGNORECASE):
        close = difflib.get_close_matches(word.lower(), _FLAGS, n=1, cutoff=0.75)
        if close:
            raise BadArgument(what=f"`--{word}` is not a flag; did you mean `--{close[0]}`?", usage=args.usage)


def _tagged(args: Args, policy: Policy) -> str | None:
    """Take the first `#service` out. Another `#word`, a channel for instance, stays where it is.

    Refuses what looks like a slip of a service: it would leave the people out who must know.
    """
    tags = [found[1] for found in _SERVICE.finditer(args.text)]
    for tag in tags:
        if (service := find_service(tag, policy)) is not None:
            args.cut(_TAG.format(re.escape(tag)) + r"(?![\w-])")
            return service
    slip = next((tag for tag in tags if near_service(tag, policy)), None)
    return service_of(slip, policy) if slip else None

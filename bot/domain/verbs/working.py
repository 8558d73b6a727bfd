"""Parsing the verbs that change an incident: its state, its people, its page."""

import re
from typing import Final

from bot.domain import commands as c
from bot.domain.durations import parse_duration
from bot.domain.refusals import (
    BadArgument,
    MissingArgument,
    UnknownIncident,
    UnknownSeverity,
    UnknownStatus,
)
from bot.domain.services import find_service, service_of
from bot.domain.severity import Status, parse_severity
from bot.domain.timers import TIMERS
from bot.domain.verbs.model import FormName, OpenForm, ParseContext, Query, Undo, Wish
from bot.domain.verbs.reading import REFERENCE, Args, person_id, somebody

_SEVERITY: Final = re.compile(
    r"(?:to\s+)?((?:sev|severity|s|p)?[ _-]?\d+|[a-z]+)(?=$|[\s:,;.])[:,;.]*\s*", re.IGNORECASE
)
_HOST: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?=$|[/?:])", re.IGNORECASE)
"""An address as people type it, without the scheme."""
TARGET: Final = re.compile(
    rf"(?:(?:in)?to\s+|with\s+)?(?:{REFERENCE.pattern}|#?(\d+)(?=$|[\s:,;.!])[:,;.!]*\s*)", re.IGNORECASE
)
"""What an incident is merged into."""
_NO: Final = re.compile(
    r"(?:(declined?|reject(?:ed)?|refused?|no)|withdr[ae]wn?|cancel(?:led)?|revoked?)(?=$|[\s.,:;!])[.,:;!]*\s*",
    re.IGNORECASE,
)
"""A handoff that does not come about: the receiver's no, or the offer taken back."""
NUMBER_MAX: Final = 2**31 - 1


def acknowledge(args: Args, ctx: ParseContext) -> Wish:
    """`ack`; what follows is courtesy."""
    return c.Acknowledge()


def severity(args: Args, ctx: ParseContext) -> Wish:
    """`sev 2 because …`."""
    match = _SEVERITY.match(args.text)
    if match is None:
        word = args.need("The severity")
        raise UnknownSeverity(word=word)
    found = parse_severity(match[1])
    if found is None:
        raise UnknownSeverity(word=match[1])
    args.text = args.text[match.end() :]
    return c.SetSeverity(found, args.because())


def status(args: Args, ctx: ParseContext) -> Wish:
    """Bare: show it. With a word: set it."""
    if not args:
        return Query("status")
    word = args.word().rstrip(":,;")
    if word.lower() == "to" and args:
        word = args.word().rstrip(":,;")
    found = [s for s in Status if s == word.lower()] or [
        s for s in Status if len(word) >= 3 and s.startswith(word.lower())
    ]
    if len(found) != 1:
        raise UnknownStatus(word=word)
    match found[0]:
        case Status.RESOLVED:
            return resolve(args, ctx)
        case Status.CLOSED:
            return c.Close()
        case Status.CANCELLED:
            return c.Cancel(args.because())
        case state:
            return c.SetStatus(state, args.rest())


def title(args: Args, ctx: ParseContext) -> Wish:
    """`title …`, or the form."""
    return _form_or(args, ctx, "title", "The new title") or c.SetTitle(args.rest())


def service(args: Args, ctx: ParseContext) -> Wish:
    """`service checkout`, also as `#checkout`."""
    return c.SetService(service_of(args.need("The service"), ctx.policy))


def call(args: Args, ctx: ParseContext) -> Wish:
    """`call https://…` sets where people talk, `call none` takes it away; bare, it is shown."""
    if not args:
        return Query("call")
    said = args.rest().strip("<>")
    if said.lower().rstrip(".!") in ("none", "off", "over", "ended"):
        return c.SetCall("")
    return c.SetCall(f"https://{said}" if _HOST.match(said) else said)


def _form_or(args: Args, ctx: ParseContext, form: FormName, what: str) -> OpenForm | None:
    if args:
        return None
    if ctx.forms:
        return OpenForm(form)
    raise MissingArgument(what=what, usage=args.usage)


# --- people ---------------------------------------------------------------------------------------------
def _need_person(args: Args, ctx: ParseContext) -> str:
    return args.person(ctx.actor, ctx.find_person) or somebody(args.need("The person"), ctx.find_person)


def lead(args: Args, ctx: ParseContext) -> Wish:
    """`lead @ann`."""
    return c.AssignRole("lead", _need_person(args, ctx))


def role(args: Args, ctx: ParseContext) -> Wish:
    """`role scribe @ann`, in either order."""
    user = args.person(ctx.actor, ctx.find_person)
    name = args.need("The role")
    if user is None:
        user = _need_person(args, ctx)
    return c.AssignRole(name.strip(":,"), user)


def handoff(args: Args, ctx: ParseContext) -> Wish:
    """`handoff @ann` offers the command; `accept` and `decline` answer, `withdraw` takes the offer back."""
    if re.fullmatch(r"(?:accept|accepted|take|ok|yes)[.!]?", args.text, re.IGNORECASE):
        return c.AcceptHandoff()
    if answer := _NO.match(args.text):
        args.text = args.text[answer.end() :]
        return c.DeclineHandoff(args.because()) if answer[1] else c.WithdrawHandoff(args.because())
    return c.OfferHandoff(_need_person(args, ctx))


def page(args: Args, ctx: ParseContext) -> Wish:
    """`page @ann because …` or `page checkout because …`."""
    if not args:
        raise MissingArgument(what="Whom to page", usage=args.usage)
    first = args.text.split(maxsplit=1)[0]
    if "@" in first or first.lower() == "me":
        return c.PageSomeone(_need_person(args, ctx), args.because())
    word = args.need("Whom to page").lstrip("#").rstrip(".,:;")
    configured = find_service(word, ctx.policy) if ctx.policy.services else None
    user = None if configured else ctx.find_person(word) or person_id(word, ctx.find_person)
    # A service that nobody configured is refused: it would quietly page the default escalation instead.
    return c.PageSomeone(user or service_of(word, ctx.policy), args.because())


def page_test(args: Args, ctx: ParseContext) -> Wish:
    """`page --test checkout`, `page --test @ann`, or bare, to whoever asks."""
    if not args and ctx.actor:
        return c.TryPage(ctx.actor)
    wish = page(args, ctx)
    assert isinstance(wish, c.PageSomeone)
    return c.TryPage(wish.target)


# --- life cycle -----------------------------------------------------------------------------------------
def mitigate(args: Args, ctx: ParseContext) -> Wish:
    """The effect is gone, the cause perhaps not: `status monitoring`."""
    return c.SetStatus(Status.MONITORING, args.rest())


def resolve(args: Args, ctx: ParseContext) -> Wish:
    """`resolve …`; bare, it asks what fixed it where it can."""
    if not args and ctx.forms:
        return OpenForm("resolve")
    return c.Resolve(args.rest())


def reopen(args: Args, ctx: ParseContext) -> Wish:
    """`reopen because …`."""
    return c.Reopen(args.because())


def close(args: Args, ctx: ParseContext) -> Wish:
    """`close`."""
    return c.Close()


def cancel(args: Args, ctx: ParseContext) -> Wish:
    """`cancel because …`."""
    return c.Cancel(args.because())


def undo(args: Args, ctx: ParseContext) -> Wish:
    """`undo`; what follows is courtesy."""
    return Undo()


def merge(args: Args, ctx: ParseContext) -> Wish:
    """`merge INC-3`; `merge into 3 because …` as well."""
    match = TARGET.match(args.text)
    if match is None:
        raise MissingArgument(what="The incident to merge into", usage=args.usage)
    args.text = args.text[match.end() :]
    return c.Merge(incident_number(match[1] or match[2]), reason=args.because())


def incident_number(digits: str) -> int:
    """Return the number. Refuses one that no incident can have."""
    if len(digits) > 10 or not 0 < int(digits) <= NUMBER_MAX:
        raise UnknownIncident(key=f"INC-{digits[:12]}")
    return int(digits)


def snooze(args: Args, ctx: ParseContext) -> Wish:
    """`snooze update 30m because …`; without a timer it is the update that waits."""
    first = args.need("The timer, and for how long")
    name, span = (first.lower(), args.word()) if first.lower().strip(":,") in TIMERS else ("update", first)
    name = name.strip(":,")
    try:
        length = parse_duration(span)
    except ValueError as exc:
        known = ", ".join(kind for kind, timer in TIMERS.items() if not timer.stop)
        what = f"`{span or first}` is neither a timer ({known}) nor a length of time"
        raise BadArgument(what=what, usage=args.usage) from exc
    return c.Snooze(name, length, args.because())


def retry(args: Args, ctx: ParseContext) -> Wish:
    """`retry`: all that failed; `retry 7.3.0`: one."""
    return c.RetryDelivery(args.word())


def redeliver(args: Args, ctx: ParseContext) -> Wish:
    """`redeliver`: all that is undelivered; with an id as `undelivered` names it: one."""
    return c.Redeliver(args.rest())


# --- status page ----------------------------------------------------------------------------------------
def public(args: Args, ctx: ParseContext) -> Wish:
    """`public`: the form; `public draft|review|approve|publish|discard`."""
    if not args:
        return OpenForm("public") if ctx.forms else Query("public")
    word = args.word().lower().rstrip(":")
    match word:
        case "draft":
            return c.DraftPublic(args.rest())
        case "review" | "show":
            return Query("public")
        case "approve":
            version = args.word().lstrip("vV")
            return c.ApprovePublic(int(version) if re.fullmatch(r"[0-9]{1,6}", version) else None)
        case "publish":
            return c.PublishPublic()
        case "discard":
            return c.DiscardPublic()
        case _:
            raise BadArgument(what=f"`{word}` is nothing one can do with the public update", usage=args.usage)

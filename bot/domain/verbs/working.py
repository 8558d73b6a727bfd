"""Parsing the verbs that change an incident: its state, its people, its page."""

import re
from typing import Final

from bot.domain import commands as c
from bot.domain.refusals import (
    BadArgument,
    MissingArgument,
    UnknownIncident,
    UnknownPerson,
    UnknownService,
    UnknownSeverity,
    UnknownStatus,
)
from bot.domain.severity import Status, parse_severity
from bot.domain.verbs.declaring import service_named
from bot.domain.verbs.model import FormName, OpenForm, ParseContext, Query, Wish
from bot.domain.verbs.reading import REFERENCE, Args

_SEVERITY: Final = re.compile(
    r"(?:to\s+)?((?:sev|severity|s|p)?[ _-]?\d+|[a-z]+)(?=$|[\s:,;.])[:,;.]*\s*", re.IGNORECASE
)
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
    return c.SetService(service_named(args.need("The service"), ctx))


def _form_or(args: Args, ctx: ParseContext, form: FormName, what: str) -> OpenForm | None:
    if args:
        return None
    if ctx.forms:
        return OpenForm(form)
    raise MissingArgument(what=what, usage=args.usage)


# --- people ---------------------------------------------------------------------------------------------
def _need_person(args: Args, ctx: ParseContext) -> str:
    user = args.person(ctx.actor, ctx.find_person)
    if user is not None:
        return user
    word = args.need("The person")
    found = ctx.find_person(word)
    if found is None:
        raise UnknownPerson(word=word)
    return found


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
    """`handoff @ann` offers the command; `handoff accept` takes it."""
    if re.fullmatch(r"(accept|accepted|take|ok|yes)[.!]?", args.text, re.IGNORECASE):
        return c.AcceptHandoff()
    return c.OfferHandoff(_need_person(args, ctx))


def page(args: Args, ctx: ParseContext) -> Wish:
    """`page @ann because …` or `page checkout because …`."""
    if not args:
        raise MissingArgument(what="Whom to page", usage=args.usage)
    first = args.text.split(maxsplit=1)[0]
    if first.startswith(("@", "<@")) or first.lower() == "me" or re.fullmatch(r"[UW][A-Z0-9]{4,20}", first):
        return c.PageSomeone(_need_person(args, ctx), args.because())
    target = service_named(args.word(), ctx)
    known = ctx.policy.services
    if known and target not in known:
        # A service nobody configured would quietly page the default escalation instead.
        raise UnknownService(word=target, services=", ".join(sorted(known)))
    return c.PageSomeone(target, args.because())


# --- life cycle -----------------------------------------------------------------------------------------
def mitigate(args: Args, ctx: ParseContext) -> Wish:
    """The effect is gone, the cause perhaps not: `status monitoring`."""
    return c.SetStatus(Status.MONITORING, args.rest())


def resolve(args: Args, ctx: ParseContext) -> Wish:
    """`resolve …`; bare, it asks what fixed it where it can."""
    if not args and ctx.forms:
        return OpenForm("resolve")
    return c.Resolve(args.because())


def reopen(args: Args, ctx: ParseContext) -> Wish:
    """`reopen because …`."""
    return c.Reopen(args.because())


def close(args: Args, ctx: ParseContext) -> Wish:
    """`close`."""
    return c.Close()


def cancel(args: Args, ctx: ParseContext) -> Wish:
    """`cancel because …`."""
    return c.Cancel(args.because())


def merge(args: Args, ctx: ParseContext) -> Wish:
    """`merge INC-3`; `merge into 3` as well."""
    args.cut(r"^(?:in)?to\s+")
    match = REFERENCE.match(args.text) or re.match(r"#?(\d+)\s*$", args.text)
    if match is None:
        raise MissingArgument(what="The incident to merge into", usage=args.usage)
    return c.Merge(incident_number(match[1]))


def incident_number(digits: str) -> int:
    """Return the number. Refuses one that no incident can have."""
    if len(digits) > 10 or not 0 < int(digits) <= NUMBER_MAX:
        raise UnknownIncident(key=f"INC-{digits[:12]}")
    return int(digits)


def retry(args: Args, ctx: ParseContext) -> Wish:
    """`retry`: all that failed; `retry 7.3.0`: one."""
    return c.RetryDelivery(args.word())


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

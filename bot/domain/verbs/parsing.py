"""parse(text, context) → what the person wants, or a refusal that says how to write it."""

import difflib
import re
from typing import Final

from bot.domain.commands import ApprovePublic, Cancel, Close, Command, Declare, Merge, PageSomeone, PublishPublic
from bot.domain.refusals import UnknownCommand
from bot.domain.verbs.model import ParseContext, Parsed, Query
from bot.domain.verbs.reading import REFERENCE, Args, tidy
from bot.domain.verbs.table import SPOKEN, VERBS
from bot.domain.verbs.working import incident_number

_SHORT: Final = re.compile(
    r"(?:public (?:review|show|approve|publish|discard)\b|(?:handoff|lead|role)\b).*|sev \S+ \S+", re.IGNORECASE
)
"""What takes a few words and no sentence: there the incident may stand last, as people say it."""


def parse(text: str, ctx: ParseContext) -> Parsed:
    """Return what `text` asks for. An INC-n may stand before or after the verb. Raises only Refused."""
    left = tidy(text, escaped=ctx.escaped)
    left, number = _take_reference(left)
    if not left:
        # Nothing said: help. Only an incident said: how it stands.
        name = "help" if number is None else "status"
        return Parsed(VERBS[name], number, Query(name))
    head, *tail = left.split(maxsplit=1)
    word = head.lstrip("/").rstrip("?!.,:;").lower() or head
    verb = SPOKEN.get(word)
    if verb is None:
        raise UnknownCommand(word=head, hint=_hint(word))
    left = tail[0] if tail else ""
    if verb.incident and number is None and not (verb.name == "merge" and _only_reference(left)):
        left, number = _take_reference(left)
        if number is None and _SHORT.fullmatch(f"{verb.name} {left}"):
            left, number = _take_last_reference(left)
    return Parsed(verb, number, verb.parse(Args(left, verb.usage), ctx))


def _take_reference(text: str) -> tuple[str, int | None]:
    match = REFERENCE.match(text)
    return (text[match.end() :], incident_number(match[1])) if match else (text, None)


def _take_last_reference(text: str) -> tuple[str, int | None]:
    head, _, last = text.rpartition(" ")
    _, number = _take_reference(last)
    return (head, number) if number is not None else (text, None)


def _only_reference(text: str) -> bool:
    match = REFERENCE.match(text)
    return match is not None and match.end() == len(text)


def _hint(word: str) -> str:
    close = difflib.get_close_matches(word, SPOKEN, n=1, cutoff=0.6)
    return f" Did you mean `{SPOKEN[close[0]].name}`?" if close else ""


def permissions_for(command: Command) -> tuple[str, ...]:
    """Return the keys under `permissions` that `command` needs."""
    match command:
        case Declare(private=True):
            return ("declare", "private")
        case Declare():
            return ("declare",)
        case ApprovePublic() | PublishPublic():
            return ("approve",)
        case PageSomeone():
            return ("page",)
        case Close() | Cancel() | Merge():
            return ("close",)
        case _:
            return ()

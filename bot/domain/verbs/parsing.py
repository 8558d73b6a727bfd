"""parse(text, context) → what the person wants, or a refusal that says how to write it."""

import difflib
import re
from typing import Final

from bot.domain.refusals import UnknownCommand
from bot.domain.verbs.model import OpenForm, ParseContext, Parsed, Query, Verb
from bot.domain.verbs.reading import REFERENCE, Args, tidy
from bot.domain.verbs.table import SPOKEN, VERBS
from bot.domain.verbs.working import TARGET, incident_number

_OVERRIDE: Final = re.compile(r"overrides?(?=$|\s)\s*", re.IGNORECASE)
_NUMBER: Final = re.compile(r"#?(\d+)[.!?]*")
_POLITE: Final = ("me", "all", "please", "me please")
_TRIAL: Final = re.compile(r"(?<!\S)[-\u2010-\u2015\u2212]{1,2}test(?!\S)", re.IGNORECASE)
_SHORT: Final = re.compile(
    r"(?:public (?:review|show|approve|publish|discard)\b|(?:lead|role)\b).*|(?:sev|handoff) \S+ \S+", re.IGNORECASE
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
    verb, left = _verb(left)
    if verb.name == "help" and left and left.lower() not in _POLITE:
        return Parsed(verb, number, Query("help", _verb(left)[0].name))
    if verb.incident and number is None:
        left, number = _incident_of(verb, left)
    if verb.form and verb.asks and ctx.forms and not left:
        return Parsed(verb, number, OpenForm(verb.form))
    return Parsed(verb, number, verb.parse(Args(left, _usage(verb, ctx)), ctx))


def _verb(text: str) -> tuple[Verb, str]:
    """Return the verb that `text` begins with, and its words."""
    head, *tail = text.split(maxsplit=1)
    word = head.lstrip("/").rstrip("?!.,:;").lower() or head
    verb, left = SPOKEN.get(word), tail[0] if tail else ""
    if verb is None:
        raise UnknownCommand(word=head, hint=_hint(word))
    if verb.name == "oncall" and (override := _OVERRIDE.match(left)):
        return VERBS["override"], left[override.end() :]
    if verb.name == "page" and (trial := _TRIAL.search(left)):
        return VERBS["pagetest"], f"{left[: trial.start()]} {left[trial.end() :]}".strip()
    return verb, left


def _incident_of(verb: Verb, left: str) -> tuple[str, int | None]:
    """Take the incident out of the words of `verb`: it stands first, or last after a few words."""
    rest, number = _take_reference(left)
    if verb.name == "merge" and number is not None and not TARGET.match(rest):
        return left, None  # the only one that is named is the one to merge into
    if number is None and verb.number_is_incident and (alone := _NUMBER.fullmatch(left)):
        return "", incident_number(alone[1])
    if number is None and _SHORT.fullmatch(f"{verb.name} {left}"):
        return _take_last_reference(left)
    return rest, number


def _usage(verb: Verb, ctx: ParseContext) -> str:
    """Return how to write it where it was said: on the command line the incident's number stands behind the verb."""
    if ctx.via != "cli":
        return verb.usage
    if not verb.incident:
        return f"tocsin incident {verb.usage}"
    return " | ".join(f"tocsin incident {verb.name} 7{way.removeprefix(verb.name)}" for way in verb.usage.split(" | "))


def _take_reference(text: str) -> tuple[str, int | None]:
    match = REFERENCE.match(text)
    return (text[match.end() :], incident_number(match[1])) if match else (text, None)


def _take_last_reference(text: str) -> tuple[str, int | None]:
    head, _, last = text.rpartition(" ")
    _, number = _take_reference(last)
    return (head, number) if number is not None else (text, None)


def _hint(word: str) -> str:
    close = difflib.get_close_matches(word, SPOKEN, n=1, cutoff=0.6)
    return f" Did you mean `{SPOKEN[close[0]].name}`?" if close else ""

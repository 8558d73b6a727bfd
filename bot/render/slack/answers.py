"""Answers to whoever asked: one template each in `templates/answers/`, read by every surface in its own medium."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from bot.domain.durations import format_duration
from bot.domain.people import is_person
from bot.domain.refusals import Refused
from bot.domain.text import clean
from bot.domain.verbs import VERBS
from bot.ports.store import Answer
from bot.render.slack import mrkdwn
from bot.render.texts import Safe, Texts

Medium: TypeAlias = Literal["slack", "cli", "api"]
Name: TypeAlias = Callable[[str], str | None]

_PERSON: Final = re.compile(r"<(?:@(?=[UW])|!subteam\^(?=S))([SUW][A-Z0-9]{2,20})>")
"""A person or a usergroup."""


def no_names(user: str) -> str | None:
    """Knows no names: people are shown by their id."""
    return None


def answer_text(answer: Answer, texts: Texts, medium: Medium = "slack") -> str:
    """Return what `answer` says to the person who asked. For Slack it is mrkdwn, escaped; else plain text."""
    return _render(answer.kind, {"event": {}, **answer.fields}, texts, medium)


def query_text(kind: str, data: Any, texts: Texts, medium: Medium = "slack") -> str:
    """Return what was looked up, as text. `kind` is the query's name, `data` what `--json` would print."""
    if kind == "help":
        verb = next((v for v in VERBS.values() if data and data in (v.name, *v.aliases)), None)
        return _render("help", {"verb": verb, "verbs": VERBS.values()}, texts, medium)
    return _render(kind, {"data": data}, texts, medium)


def refusal_text(refused: Refused, medium: Medium = "slack", names: Name = no_names) -> str:
    """Return the words of a refusal; the people it names read as people."""
    return _told_slack(refused.text) if medium == "slack" else _told_plain(refused.text, names)


def _render(kind: str, values: Mapping[str, Any], texts: Texts, medium: Medium) -> str:
    if medium == "slack":
        return texts.mrkdwn(f"answers/{kind}.j2", **_SLACK, **values)
    return texts.plain(f"answers/{kind}.j2", **_PLAIN, **values).strip()


# --- the vocabulary of templates, in both media ------------------------------------------------------------
def moment(value: str | datetime) -> datetime:
    """Return a time that may have travelled as JSON."""
    at = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _told_slack(text: str) -> Safe:
    """Return a sentence of ours with people's words in it. Mentions ring nobody: only the asker sees it."""
    pieces = _PERSON.split(text)
    return Safe("".join(_mention(piece) if n % 2 else _inert(piece) for n, piece in enumerate(pieces)))


def _mention(found: str) -> str:
    return mrkdwn.usergroup(found) if found.startswith("S") else mrkdwn.user(found)


def _inert(piece: str) -> str:
    """Return people's words with the blanks at both ends, which cleaning would take away."""
    core = piece.strip()
    before, _, after = piece.partition(core) if core else (piece, "", "")
    return f"{before}{mrkdwn.words(core)}{after}"


def _told_plain(text: str, names: Name = no_names) -> str:
    return _PERSON.sub(lambda match: _plain_mention(match[1], names), text)


def _plain_mention(found: str, names: Name) -> str:
    return f"usergroup {found}" if found.startswith("S") else _plain_user(found, names)


def plain_people(text: str) -> str:
    """Return `text` for a terminal: mentions read as ids."""
    return _told_plain(text)


def _plain_user(actor: str | None, names: Name = no_names) -> str:
    if not actor:
        return "nobody"
    return f"@{names(actor) or actor}" if is_person(actor) else actor


def _reached(event: Mapping[str, Any], user: Callable[[str], str]) -> str:
    pagers = [f"pager {name}" for name in event.get("pagers", ())]
    return Safe(", ".join([*map(user, event.get("users", ())), *event.get("usergroups", ()), *pagers]) or "nobody")


def _span(seconds: float) -> str:
    return format_duration(timedelta(seconds=seconds))


_SLACK: Final[Mapping[str, Callable[..., Any]]] = {
    "at": lambda value: mrkdwn.date(moment(value)),
    "b": lambda value: Safe(f"*{mrkdwn.unstyled(value)}*"),
    "cmd": lambda value: mrkdwn.code(f"/incident {value}"),
    "code": mrkdwn.code,
    "duration": _span,
    "link": mrkdwn.link,
    "reached": lambda event: _reached(event, mrkdwn.user),
    "room": mrkdwn.channel,
    "said": mrkdwn.words,
    "told": _told_slack,
    "user": mrkdwn.user,
    "words": lambda value: _told_slack(value) if not isinstance(value, Safe) else value,
}


_PLAIN: Final[Mapping[str, Callable[..., Any]]] = {
    "at": lambda value: f"{moment(value).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
    "b": str,
    "cmd": lambda value: f"`{value}`",
    "code": lambda value: f"`{value}`",
    "duration": _span,
    "link": lambda url, label="": f"{label}: {url}" if label else url,
    "reached": lambda event: _reached(event, _plain_user),
    "room": lambda channel, name="": f"#{name}" if name else str(channel),
    "said": lambda value: clean(str(value), 40_000),
    "told": lambda value: _told_plain(str(value)),
    "user": _plain_user,
    "words": lambda value: _told_plain(str(value)),
}

"""Reading what people type: Slack's escapes undone, then taken apart piece by piece."""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from bot.domain.people import is_person
from bot.domain.refusals import MissingArgument, UnknownPerson

FindPerson: TypeAlias = Callable[[str], str | None]
"""A directory look-up: a bare name in, a Slack id or None out."""

PERSON: Final = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>")
_NAME: Final = re.compile(r"(?<![^\s(,])@([\w][\w.'-]*)")
_TOKEN: Final = re.compile(r"<([^<>]+)>")
_ODD_SPACE: Final = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_ENTITIES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_DASH: Final = "[-\u2010-\u2015\u2212]{1,2}"
_QUOTES: Final = {'"': '"', "'": "'", "“": "”", "”": "”", "„": "“", "«": "»", "‘": "’", "’": "’"}
REFERENCE: Final = re.compile(r"#?inc[-_ ]?(\d+)(?=$|[\s:,;?!.])[:,;?!.]*\s*", re.IGNORECASE)


def tidy(text: str, *, escaped: bool) -> str:
    """Return `text` with plain spaces; from Slack, also with its tokens and entities turned into what was typed.

    People stay `<@U…>`; channels become `#name`, links their address, groups `@name`.
    Source: https://docs.slack.dev/messaging/formatting-message-text/
    """
    text = _ODD_SPACE.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    if escaped:
        text = _TOKEN.sub(_untoken, text)
        for entity, char in _ENTITIES:
            text = text.replace(entity, char)
    return text.strip()


def _untoken(match: re.Match[str]) -> str:
    inner, _, label = match[1].partition("|")
    if inner.startswith("@"):
        return f"<{inner}>"
    if inner.startswith("#"):
        return f"#{label}" if label else f"<{inner}>"
    if inner.startswith("!"):
        name = label or inner[1:].partition("^")[0]
        return name if label and not inner.startswith(("!subteam", "!here", "!channel")) else f"@{name.lstrip('@')}"
    address = inner.removeprefix("mailto:")
    if not label or label == address:
        return address
    bare = address.partition("://")[2] or address
    return label if label.rstrip("/") == bare.rstrip("/") else f"{label} ({address})"


def unquote(text: str) -> str:
    """Return `text` without one pair of quotes around all of it."""
    if len(text) >= 2 and _QUOTES.get(text[0]) in (text[-1], *([text[0]] if text[-1] == text[0] else [])):
        return text[1:-1].strip()
    return text


class Args:
    """The words after a verb. Each method takes its piece out; what is left keeps its order and line breaks."""

    def __init__(self, text: str, usage: str) -> None:
        self.text = text.strip()
        self.usage = usage

    def __bool__(self) -> bool:
        return bool(self.text)

    def word(self) -> str:
        """Take the next word; empty when there is none."""
        parts = self.text.split(maxsplit=1) or [""]
        self.text = parts[1] if len(parts) > 1 else ""
        return parts[0]

    def need(self, what: str) -> str:
        """Take the next word. Refuses when there is none."""
        if not self.text:
            raise MissingArgument(what=what, usage=self.usage)
        return self.word()

    def rest(self) -> str:
        """Take everything that is left."""
        left, self.text = self.text, ""
        return left.strip()

    def need_rest(self, what: str) -> str:
        """Take everything that is left. Refuses when there is nothing."""
        if not self.text:
            raise MissingArgument(what=what, usage=self.usage)
        return self.rest()

    def cut(self, pattern: str) -> re.Match[str] | None:
        """Take the first match of `pattern` out, wherever it stands."""
        found = re.search(pattern, self.text, re.IGNORECASE)
        if found:
            before, after = self.text[: found.start()].rstrip(" "), self.text[found.end() :].lstrip(" ")
            self.text = f"{before} {after}".strip()
        return found

    def flag(self, name: str) -> bool:
        """Take `--name` out, also where a keyboard made one long dash of two."""
        return self.cut(rf"(?<!\S){_DASH}{name}(?![\w-])") is not None

    def option(self, names: str) -> str | None:
        """Take `--name value` out and return the value."""
        found = self.cut(rf"(?<!\S){_DASH}(?:{names})(?:[\s=:]+|(?=\d))([^\s]+)")
        return found[1] if found else None

    def because(self) -> str:
        """Take what is left as a reason, without its leading `because`."""
        return re.sub(r"^(?:because\b|as\b|since\b|[:,;\u2013\u2014-])[\s:,]*", "", self.rest(), flags=re.IGNORECASE)

    def person(self, actor: str, find: FindPerson, *, last: bool = False) -> str | None:
        """Take a person out, wherever the mention stands: `<@U1|ann>`, `@ann`, `me`, or a bare Slack id as first word.

        Returns the Slack id, None without a mention. Refuses a name nobody has.
        """
        found = list(PERSON.finditer(self.text)) or list(_NAME.finditer(self.text))
        if not found:
            return self._bare_person(actor)
        match = found[-1 if last else 0]
        self.text = f"{self.text[: match.start()].rstrip()} {self.text[match.end() :].lstrip()}".strip()
        if match.re is PERSON:
            return match[1]
        name = match[1].rstrip(".")
        user = actor if name.lower() == "me" and actor else find(name) or (name if is_person(name) else None)
        if user is None:
            raise UnknownPerson(word=f"@{name}")
        return user

    def _bare_person(self, actor: str) -> str | None:
        word = self.text.split(maxsplit=1)[0] if self.text else ""
        if re.fullmatch(r"[UW][A-Z0-9]{2,20}", word) and any(c.isdigit() for c in word):
            return self.word()
        if word.lower() in ("me", "myself") and actor:
            self.word()
            return actor
        return None

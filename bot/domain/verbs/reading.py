"""Reading what people type: Slack's escapes undone, then taken apart piece by piece."""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from bot.domain.refusals import MissingArgument, UnknownPerson

FindPerson: TypeAlias = Callable[[str], str | None]
"""A directory look-up: a bare name or an id in, the Slack id of a person or None out."""

PERSON: Final = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>")
_NAME: Final = re.compile(r"(?<![^\s(,])@([\w][\w.'-]*)")
_TOKEN: Final = re.compile(r"<([^<>]+)>")
_ODD_SPACE: Final = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_ENTITIES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_DASH: Final = "[-\u2010-\u2015\u2212]{1,2}"
_DOUBLE: Final = '"“”„«»'
_SINGLE: Final = "'‘’‚‹›"
_MARK: Final = re.compile(rf"[{_DOUBLE}]|(?<!\w)[{_SINGLE}]|[{_SINGLE}](?!\w)")
"""A quotation mark; what stands within a word is an apostrophe."""
_IN_QUOTES: Final = f"[{_DOUBLE}][^{_DOUBLE}]+[{_DOUBLE}]"
_QUOTED: Final = re.compile(rf"{_IN_QUOTES}(?!\S)")
_ID: Final = re.compile(r"(?=[A-Z]*[0-9])[UW][A-Z0-9]{2,20}")
SURE: Final = 9
"""Characters of the ids that Slack gives out. Shorter ones may be words: the directory must know them."""
_BECAUSE: Final = re.compile(r"(?:[:,;]|[-\u2013\u2014](?=\s))?\s*(?:because\b(?!\s+of\b)[\s:,]*)?", re.IGNORECASE)
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
    """Return `text` without one pair of quotes around all of it, whichever a keyboard made of them.

    In `“A” is “B”` they are around two words, and stay.
    """
    paired = len(text) >= 2 and any(text[0] in marks and text[-1] in marks for marks in (_DOUBLE, _SINGLE))
    return text[1:-1].strip() if paired and not _MARK.search(text, 1, len(text) - 1) else text


def person_id(word: str, find: FindPerson) -> str | None:
    """Return `word` if it is the Slack id of somebody: one that is long enough to be one, or that the directory has."""
    return word if _ID.fullmatch(word) and (len(word) >= SURE or find(word) == word) else None


def somebody(word: str, find: FindPerson) -> str:
    """Return the Slack id of the person that `word` means, said where one is due. Refuses when there is none."""
    user = find(word) or person_id(word, find)
    if user is None:
        raise UnknownPerson(word=word)
    return user


class Args:
    """The words after a verb. Each method takes its piece out; what is left keeps its order and line breaks."""

    def __init__(self, text: str, usage: str) -> None:
        self.text = text.strip()
        self.usage = usage

    def __bool__(self) -> bool:
        return bool(self.text)

    def word(self) -> str:
        """Take the next word, or what stands in quotes; empty when there is none."""
        quoted = _QUOTED.match(self.text)
        first = quoted[0] if quoted else (self.text.split(maxsplit=1) or [""])[0]
        self.text = self.text[len(first) :].lstrip()
        return unquote(first)

    def need(self, what: str) -> str:
        """Take the next word. Refuses when there is none."""
        if not self.text:
            raise MissingArgument(what=what, usage=self.usage)
        return self.word() or self.need(what)

    def rest(self) -> str:
        """Take everything that is left, without quotes around it."""
        left, self.text = self.text, ""
        return unquote(left.strip())

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
        """Take `--name value` out and return the value; in quotes it may have several words."""
        found = self.cut(rf"(?<!\S){_DASH}(?:{names})(?:[\s=:]+|(?=\d))({_IN_QUOTES}|\S+)")
        return unquote(found[1]) if found else None

    def because(self) -> str:
        """Take what is left as a reason, without its leading `because`; other words are the reason's own."""
        return unquote(_BECAUSE.sub("", self.rest(), count=1))

    def person(self, actor: str, find: FindPerson) -> str | None:
        """Take a person out, wherever the mention stands: `<@U1|ann>`, `@ann`, `me`, or a bare Slack id as first word.

        Returns the Slack id, None without a mention. Refuses a name nobody has.
        """
        match = PERSON.search(self.text) or _NAME.search(self.text)
        if not match:
            return self._bare_person(actor, find)
        self.text = f"{self.text[: match.start()].rstrip()} {self.text[match.end() :].lstrip()}".strip()
        user = _whom(match, actor, find)
        if user is None:
            raise UnknownPerson(word=f"@{match[1]}")
        return user

    def owner(self, actor: str, find: FindPerson) -> str | None:
        """Take out who is to do it: the last who is mentioned. In the midst of the text the name stays there as well.

        What names nobody, as in `@types/node`, is text.
        """
        found = [*PERSON.finditer(self.text), *_NAME.finditer(self.text)]
        named = {match.span(): user for match in found if (user := _whom(match, actor, find))}
        if not named:
            return self._me(actor)
        start, end = max(named)
        before, after = self.text[:start].rstrip(" (,"), self.text[end:].lstrip(" ,:;")
        if not before or not after.strip(".!)"):
            self.text = before or after
        return named[start, end]

    def _bare_person(self, actor: str, find: FindPerson) -> str | None:
        word = self.text.split(maxsplit=1)[0] if self.text else ""
        return self.word() if person_id(word, find) else self._me(actor)

    def _me(self, actor: str) -> str | None:
        word = self.text.split(maxsplit=1)[0] if self.text else ""
        if word.lower() not in ("me", "myself") or not actor:
            return None
        self.word()
        return actor


def _whom(match: re.Match[str], actor: str, find: FindPerson) -> str | None:
    """Return whom a mention means. Slack's own tokens are right; a name is looked up."""
    if match.re is PERSON:
        return match[1]
    name = match[1].rstrip(".")
    return actor if name.lower() == "me" and actor else find(name) or person_id(name, find)

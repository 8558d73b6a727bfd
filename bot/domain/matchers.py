"""Matchers as Prometheus and Alertmanager write them: `severity=~"critical|page", service="checkout"`.

Grammar: https://prometheus.io/docs/alerting/latest/configuration/#matcher (quoted UTF-8 names and unquoted values are
legal). A regular expression is anchored at both ends; a label that is absent reads as "".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Op = Literal["=", "!=", "=~", "!~"]

SOURCE_MAX: Final = 2000
"""Characters of one matcher string; matchers come from the operator, but a file may be anything."""
VALUE_MAX: Final = 4000
"""A regular expression looks at so much of a label's value: its cost grows with the length."""

_OPS: Final = ("=~", "!~", "!=", "=")
_ENDS_BARE: Final = frozenset(" \t\n\r,{}()[]\"'`=!~")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label."""

    name: str
    op: Op
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        """True if the label satisfies the condition."""
        found = labels.get(self.name, "")
        match self.op:
            case "=":
                return found == self.value
            case "!=":
                return found != self.value
            case "=~":
                return _compiled(self.value).fullmatch(found[:VALUE_MAX]) is not None
            case "!~":
                return _compiled(self.value).fullmatch(found[:VALUE_MAX]) is None

    def __str__(self) -> str:
        name = self.name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_:]*", self.name) else f'"{_escape(self.name)}"'
        return f'{name}{self.op}"{_escape(self.value)}"'


@lru_cache(maxsize=1024)
def parse(source: str) -> tuple[Matcher, ...]:
    """Return the matchers of `source`, all of which must hold. Raises ValueError naming the column (from 1)."""
    if len(source) > SOURCE_MAX:
        raise ValueError(f"a matcher has at most {SOURCE_MAX} characters, this one {len(source)}")
    return tuple(_Reader(source).matchers())


def all_hold(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """True if every matcher holds for `labels`. No matchers at all: true."""
    return all(matcher.holds(labels) for matcher in matchers)


def matches(source: str, labels: Mapping[str, str]) -> bool:
    """True if all matchers of `source` hold. Raises ValueError as `parse` does."""
    return all_hold(parse(source), labels)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class _Reader:
    """Reads a matcher string from left to right."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

    def matchers(self) -> list[Matcher]:
        self._space()
        braces = self._take("{")
        found: list[Matcher] = []
        while not self._done(braces):
            found.append(self._matcher())
            self._space()
            if not self._take(",") and not self._done(braces):
                raise self._wrong("expected a comma")
            self._space()
        if braces and not self._take("}"):
            raise self._wrong("expected }")
        self._space()
        if self.at < len(self.source):
            raise self._wrong("unexpected text")
        if not found:
            raise self._wrong('no matcher; write one such as alertname="HighLatency"')
        return found

    def _matcher(self) -> Matcher:
        name = self._word("a label name")
        self._space()
        op = next((op for op in _OPS if self.source.startswith(op, self.at)), None)
        if op is None:
            raise self._wrong("expected one of = != =~ !~")
        self.at += len(op)
        self._space()
        start = self.at
        value = self._value()
        if op in ("=~", "!~"):
            try:
                _compiled(value)
            except (re.error, OverflowError, RecursionError) as exc:
                self.at = start
                raise self._wrong(f"not a regular expression: {exc}") from exc
        return Matcher(name, op, value)  # type: ignore[arg-type]  # op comes from _OPS

    def _word(self, what: str) -> str:
        start = self.at
        if self._take('"'):
            word = self._quoted()
        else:
            while self.at < len(self.source) and self.source[self.at] not in _ENDS_BARE:
                self.at += 1
            word = self.source[start : self.at]
        if not word:
            raise self._wrong(f"expected {what}")
        return word

    def _value(self) -> str:
        """A quoted value, or a bare one up to the next comma (or the closing brace), which may be empty."""
        if self._take('"'):
            return self._quoted()
        start = self.at
        while self.at < len(self.source) and self.source[self.at] not in ",}":
            if self.source[self.at] == '"':
                raise self._wrong("a quote in the middle of a value")
            self.at += 1
        return self.source[start : self.at].rstrip()

    def _quoted(self) -> str:
        out: list[str] = []
        start = self.at - 1
        while self.at < len(self.source):
            char = self.source[self.at]
            self.at += 1
            if char == '"':
                return "".join(out)
            if char == "\\" and self.at < len(self.source):
                nxt = self.source[self.at]
                self.at += 1
                # An unknown escape keeps its backslash: people write "\d+" and mean the regular expression.
                out.append(_ESCAPES.get(nxt) or (nxt if nxt in '"\\' else f"\\{nxt}"))
            else:
                out.append(char)
        self.at = start
        raise self._wrong("the quote is not closed")

    def _space(self) -> None:
        while self.at < len(self.source) and self.source[self.at].isspace():
            self.at += 1

    def _take(self, char: str) -> bool:
        if self.source.startswith(char, self.at):
            self.at += 1
            return True
        return False

    def _done(self, braces: bool) -> bool:
        self._space()
        return self.at >= len(self.source) or (braces and self.source[self.at] == "}")

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"{what} at column {self.at + 1} of {self.source!r}")

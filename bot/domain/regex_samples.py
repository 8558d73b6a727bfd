"""Examples of what a simple regular expression matches, to find two runbooks that fit the same alert.

Understands what people write in matchers: alternatives, groups, optional parts, small character classes, `.*`.
"""

import itertools
from typing import Final

SAMPLES_MAX: Final = 500


def samples(pattern: str) -> list[str]:
    """Return texts that `pattern` matches, each alternative at least once; at most SAMPLES_MAX.

    Empty for a pattern that is not understood: a missing example only means that a tie is not found by it.
    """
    try:
        reader = _Reader(pattern)
        found = reader.alternatives()
        return list(dict.fromkeys(found)) if reader.at == len(pattern) else []
    except (_NotSimpleError, RecursionError):
        return []


class _NotSimpleError(Exception):
    pass


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def alternatives(self) -> list[str]:
        found = self._sequence()
        while self._peek() == "|":
            self.at += 1
            found += self._sequence()
        return found[:SAMPLES_MAX]

    def _sequence(self) -> list[str]:
        found = [""]
        while self._peek() not in ("", "|", ")"):
            piece = self._quantified(self._atom())
            found = [a + b for a, b in itertools.islice(itertools.product(found, piece), SAMPLES_MAX)]
        return found

    def _quantified(self, atom: list[str]) -> list[str]:
        match self._peek():
            case "?" | "*":
                self.at += 1
                atom = ["", *atom]
            case "+":
                self.at += 1
            case "{":
                raise _NotSimpleError
        if self._peek() in ("?", "+"):  # lazy or possessive: the same texts
            self.at += 1
        return atom

    def _atom(self) -> list[str]:
        char = self._next()
        match char:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                escaped = self._next()
                if escaped.isalnum():
                    return ["0"] if escaped == "d" else ["x"] if escaped == "w" else self._stop()
                return [escaped]
            case ".":
                return ["x"]
            case "^" | "$":
                return [""]
        return [char]

    def _group(self) -> list[str]:
        if self.pattern.startswith("?:", self.at):
            self.at += 2
        elif self._peek() == "?":
            self._stop()
        found = self.alternatives()
        if self._next() != ")":
            self._stop()
        return found

    def _class(self) -> list[str]:
        end = self.pattern.find("]", self.at + 1)
        inside = self.pattern[self.at : end]
        if end < 0 or inside.startswith("^") or "\\" in inside:
            self._stop()
        self.at = end + 1
        if "-" in inside[1:-1]:
            return [inside[0]]
        return list(inside)

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _next(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1 : self.at]

    def _stop(self) -> list[str]:
        raise _NotSimpleError

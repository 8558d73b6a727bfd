"""Words from outside: cleaned once on the way in, marked so that they can be erased later."""

import re
import unicodedata
from typing import Annotated, Final

WORDS: Final = "words"
"""Marks an event field as written by people (or alerts): stored apart from the log, erasable."""

Words = Annotated[str, WORDS]

TITLE_MAX: Final = 200
"""Characters of a title a person types. Longer ones are refused, an alert's is cut."""
TEXT_MAX: Final = 10_000
"""Characters of an update, note or resolution; Slack's own message limit is 40,000."""

# Bidirectional controls and zero-width characters can make a text read differently than it is
# (Unicode TR36, section 3.4). U+200D joins emoji families and is kept between visible characters.
_HIDDEN = re.compile("[\u061c\u180e\u200b\u200c\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff]")
# Unicode's categories Cc (but for newline and tab), Cs and Co as ranges: a pattern is 20 times as fast as asking for
# each character's category, and texts are cleaned again wherever they are shown.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]"
)
_SPACES = re.compile(r"[^\S\n]+")
_SLUG_BREAK = re.compile(r"[^\w]+|_+")


def clean(text: str, limit: int = TEXT_MAX) -> str:
    """Return `text` without control and invisible characters, NFC, cut to `limit` with an ellipsis."""
    if text.isascii() and text.isprintable():  # most texts: nothing to take out, nothing to normalise
        return cut(text.strip(), limit)
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _CONTROL.sub("", _HIDDEN.sub("", text))
    return cut(text.strip(), limit)


def clean_line(text: str, limit: int = TITLE_MAX) -> str:
    """Like `clean`, on one line with single spaces."""
    text = clean(text)
    if "\n" in text or "  " in text or not (text.isascii() and text.isprintable()):
        text = _SPACES.sub(" ", text.replace("\n", " ")).strip()
    return cut(text, limit)


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters, the last an ellipsis if something was left out."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def has_letters(text: str) -> bool:
    """True if a person could read this aloud: it holds at least one letter or digit."""
    return any(unicodedata.category(c)[0] in "LN" for c in text)


def slug(text: str, limit: int) -> str:
    """Return `text` as a Slack channel name part: lower-case letters, digits, single hyphens.

    Letters of any script are kept, as Slack allows them. May be empty.
    """
    lowered = unicodedata.normalize("NFKC", text).lower()
    kept = "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in lowered)
    return _SLUG_BREAK.sub("-", kept).strip("-")[:limit].rstrip("-")

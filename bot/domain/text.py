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

# What shows nothing, or makes a text read differently than it is (Unicode TR36, section 3.4; UAX 44, property
# Default_Ignorable_Code_Point): category Cf but for U+200D, then fillers, blanks and variation selectors, which
# other categories hold. As ranges: a pattern is 20 times as fast as asking for each character's category, and texts are
# cleaned again wherever they are shown.
_HIDDEN = (
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2028\u2029\u2800\u3164\ufe00-\ufe0d\uffa0\U00016fe4"
    "\U0001d159\U000e0000-\U000e0fff"
)
# Unicode's categories Cc (but for newline and tab), Cs and Co.
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
_UNWANTED = re.compile(f"[{_HIDDEN}{_CONTROL}]")
# U+FE0E and U+FE0F say how an emoji looks, U+200D joins several to one (a family): anywhere else they show nothing.
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_LOOK = re.compile(f"(?<![{_EMOJI}])(?<![#*0-9](?=[\ufe0e\ufe0f]\u20e3))[\ufe0e\ufe0f]")
_JOINER = re.compile(f"(?<![{_EMOJI}\ufe0f])\u200d|\u200d(?![{_EMOJI}])")
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters to Unicode, nothing to the eye."""
_SPACES = re.compile(r"[^\S\n]+")
_SLUG_BREAK = re.compile(r"[\W_]+")


def clean(text: str, limit: int = TEXT_MAX) -> str:
    """Return `text` without control and invisible characters, NFC, cut to `limit` with an ellipsis."""
    if text.isascii() and text.isprintable():  # most texts: nothing to take out, nothing to normalise
        return cut(text.strip(), limit)
    text = _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if "\ufe0e" in text or "\ufe0f" in text:
        text = _LOOK.sub("", text)
    if "\u200d" in text:
        text = _JOINER.sub("", text)
    text = unicodedata.normalize("NFC", text)
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
    return any(unicodedata.category(c)[0] in "LN" and c not in _FILLERS for c in text)


def slug(text: str, limit: int) -> str:
    """Return `text` as a Slack channel name part: lower-case letters, digits, single hyphens.

    Letters of any script are kept, as Slack allows them. May be empty.
    """
    if text.isascii():
        return _SLUG_BREAK.sub("-", text.lower()).strip("-")[:limit].rstrip("-")
    lowered = unicodedata.normalize("NFKC", text).lower()
    kept = "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in lowered)
    return _SLUG_BREAK.sub("-", kept).strip("-")[:limit].rstrip("-")

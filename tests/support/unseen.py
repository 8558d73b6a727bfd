"""A witness of its own for what a reader cannot see: by Unicode's categories and properties, not by our patterns."""

import unicodedata
from typing import Final

# Default_Ignorable_Code_Point, but for emoji's own U+FE0E, U+FE0F and U+200D:
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
_RANGES: Final = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200C), (0x200E, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0D),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_BLANK: Final = 0x2800
SAMPLES: Final = [
    *(chr(first) for first, _ in _RANGES),
    *(chr(last) for _, last in _RANGES),
    *"\u200d\ufe0f\u2800\ufff9\u2028\u2029\u0600\U000e0041\U000e0100",
]
"""One of each kind, and the three that only emoji may have."""


def unseen(text: str) -> list[str]:
    """Return the characters of `text` that show nothing, or change how the others read."""
    return [f"U+{ord(c):04X} at {n}" for n, c in enumerate(text) if _shows_nothing(text, n)]


def _shows_nothing(text: str, n: int) -> bool:
    char = text[n]
    if char in "\n\t":
        return False
    if char == "\u200d":
        return not (_is_emoji(text[n - 1 : n]) and _is_emoji(text[n + 1 : n + 2]))
    if char in "\ufe0e\ufe0f":
        return not (
            _is_emoji(text[n - 1 : n]) or (text[n - 1 : n] in tuple("#*0123456789") and text[n + 1 : n + 2] == "\u20e3")
        )
    code = ord(char)
    if code == _BLANK or any(first <= code <= last for first, last in _RANGES):
        return True
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def _is_emoji(char: str) -> bool:
    """True for a symbol, a skin tone, or how one of them looks."""
    return char == "\ufe0f" or (char != "" and unicodedata.category(char) in ("So", "Sk", "Sm", "Po") and char > "~")

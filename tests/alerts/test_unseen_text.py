"""Nothing that cannot be seen comes in, from whomever: what hides text, and what makes it read differently."""

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.text import clean, clean_line, has_letters
from bot.inbound.alerts import SOURCES
from tests.alerts.test_hostile import declared_from
from tests.support.alerts import body, scenario, wire
from tests.support.unseen import SAMPLES, unseen


def test_no_character_that_shows_nothing_is_left_in_a_text() -> None:
    left = [f"U+{n:04X}" for n in range(sys.maxunicode + 1) if unseen(clean(f"a{chr(n)}b"))]
    assert left == []


def test_every_other_character_stays() -> None:
    """But for what Unicode itself calls the same: NFC. A carriage return is a line break."""
    gone = []
    for n in range(sys.maxunicode + 1):
        char = chr(n)
        kept = unicodedata.category(char) not in ("Cn",) and not unseen(f"a{char}b") and char != "\r"
        if kept and clean(f"a{char}b") != unicodedata.normalize("NFC", f"a{char}b"):
            gone.append(f"U+{n:04X}")
    # Blank by their glyph, though Unicode has no property for that.
    assert gone == ["U+16FE4", "U+1D159"]


@pytest.mark.parametrize(
    "text", ["👨\u200d👩\u200d👧\u200d👦", "❤️\u200d🔥", "1️⃣", "☀️", "👍🏽", "🇩🇪", "🏴\u200d☠️", "🏃\u200d➡️"]
)
def test_emoji_that_are_made_of_several_stay_whole(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "text", ["\u200d" * 500, "a" + "\u200d" * 500 + "b", "👩\u200d\u200d👩", "あ\u200dあ", "x\ufe0f", "☀️️️", "1️"]
)
def test_what_joins_emoji_is_gone_wherever_it_joins_none(text: str) -> None:
    assert unseen(clean(text)) == []
    assert "\u200d" not in clean(text)


@given(st.text(st.sampled_from([*SAMPLES, "a", "é", "e", "\u0301", "あ", "👩", "☀", " ", "\n", "1"]), max_size=30))
@settings(max_examples=300)
def test_any_mixture_is_clean_at_once_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert unseen(once) == []
    assert clean(once) == once
    assert clean_line(clean_line(text)) == clean_line(text)


@pytest.mark.parametrize("char", ["\u3164", "\u115f", "\u1160", "\uffa0", "\u2800", "\u200b"])
def test_a_title_of_nothing_but_fillers_is_no_title(char: str) -> None:
    assert not has_letters(char * 3)
    ledger = declared_from(body(wire() | {"labels": {"alertname": char * 5, "severity": "critical"}}))
    assert ledger.incidents[1].title.startswith("Unnamed alert")


def test_the_recorded_family_comes_in_whole() -> None:
    found = [
        batch
        for sent in scenario("alertmanager", "hostile-text")
        if (batch := SOURCES["alertmanager"].parse(sent.raw, {}))
    ]
    texts = [
        text
        for batch in found
        for alert in batch.alerts
        for text in (*alert.labels.values(), *alert.annotations.values())
    ]
    assert [one for one in texts if "\u200d" in one]
    assert [where for one in texts for where in unseen(one)] == []

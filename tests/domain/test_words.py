"""Texts, durations and severities: how people write them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.durations import BusinessDays, Span, format_duration, parse_duration
from bot.domain.policy import Organization, Policy
from bot.domain.severity import Severity, parse_severity
from bot.domain.text import clean, clean_line, has_letters, slug


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2s", 2),
        ("15m", 900),
        ("4h", 14_400),
        ("5d", 432_000),
        ("1w", 604_800),
        ("1h30m", 5400),
        ("90 min", 5400),
        ("2 Hours", 7200),
    ],
)
def test_durations_are_read_as_people_write_them(written: str, seconds: int) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", ["", "soon", "15", "m", "-5m", "1y", "5m!", "500ms", "3 months", "99999999w"])
def test_a_text_that_is_no_duration_says_how_to_write_one(written: str) -> None:
    with pytest.raises(ValueError, match=r"write it like|longer than ten years"):
        parse_duration(written)


@given(st.integers(0, 10**7))
def test_a_formatted_duration_reads_back_to_the_same_two_units(seconds: int) -> None:
    text = format_duration(timedelta(seconds=seconds))
    assert format_duration(parse_duration(text.replace(" ", ""))) == text


BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = datetime(2026, 3, 13, 10, 0, tzinfo=UTC)


def test_business_days_skip_weekends_and_holidays_and_end_at_five_local() -> None:
    due = Span("5bd").after(FRIDAY, BusinessDays(BERLIN, holidays=frozenset({date(2026, 3, 16)})))
    assert due.astimezone(BERLIN).isoformat() == "2026-03-23T17:00:00+01:00"


def test_business_days_across_a_clock_change_still_end_at_five_local() -> None:
    before = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
    due = Span("1bd").after(before, BusinessDays(BERLIN))
    assert due == datetime(2026, 3, 30, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("organization", "due"),
    [
        ({}, "2026-03-16T17:00"),
        ({"workdays": ["sun", "mon", "tue", "wed", "thu"], "end_of_business": "18:30"}, "2026-03-15T18:30"),
        ({"workdays": ["Wednesday"], "holidays": ["2026-03-18"]}, "2026-03-25T17:00"),
        ({"workdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}, "2026-03-14T17:00"),
    ],
)
def test_an_organisation_says_on_which_days_and_until_when_it_works(organization: dict[str, object], due: str) -> None:
    made = Organization.model_validate({"timezone": "Europe/Berlin", **organization})
    assert Span("1bd").after(FRIDAY, made.business_days).astimezone(BERLIN).isoformat()[:16] == due


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("workdays", ["mon", "someday"]), ("workdays", []), ("workdays", "mon"), ("end_of_business", "25:00"),
        ("end_of_business", "5 pm"), ("work_days", ["mon"]),
    ],
)  # fmt: skip
def test_a_calendar_that_cannot_be_read_is_refused_by_its_key(key: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Policy.model_validate({"organization": {key: value}})
    assert refused.value.errors()[0]["loc"][:2] == ("organization", key)


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("sev1", Severity.SEV1), ("SEV-1", Severity.SEV1), ("p0", Severity.SEV1), ("critical", Severity.SEV1),
        ("1", Severity.SEV1), ("P1", Severity.SEV2), ("high", Severity.SEV2), ("sev_3", Severity.SEV3),
        ("medium", Severity.SEV3), ("s4", Severity.SEV4), ("p3", Severity.SEV4), ("low", Severity.SEV4),
    ],
)  # fmt: skip
def test_severities_are_understood_however_they_are_spelt(word: str, severity: Severity) -> None:
    assert parse_severity(word) is severity


@pytest.mark.parametrize("word", ["", "sev5", "sev0", "p4", "sev", "urgent!!", "seven"])
def test_other_words_are_no_severity(word: str) -> None:
    assert parse_severity(word) is None


def test_hidden_and_reordering_characters_are_removed() -> None:
    assert clean("pay\u202eto\u200b\u2066x\u0007") == "paytox"


def test_a_line_has_single_spaces_and_is_cut_with_an_ellipsis() -> None:
    assert clean_line("  a\n\n b\t c ") == "a b c"
    assert clean_line("x" * 500, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(("text", "expected"), [("🔥🔥🔥", False), ("!?", False), ("支付", True), ("🔥 1", True)])
def test_a_title_must_be_sayable(text: str, expected: bool) -> None:
    assert has_letters(text) is expected


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Checkout is down!", "checkout-is-down"), ("  --  ", ""), ("Größe & Maß", "größe-maß"),
        ("支付服务 宕机", "支付服务-宕机"), ("a_b.c/d", "a-b-c-d"), ("🔥 Fire 🔥", "fire"),
    ],
)  # fmt: skip
def test_a_slug_keeps_letters_of_any_script(title: str, name: str) -> None:
    assert slug(title, 80) == name


@given(st.text(max_size=300), st.integers(1, 80))
def test_a_slug_is_always_a_legal_channel_name_part(text: str, limit: int) -> None:
    made = slug(text, limit)
    assert len(made) <= limit
    assert made == made.lower().strip("-")
    assert "--" not in made
    assert all(ch == "-" or ch.isalnum() or not ch.isascii() for ch in made)

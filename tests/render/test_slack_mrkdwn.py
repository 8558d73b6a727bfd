"""Slack's mrkdwn: what people and alerts wrote can be read, and does nothing."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.slack import mrkdwn
from bot.render.texts import Safe

HOSTILE = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(
            [
                "<!channel>", "<!here|x>", "<@U0001>", "<@U0001|ann>", "<#C1|x>", "<!subteam^S1>", "&", "&amp;", "```",
                "<javascript:alert(1)|click>", "https://e.example/<b>|x", "http://a&b", "\u202e", "\u200b", "|", ">",
                "<https://evil.example|https://good.example>", "https://x.example/a?b=c&d=e.", "<", "*", "`", "~", "_",
            ]
        ),
    ),
    max_size=12,
).map("".join)  # fmt: skip
ENTITY = re.compile(r"<[^>]*>?")
WEB = re.compile(r"<https?://[^\s<>|]+(\|[^<>]*)?>")


def inert(text: str) -> bool:
    """True if nothing in `text` rings, links elsewhere than to http(s), or hides."""
    return all(WEB.fullmatch(found) for found in ENTITY.findall(text)) and not re.search(
        "[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]", text
    )


@given(HOSTILE)
def test_what_people_wrote_neither_rings_nor_hides(text: str) -> None:
    assert inert(mrkdwn.words(text))
    assert inert(mrkdwn.quoted(text))
    assert "<" not in mrkdwn.escape(text)
    assert "<" not in mrkdwn.code(text)
    assert mrkdwn.fence(text).count("```") == 2
    assert "<" not in mrkdwn.plain(text, 100)


@given(HOSTILE, st.integers(1, 60))
def test_a_cut_never_splits_an_escape_or_a_link(text: str, limit: int) -> None:
    whole = mrkdwn.words(text)
    short = mrkdwn.cut(whole, limit)
    assert len(short) <= limit
    assert inert(short)
    assert re.search(r"&(?!amp;|lt;|gt;)", short) is None
    if whole.count("```") % 2 == 0:
        assert short.count("```") % 2 == 0


@given(HOSTILE, st.integers(100, 200))
def test_splitting_a_long_text_keeps_every_word(text: str, size: int) -> None:
    whole = mrkdwn.words(text * 20)
    parts = mrkdwn.split(whole, size)
    assert all(len(part) <= size and inert(part) for part in parts)
    links_fit = all(len(found) < size // 2 for found in ENTITY.findall(whole))
    if links_fit:
        assert "".join("".join(parts).split()) == "".join(whole.split())


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "slack://open", "//x", "http://", "data:text/html,x", "", "ftp://x"]
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert "<" not in mrkdwn.link(url, "label")
    assert mrkdwn.web_address(url) == ""


def test_a_link_cannot_be_ended_early_by_its_address_or_its_label() -> None:
    made = mrkdwn.link("https://x.example/?q=<a>|b", "go > | <here>")
    assert made == "<https://x.example/?q=%3Ca%3E%7Cb|go &gt; ¦ &lt;here&gt;>"


def test_mentions_that_slack_delivered_read_as_names() -> None:
    assert mrkdwn.words("ask <@U0002|ben> in <#C0004|ops>, see <https://x.example|x>") == (
        "ask @ben in #ops, see <https://x.example>"
    )


def test_a_time_is_shown_in_the_readers_zone_with_utc_as_the_fallback() -> None:
    at = datetime(2026, 11, 22, 19, 0, 5, tzinfo=UTC)
    assert mrkdwn.date(at) == "<!date^1795374005^{date_short_pretty} {time_secs}|2026-11-22 19:00:05 UTC>"


def test_what_is_planned_for_a_full_minute_is_shown_without_seconds() -> None:
    handover = datetime(2026, 12, 7, 8, 0, tzinfo=UTC)
    assert mrkdwn.date(handover) == "<!date^1796630400^{date_short_pretty} {time}|2026-12-07 08:00:00 UTC>"
    assert "{time_secs}" in mrkdwn.date(handover.replace(microsecond=1))


@pytest.mark.parametrize(
    ("actor", "said"),
    [
        ("U0001", "<@U0001>"),
        ("cli:ann", "cli:ann"),
        ("alert:alertmanager", "an alert (alertmanager)"),
        ("timer:respond", "the timer"),
        ("tocsin", "Tocsin"),
        ("<!channel>", "&lt;!channel&gt;"),
        (None, "nobody"),
    ],
)
def test_people_are_mentioned_and_machines_are_named(actor: str | None, said: str) -> None:
    assert mrkdwn.user(actor) == said


def test_ids_that_are_none_stay_text() -> None:
    assert mrkdwn.usergroup("S0001") == "<!subteam^S0001>"
    assert mrkdwn.usergroup("x><!channel>") == "x&gt;&lt;!channel&gt;"
    assert mrkdwn.channel("C0001") == "<#C0001>"
    assert mrkdwn.channel("<x>", "ops") == "#ops"


@pytest.mark.parametrize(
    ("done", "of", "bar"), [(0, 4, "▱▱▱▱"), (1, 40, "▰▱▱▱"), (39, 40, "▰▰▰▱"), (4, 4, "▰▰▰▰"), (0, 0, "▱▱▱▱")]
)
def test_a_bar_is_full_only_when_all_is_done(done: int, of: int, bar: str) -> None:
    assert mrkdwn.progress(done, of, width=4) == bar


def test_what_we_made_ourselves_is_not_escaped_again() -> None:
    assert mrkdwn.words(Safe("<@U0001>")) == "<@U0001>"

"""Alerts in the channel: each with its pages, a button to silence it where that is possible, and one that says why."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain import events as e
from bot.domain.effects import Tell
from bot.render.slack import ids, legal
from bot.render.slack.message import Message
from bot.render.slack.renderer import Renderer
from tests.render.slack_cases import Life, room, surroundings

AROUND = replace(surroundings(), silences=True)


def fact(fingerprint: str = "f1", **changes: Any) -> e.AlertFact:
    values = {
        "source": "alertmanager",
        "fingerprint": fingerprint,
        "name": "HighLatency",
        "summary": "p99 over 2 s",
        "status": "firing",
        "url": "https://prometheus.example/graph?g0.expr=up&g0.tab=1",
        "dashboard_url": "https://grafana.example/d/1",
        "runbook_url": "https://runbooks.example/latency",
    }
    return e.AlertFact.model_validate(values | changes)


def told(*facts: e.AlertFact, around: Any = AROUND, life: Life | None = None) -> Message:
    life = (life or room(Life())).then(e.AlertsReported(opened=1, closed=0, firing=1, total=1, facts=facts))
    made = Renderer(around).tell(Tell(template="alerts_reported", urgent=True), life.last, life.state)
    legal.check(made.blocks)
    return made


def buttons(made: Message) -> dict[str, dict[str, Any]]:
    found = [block["accessory"] for block in made.blocks if "accessory" in block]
    found += [one for block in made.blocks if block["type"] == "actions" for one in block["elements"]]
    return {one["action_id"]: one for one in found}


PAGES = {
    "Source": "https://prometheus.example/graph?g0.expr=up&g0.tab=1",
    "Dashboard": "https://grafana.example/d/1",
    "Runbook": "https://runbooks.example/latency",
}


def rows(made: Message) -> list[list[str]]:
    """What stands on the buttons, row by row."""
    return [[one["text"]["text"] for one in block["elements"]] for block in made.blocks if block["type"] == "actions"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_alert_has_buttons_to_its_source_graph_and_runbook_and_one_to_silence_it(count: int) -> None:
    made = told(*(fact(f"f{n}") for n in range(count)))
    assert rows(made)[:count] == [[*PAGES, "Silence 1 h"]] * count
    linked = [(one["text"]["text"], one["url"]) for one in buttons(made).values() if "url" in one]
    assert sorted(linked[: 3 * count]) == sorted([*PAGES.items()] * count)
    assert "|Source>" not in made.words, "said once"


def test_of_many_alerts_the_first_has_the_buttons_and_each_other_its_links_and_its_silence() -> None:
    made = told(*(fact(f"f{n}") for n in range(4)))
    assert rows(made)[0] == [*PAGES, "Silence 1 h"]
    assert len(rows(made)) == 2, "the alert's own row, and that of all of them"
    for label, url in PAGES.items():
        assert made.words.count(f"<{url.replace('&', '&amp;')}|{label}>") == 3
    assert len([block for block in made.blocks if "accessory" in block]) == 3


def test_alerts_of_one_rule_are_told_apart() -> None:
    words = told(fact("f1", where="instance=web-1"), fact("f2", where="instance=web-2")).words
    assert "*HighLatency* `instance=web-1` p99 over 2 s" in words
    assert "*HighLatency* `instance=web-2` p99 over 2 s" in words


def test_what_an_alert_is_called_is_neither_code_nor_style() -> None:
    odd = fact(name="```x* _y_", summary="``` ~z~ *a* `b")
    made = told(odd)
    assert "`" not in made.words.replace("`/incident", "")
    assert "*ˋˋˋx∗ ˍyˍ* ˋˋˋ ∼z∼ ∗a∗ ˋb" in made.words


def test_an_alert_that_cannot_be_silenced_exactly_says_so_instead_of_the_button() -> None:
    made = told(fact(inexact=("path", "pa`th")))
    assert not [action for action in buttons(made) if action.startswith(ids.SILENCE)]
    assert "no silence from here: label `path`, `paˋth` is not known as Alertmanager has it" in made.words
    assert "no silence" not in told(fact(inexact=("path",)), around=surroundings()).words


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x.example", "", "x"]
)
def test_a_page_that_is_not_http_is_neither_link_nor_button(url: str) -> None:
    for count in (1, 4):
        made = told(*(fact(f"f{n}", url=url, dashboard_url=url, runbook_url=url) for n in range(count)))
        assert "<" not in made.words.replace("<@", "")
        assert not [one for one in buttons(made).values() if "url" in one]


def test_each_firing_alert_of_alertmanager_has_its_own_button_and_several_have_one_for_all() -> None:
    found = buttons(told(fact("f1"), fact("f2:x")))
    assert found[f"{ids.SILENCE}:1"]["value"] == "7:f1"
    assert found[f"{ids.SILENCE}:2"]["value"] == "7:f2:x"
    assert found[f"{ids.SILENCE}:0"]["value"] == "7:all"
    assert found[ids.WHY]["value"] == "7"


def test_no_button_offers_what_cannot_be_done() -> None:
    over = room(Life()).then(e.Resolved())
    for made in (
        told(fact(), fact("f2"), around=surroundings()),
        told(fact(source="pagerduty"), fact("f2", source="generic:x")),
        told(fact(status="resolved"), fact("f2", status="resolved")),
        told(fact(), fact("f2"), life=over),
    ):
        assert not [action for action in buttons(made) if action.startswith(ids.SILENCE)]


def test_the_card_says_what_is_silenced_and_until_when() -> None:
    life = room(Life())
    until = life.log[0].at
    life.then(e.SilenceRequested(until=until, silences=(e.Silencing(name="HighLatency", matchers={"a": "b"}),)))
    key = next(iter(life.state.silences))
    assert "Silenced" not in Renderer(AROUND).live("card", life.state).words
    life.then(e.Silenced(silence=key, name="HighLatency", id="x", matchers={"a": "b"}, until=until), "tocsin")
    assert "HighLatency until <!date^" in Renderer(AROUND).live("card", life.state).words


def test_the_live_message_counts_and_names_what_fires_first() -> None:
    life = room(Life())
    life.then(e.AlertsReported(opened=2, closed=0, firing=2, total=9, facts=(fact("f1", name="Old"), fact("f2"))))
    life.then(
        e.AlertsReported(opened=0, closed=1, firing=1, total=9, facts=(fact("f1", name="Old", status="resolved"),))
    )
    made = Renderer(AROUND).live("alerts", life.state)
    legal.check(made.blocks)
    assert made.text.startswith("🔔 *1 of 9 alerts firing*")
    assert made.words.index("HighLatency") < made.words.index("Old") < made.words.index("…and 7 more")
    assert f"{ids.SILENCE}:1" in buttons(made)

"""A question about alerts as it reads: legal whatever it holds, its next action shown, inert."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.questions import Named, Question
from bot.domain.severity import Severity
from bot.render.slack.question import question_message
from tests.render.slack_cases import T0, surroundings
from tests.render.slack_witness import objections
from tests.support.alerts import alert
from tests.support.demo import words_of

LONG = "<!channel> & `x` 🔥 <https://evil.example|click> \u202e" * 200


def question(**changes: Any) -> Question:
    values: dict[str, Any] = {
        "id": "a" * 20 + ".1", "group": "g", "words": "service=checkout", "opened_at": T0, "last_alert_at": T0,
        "firing": 2, "total": 3, "severity": Severity.SEV2, "reason": 'route 1 (team="a") → SEV2', "worst": alert(),
        "service": "checkout", "private": False, "labels": {}, "to": ("triage",),
        "alerts": (Named(source="alertmanager", fingerprint="f", name="HighLatency", summary="p99 over 2 s"),),
    }  # fmt: skip
    return Question(**{**values, **changes})


def shown(**changes: Any) -> dict[str, Any]:
    made = question_message(question(**changes), surroundings())
    return {"text": made.text, "blocks": made.blocks}


def buttons(message: dict[str, Any]) -> list[str]:
    return [e["text"]["text"] for b in message["blocks"] for e in b.get("elements", ()) if e["type"] == "button"]


def test_it_asks_with_the_worst_first_and_says_why_and_what_the_buttons_do() -> None:
    message = shown()
    text = words_of(message)
    assert message["text"].startswith("❓ *Is this an incident?*")
    assert text.index("Is this an incident?") < text.index("p99 over 2 s") < text.index('route 1 (team="a")')
    assert "2 of 3 alerts firing" in text
    assert "…and 2 more" in text
    assert buttons(message) == ["Declare", "Dismiss"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "declared", "by": "U0ANNA", "incident": 7}, "*INC-7* – declared by <@U0ANNA>"),
        ({"state": "declared", "by": "alert:alertmanager", "incident": 7}, "*INC-7* – declared by"),
        ({"state": "dismissed", "by": "U0ANNA"}, "*Dismissed* by <@U0ANNA>"),
        ({"state": "over", "firing": 0}, "*Over before anybody decided:*"),
    ],
)
def test_once_decided_it_is_one_line_without_buttons(changes: dict[str, Any], words: str) -> None:
    message = shown(decided_at=T0 + timedelta(minutes=5), **changes)
    assert words in message["text"]
    assert buttons(message) == []
    assert len(message["blocks"]) == 1


@pytest.mark.parametrize("state", ["open", "declared", "dismissed", "over"])
def test_whatever_it_holds_it_is_legal_and_rings_nobody(state: str) -> None:
    bad = Named(source="x", fingerprint="f", name=LONG, summary=LONG, url="javascript:alert(1)")
    message = shown(
        state=state, by="U0ANNA", decided_at=T0, incident=1, alerts=(bad,) * 8, service=LONG[:60], words=LONG[:120],
        reason=LONG[:300], worst=alert(alertname=LONG[:200]), previous=3, total=100_000,
    )  # fmt: skip
    assert objections(message["blocks"]) == []
    assert "<!channel>" not in str(message)
    assert "https://evil.example|" not in str(message)
    assert "javascript:" not in str(message)
    assert "\u202e" not in str(message)

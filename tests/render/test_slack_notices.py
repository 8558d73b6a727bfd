"""What the house says of its webhooks, with the worst that may stand in a field."""

from pathlib import Path

import pytest
from jinja2 import Environment, meta

from bot.domain.notices import Notice
from bot.domain.policy import Policy
from bot.render.slack import legal
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from tests.render.slack_cases import TEMPLATES
from tests.render.slack_witness import objections

FOLDER = TEMPLATES / "slack" / "notice"
RENDERER = Renderer(Surroundings(Texts(TEMPLATES), Policy(), Links("https://tocsin.example")))
WORST = ("<!channel> <@U0002> *x* `y` & <http://evil.example|here>", "z" * 5000, "", "\u202ex\x00\n" * 300)


def fields_of(template: Path) -> set[str]:
    """The names that a notice's template asks for."""
    known = {"channel", "code", "date", "day", "duration", "fence", "link", "links", "progress", "quoted", "time"}
    known |= {"user", "usergroup", "users", "words"}
    return meta.find_undeclared_variables(Environment().parse(template.read_text(encoding="utf-8"))) - known


@pytest.mark.parametrize("text", WORST)
@pytest.mark.parametrize("name", ["signature_refused", "legacy_webhook"])
def test_a_notice_is_legal_and_rings_nobody_whatever_its_fields_hold(name: str, text: str) -> None:
    fields = dict.fromkeys(fields_of(FOLDER / f"{name}.j2"), text)
    message = RENDERER.notice(Notice(key="k", template=name, channel="ops", fields=fields))  # type: ignore[arg-type]
    assert message.text
    assert message.blocks
    for shown in (message.text, message.words):
        assert "<!channel>" not in shown
        assert "<@U0002>" not in shown
        assert "<http://evil" not in shown
        assert not {"\u202e", "\x00"} & set(shown)


def test_the_alarm_of_a_wrong_signature_says_what_to_do() -> None:
    fields = {"sender": "PagerDuty", "setting": "TOCSIN_PAGERDUTY_WEBHOOK_SECRETS"}
    notice = Notice(key="k", template="signature_refused", channel="ops", fields=fields)  # type: ignore[arg-type]
    said = RENDERER.notice(notice).words
    assert said.startswith("🚨 *PagerDuty sent a webhook whose signature is wrong.*")
    assert "compare `TOCSIN_PAGERDUTY_WEBHOOK_SECRETS`" in said


ONE = {
    "key": "INC-7",
    "title": WORST[0],
    "severity": "sev1",
    "status": "investigating",
    "drill": False,
    "channel": "C0007",
}
ONE |= {"lead": "U0002", "mine": True, "steps": [WORST[0]] * 5, "steps_left": 3, "tasks": [WORST[0]] * 5}  # type: ignore[dict-item]


@pytest.mark.parametrize("name", ["handover", "handover_direct", "override_made", "override_cancelled", "page_test"])
def test_what_is_said_of_on_call_is_legal_and_lets_no_title_ring(name: str) -> None:
    at = "2026-11-23T08:00:00+00:00"
    fields = {"schedule": WORST[0], "before": "U0002", "after": "U0003", "reader": "U0003", "since": at, "until": at}
    fields |= {"override": 3, "number": 3, "gone": True, "open": [ONE] * 10, "open_left": 4, "start": at, "end": at}  # type: ignore[dict-item]
    fields |= {"who": "U0002", "by": "U0003", **({"ticket": "1.u0003:U0003"} if name == "page_test" else {})}
    message = RENDERER.notice(Notice(key="k", template=name, channel="ops", fields=fields))  # type: ignore[arg-type]
    assert "<!channel>" not in message.words
    assert "|here" not in message.words  # an address stands there as itself
    assert objections(message.blocks) == []
    legal.check(message.blocks)

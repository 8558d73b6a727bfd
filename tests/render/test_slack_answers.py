"""Answers: every thing a person can do is answered in words, in Slack and on a terminal."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain import refusals as r
from bot.domain.commands import GiveUp
from bot.domain.notices import HOUSE
from bot.domain.policy import Policy
from bot.domain.verbs import VERBS
from bot.ports.store import Answer
from bot.render.slack import legal, replies
from bot.render.slack.answers import answer_text, query_text, refusal_text
from bot.render.texts import Texts
from bot.usecases.cases import Request
from bot.usecases.desk import QueryAnswer
from bot.usecases.roster import Roster
from tests.render.slack_witness import objections
from tests.support.alerts import episode
from tests.support.desks import Office, open_office

FOLDER = Path(__file__).resolve().parents[2] / "templates"
TEXTS = Texts(FOLDER)
ALICE, BOB = Request("U0ALICE0001"), Request("U0BOB000002")
HOSTILE = "<!channel> *x* `y` &lt;b&gt; {{7*7}} <https://evil.example|click>"

STORY = [
    (ALICE, f"declare sev1 {HOSTILE} #checkout"), (ALICE, "status"), (ALICE, "ack"), (ALICE, "sev 2 because smaller"),
    (ALICE, "status identified"), (ALICE, f"title New {HOSTILE}"), (ALICE, "service disks"), (ALICE, "lead @bob"),
    (ALICE, "role scribe @alice"), (ALICE, "handoff me"), (ALICE, "handoff decline"), (ALICE, "handoff me"),
    (ALICE, "handoff withdraw"), (ALICE, "handoff me"), (ALICE, "handoff accept"),
    (ALICE, f"update {HOSTILE} next 1h"),
    (ALICE, "note it began"), (ALICE, "note it began"), (ALICE, "note 08:00 it began"),
    (ALICE, "task Do it @bob due 3d"), (ALICE, "task done 1"),
    (ALICE, "silence all 2h"), (ALICE, "unsilence"), (ALICE, "why"),
    (ALICE, "runbook disk-full"), (ALICE, "step 1 done"), (ALICE, "step 1 open"),
    (ALICE, "page @bob because x"), (BOB, "ack"),
    (ALICE, "public draft We look"), (ALICE, "public review"), (BOB, "public approve"), (BOB, "public publish"),
    (ALICE, "public draft More"), (ALICE, "public discard"), (ALICE, "retry"), (ALICE, "mitigate"),
    (ALICE, "call"), (ALICE, "call https://meet.example/a"), (ALICE, "call"), (ALICE, "call none"),
    (ALICE, "timeline"),
    (ALICE, "snooze update 20m because lunch"), (ALICE, "timers"), (ALICE, "catchup"), (ALICE, "list"),
    (ALICE, "list all"), (ALICE, "oncall"), (ALICE, "help"), (ALICE, "page --test @bob"),
    (ALICE, "oncall override list"),
    (ALICE, "oncall override primary @bob for 4h"), (BOB, "oncall override list"), (BOB, "oncall"),
    (ALICE, "oncall override cancel 1"),
    (ALICE, "undelivered"), (ALICE, "redeliver"), (ALICE, "undelivered"),
    (ALICE, "help ack"), (ALICE, f"resolve {HOSTILE}"), (ALICE, "status"), (ALICE, "catchup"), (ALICE, "postmortem"),
    (ALICE, "reopen because back"), (ALICE, "resolve"), (ALICE, "close"), (ALICE, "declare sev4 Two"),
    (ALICE, "declare sev4 Two"), (ALICE, "cancel INC-2 because test"), (ALICE, "declare Three"), (ALICE, "sev INC-3 3"),
    (ALICE, "undo INC-3"),
]  # fmt: skip


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    rota = {"primary": {"people": ["U0ALICE0001"]}}
    policy = Policy.model_validate({"services": {"checkout": {}, "disks": {}}, "oncall": rota})
    async with open_office(policy) as opened:
        opened.desk.roster = Roster(opened.reader, policy, opened.clock)
        yield opened


async def test_every_verb_is_answered_in_every_medium(office: Office) -> None:
    used, kinds = set(), set()
    for request, text in STORY:
        if text == "retry":
            await office.act(1, GiveUp("1.1.0", "open the channel", "no scope", "install again"), actor="tocsin")
        if text.startswith("silence"):
            office.store.tables.episodes["a"] = episode(1, alertname=HOSTILE, service="checkout")
        if text.startswith("page @bob"):
            office.clock.pass_by(seconds=1)  # after the acknowledgement: Bob's is still waited for
        if text == "undelivered":
            refuse_what_the_house_says(office)
        parsed = office.desk.read(text, request)
        outcome = await office.desk.do(parsed, request, 1)
        used.add(parsed.verb.name)
        shown = []
        for medium in ("slack", "cli"):
            if isinstance(outcome, QueryAnswer):
                shown.append(query_text(outcome.kind, outcome.data, TEXTS, medium))  # type: ignore[arg-type]
                reply = replies.looked_up(outcome.kind, outcome.data, TEXTS)
            else:
                assert isinstance(outcome, Answer)
                kinds.add(outcome.kind)
                shown.append(answer_text(outcome, TEXTS, medium))  # type: ignore[arg-type]
                reply = replies.answer(outcome, TEXTS)
            if reply.blocks:
                legal.check(reply.blocks)
                assert objections(reply.blocks) == []
        slack, cli = shown
        assert slack.strip()
        assert cli.strip()
        assert "<!channel>" not in slack, text
        assert "<https://evil" not in slack.replace("<https://evil.example>", ""), text
        assert "{{" not in slack.replace("{{7*7}}", "")
        assert not any(mark in cli for mark in ("<@", "&amp;", "<!date")), text
    assert used == set(VERBS) - {"merge"}
    templates = {path.stem for path in (FOLDER / "answers").glob("*.j2")}
    unused = templates - kinds - set(VERBS) - {"nothing", "join_requested", *(kind for kind, _ in CLICKED)}
    assert unused == set()


def refuse_what_the_house_says(office: Office) -> None:
    """Give up whatever belongs to no incident and waits for the first time."""
    for row in office.store.tables.effects.values():
        if row.new.incident == HOUSE and row.state == "waiting" and row.ended_at is None:
            row.state, row.error, row.mend, row.ended_at = "failed", HOSTILE, "Invite @Tocsin.", office.clock()


CLICKED: list[tuple[str, dict[str, object]]] = [
    ("triage_dismissed", {"alert": HOSTILE, "firing": 1}),
    ("triage_dismissed", {"alert": HOSTILE, "firing": 7}),
    ("triage_decided", {"state": "declared", "by": "U0ALICE0001", "key": "INC-7"}),
    ("triage_decided", {"state": "dismissed", "by": "U0ALICE0001", "key": None}),
    ("triage_decided", {"state": "over", "by": "", "key": None}),
]
"""Answers that no verb gives: buttons under a question do."""


@pytest.mark.parametrize(("kind", "fields"), CLICKED)
def test_what_a_click_on_a_question_came_to_is_said_in_every_medium(kind: str, fields: dict[str, object]) -> None:
    answered = Answer(kind=kind, fields=fields)
    slack, cli = answer_text(answered, TEXTS, "slack"), answer_text(answered, TEXTS, "cli")
    assert "<!channel>" not in slack
    assert slack.strip()
    assert cli.strip()
    assert not any(mark in cli for mark in ("<@", "&amp;", "<!date"))


def test_a_refusal_reads_the_people_it_names_and_nothing_else() -> None:
    refused = r.AlreadyAcknowledged(key="INC-1", by="<@U0ANN>")
    assert "<@U0ANN>" in refusal_text(refused)
    assert "@ann" in refusal_text(refused, "cli", lambda user: "ann")
    assert "<!here>" not in refusal_text(r.UnknownCommand(word="<!here>", hint=""))


def test_a_long_timeline_stays_within_slacks_limits() -> None:
    line = {"at": "2026-03-14T09:00:00Z", "text": f"<@U0ANN> wrote: {HOSTILE * 60}"}
    reply = replies.looked_up("timeline", [line] * 300, TEXTS)
    legal.check(reply.blocks)
    assert "The last 25 of 300" in reply.text

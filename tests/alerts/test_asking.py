"""`action: triage`: people are asked first, in one question for each group; one answer counts."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain import commands as c
from bot.domain.alerts import Alert, AlertBatch
from bot.domain.commands import QuestionPlaced, QuestionUnasked
from bot.domain.effects import AskTriage, ShowTriage
from bot.domain.policy import Policy
from bot.domain.questions import Question
from bot.domain.refusals import OldControl
from bot.domain.runbook_match import Shelf
from bot.domain.severity import Severity
from bot.ports.store import Answer, Changes
from bot.usecases.alerts import ReportBatch
from bot.usecases.asking import settle
from bot.usecases.cases import Request
from bot.usecases.explaining import explain
from bot.usecases.triaging import AnswerQuestion, Choice
from tests.support.alerts import alert
from tests.support.ledger import Ledger

ANN, BOB = "U0ANNA00001", "U0BOB000002"
ASKS = Policy.model_validate(
    {
        "routes": [{"match": ['severity="warning"'], "action": "triage", "severity": "sev2", "runbook": "x"}],
        "triage": {"channel": "triage", "attach_window": "30m"},
        "channels": {"admin": "ops"},
    }
)


def private(**triage: Any) -> Policy:
    return Policy.model_validate(
        {
            "routes": [{"action": "triage", "private": True}],
            "triage": {"channel": "triage", **triage},
            "services": {"checkout": {"owners": [ANN, "S0OPS000001", BOB]}},
        }
    )


def warning(fingerprint: str = "a", status: str = "firing", **labels: str) -> Alert:
    return alert(fingerprint, status, **{"service": "checkout", "severity": "warning", **labels})


def report(ledger: Ledger, *alerts: Alert, policy: Policy = ASKS) -> list[dict[str, Any]]:
    batch = AlertBatch(source="alertmanager", alerts=alerts)
    case = ReportBatch(Request("alert:alertmanager"), batch, policy, Shelf(), ledger.now)
    told: list[dict[str, Any]] = ledger.run(case).fields["results"]
    return told


def question(ledger: Ledger) -> Question:
    """The newest."""
    return list(ledger.loaded.questions.values())[-1]


def press(ledger: Ledger, choice: Choice, who: str = ANN, policy: Policy = ASKS, channel: str = "C1") -> Answer:
    return ledger.run(AnswerQuestion(Request(who), question(ledger).id, choice, channel, policy, Shelf()))


def place(ledger: Ledger, to: str = "triage", channel: str = "C1") -> None:
    """Let delivery report where the question stands."""
    changes = Changes(Answer(kind="settled"))
    told = QuestionPlaced(question(ledger).id, to, channel, "1.1", question(ledger).version)
    settle(changes, question(ledger), told, ASKS, ledger.now)
    ledger.loaded.apply(changes)


def effects(ledger: Ledger, of: int = -1) -> list[Any]:
    return [new.effect for new in ledger.all[of].effects]


def test_people_are_asked_and_no_incident_is_opened() -> None:
    ledger = Ledger()
    (told,) = report(ledger, warning())
    assert (told["outcome"], told["incident"]) == ("attached", None)
    assert told["reason"] == 'route 1 (severity="warning") → SEV2; people are asked in #triage'
    assert ledger.incidents == {}
    asked = question(ledger)
    assert effects(ledger) == [AskTriage(question=asked.id, to="triage")]
    assert (asked.firing, asked.total, asked.severity, asked.service) == (1, 1, Severity.SEV2, "checkout")
    assert "checkout" not in asked.id


def test_further_alerts_of_the_group_count_up_on_the_same_message() -> None:
    ledger = Ledger()
    report(ledger, warning("a"))
    place(ledger)
    for n in range(20):
        report(ledger, warning(f"b{n}"), warning(f"c{n}"))
    assert len(ledger.loaded.questions) == 1
    assert (question(ledger).firing, question(ledger).total) == (41, 41)
    assert effects(ledger) == [ShowTriage(question=question(ledger).id, to="triage")]
    assert len(question(ledger).alerts) == 8


def test_repeats_and_retries_change_nothing() -> None:
    ledger = Ledger()
    report(ledger, warning())
    before = question(ledger)
    (told,) = report(ledger, warning())
    assert told["reason"] == "still firing; people were asked and nobody has answered yet"
    assert question(ledger) == before
    assert effects(ledger) == []


def test_after_the_window_a_new_alert_asks_anew() -> None:
    ledger = Ledger()
    report(ledger, warning("a"))
    ledger.after(minutes=31)
    report(ledger, warning("b"))
    assert sorted(one.total for one in ledger.loaded.questions.values()) == [1, 1]
    assert [one.id[-2:] for one in ledger.loaded.questions.values()] == [".1", ".2"]


def test_declare_opens_the_incident_with_its_alerts_as_bad_as_it_was_judged() -> None:
    ledger = Ledger()
    report(ledger, warning("a"), warning("b", instance="2"))
    answer = press(ledger, "declare")
    assert (answer.kind, answer.incident) == ("declared", 1)
    state = ledger.incidents[1]
    assert (state.severity, state.severity_assumed, state.service) == (Severity.SEV2, False, "checkout")
    assert (state.alerts_firing, state.alerts_total, state.declared_by) == (2, 2, ANN)
    assert {fact.fingerprint for fact in state.newest_alerts} == {"a", "b"}
    assert state.severity_reason.startswith('route 1 (severity="warning") → SEV2')
    assert (question(ledger).state, question(ledger).by, question(ledger).incident) == ("declared", ANN, 1)


def test_a_question_tells_of_an_alert_in_bounded_words_as_a_report_does() -> None:
    ledger = Ledger()
    report(ledger, warning("a", instance="web-1." * 50))
    (asked,) = question(ledger).alerts
    assert len(asked.where) == 120
    press(ledger, "declare")
    (fact,) = ledger.incidents[1].newest_alerts
    assert (fact.where, fact.status) == (asked.where, "firing")


def test_after_the_declaration_its_alerts_count_in_the_incident() -> None:
    ledger = Ledger()
    report(ledger, warning("a"), warning("b"))
    press(ledger, "declare")
    (told,) = report(ledger, warning("a", "resolved"))
    assert (told["outcome"], told["incident"]) == ("resolved", "INC-1")
    (told,) = report(ledger, warning("c"))
    assert (told["outcome"], told["incident"]) == ("attached", "INC-1")
    (told,) = report(ledger, warning("b"))
    assert (told["outcome"], told["incident"]) == ("unchanged", "INC-1")
    assert (ledger.incidents[1].alerts_firing, ledger.incidents[1].alerts_total) == (2, 3)
    assert len(ledger.loaded.questions) == 1


def test_of_two_who_press_the_first_counts_and_the_other_is_told_who() -> None:
    ledger = Ledger()
    report(ledger, warning())
    press(ledger, "declare", ANN)
    late = press(ledger, "dismiss", BOB)
    assert late.kind == "triage_decided"
    assert (late.fields["state"], late.fields["by"], late.fields["key"]) == ("declared", ANN, "INC-1")
    assert press(ledger, "declare", ANN).kind == "triage_decided"
    assert len(ledger.incidents) == 1


def test_what_was_dismissed_stays_quiet_until_it_resolves() -> None:
    ledger = Ledger()
    report(ledger, warning())
    assert press(ledger, "dismiss").kind == "triage_dismissed"
    ledger.after(days=2)
    (told,) = report(ledger, warning())
    assert told["reason"] == "still firing; somebody dismissed it, so it stays quiet until it resolves"
    assert effects(ledger) == []
    report(ledger, warning("a", "resolved"))
    assert question(ledger).state == "dismissed"
    report(ledger, warning())
    assert question(ledger).is_open
    assert question(ledger).id.endswith(".2")


def test_another_alert_of_a_dismissed_group_asks_anew() -> None:
    ledger = Ledger()
    report(ledger, warning("a"))
    press(ledger, "dismiss")
    report(ledger, warning("b"))
    assert question(ledger).is_open
    assert question(ledger).total == 1


def test_all_resolved_before_anybody_decides_is_over() -> None:
    ledger = Ledger()
    report(ledger, warning("a"), warning("b"))
    report(ledger, warning("a", "resolved"))
    assert (question(ledger).state, question(ledger).firing) == ("open", 1)
    report(ledger, warning("b", "resolved"))
    assert question(ledger).state == "over"
    assert press(ledger, "declare").kind == "triage_decided"
    assert ledger.incidents == {}


def test_an_alert_of_the_group_that_opens_by_itself_takes_the_others_along() -> None:
    ledger = Ledger()
    report(ledger, warning("a"), warning("b"))
    place(ledger)
    (told,) = report(ledger, warning("c", severity="critical"))
    assert told["outcome"] == "opened"
    state = ledger.incidents[1]
    assert (state.alerts_firing, state.alerts_total, state.severity) == (3, 3, Severity.SEV1)
    assert (question(ledger).state, question(ledger).incident, question(ledger).by) == (
        "declared",
        1,
        "alert:alertmanager",
    )
    assert ShowTriage(question=question(ledger).id, to="triage") in effects(ledger)
    report(ledger, warning("a", "resolved"))
    assert ledger.incidents[1].alerts_firing == 2


def test_in_one_delivery_with_an_alert_that_opens_nobody_is_asked() -> None:
    ledger = Ledger()
    told = report(ledger, warning("a"), warning("b", severity="critical"))
    assert [one["incident"] for one in told] == ["INC-1", "INC-1"]
    assert ledger.loaded.questions == {}


def test_a_group_with_an_open_incident_is_not_asked_about() -> None:
    ledger = Ledger()
    report(ledger, warning("a", severity="critical"))
    (told,) = report(ledger, warning("b"))
    assert (told["outcome"], told["incident"]) == ("attached", "INC-1")


def test_a_worse_alert_makes_the_question_worse_and_a_milder_one_does_not_make_it_better() -> None:
    policy = Policy.model_validate({"routes": [{"action": "triage"}]})
    ledger = Ledger()
    report(ledger, warning("a"), policy=policy)
    report(ledger, warning("b", severity="error"), policy=policy)
    report(ledger, warning("c"), policy=policy)
    assert (question(ledger).severity, question(ledger).worst.fingerprint) == (Severity.SEV2, "b")
    assert question(ledger).to == ("incidents",)


def test_a_private_routes_alerts_are_never_asked_about_in_public() -> None:
    ledger = Ledger()
    report(ledger, warning(), policy=private())
    assert question(ledger).to == (ANN, BOB)
    other = Ledger()
    report(other, warning(), policy=private(private_channel="secret-triage"))
    assert question(other).to == ("secret-triage",)
    third = Ledger()
    (told,) = report(third, warning(service="search"), policy=private())
    assert told["outcome"] == "opened"
    assert "nobody is named who could be asked" in told["reason"]
    assert third.incidents[1].private


def test_a_private_question_is_answered_only_where_it_stands() -> None:
    ledger = Ledger()
    policy = private()
    report(ledger, warning(), policy=policy)
    place(ledger, ANN, "D1")
    with pytest.raises(OldControl):
        press(ledger, "declare", BOB, policy, channel="C9")
    assert press(ledger, "declare", ANN, policy, channel="D1").incident == 1
    assert ledger.incidents[1].private


def test_a_question_that_cannot_be_asked_is_asked_where_the_house_speaks_but_a_private_one_never() -> None:
    for policy, elsewhere in ((ASKS, ["ops"]), (private(private_channel="secret-triage"), [])):
        ledger = Ledger()
        report(ledger, warning(), policy=policy)
        changes = Changes(Answer(kind="settled"))
        settle(changes, question(ledger), QuestionUnasked(question(ledger).id, "triage"), policy, ledger.now)
        assert [new.effect.to for new in changes.effects if isinstance(new.effect, AskTriage)] == elsewhere


def test_what_changed_while_it_was_being_asked_is_shown_afterwards() -> None:
    ledger = Ledger()
    report(ledger, warning("a"))
    first = question(ledger)
    report(ledger, warning("b"))
    assert effects(ledger) == []
    changes = Changes(Answer(kind="settled"))
    settle(changes, question(ledger), QuestionPlaced(first.id, "triage", "C1", "1.1", first.version), ASKS, ledger.now)
    assert [new.effect for new in changes.effects] == [ShowTriage(question=first.id, to="triage")]


def test_explain_says_that_people_are_asked_and_where() -> None:
    ledger = Ledger()
    told = explain(AlertBatch(source="alertmanager", alerts=(warning(),)), ASKS, Shelf(), None, ledger.now)
    assert (told["outcome"], told["opens"]) == ("asked", [])
    (one,) = told["alerts"]
    assert (one["outcome"], one["asks"], one["action"]) == ("asked", ["triage"], "triage")


def test_an_unknown_question_is_an_old_control() -> None:
    with pytest.raises(OldControl):
        Ledger().run(AnswerQuestion(Request(ANN), "nonsense", "declare", "C1", ASKS, Shelf()))


def test_the_previous_incident_of_the_alert_is_linked() -> None:
    ledger = Ledger()
    report(ledger, warning())
    press(ledger, "declare")
    report(ledger, warning("a", "resolved"))
    ledger.act(1, c.Resolve("done"))
    ledger.now += timedelta(hours=2)
    report(ledger, warning())
    assert question(ledger).previous == 1
    press(ledger, "declare")
    assert ledger.incidents[2].previous == 1

"""Every message: legal whatever comes in, true, and with the controls that are of use."""

import re
from typing import Any

import pytest
from hypothesis import given, settings

from bot.domain import events as e
from bot.domain.effects import Tell, TellUser
from bot.domain.severity import Severity, Status
from bot.render.slack import ids, legal
from bot.render.slack.message import Message
from bot.render.slack.renderer import Renderer
from tests.render.slack_cases import ANNA, BEN, T0, Life, attached, crowded, declared, every_tell, room, surroundings
from tests.render.slack_witness import objections
from tests.render.test_slack_mrkdwn import HOSTILE

RENDER = Renderer(surroundings())
OURS = re.compile(
    r"<!date\^\d+\^[^<>|]+\|[\d: -]+ UTC>|<@U\d+>|<!subteam\^S0001>|<#C0007>|<https?://[^\s<>|]+(\|[^<>]*)?>"
)
HIDDEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
KNOWN = {ANNA, BEN, "U100", "U101", "U102", "U103", *(f"U2{n:03}" for n in range(50))}


def texts(value: Any) -> list[tuple[str, str]]:
    """Return (type, text) of every text object in some blocks."""
    if isinstance(value, list):
        return [found for part in value for found in texts(part)]
    if not isinstance(value, dict):
        return []
    own = [(value["type"], value["text"])] if value.get("type") in ("mrkdwn", "plain_text") else []
    return own + [found for part in value.values() for found in texts(part)]


def said(message: Message) -> str:
    """All words of a message."""
    return "\n".join(text for _, text in texts(message.blocks))


def controls(message: Message) -> dict[str, dict[str, Any]]:
    """The controls by action id."""
    found = [x for b in message.blocks for x in [*b.get("elements", []), b.get("accessory") or {}] if "action_id" in x]
    return {element["action_id"]: element for element in found}


def must_be_harmless(message: Message) -> None:
    legal.check(message.blocks)
    assert objections(message.blocks) == []
    assert message.text
    assert len(message.text.encode()) < 4000
    for kind, text in [("mrkdwn", message.text), *texts(message.blocks)]:
        assert not HIDDEN.search(text)
        if kind == "plain_text":
            assert "<" not in text
            continue
        for found in re.findall(r"<[^>]*>?", text):
            assert OURS.fullmatch(found), found
        assert set(re.findall(r"<@(U\d+)>", text)) <= KNOWN
        assert re.search(r"&(?!amp;|lt;|gt;)", text) is None


def every_message(text: str) -> list[Message]:
    life = crowded(text)
    book = next(item.event for item in life.log if isinstance(item.event, e.RunbookAttached))
    made = [RENDER.live(what, life.state, book) for what in ("card", "announcement", "runbook", "alerts", "draft")]
    made += [RENDER.runbook_page(life.state, book, page) for page in (1, 2, 99)]
    for event in every_tell(text):
        after = room(Life()).then(event)
        made.append(RENDER.tell(Tell(template=event.type, urgent=True), after.last, after.state))
    paged = room(Life()).then(e.PageRequested(target=text, users=(BEN,), reason=text))
    made.append(RENDER.tell_user(TellUser(user=BEN, template="page_requested"), paged.last, paged.state))
    failed = Life().then(e.DeliveryFailed(effect="7.1.0", what="open the channel", error=text, mend=text))
    made.append(RENDER.tell_user(TellUser(user=ANNA, template="delivery_failed"), failed.last, failed.state))
    for offered in (crowded(text), room(Life())):
        offered.then(e.HandoffOffered(user=BEN, lead=ANNA))
        packet = TellUser(user=BEN, template="handoff_offered")
        made.append(RENDER.tell_user(packet, offered.last, offered.state, book if offered.state.runbook else None))
    back = room(Life()).then(e.HandoffWithdrawn(user=BEN, reason=text))
    made.append(RENDER.tell_user(TellUser(user=BEN, template="handoff_withdrawn"), back.last, back.state))
    calm = crowded(text).then(e.AlertsReported(opened=0, closed=3, firing=0, total=9))
    made.append(RENDER.tell(Tell(template="alerts_over"), calm.last, calm.state))
    due = crowded(text).then(e.TaskOverdue(number=1, due=T0, late_by=0.0))
    made.append(RENDER.tell_user(TellUser(user=BEN, template="task_overdue"), due.last, due.state))
    over = crowded(text).then(e.Resolved(text=text, took=9.0))
    return [*made, RENDER.live("card", over.state), RENDER.live("announcement", over.state)]


@pytest.mark.parametrize(
    "text",
    ["&" * 10_000, "<!channel> " * 1000, "x" * 10_000, "💥" * 10_000, "`" * 10_000, "\n" * 5000 + "a\n" * 2500,
     "https://x.example/?a=1&b=2 " * 370, "<@U0009|eve>" * 800, "", "a b\u202ec\u200b " * 1200],
    ids=["escapes", "rings", "long", "emoji", "ticks", "lines", "links", "mentions", "empty", "hidden"],
)  # fmt: skip
def test_every_message_is_legal_and_harmless_with_the_worst_input(text: str) -> None:
    for message in every_message(text):
        must_be_harmless(message)
    topic = RENDER.topic(crowded(text).state)
    assert 0 < len(topic) <= 250


@settings(max_examples=12)  # each renders some thirty messages; the words alone have a property of their own
@given(HOSTILE)
def test_nothing_from_outside_rings_links_or_hides_in_any_message(text: str) -> None:
    for message in every_message(text):
        must_be_harmless(message)


# --- the card -------------------------------------------------------------------------------------------


def test_the_card_of_a_new_incident_has_every_control() -> None:
    found = controls(RENDER.live("card", room(Life()).state))
    steer = {ids.ACK, ids.SEVERITY, ids.STATUS, ids.LEAD, ids.TAKE_LEAD}
    assert steer | {ids.UPDATE, ids.RUNBOOK, ids.PUBLIC, ids.WHY, ids.RESOLVE, ids.MORE} == set(found)
    assert found[ids.ACK]["style"] == "primary"
    assert found[ids.SEVERITY]["initial_option"]["value"] == "7:sev1"
    assert [o["value"] for o in found[ids.STATUS]["options"]][-1] == "7:resolved"


def test_the_card_says_severity_and_status_in_words_before_all_else() -> None:
    card = RENDER.live("card", room(Life()).state)
    assert "SEV1" in card.blocks[0]["text"]["text"]
    assert "Investigating" in card.blocks[1]["fields"][0]["text"]
    assert card.text.startswith("🔴 SEV1 · investigating")


def test_the_response_timer_is_on_the_card_until_somebody_acknowledges() -> None:
    life = room(Life())
    assert "Respond by" in said(RENDER.live("card", life.state))
    life.then(e.ResponseOverdue(level=1, due=T0, late_by=1, next_at=T0))
    assert "Overdue" in said(RENDER.live("card", life.state))
    life.then(e.Acknowledged(took=60), BEN)
    card = RENDER.live("card", life.state)
    assert ids.ACK not in controls(card)
    assert "Overdue" not in said(card)
    assert f"✅ <@{BEN}>" in said(card)


def test_an_assumed_title_is_asked_for_and_its_declarer_is_mentioned() -> None:
    life = room(Life(declared(title=f"SEV1 declared by <@{ANNA}>", title_assumed=True)))
    card = RENDER.live("card", life.state)
    assert ids.TITLE in controls(card)
    assert f"SEV1 declared by <@{ANNA}>" in card.text
    life.then(e.TitleChanged(old="", new="Checkout is down"))
    assert ids.TITLE not in controls(RENDER.live("card", life.state))


def test_private_incidents_and_drills_are_marked_and_offer_no_public_update() -> None:
    state = room(Life(declared(private=True, drill=True))).state
    card = RENDER.live("card", state)
    assert "PRIVATE" in card.text
    assert "DRILL" in card.text
    assert ids.PUBLIC not in controls(card)
    assert "PRIVATE" in RENDER.topic(state)


def test_failed_deliveries_can_be_retried_from_the_card() -> None:
    life = room(Life()).then(e.DeliveryFailed(effect="7.1.0", what="pin the card", error="x", mend="y"))
    card = RENDER.live("card", life.state)
    assert "pin the card" in said(card)
    assert controls(card)[ids.RETRY]["value"] == "7"


def test_after_the_resolve_the_card_tells_how_it_ended_and_drops_the_controls() -> None:
    life = room(Life()).then(e.Resolved(text="Rolled back", took=60, postmortem_by=T0))
    card = RENDER.live("card", life.state)
    assert list(controls(card)) == [ids.POSTMORTEM, ids.CLOSE, "open:reopen", ids.MORE]
    assert "Rolled back" in said(card)
    assert "Postmortem due" in said(card)
    life.then(e.Closed())
    assert list(controls(RENDER.live("card", life.state))) == [ids.POSTMORTEM, "open:reopen", ids.MORE]


def test_a_cancelled_incident_offers_nothing() -> None:
    life = room(Life()).then(e.Cancelled(reason="a test"))
    assert controls(RENDER.live("card", life.state)) == {}


# --- the others -----------------------------------------------------------------------------------------


def test_the_announcement_is_struck_through_when_it_is_over() -> None:
    life = room(Life())
    assert ids.JOIN in controls(RENDER.live("announcement", life.state))
    life.then(e.Resolved(text="", took=1))
    over = RENDER.live("announcement", life.state)
    assert over.text.startswith("~")
    assert ids.JOIN not in controls(over)


def test_a_short_runbook_shows_its_next_step_in_full_and_every_other_step_in_a_line() -> None:
    life = room(Life()).then(attached(6))
    book = life.last.event
    assert isinstance(book, e.RunbookAttached)
    made = RENDER.live("runbook", life.state, book)
    assert said(made).count("```\nkubectl get pods\n```") == 1
    assert all(f"{ids.STEP}:{n}" in controls(made) for n in range(1, 7))
    assert controls(made)["step:1:done"]["value"] == "7:1:done"
    shown = [[x.get("action_id") for x in b.get("elements", [])] or b["text"]["text"][:8] for b in made.blocks]
    assert shown[shown.index("👉 ⬜ *1.*") + 1][0] == "step:1:done", "the buttons stand beneath the step"
    assert controls(made)["steps_page:1"]["value"] == "7:1"
    for n in (1, 2):
        life.then(e.StepMarked(number=n, outcome="done"))
    made = RENDER.live("runbook", life.state, book)
    assert "step:3:done" in controls(made)
    assert "*2 of 6*" in said(made)
    values = [o["value"] for o in controls(made)["step:1"]["options"]]
    assert values == ["7:1:skipped", "7:1:failed", "7:1:open"]


def test_a_step_links_to_the_neighbouring_runbook_and_hides_no_other_address() -> None:
    words = "**Stop** and see [disk full](disk-full.md), not `[a](b.md)` nor [here](https://evil.example/x)"
    life = room(Life()).then(attached(1, words=words))
    book = life.last.event
    assert isinstance(book, e.RunbookAttached)
    text = said(RENDER.live("runbook", life.state, book))
    assert "*Stop* and see <https://tocsin.example/runbooks/disk-full|disk full>, not `[a](b.md)` nor [here]" in text
    assert "<https://evil.example/x>" in text


@pytest.mark.parametrize("count", [1, 6, 40, 90])
@pytest.mark.parametrize("long", [False, True])
def test_no_step_of_a_runbook_is_lost_however_long_it_is(count: int, long: bool) -> None:
    words = "Look at the graph " * (80 if long else 1)
    life = room(Life()).then(attached(count, words=words, command="echo " * (400 if long else 1)))
    book = life.last.event
    assert isinstance(book, e.RunbookAttached)
    live = RENDER.live("runbook", life.state, book)
    shown = {int(a.split(":")[1]) for a in controls(live) if re.fullmatch(r"step:\d+", a)}
    pages = [int(a.split(":")[1]) for a in controls(live) if a.startswith("steps_page:")]
    for page in pages:
        other = RENDER.runbook_page(life.state, book, page)
        shown |= {int(a.split(":")[1]) for a in controls(other) if re.fullmatch(r"step:\d+", a)}
    assert shown == set(range(1, count + 1))
    assert 1 in {int(a.split(":")[1]) for a in controls(live) if re.fullmatch(r"step:\d+", a)}


def test_a_runbook_of_an_incident_that_is_over_has_no_controls() -> None:
    life = room(Life()).then(attached(3))
    book = life.last.event
    assert isinstance(book, e.RunbookAttached)
    life.then(e.Resolved(took=1))
    assert not [a for a in controls(RENDER.live("runbook", life.state, book)) if a.startswith("step:")]


def test_the_draft_offers_what_its_stage_allows() -> None:
    life = room(Life()).then(
        e.PublicDrafted(version=2, title="Problem", text="We *look*.", status=Status.INVESTIGATING)
    )
    waiting = controls(RENDER.live("draft", life.state))
    assert set(waiting) == {ids.DRAFT_APPROVE, ids.DRAFT_EDIT, ids.DRAFT_DISCARD}
    assert waiting[ids.DRAFT_APPROVE]["value"] == "7:2"
    life.then(e.PublicApproved(version=2), BEN)
    assert ids.DRAFT_PUBLISH in controls(RENDER.live("draft", life.state))
    published = e.PublicPublished(version=2, title="Problem", text="We look.", status=Status.INVESTIGATING)
    assert "is published" in said(RENDER.live("draft", life.then(published).state))
    again = e.PublicDrafted(version=3, title="Problem", text="x", status=Status.IDENTIFIED)
    life.then(again).then(e.PublicDiscarded(version=3))
    gone = RENDER.live("draft", life.state)
    assert "discarded" in said(gone)
    assert controls(gone) == {}


def test_an_urgent_message_mentions_whom_it_is_for() -> None:
    life = room(Life()).then(e.PageRequested(target="checkout", users=(BEN,), usergroups=("S0001",)))
    paged = RENDER.tell(Tell(template="page_requested", urgent=True), life.last, life.state)
    assert f"<@{BEN}> <!subteam^S0001>" in paged.text
    assert ids.ACK in controls(paged)
    life.then(e.ResponseOverdue(level=1, due=T0, late_by=1))
    assert f"<@{BEN}>" in RENDER.tell(Tell(template="response_overdue", urgent=True), life.last, life.state).text
    life.then(e.RoleAssigned(role="lead", user=ANNA)).then(e.AlertsReported(opened=1, closed=0, firing=1, total=1))
    assert f"<@{ANNA}>" in RENDER.tell(Tell(template="alerts_reported", urgent=True), life.last, life.state).text


def test_a_call_that_is_told_late_does_not_ask_for_what_has_happened() -> None:
    life = room(Life()).then(e.PageRequested(target="checkout", users=(BEN,)))
    call = life.last
    life.then(e.Acknowledged(took=5), BEN)
    assert controls(RENDER.tell(Tell(template="page_requested", urgent=True), call, life.state)) == {}


def test_an_alerts_report_names_a_few_and_counts_the_rest() -> None:
    event = next(ev for ev in every_tell("HighLatency") if isinstance(ev, e.AlertsReported))
    life = room(Life()).then(event)
    made = RENDER.tell(Tell(template="alerts_reported", urgent=True), life.last, life.state)
    assert "and 18 more" in said(made)
    buttons = [one for block in made.blocks if block["type"] == "actions" for one in block["elements"]]
    sources = [one for one in buttons if one["text"]["text"] == "Source"]
    assert said(made).count("<https://grafana.example/d/1|Source>") + len(sources) == 5


def test_the_topic_changes_with_severity_status_lead_and_title_only() -> None:
    life = room(Life())
    before = RENDER.topic(life.state)
    assert before == "🔴 SEV1 · investigating · no lead yet · INC-7 Checkout is down"
    life.then(e.UpdatePosted(text="x")).then(e.TaskAdded(number=1, text="x"))
    assert RENDER.topic(life.state) == before
    life.then(e.SeverityChanged(old=Severity.SEV1, new=Severity.SEV2))
    assert "SEV2" in RENDER.topic(life.state)


@pytest.mark.parametrize(
    ("event", "offered"),
    [
        (e.ReliefDue(user=BEN, due=T0, late_by=0.0, next_at=T0), {"open:handoff": "7", ids.SNOOZE: "7:relief:1h"}),
        (e.ReliefDue(user=BEN, due=T0, late_by=0.0), {"open:handoff": "7"}),
        (e.WentStale(idle=7200.0, due=T0, late_by=0.0, next_at=T0),
         {ids.UPDATE: "7", ids.RESOLVE: "7", ids.SNOOZE: "7:stale:1d"}),
        (e.PostmortemOverdue(due=T0, late_by=0.0, next_at=T0), {ids.POSTMORTEM: "7", ids.SNOOZE: "7:postmortem:1d"}),
        (e.TaskOverdue(number=1, due=T0, late_by=0.0), {ids.TASK_DONE: "7:1"}),
        (e.RoleUnfilled(roles=("comms",), due=T0, late_by=0.0, next_at=T0), {"open:role": "7"}),
        (e.RoleUnfilled(roles=("lead",), due=T0, late_by=0.0, next_at=T0), {ids.TAKE_LEAD: "7"}),
    ],
    ids=["relief", "relief once", "stale", "postmortem", "task", "role", "lead"],
)  # fmt: skip
def test_a_reminder_has_the_button_that_answers_it_and_one_to_be_asked_later(
    event: e.Event, offered: dict[str, str]
) -> None:
    life = room(Life()).then(e.TaskAdded(number=1, text="Add an alert", owner=BEN, due=T0)).then(event)
    made = RENDER.tell(Tell(template=event.type, urgent=True), life.last, life.state)
    assert {action: one["value"] for action, one in controls(made).items()} == offered


def test_an_action_item_that_was_done_meanwhile_is_not_asked_for() -> None:
    life = room(Life()).then(e.TaskAdded(number=1, text="Add an alert", owner=BEN, due=T0))
    life.then(e.TaskOverdue(number=1, due=T0, late_by=0.0))
    overdue = life.last
    told = RENDER.tell_user(TellUser(user=BEN, template="task_overdue"), overdue, life.state)
    assert controls(told)[ids.TASK_DONE]["value"] == "7:1"
    life.then(e.TaskDone(number=1))
    assert controls(RENDER.tell_user(TellUser(user=BEN, template="task_overdue"), overdue, life.state)) == {}

"""Who was reached: asked, told, answered, failed – per person and pager, with times; and what waits for quiet hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.duty import Duty
from bot.domain.effects import PagePager, TellUser
from bot.domain.policy import Policy
from bot.domain.reactions import react
from bot.domain.severity import Severity
from bot.domain.timeline import timeline
from bot.domain.verbs import ParseContext, parse
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from bot.usecases.cases import Act, Request
from tests.render.slack_cases import TEMPLATES
from tests.support.desks import START, open_office

ANN, BEN, CAT = "U0ANN00001", "U0BEN00001", "U0CAT00001"
LEVELS = {
    "levels": [{"targets": [{"user": ANN}, {"pagerduty": "default"}], "wait": "10m"}, {"targets": [{"user": BEN}]}]
}


def policy(*gone: str) -> Policy:
    made = Policy.model_validate({"escalations": {"default": LEVELS}})
    made.learn(Duty(gone=frozenset(gone)))
    return made


async def test_each_call_goes_from_asked_over_told_to_answered_with_its_times() -> None:
    async with open_office(policy()) as office:
        number = await office.incident("C1")
        asked = office.clock.now
        for target in (ANN, "default"):
            office.clock.pass_by(seconds=2)
            await office.act(number, c.PageSent(target, ok=True), "tocsin")
        office.clock.pass_by(seconds=30)
        await office.act(number, c.Acknowledge(), ANN)
        state = office.store.tables.incidents[number]
        ann, pager = state.calls[ANN], state.calls["default"]
        assert (ann.at, ann.told_at, ann.answered_at, ann.how) == (
            asked, asked + timedelta(seconds=2), asked + timedelta(seconds=34), "acknowledged",
        )  # fmt: skip
        assert (pager.told_at, pager.answered_at) == (asked + timedelta(seconds=4), None)
        around = Surroundings(Texts(TEMPLATES), office.policy, Links("https://tocsin.example"))
        card = Renderer(around).live("card", state).words
        assert f"<@{ANN}>: ✅ acknowledged" in card
        assert "default: 📨 took the page" in card


@pytest.mark.parametrize(
    ("command", "how"), [(c.Attend(), "joined"), (c.Attend("reacted"), "reacted"), (c.AddNote("x"), "answered")]
)
async def test_the_first_sign_of_somebody_called_counts_whatever_it_is(command: c.Command, how: str) -> None:
    async with open_office(policy()) as office:
        number = await office.incident("C1")
        await office.act(number, command, ANN)
        await office.act(number, c.Acknowledge(), ANN)
        assert office.store.tables.incidents[number].calls[ANN].how == how


async def test_who_was_not_called_answers_nothing() -> None:
    async with open_office(policy()) as office:
        number = await office.incident("C1")
        assert (await office.act(number, c.Attend("reacted"), CAT)).kind == "nothing"


async def test_a_page_that_failed_says_so_until_it_arrives_after_all() -> None:
    async with open_office(policy()) as office:
        number = await office.incident("C1")
        await office.act(number, c.PageSent(ANN, ok=False, error="user_disabled"), "tocsin")
        assert office.store.tables.incidents[number].calls[ANN].failed_at is not None
        await office.act(number, c.PageSent(ANN, ok=True), "tocsin")
        assert office.store.tables.incidents[number].calls[ANN].failed_at is None


async def test_people_who_are_gone_are_passed_over_and_the_timeline_says_so() -> None:
    async with open_office(policy(ANN)) as office:
        number = await office.incident("C1")
        events = office.store.tables.events[number]
        (call,) = [item.event for item in events if isinstance(item.event, e.PageRequested)]
        assert (call.users, call.pagers, call.skipped) == ((), ("default",), (ANN,))
        lines = [line.text for line in timeline(office.store.tables.incidents[number], events, [])]
        assert any("passed over, a bot or deactivated" in line for line in lines)
        told = [row.new.effect for row in office.store.tables.effects.values()]
        assert not [effect for effect in told if isinstance(effect, TellUser)]
        assert [effect for effect in told if isinstance(effect, PagePager)]


@pytest.mark.parametrize(
    "command",
    [c.PageSomeone(ANN), c.AssignRole("lead", ANN), c.OfferHandoff(ANN), c.AddTask("Write it down", ANN)],
    ids=lambda one: type(one).__name__,
)
async def test_nobody_who_is_gone_is_paged_or_given_a_part(command: c.Command) -> None:
    async with open_office(policy(ANN)) as office:
        number = await office.incident("C1")
        with pytest.raises(r.NotAround):
            await office.act(number, command, BEN)


async def test_where_everybody_is_gone_the_channel_is_told_that_nobody_was_called() -> None:
    plan = Policy.model_validate({"escalations": {"default": {"levels": [{"targets": [{"user": ANN}]}]}}})
    plan.learn(Duty(gone=frozenset({ANN})))
    async with open_office(plan) as office:
        number = await office.incident("C1")
        items = office.store.tables.events[number]
        item = next(one for one in items if isinstance(one.event, e.PageRequested))
        state = office.store.tables.incidents[number]
        (tell,) = [one for one in react(state, state, item, plan).effects if one.kind == "tell"]  # type: ignore[attr-defined]
        around = Surroundings(Texts(TEMPLATES), plan, Links("https://tocsin.example"))
        assert "Nobody was called." in Renderer(around).tell(tell, item, state).words  # type: ignore[arg-type]


async def test_the_response_timer_climbs_past_an_empty_level_and_stops_at_the_ack() -> None:
    levels = [{"targets": [{"user": one}], "wait": "10m"} for one in (ANN, BEN, CAT)]
    plan = Policy.model_validate({"escalations": {"default": {"levels": levels, "repeat": 1}}})
    plan.learn(Duty(gone=frozenset({BEN})))
    async with open_office(plan) as office:
        number = await office.incident("C1")
        seen = []
        while (due := office.store.tables.incidents[number].respond_by) and len(seen) < 9:
            office.clock.now = due
            await office.act(number, c.FireTimer("respond", due), "timer:respond")
            event = [i.event for i in office.store.tables.events[number] if isinstance(i.event, e.PageRequested)][-1]
            seen.append(event.users)
        assert seen == [(ANN, CAT), (ANN,), (CAT,)]
        overdue = [i.event for i in office.store.tables.events[number] if isinstance(i.event, e.ResponseOverdue)]
        assert [(one.level, one.empty) for one in overdue] == [(1, (2,)), (2, ()), (3, (2,))]


# --- quiet hours ----------------------------------------------------------------------------------------
async def test_a_due_action_item_waits_for_the_morning_and_a_page_does_not() -> None:
    quiet = {"people": {BEN: {"quiet": "22:00-07:00", "timezone": "Europe/Berlin"}}}
    async with open_office(Policy.model_validate(quiet)) as office:
        office.clock.now = datetime(2026, 3, 14, 23, 0, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
        number = await office.incident("C1", severity=Severity.SEV3)
        await office.act(number, c.AddTask("Add a replica", BEN, timedelta(minutes=5)))
        office.clock.pass_by(minutes=5)
        due = office.store.tables.incidents[number].task_by
        assert due is not None
        await office.act(number, c.FireTimer("task", due), "timer:task")
        await office.act(number, c.PageSomeone(BEN), ANN)
        told = [row.new for row in office.store.tables.effects.values() if isinstance(row.new.effect, TellUser)]
        assert [(one.effect.kind, one.not_before) for one in told] == [("tell_user", None)], "the page, at once"
        morning = datetime(2026, 3, 15, 7, 0, tzinfo=ZoneInfo("Europe/Berlin"))
        assert office.store.tables.incidents[number].task_by == morning
        office.clock.now = morning.astimezone(UTC)
        await office.act(number, c.FireTimer("task", morning), "timer:task")
        assert [
            (row.new.effect.template, row.new.not_before)
            for row in office.store.tables.effects.values()
            if isinstance(row.new.effect, TellUser)
        ][1:] == [("task_overdue", None)]


async def test_the_message_about_an_action_item_never_stands_in_front_of_a_page() -> None:
    quiet = {"people": {BEN: {"quiet": "00:00-24:00", "timezone": "Europe/Berlin"}}}
    async with open_office(Policy.model_validate(quiet)) as office:
        office.clock.now = datetime(2026, 3, 14, 23, 0, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
        number = await office.incident("C1", severity=Severity.SEV3)
        await office.act(number, c.AddTask("Add a replica", BEN, timedelta(minutes=5)))
        office.clock.pass_by(minutes=5)
        due = office.store.tables.incidents[number].task_by
        assert due is not None
        await office.act(number, c.FireTimer("task", due), "timer:task")
        await office.committer.submit(Act(Request(ANN), number, c.PageSomeone(BEN), office.policy))
        told = {
            row.new.effect.template: row.new
            for row in office.store.tables.effects.values()
            if isinstance(row.new.effect, TellUser)
        }
        morning = datetime(2026, 3, 15, 0, 0, tzinfo=ZoneInfo("Europe/Berlin"))
        assert (told["task_overdue"].not_before, told["task_overdue"].lane) == (morning, f"{number}:user:{BEN}:calm")
        assert (told["page_requested"].not_before, told["page_requested"].lane) == (None, f"{number}:user:{BEN}")


# --- people ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["page ann@example.com", "lead <mailto:ann@example.com|ann@example.com>", "handoff @ann"]
)
async def test_people_are_named_by_e_mail_or_handle(text: str) -> None:
    known = {"ann@example.com": ANN, "ann": ANN}
    parsed = parse(text, ParseContext(policy(), START, BEN, escaped=True, find_person=known.get))
    assert ANN in (getattr(parsed.wish, "target", ""), getattr(parsed.wish, "user", ""))

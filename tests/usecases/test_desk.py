"""The desk: the right incident, the right runbook, the right people, and private incidents that stay private."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain import refusals as r
from bot.domain.incident import Incident
from bot.domain.policy import Permissions, Policy
from bot.domain.severity import Severity
from bot.domain.verbs import ParseContext, parse
from bot.ports.store import Answer
from bot.usecases.cases import Request
from bot.usecases.desk import Desk, Door, Form, QueryAnswer
from tests.support.desks import Office, open_office

ALICE, BOB, EVE = (Request(actor) for actor in ("U0ALICE0001", "U0BOB000002", "U0EVE000003"))
CLI = Request("cli:ann", surface="cli")


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with open_office() as opened:
        yield opened


async def test_a_declaration_gets_the_runbook_of_its_service(office: Office) -> None:
    await office.desk.do("declare sev2 Disk is full #disks", ALICE)
    runbook = office.store.tables.incidents[1].runbook
    assert runbook is not None
    assert runbook.name == "disk-full"


async def test_outside_an_incident_channel_the_incident_must_be_named(office: Office) -> None:
    await office.incident()
    with pytest.raises(r.NoIncidentHere, match="ack INC-7"):
        await office.desk.do("ack", ALICE)
    assert (await office.desk.do("ack INC-1", ALICE)).incident == 1  # type: ignore[union-attr]


async def test_a_named_incident_wins_over_the_channel(office: Office) -> None:
    await office.incident()
    await office.incident(title="Another")
    answer = await office.desk.do("ack INC-2", ALICE, where=1)
    assert isinstance(answer, Answer)
    assert (answer.kind, answer.incident) == ("acknowledged", 2)


async def test_an_unknown_runbook_is_refused_with_the_names_there_are(office: Office) -> None:
    await office.incident()
    with pytest.raises(r.UnknownRunbook, match="disk-full"):
        await office.desk.do("runbook nonsense", ALICE, where=1)


async def test_forms_are_offered_only_where_they_can_open(office: Office) -> None:
    await office.incident()
    form = await office.desk.do("update", ALICE, 1, Door(forms=True))
    assert isinstance(form, Form)
    assert form.name == "update"
    with pytest.raises(r.MissingArgument):
        await office.desk.do("update", ALICE, 1)


@pytest.mark.parametrize("text", ["status INC-1", "timeline INC-1", "catchup INC-1", "ack INC-1", "note INC-1 hi",
                                  "postmortem INC-1", "public review INC-1", "timers INC-1"])  # fmt: skip
async def test_a_private_incident_does_not_exist_for_outsiders(office: Office, text: str) -> None:
    await office.incident(private=True)
    with pytest.raises(r.UnknownIncident):
        await office.desk.do(text, EVE)
    await office.desk.do(text, ALICE)


async def test_lists_show_private_incidents_only_to_those_in_them(office: Office) -> None:
    await office.incident(private=True)
    for request, seen in ((EVE, []), (ALICE, ["INC-1"]), (CLI, ["INC-1"])):
        answer = await office.desk.do("list", request)
        assert isinstance(answer, QueryAnswer)
        assert [one["key"] for one in answer.data] == seen


async def test_who_asks_in_the_private_channel_is_in_it(office: Office) -> None:
    await office.incident(private=True)
    answer = await office.desk.do("status", EVE, where=1)
    assert isinstance(answer, QueryAnswer)


async def test_permissions_name_people_and_usergroups_and_let_admins_through() -> None:
    limits = Permissions(declare=("S0OPS",), close=("U0ALICE0001",), admin=("U0ADMIN",))
    async with open_office(Policy(permissions=limits)) as office:
        with pytest.raises(r.NotAllowed, match=r"permissions\.declare"):
            await office.desk.do("declare sev1 x", EVE)
        await office.desk.do("declare sev1 x", BOB)
        with pytest.raises(r.NotAllowed, match=r"permissions\.close"):
            await office.desk.do("status INC-1 closed", BOB)
        with pytest.raises(r.NotAllowed):
            await office.desk.do("cancel INC-1 because x", BOB)
        await office.desk.do("cancel INC-1 because x", Request("U0ADMIN"))


async def test_a_private_declaration_needs_its_own_permission() -> None:
    async with open_office(Policy(permissions=Permissions(private=("U0BOB000002",)))) as office:
        with pytest.raises(r.NotAllowed, match=r"permissions\.private"):
            await office.desk.do("declare sev1 x --private", ALICE)
        await office.desk.do("declare sev1 x --private", BOB)


async def test_a_declaration_can_be_undone_by_its_declarer_for_five_minutes(office: Office) -> None:
    first, second = await office.incident(), await office.incident(title="Two")
    with pytest.raises(r.TooLateToUndo):
        await office.desk.undo(BOB, first)
    assert (await office.desk.undo(ALICE, first)).kind == "cancelled"
    office.clock.pass_by(minutes=6)
    with pytest.raises(r.TooLateToUndo):
        await office.desk.undo(ALICE, second)


async def test_undo_alone_takes_back_what_one_declared_last_or_the_channels_own(office: Office) -> None:
    first = await office.incident("C1")
    office.clock.pass_by(minutes=3)
    second, third = await office.incident(title="Two"), await office.incident(title="Three", actor=BOB.actor)
    assert (await office.desk.do("undo", ALICE)).incident == second
    assert (await office.desk.do("undo", ALICE, where=third)).incident == first
    assert (await office.desk.do("undo", BOB, where=third)).incident == third
    with pytest.raises(r.NothingToUndo):
        await office.desk.do("undo", ALICE)


async def test_undo_of_a_named_incident_is_never_about_another(office: Office) -> None:
    first = await office.incident(actor=BOB.actor)
    second = await office.incident(title="Two")
    with pytest.raises(r.TooLateToUndo):
        await office.desk.do(f"undo INC-{first}", ALICE, where=second)
    office.clock.pass_by(minutes=6)
    with pytest.raises(r.TooLateToUndo):
        await office.desk.do("undo", ALICE, where=second)
    assert {state.status for state in office.store.tables.incidents.values()} == {"investigating"}


async def test_undo_on_the_command_line_is_its_own_declarers(office: Office) -> None:
    declared = await office.desk.do("declare sev4 Oops", CLI)
    assert (await office.desk.do(f"undo INC-{declared.incident}", CLI)).kind == "cancelled"
    state = office.store.tables.incidents[declared.incident or 0]
    assert (state.status, state.archived) == ("cancelled", True)


async def test_shapes_are_those_of_the_contract(office: Office) -> None:
    await office.incident("C0INCIDENT1")
    await office.desk.do("ack", ALICE, 1)
    listed = await office.desk.do("list", CLI)
    shown = await office.desk.do("status", CLI, 1)
    told = await office.desk.do("timeline", CLI, 1)
    assert isinstance(listed, QueryAnswer)
    assert isinstance(shown, QueryAnswer)
    assert isinstance(told, QueryAnswer)
    keys = {"number", "key", "title", "severity", "status", "channel", "private", "drill", "declared_at",
            "acknowledged_at", "resolved_at"}  # fmt: skip
    assert keys <= listed.data[0].keys()
    assert listed.data[0]["declared_at"] == "2026-03-14T09:00:00Z"
    assert keys | {"roles", "alerts", "timers", "services"} <= shown.data.keys()
    assert [set(line) >= {"seq", "at", "kind", "actor", "text", "link"} for line in told.data] == [True] * len(
        told.data
    )


async def test_the_desk_reads_names_through_the_directory(office: Office) -> None:
    desk: Desk = office.desk
    context = ParseContext(office.policy, office.clock(), find_person=desk.directory.find)
    assert parse("lead @bob", context).wish == desk.read("lead @bob", ALICE).wish


async def state_of(office: Office, number: int) -> Incident:
    state = await office.reader.incident(number)
    assert state is not None
    return state


async def test_a_declaration_names_what_looks_the_same_after_it_is_saved(office: Office) -> None:
    first = await office.incident(title="Checkout down")
    office.clock.pass_by(minutes=3)
    outcome = await office.desk.do("declare sev2 The checkout fails", BOB)
    assert isinstance(outcome, Answer)
    assert [one["number"] for one in outcome.fields["alike"]] == [first]


async def test_nobody_is_shown_a_private_incident_because_it_looks_the_same(office: Office) -> None:
    await office.incident(title="Checkout down", private=True)
    outcome = await office.desk.do("declare sev2 Checkout down", BOB)
    assert isinstance(outcome, Answer)
    assert "alike" not in outcome.fields


async def test_forty_who_declare_at_once_share_what_is_looked_up_for_them(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are open: an acknowledgement must not wait for forty looks at all of them."""
    reads = Counter[str]()
    for name in ("unfinished", "room_waits"):
        monkeypatch.setattr(office.reader, name, counted(reads, name, getattr(office.reader, name)))
    asked = [replace(BOB, actor=f"U{n:05}", command_id=f"c{n}") for n in range(40)]
    outcomes = await asyncio.gather(*(office.desk.do("declare sev2 Checkout down", one) for one in asked))
    assert all(isinstance(outcome, Answer) and outcome.fields["alike"] for outcome in outcomes)
    assert reads["unfinished"] <= 3
    assert reads["room_waits"] <= 3


def counted(reads: Counter[str], name: str, read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def count(*args: Any) -> Any:
        reads[name] += 1
        await asyncio.sleep(0)  # as a database would
        return await read(*args)

    return count


async def test_joining_instead_takes_the_new_one_back_for_good(office: Office) -> None:
    first = await office.incident("C1", title="Checkout down", actor=ALICE.actor)
    second = await office.incident("C2", title="The checkout fails", actor=BOB.actor)
    answer = await office.desk.join_instead(BOB, second, first)
    assert answer.incident == first
    gone = await state_of(office, second)
    assert (gone.status, gone.merged_into, gone.archived) == ("cancelled", first, True)
    assert BOB.actor in (await state_of(office, first)).people


async def test_only_its_declarer_takes_a_declaration_back_for_another(office: Office) -> None:
    first, second = await office.incident("C1"), await office.incident("C2", title="Other", actor=BOB.actor)
    with pytest.raises(r.TooLateToUndo):
        await office.desk.join_instead(ALICE, second, first)


async def test_a_declarer_of_a_sev1_is_asked_to_take_command(office: Office) -> None:
    worst = await office.desk.do("declare sev1 Everything is down", ALICE)
    mild = await office.desk.do("declare sev4 A typo", ALICE)
    assert isinstance(worst, Answer)
    assert isinstance(mild, Answer)
    assert (worst.fields["lead_wanted"], mild.fields["lead_wanted"]) == (True, False)


async def test_a_worse_severity_brings_its_own_runbook_unless_a_person_chose_one(office: Office) -> None:
    number = await office.incident("C1", severity=Severity.SEV3, service="disks")
    await office.desk.do("sev 1", ALICE, number)
    book = (await state_of(office, number)).runbook
    assert book is not None
    assert (book.name, book.by_hand) == ("disk-full", False)


# --- the audit trail ------------------------------------------------------------------------------------
async def trail(office: Office, **about: object) -> list[tuple[str, str, str, str]]:
    found = await office.reader.audit(**about)  # type: ignore[arg-type]
    return [(one.actor, one.action, one.outcome, one.reason) for one in found]


async def test_every_change_is_on_the_trail_with_who_asked_and_from_where(office: Office) -> None:
    number = await office.incident("C1")
    await office.desk.do("ack", Request(BOB.actor, request_id="r7", surface="slack"), number)
    line = (await office.reader.audit(incident=number))[0]
    assert (line.actor, line.surface, line.request_id, line.action) == (BOB.actor, "slack", "r7", "acknowledge")


async def test_a_denied_try_is_on_the_trail() -> None:
    async with open_office(Policy(permissions=Permissions(close=("U0BOB000002",)))) as office:
        number = await office.incident("C1")
        with pytest.raises(r.NotAllowed):
            await office.desk.do("cancel because no", ALICE, number)
        assert await trail(office, denied=True) == [(ALICE.actor, "cancel", "denied", "not_allowed")]


async def test_who_asks_for_a_private_incident_of_others_is_told_it_does_not_exist_and_is_on_the_trail(
    office: Office,
) -> None:
    number = await office.incident("C1", private=True)
    with pytest.raises(r.UnknownIncident) as refused:
        await office.desk.do(f"INC-{number} timeline", BOB)
    assert str(refused.value) == str(r.UnknownIncident(key=f"INC-{number}"))
    assert await trail(office, denied=True) == [(BOB.actor, "timeline", "denied", "unknown_incident")]


async def test_a_mere_mistake_is_not_on_the_trail(office: Office) -> None:
    number = await office.incident("C1")
    await office.desk.do("ack", ALICE, number)
    for text in ("ack", "INC-99 ack", "step 99 done"):
        with pytest.raises(r.Refused):
            await office.desk.do(text, ALICE, number)
    assert await trail(office, denied=True) == []

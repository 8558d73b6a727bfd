"""Who may do what, for every verb there is; and whoever may not is told whom to ask, and is on the audit trail."""

from typing import get_args

import pytest

from bot.domain import commands as c
from bot.domain import refusals as r
from bot.domain.permissions import Permissions
from bot.domain.policy import Policy
from bot.domain.severity import Severity, Status
from bot.domain.verbs import VERBS, OpenForm, Query, permissions_for
from bot.domain.verbs.model import FormName
from bot.usecases.cases import Request
from tests.support.desks import Office, open_office

FREE = {verb.name for verb in VERBS.values() if not verb.limited}
OPS, OUTSIDER, ADMIN = "U0BOB000002", "U0EVE000003", "U0ADMIN0004"
"""Only the first is in the usergroup S0OPS."""
SERVICES = {"services": {"checkout": {}, "disks": {}}, "oncall": {"primary": {"people": [OPS]}}}
SAID = {
    "declare": "declare sev2 The disks are full",
    "undo": "undo",
    "list": "list",
    "status": "status identified the pool",
    "ack": "ack",
    "sev": "sev 1",
    "title": "title Another title",
    "service": "service disks",
    "lead": "lead @alice",
    "role": "role scribe @alice",
    "handoff": "handoff @alice",
    "update": "update We restart it",
    "note": "note the deploy began",
    "runbook": "runbook disk-full",
    "step": "step 1 done",
    "task": "task look again",
    "page": "page @alice because",
    "call": "call https://meet.example/a",
    "pagetest": "page --test @alice",
    "oncall": "oncall",
    "override": "oncall override primary @alice for 4h",
    "public": "public draft We look at it",
    "mitigate": "mitigate it is better",
    "resolve": "resolve rolled back",
    "reopen": "reopen because it is back",
    "close": "close",
    "cancel": "cancel because it was none",
    "merge": "merge INC-2",
    "silence": "silence all 1h",
    "unsilence": "unsilence",
    "why": "why",
    "timeline": "timeline",
    "snooze": "snooze update 30m",
    "timers": "timers",
    "catchup": "catchup",
    "postmortem": "postmortem",
    "retry": "retry",
    "undelivered": "undelivered",
    "redeliver": "redeliver",
}
"""Verb → something that needs its permission."""


def policy(**limits: tuple[str, ...]) -> Policy:
    return Policy.model_validate({**SERVICES, "permissions": limits})


async def attempt(office: Office, actor: str, text: str, surface: str = "slack:slash") -> r.Refused | None:
    """Say `text` in the channel of INC-1; return the refusal, if there was one."""
    try:
        await office.desk.do(text, Request(actor, surface=surface), where=1)
    except r.Refused as refused:
        return refused
    return None


def test_every_verb_can_be_limited_and_only_help_cannot() -> None:
    groups = {"declare", "approve", "page", "private", "close", "admin"}
    assert set(Permissions.model_fields) == (set(VERBS) - FREE) | groups, "a new verb needs its key in permissions.py"
    assert set(SAID) == set(VERBS) - FREE, "…and a line here"


@pytest.mark.parametrize("verb", sorted(SAID))
async def test_a_verb_is_for_those_who_hold_it_and_for_admins_and_for_the_operator(verb: str) -> None:
    limits = policy(**{verb: ("S0OPS",), "admin": (ADMIN,)})
    for actor, surface in ((OPS, "slack:slash"), (ADMIN, "slack:button"), ("cli:ann", "cli"), ("ci", "api:ci")):
        async with open_office(limits) as office:
            await office.incident("C1")
            await office.incident("C2", title="The other one")
            assert not isinstance(await attempt(office, actor, SAID[verb], surface), r.NotAllowed)


@pytest.mark.parametrize("verb", sorted(SAID))
async def test_whoever_does_not_hold_a_verb_is_refused_told_whom_to_ask_and_kept_on_the_trail(verb: str) -> None:
    async with open_office(policy(**{verb: ("S0OPS",)})) as office:
        await office.incident("C1")
        before = office.store.tables.incidents[1]
        refused = await attempt(office, OUTSIDER, SAID[verb])
        assert isinstance(refused, r.NotAllowed)
        assert "<!subteam^S0OPS>" in refused.text
        assert f"permissions.{verb}" in refused.text
        assert office.store.tables.incidents == {1: before}, "nothing was done"
        (kept,) = await office.reader.audit(denied=True)
        assert (kept.actor, kept.surface, kept.outcome, kept.reason) == (
            OUTSIDER,
            "slack:slash",
            "denied",
            "not_allowed",
        )


@pytest.mark.parametrize("verb", sorted(SAID))
async def test_with_nothing_configured_everybody_may(verb: str) -> None:
    async with open_office(policy()) as office:
        await office.incident("C1")
        assert not isinstance(await attempt(office, OUTSIDER, SAID[verb]), r.NotAllowed)


async def test_a_usergroup_that_is_not_known_holds_nobody() -> None:
    async with open_office(policy(ack=("S0GONE",))) as office:
        await office.incident("C1")
        assert isinstance(await attempt(office, OPS, "ack"), r.NotAllowed)


@pytest.mark.parametrize(
    ("limits", "text", "key"),
    [
        ({"close": ("S0OPS",)}, "cancel because x", "close"),
        ({"close": ("S0OPS",)}, "merge INC-2", "close"),
        ({"close": (OUTSIDER,), "cancel": ("S0OPS",)}, "cancel because x", "cancel"),
        ({"close": ("S0OPS",)}, "status closed", "close"),
        ({"resolve": ("S0OPS",)}, "status resolved", "resolve"),
        ({"mitigate": ("S0OPS",)}, "status monitoring", "mitigate"),
        ({"status": ("S0OPS",)}, "mitigate", "status"),
        ({"lead": ("S0OPS",)}, "role commander @alice", "lead"),
        ({"role": ("S0OPS",)}, "lead @alice", "role"),
        ({"approve": ("S0OPS",)}, "public approve", "approve"),
        ({"approve": ("S0OPS",)}, "public publish", "approve"),
        ({"public": (OUTSIDER,), "approve": ("S0OPS",)}, "public approve", "approve"),
        ({"private": ("S0OPS",)}, "declare sev1 x --private", "private"),
        ({"declare": (OUTSIDER,), "private": ("S0OPS",)}, "declare sev1 x --private", "private"),
        ({"task": ("S0OPS",)}, "task done 1", "task"),
        ({"handoff": ("S0OPS",)}, "handoff withdraw", "handoff"),
        ({"undo": ("S0OPS",)}, "undo INC-1", "undo"),
    ],
)
async def test_another_way_of_saying_it_needs_the_same(limits: dict[str, tuple[str, ...]], text: str, key: str) -> None:
    async with open_office(policy(**limits)) as office:
        await office.incident("C1")
        refused = await attempt(office, OUTSIDER, text)
        assert isinstance(refused, r.NotAllowed)
        assert refused.details["permission"] == key


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"close": ("S0OPS",), "cancel": (OUTSIDER,)}, "cancel because x"),
        ({"status": ("S0OPS",)}, "status"),
        ({"public": ("S0OPS",), "approve": ("S0OPS",)}, "public review"),
        ({"approve": ("S0OPS",)}, "public draft Hello"),
        ({"private": ("S0OPS",)}, "declare sev1 x"),
    ],
)
async def test_a_limit_says_nothing_about_its_neighbour(limits: dict[str, tuple[str, ...]], text: str) -> None:
    async with open_office(policy(**limits)) as office:
        await office.incident("C1")
        assert not isinstance(await attempt(office, OUTSIDER, text), r.NotAllowed)


@pytest.mark.parametrize("form", get_args(FormName))
async def test_a_form_does_not_open_for_whoever_may_not_submit_it(form: str) -> None:
    key = {"severity": "sev"}.get(form, form)
    async with open_office(policy(**{key: ("S0OPS",)})) as office:
        await office.incident("C1")
        with pytest.raises(r.NotAllowed):
            await office.desk.grant(OpenForm(form), Request(OUTSIDER, surface="slack:button"), 1, 1)  # type: ignore[arg-type]
        await office.desk.grant(OpenForm(form), Request(OPS, surface="slack:button"), 1, 1)  # type: ignore[arg-type]
        (kept,) = await office.reader.audit(denied=True)
        assert (kept.action, kept.surface) == (form, "slack:button")


async def test_whoever_the_command_is_offered_to_may_accept_it_and_nobody_else() -> None:
    async with open_office(policy(handoff=("S0OPS",))) as office:
        await office.incident("C1")
        await office.desk.do("handoff @alice", Request(OPS), where=1)
        assert isinstance(await attempt(office, OUTSIDER, "handoff accept"), r.NoHandoff)
        assert isinstance(await attempt(office, OUTSIDER, "handoff decline"), r.NoHandoff)
        assert await attempt(office, "U0ALICE0001", "handoff decline") is None
        await office.desk.do("handoff @alice", Request(OPS), where=1)
        assert await attempt(office, "U0ALICE0001", "handoff accept") is None
        kept = await office.reader.audit(denied=True)
        assert [(one.actor, one.reason) for one in kept] == [(OUTSIDER, "no_handoff")] * 2


async def test_the_button_that_undoes_needs_what_the_word_needs() -> None:
    async with open_office(policy(undo=("S0OPS",))) as office:
        await office.incident("C1", actor=OUTSIDER)
        await office.incident("C2", title="The same", actor=OUTSIDER)
        with pytest.raises(r.NotAllowed):
            await office.desk.undo(Request(OUTSIDER), 1)
        with pytest.raises(r.NotAllowed):
            await office.desk.join_instead(Request(OUTSIDER), 1, 2)


async def test_what_slack_sends_again_is_one_denied_try() -> None:
    async with open_office(policy(ack=("S0OPS",))) as office:
        await office.incident("C1")
        for _ in range(2):
            with pytest.raises(r.NotAllowed):
                await office.desk.do("ack", Request(OUTSIDER, command_id="slack:T1"), where=1)
        assert len(await office.reader.audit(denied=True)) == 1


async def test_undoing_and_joining_instead_are_kept_when_they_are_anothers() -> None:
    async with open_office(policy()) as office:
        await office.incident("C1")
        await office.incident("C2", title="Secret", private=True)
        eve = Request(OUTSIDER, surface="slack:button")
        with pytest.raises(r.TooLateToUndo):
            await office.desk.undo(eve, 1)
        with pytest.raises(r.TooLateToUndo):
            await office.desk.join_instead(eve, 1, 2)
        await office.incident("C3", title="Mine", actor=OUTSIDER)
        with pytest.raises(r.UnknownIncident):
            await office.desk.join_instead(eve, 3, 2)
        with pytest.raises(r.UnknownIncident):
            await office.desk.see("join", eve, 2)
        kept = [(one.action, one.incident, one.reason) for one in reversed(await office.reader.audit(denied=True))]
        assert kept == [
            ("undo", 1, "too_late_to_undo"),
            ("join_instead", 1, "too_late_to_undo"),
            ("join_instead", 2, "unknown_incident"),
            ("join", 2, "unknown_incident"),
        ]


async def test_the_authors_own_approval_is_a_denied_try_where_a_second_person_must_look() -> None:
    config = Policy.model_validate({**SERVICES, "statuspage": {"approval": {"second_person": ["sev1"]}}})
    async with open_office(config) as office:
        await office.incident("C1")
        await office.desk.do("public draft We look", Request(OPS), where=1)
        assert isinstance(await attempt(office, OPS, "public approve"), r.SecondPersonNeeded)
        (kept,) = await office.reader.audit(denied=True)
        assert (kept.action, kept.reason) == ("approve_public", "second_person_needed")


async def test_every_change_is_on_the_trail_once_with_its_door() -> None:
    async with open_office(policy()) as office:
        await office.incident("C1")
        for text, surface in (("ack", "slack:button"), ("note hi", "cli"), ("sev 2 because x", "api:ci")):
            await office.desk.do(text, Request("U0ALICE0001", request_id="r1", surface=surface), where=1)
        kept = [(one.action, one.surface, one.request_id) for one in reversed(await office.reader.audit())][-3:]
        assert kept == [
            ("acknowledge", "slack:button", "r1"),
            ("add_note", "cli", "r1"),
            ("set_severity", "api:ci", "r1"),
        ]


async def test_an_api_token_sees_private_incidents_only_if_it_is_marked_so() -> None:
    async with open_office(policy()) as office:
        await office.incident("C1", private=True)
        with pytest.raises(r.UnknownIncident):
            await office.desk.do("status INC-1", Request("ci", surface="api:ci"))
        await office.desk.do("status INC-1", Request("ci", surface="api:ci", sees_private=True))


def test_what_a_name_must_look_like_is_said_when_the_configuration_is_read() -> None:
    with pytest.raises(ValueError, match="pattern"):
        policy(ack=("@oncall",))


def test_every_status_a_person_can_set_is_limited_by_its_own_verb() -> None:
    needs = {status: permissions_for(c.SetStatus(status), Policy())[0][0] for status in Status}
    assert needs == {
        "investigating": "status",
        "identified": "status",
        "monitoring": "mitigate",
        "resolved": "resolve",
        "closed": "close",
        "cancelled": "cancel",
    }
    assert permissions_for(Query("help"), Policy()) == ()
    assert permissions_for(c.SetSeverity(Severity.SEV1), Policy()) == (("sev",),)


async def test_a_private_incident_that_one_cannot_see_is_no_target_of_a_merge() -> None:
    async with open_office(policy()) as office:
        await office.incident("C1", actor=OUTSIDER)
        await office.incident("C2", title="Secret", private=True)
        for target in ("INC-2", "INC-99"):
            refused = await attempt(office, OUTSIDER, f"merge {target}")
            assert isinstance(refused, r.UnknownIncident)
            assert refused.text.startswith(f"There is no incident {target}.")
        (kept,) = await office.reader.audit(denied=True)
        assert (kept.action, kept.reason) == ("merge", "unknown_incident")

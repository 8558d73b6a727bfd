"""`/incident …` and `@Tocsin …`: committed, then acknowledged, in words only the asker sees."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlencode

import pytest

from bot.domain.severity import Severity
from bot.ports.store import Changes, Claim, Keys, Loaded, Unavailable
from tests.inbound.slack.conftest import ALICE, BOB, FakeSlack, Workspace
from tests.support.memory import MemoryStore


class SlowStore:
    """A store whose commits wait for `go`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store, self.go = store, asyncio.Event()

    async def transact(self, keys: Keys, claims: Sequence[Claim], work: Callable[[Loaded], Iterable[Changes]]) -> None:
        await self.go.wait()
        await self._store.transact(keys, claims, work)


def slow_down(workspace: Workspace) -> asyncio.Event:
    slow = SlowStore(workspace.office.store)
    workspace.office.committer._store = slow
    return slow.go


async def test_a_declaration_is_committed_when_it_is_answered(workspace: Workspace) -> None:
    answer = await workspace.type("declare sev1 The shop is down <#C0CHECKOUT|checkout>", channel="C0GENERAL")
    state = workspace.office.store.tables.incidents[2]
    assert "INC-2" in answer
    assert (state.title, state.severity, state.service) == ("The shop is down", Severity.SEV1, "checkout")
    assert state.declared_by == ALICE


async def test_a_channel_in_a_title_is_no_service_and_an_unknown_service_is_refused(workspace: Workspace) -> None:
    await workspace.type("declare sev1 down see <#C0OPSROOM|ops-room>")
    state = workspace.office.store.tables.incidents[2]
    assert (state.title, state.service) == ("down see #ops-room", None)
    assert "Did you mean `checkout`?" in await workspace.type("declare sev1 Foo --service chekcout")
    assert sorted(workspace.office.store.tables.incidents) == [1, 2]


async def test_what_was_declared_by_mistake_is_taken_back_where_it_was_declared(workspace: Workspace) -> None:
    await workspace.type("declare sev4 Oops", channel="C0GENERAL")
    assert "taken back" in await workspace.type("undo", channel="C0GENERAL")
    state = workspace.office.store.tables.incidents[2]
    assert (state.status, state.archived) == ("cancelled", True)
    assert "declared nothing" in await workspace.type("undo", channel="C0GENERAL", user=BOB)


async def test_a_number_alone_acknowledges_that_incident_and_not_the_channels(workspace: Workspace) -> None:
    await workspace.type("declare sev1 Another thing")
    await workspace.type("ack 2")
    incidents = workspace.office.store.tables.incidents
    assert [incidents[n].acknowledged_by for n in (1, 2)] == [None, ALICE]


async def test_a_command_that_arrives_twice_is_done_once_and_answered_alike(workspace: Workspace) -> None:
    first = await workspace.type("declare sev1 Down", trigger="T77")
    second = await workspace.type("declare sev1 Down", trigger="T77")
    assert first == second
    assert sorted(workspace.office.store.tables.incidents) == [1, 2]


async def test_requests_without_an_id_of_their_own_are_not_taken_for_repeats(workspace: Workspace) -> None:
    for title in ("One", "Two"):
        form = urlencode(
            {"command": "/incident", "text": f"declare sev1 {title}", "user_id": ALICE, "channel_id": "C0G"}
        )
        await workspace.post(form, "application/x-www-form-urlencoded")
    assert [s.title for s in workspace.office.store.tables.incidents.values()] == ["Checkout is down", "One", "Two"]


async def test_a_bare_declaration_opens_the_form(workspace: Workspace) -> None:
    assert await workspace.type("declare") == ""
    assert workspace.slack.view()["callback_id"] == "form_declare"


async def test_a_form_that_slack_does_not_open_is_offered_by_a_button(workspace: Workspace, slack: FakeSlack) -> None:
    slack.errors["views.open"] = "expired_trigger_id"
    assert "form" in await workspace.type("update")


async def test_a_refusal_says_what_to_do(workspace: Workspace) -> None:
    assert "Did you mean `declare`?" in await workspace.type("decalre down")
    assert "ack INC-7" in await workspace.type("ack", channel="C0GENERAL")
    assert "200" in await workspace.type("declare " + "x" * 10_000)
    assert "letter" in await workspace.type("declare 🔥🔥🔥")
    assert sorted(workspace.office.store.tables.incidents) == [1]


async def test_what_people_typed_cannot_ring_or_link_in_an_answer(workspace: Workspace) -> None:
    answer = await workspace.type("&lt;!channel&gt;")
    assert "<!channel>" not in answer
    assert "`" in answer


async def test_a_commit_that_takes_long_is_announced_and_told_later(workspace: Workspace) -> None:
    go = slow_down(workspace)
    assert "Not confirmed yet" in await workspace.type("ack")
    assert workspace.slack.told == []
    go.set()
    await workspace.settle()
    assert ["acknowledged" in one["text"] for one in workspace.slack.told] == [True]
    assert workspace.slack.told[0]["response_type"] == "ephemeral"


async def test_what_was_not_saved_is_never_called_done(workspace: Workspace) -> None:
    workspace.office.store.down = True
    answer = await workspace.type("ack")
    assert answer.startswith("Not saved")
    workspace.office.store.down = False
    assert "acknowledged" in await workspace.type("ack")


async def test_what_may_have_been_saved_is_called_neither_done_nor_unsaved(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise Unavailable("the line was lost in the midst of saving", uncertain=True)

    monkeypatch.setattr(workspace.office.store, "transact", lost)
    answer = await workspace.type("note the deploy began at noon")
    assert "may have been saved, or not" in answer
    assert "Look first" in answer


async def test_bare_incident_is_help_with_buttons(workspace: Workspace) -> None:
    assert "What do you need?" in await workspace.type("")


async def test_an_outsider_learns_nothing_of_a_private_incident(workspace: Workspace) -> None:
    await workspace.office.incident(title="Secret", private=True)
    answers = [await workspace.type(f"{verb} INC-2", user=BOB, channel="C0GENERAL") for verb in ("status", "ack")]
    assert all("There is no incident INC-2" in answer for answer in answers)


def said(text: str, **more: object) -> dict[str, object]:
    return {"type": "app_mention", "text": text, "user": ALICE, "channel": "C0INCIDENT1", "ts": "1773478913.1", **more}


async def test_a_mention_is_a_command_answered_to_the_asker_only(workspace: Workspace, slack: FakeSlack) -> None:
    assert await workspace.event(said("<@U0INCBOT001> ack")) == 200
    await workspace.settle()
    assert workspace.office.store.tables.incidents[1].acknowledged_by == ALICE
    [(method, body)] = slack.calls
    assert (method, body["user"], body["channel"]) == ("chat.postEphemeral", ALICE, "C0INCIDENT1")


async def test_a_mention_may_end_the_sentence(workspace: Workspace) -> None:
    await workspace.event(said("status monitoring <@U0INCBOT001>"))
    assert workspace.office.store.tables.incidents[1].status == "monitoring"


async def test_a_mention_delivered_twice_is_done_once(workspace: Workspace) -> None:
    for _ in range(2):
        await workspace.event(said("<@U0INCBOT001> declare sev2 Again"), event_id="Ev7")
    assert sorted(workspace.office.store.tables.incidents) == [1, 2]


async def test_where_a_mention_needs_a_form_a_button_opens_it(workspace: Workspace, slack: FakeSlack) -> None:
    await workspace.event(said("<@U0INCBOT001> declare"))
    await workspace.settle()
    [(_, body)] = slack.calls
    [button] = body["blocks"][1]["elements"]
    await workspace.click(button["action_id"], button["value"])
    assert slack.view()["callback_id"] == "form_declare"


async def test_other_bots_do_not_command_us(workspace: Workspace) -> None:
    await workspace.event(said("<@U0INCBOT001> ack", bot_id="B0OTHER"))
    assert workspace.office.store.tables.incidents[1].acknowledged_by is None


async def test_each_command_is_counted_with_its_door_its_verb_and_how_it_ended(workspace: Workspace) -> None:
    await workspace.type("ack")
    await workspace.type("ack")
    await workspace.type("decalre down")
    await workspace.event(said("<@U0INCBOT001> resolve it is over"))
    await workspace.settle()
    await workspace.click("ack", "1")
    await workspace.click("gone_since", "1")
    await workspace.submit("form_declare", {"title": "x" * 500, "severity": "sev1"})
    assert workspace.ears.of("commanded") == [
        ("slash", "ack", "done"),
        ("slash", "ack", "refused"),
        ("slash", "unknown", "refused"),
        ("mention", "resolve", "done"),
        ("action", "ack", "refused"),
        ("action", "unknown", "refused"),
        ("view", "form_declare", "refused"),
    ]


async def test_late_and_unsaved_commands_are_counted_as_such(workspace: Workspace) -> None:
    workspace.office.store.down = True
    await workspace.type("ack")
    workspace.office.store.down = False
    go = slow_down(workspace)
    await workspace.type("ack")
    go.set()
    await workspace.settle()
    assert workspace.ears.of("commanded") == [("slash", "ack", "failed"), ("slash", "ack", "unconfirmed")]

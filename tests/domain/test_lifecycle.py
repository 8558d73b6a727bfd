"""From declared to closed: what may be done, what follows, what is refused and why."""

import pytest

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.policy import Policy
from bot.domain.severity import Severity, Status
from bot.ports.store import Changes
from tests.domain.room import START, Room


def test_a_declaration_opens_the_channel_drafts_the_public_update_and_calls_the_person_on_call() -> None:
    room = Room().declare(service="checkout")
    assert room.events == ["declared", "public_drafted", "page_requested"]
    assert room.effects == ["open_room", "page_requested", "page_requested"]
    assert room.state.room_name == "inc-1-checkout-is-down"
    assert room.state.draft is not None
    assert room.state.draft.title == "Problem with Checkout"


def test_the_room_is_furnished_in_two_more_levels() -> None:
    room = Room().declare(service="checkout").do(c.RoomOpened("C1", "inc-1-checkout-is-down"), "tocsin")
    assert room.effects == ["post_card", "invite", "show_topic", "post_announcement"]
    room.do(c.MessagePosted("card", "C1", "1.0", room.state.seq), "tocsin")
    assert room.effects == ["pin_card", "bookmark", "post_draft"]
    assert room.last.release == [1]


def test_declarer_owners_invited_and_people_on_call_are_invited_once_each() -> None:
    room = Room().declare(service="checkout").do(c.RoomOpened("C1", "inc-1"), "tocsin")
    invite = next(new.effect for new in room.last.effects if new.effect.kind == "invite")
    assert invite.users == ("U0ANNA", "U0ONE", "U0INVITE", "U0OWNER")


def test_a_private_incident_is_neither_announced_nor_drafted_for_the_public_nor_named() -> None:
    room = Room().declare("The payroll leak", private=True)
    assert "public_drafted" not in room.events
    assert room.state.room_name == "inc-1"
    assert "post_announcement" not in room.do(c.RoomOpened("C1", "inc-1"), "tocsin").effects


def test_nothing_said_declares_a_sev3_marked_assumed() -> None:
    room = Room().declare("", severity=None)
    assert room.state.severity is Severity.SEV3
    assert room.state.severity_assumed
    assert room.state.title == "SEV3 declared by <@U0ANNA>"
    assert room.state.title_assumed


@pytest.mark.parametrize("title", ["x" * 10_000, "🔥" * 300])
def test_a_title_that_is_too_long_is_refused_with_both_numbers(title: str) -> None:
    with pytest.raises(r.TitleTooLong, match=r"the most is 200"):
        Room().declare(title)


def test_a_title_of_only_emoji_is_refused() -> None:
    with pytest.raises(r.TitleUnreadable, match="letter or digit"):
        Room().declare("🔥🔥")


def test_the_same_person_and_title_within_two_minutes_get_the_existing_incident() -> None:
    room = Room().declare().wait(seconds=90).declare()
    assert room.last.answer.kind == "declared_before"
    assert room.last == Changes(room.last.answer)
    room.wait(seconds=60).declare()
    assert room.last.answer.incident == 2


@pytest.mark.parametrize("other", [{"private": True}, {"drill": True}])
def test_a_drill_or_a_secret_of_the_same_title_is_another_incident(other: dict[str, bool]) -> None:
    room = Room().declare().declare(**other)
    assert (room.last.answer.kind, room.last.answer.incident) == ("declared", 2)
    assert room.declare(**other).last.answer.incident == 2


def test_what_was_taken_back_can_be_declared_again_at_once() -> None:
    room = Room().declare().do(c.Cancel("declared by mistake", undone=True)).declare()
    assert (room.last.answer.kind, room.last.answer.incident) == ("declared", 2)


def test_a_repeat_that_comes_after_somebody_gave_it_a_better_title_is_a_repeat() -> None:
    """Whoever saw a time-out types it again; the first try may be carried out last."""
    room = Room().declare().do(c.SetTitle("Checkout is down in Europe")).do(c.SetTitle("Checkout is slow")).declare()
    assert (room.last.answer.kind, room.last.answer.incident) == ("declared_before", 1)
    assert room.declare("Checkout is slow").last.answer.kind == "declared_before"
    assert room.declare("Checkout is down in Europe").last.answer.incident == 2


def test_declared_again_as_worse_it_is_worse_and_declared_again_as_better_it_stays() -> None:
    room = Room().declare(severity=Severity.SEV3).declare(severity=Severity.SEV1)
    assert (room.last.answer.kind, room.last.answer.incident) == ("declared_before", 1)
    assert room.last.answer.fields["severity"] == "sev1"
    assert room.state.severity is Severity.SEV1
    assert "page_requested" in room.events
    room.declare(severity=Severity.SEV4)
    assert room.last == Changes(room.last.answer)
    assert room.state.severity is Severity.SEV1


def test_an_acknowledgement_stops_the_response_timer_and_the_call_for_people() -> None:
    room = Room().declare().wait(minutes=4).do(c.Acknowledge(), "U0BOB")
    assert room.state.acknowledged_by == "U0BOB"
    assert room.last.disarm == [(1, "respond", "acknowledged")]
    assert room.last.cancel == [(1, "response")]
    with pytest.raises(r.AlreadyAcknowledged, match="<@U0BOB>"):
        room.do(c.Acknowledge())


def test_nobody_acknowledging_escalates_level_by_level_until_somebody_does() -> None:
    room = Room().declare().ring("respond")
    assert room.events == ["response_overdue", "page_requested"]
    assert room.effects.count("response_overdue") == 1
    assert room.effects.count("page_requested") == 2, "one direct message each; the channel is told once"
    assert room.state.reached == {"U0ONE": "paged", "U0TWO": "paged"}
    assert (1, "respond") not in room.loaded.timers  # primary and secondary were called: no third level is configured
    room.do(c.Acknowledge(), "U0TWO")
    assert room.state.reached["U0TWO"] == "answered"


def test_waits_between_escalation_levels_come_from_the_policy() -> None:
    policy = Policy.model_validate(
        {"escalations": {"default": {"levels": [
            {"targets": [{"user": "U0A"}], "wait": "5m"}, {"targets": [{"user": "U0B"}], "wait": "7m"},
            {"targets": [{"user": "U0C"}]}]}}}
    )  # fmt: skip
    room = Room(policy).declare().ring("respond")
    assert (room.loaded.timers[1, "respond"] - room.now).total_seconds() == 7 * 60
    room.ring("respond")
    assert room.state.reached["U0C"] == "paged"
    assert (1, "respond") not in room.loaded.timers


def test_a_response_time_of_two_seconds_is_kept_to_the_second() -> None:
    room = Room(Policy.model_validate({"severities": {"sev1": {"respond": "2s"}}})).declare()
    assert (room.loaded.timers[1, "respond"] - START).total_seconds() == 2
    assert room.policy.severities[Severity.SEV1].page, "the other defaults of the level stay"


def test_raising_the_severity_shortens_the_response_timer_and_calls_people() -> None:
    room = Room().declare(severity=Severity.SEV3).wait(minutes=5).do(c.SetSeverity(Severity.SEV1))
    assert (room.loaded.timers[1, "respond"] - room.now).total_seconds() == 15 * 60
    assert "page_requested" in room.events


def test_lowering_the_severity_needs_a_reason() -> None:
    room = Room().declare()
    with pytest.raises(r.ReasonNeeded, match="sev 3 because"):
        room.do(c.SetSeverity(Severity.SEV3))
    assert room.do(c.SetSeverity(Severity.SEV3, "only the staging shop")).state.severity is Severity.SEV3


def test_statuses_move_freely_while_it_is_open() -> None:
    room = Room().declare()
    for status in (Status.MONITORING, Status.INVESTIGATING, Status.IDENTIFIED):
        assert room.do(c.SetStatus(status)).state.status is status
    assert room.state.mitigated_at == START


def test_resolving_ends_the_timers_and_makes_the_postmortem_due() -> None:
    room = Room().declare().furnish().wait(hours=1).do(c.Resolve("rolled back 4f2a"))
    assert room.state.status is Status.RESOLVED
    assert {kind for _, kind in room.loaded.timers} == {"postmortem"}
    assert room.state.resolution == "rolled back 4f2a"


def test_a_drill_owes_no_postmortem() -> None:
    room = Room().declare(drill=True).do(c.Resolve())
    assert room.loaded.timers == {}


def test_resolving_publishes_the_approved_update_and_closes_the_public_story() -> None:
    room = Room().declare(service="checkout").do(c.ApprovePublic()).do(c.PublishPublic())
    room.do(c.DraftPublic("A fix is rolling out.", Status.IDENTIFIED)).do(c.ApprovePublic())
    room.do(c.Resolve("fixed"))
    assert room.events == ["resolved", "public_published", "public_published"]
    assert room.state.published is not None
    assert room.state.published.status is Status.RESOLVED


def test_cancelling_ends_the_public_story_with_fixed_words_and_no_draft() -> None:
    room = Room().declare(service="checkout")
    room.do(c.DraftPublic(title="Orders fail", text="We are investigating.")).do(c.ApprovePublic(), "U0BEN")
    room.do(c.PublishPublic()).do(c.DraftPublic(title="Secret", text="secret")).do(c.ApprovePublic(), "U0BEN")
    room.do(c.Cancel("a test"))
    assert room.events == ["cancelled", "public_published"]
    closing = room.last.events[-1].recorded.event
    assert isinstance(closing, e.PublicPublished)
    assert (closing.title, closing.status, closing.components) == ("Orders fail", Status.RESOLVED, ("Checkout",))
    assert closing.text == "Our report of a problem with Checkout was a false alarm."
    assert closing.version > 2
    assert room.state.status is Status.CANCELLED


def test_cancelling_what_nobody_saw_or_what_was_said_to_be_over_publishes_nothing() -> None:
    for room in (
        Room().declare(service="checkout").do(c.ApprovePublic()),
        Room().declare().do(c.DraftPublic(text="Over.", status=Status.RESOLVED)).do(c.ApprovePublic(), "U0BEN"),
    ):
        if room.state.drafts > 1:
            room.do(c.PublishPublic())
        assert room.do(c.Cancel("a test")).events == ["cancelled"]


def test_merging_ends_the_public_story_of_the_merged_one_without_calling_it_solved() -> None:
    room = Room().declare(service="checkout").do(c.ApprovePublic()).do(c.PublishPublic())
    room.wait(minutes=3).declare("Payments slow").do(c.Merge(into=2))
    [closing] = [new.recorded.event for new in room.last.events if new.recorded.event.type == "public_published"]
    assert isinstance(closing, e.PublicPublished)
    assert "as part of another incident" in closing.text
    assert "INC" not in closing.text


def test_the_closing_words_are_about_what_was_published_not_about_a_later_unapproved_draft() -> None:
    room = Room().declare(service="checkout")
    room.do(c.DraftPublic(title="Orders fail", text="We look.")).do(c.ApprovePublic(), "U0BEN").do(c.PublishPublic())
    room.do(c.DraftPublic(title="Fred broke it", text="He did.")).do(c.Resolve("fixed"))
    closing = room.last.events[-1].recorded.event
    assert isinstance(closing, e.PublicPublished)
    assert (closing.title, closing.text) == ("Orders fail", "The problem with Checkout is resolved.")


def test_resolving_without_an_approval_publishes_nothing() -> None:
    room = Room().declare().do(c.Resolve())
    assert room.events == ["resolved"]
    assert room.state.published is None


def test_what_the_public_never_saw_needs_no_public_end() -> None:
    assert Room().declare().do(c.DiscardPublic()).do(c.Resolve()).events == ["resolved"]


@pytest.mark.parametrize(
    "command",
    [
        c.Acknowledge(),
        c.SetSeverity(Severity.SEV2),
        c.PostUpdate("x"),
        c.AssignRole("lead", "U0X"),
        c.MarkStep(1, "done"),
    ],
)
def test_nothing_is_done_to_a_resolved_incident_before_it_is_reopened(command: c.Command) -> None:
    with pytest.raises(r.AlreadyOver, match="reopen because"):
        Room().declare().do(c.Resolve()).do(command)


def test_reopening_needs_a_reason_and_starts_the_response_again() -> None:
    room = Room().declare().do(c.Acknowledge()).wait(hours=1).do(c.Resolve()).wait(hours=1)
    with pytest.raises(r.ReasonNeeded):
        room.do(c.Reopen(""))
    room.do(c.Reopen("it is back"))
    assert room.state.status is Status.INVESTIGATING
    assert (room.loaded.timers[1, "respond"] - room.now).total_seconds() == 15 * 60


def test_cancelled_is_final() -> None:
    room = Room().declare().do(c.Cancel("a test"))
    for command in (c.Reopen("really"), c.Resolve(), c.Close(), c.Acknowledge()):
        with pytest.raises(r.FinallyCancelled):
            room.do(command)


def test_closing_comes_after_resolving() -> None:
    room = Room().declare()
    with pytest.raises(r.NotOver, match="resolve"):
        room.do(c.Close())
    assert room.do(c.Resolve()).do(c.Close()).state.status is Status.CLOSED


def test_an_incident_is_merged_into_another_open_one_and_ends() -> None:
    room = Room().declare().wait(minutes=3).declare("Payments slow")
    room.do(c.Merge(2))
    assert room.state.status is Status.CANCELLED
    assert room.state.merged_into == 2
    with pytest.raises(r.UnknownIncident, match="INC-9"):
        Room().declare().do(c.Merge(9))


def test_a_stale_timer_decides_to_nothing() -> None:
    room = Room().declare()
    due = room.loaded.timers[1, "respond"]
    assert room.do(c.Acknowledge()).do(c.FireTimer("respond", due), "timer:respond").events == []


def test_an_overdue_update_nags_again_until_one_is_posted() -> None:
    room = Room().declare().do(c.Acknowledge()).ring("update")
    assert room.events == ["update_overdue"]
    room.ring("update")
    assert room.events == ["update_overdue"]
    room.do(c.PostUpdate("restarting the pool"))
    assert (room.loaded.timers[1, "update"] - room.now).total_seconds() == 30 * 60


def test_effects_for_the_channel_wait_until_the_card_stands() -> None:
    room = Room().declare().do(c.PostUpdate("looking"))
    assert [new.held for new in room.last.effects] == [True]
    room.furnish().do(c.PostUpdate("found"))
    assert [new.held for new in room.last.effects if new.effect.kind == "tell"] == [False]


def test_a_card_that_was_posted_while_things_changed_is_brought_up_to_date() -> None:
    room = Room().declare().do(c.RoomOpened("C1", "inc-1"), "tocsin")
    shown = room.state.seq
    room.do(c.Acknowledge()).do(c.MessagePosted("card", "C1", "1.0", shown), "tocsin")
    assert "card" in room.effects

"""decide(state, command, context) → events: the rules. Pure; refuses with words a person can act on."""

from collections.abc import Callable
from typing import Any, Final

from bot.domain import commands as c
from bot.domain.events import Event
from bot.domain.incident import alerting, deliveries, hearing, lifecycle, people, public, silencing, timekeeping, words
from bot.domain.incident.context import Context
from bot.domain.incident.state import Incident

Rule = Callable[[Incident, Any, Context], list[Event]]

RULES: Final[dict[type[c.Command], Rule]] = {
    c.Acknowledge: lifecycle.acknowledge,
    c.SetSeverity: lifecycle.set_severity,
    c.SetStatus: lifecycle.set_status,
    c.SetTitle: lifecycle.set_title,
    c.SetService: lifecycle.set_service,
    c.SetCall: hearing.set_call,
    c.Resolve: lifecycle.resolve,
    c.Reopen: lifecycle.reopen,
    c.Close: lifecycle.close,
    c.Cancel: lifecycle.cancel,
    c.Merge: lifecycle.merge,
    c.Absorb: lifecycle.absorb,
    c.AssignRole: people.assign_role,
    c.OfferHandoff: people.offer_handoff,
    c.AcceptHandoff: people.accept_handoff,
    c.DeclineHandoff: people.decline_handoff,
    c.WithdrawHandoff: people.withdraw_handoff,
    c.Join: people.join,
    c.Enter: people.enter,
    c.Leave: people.leave,
    c.PageSomeone: people.page_someone,
    c.PostUpdate: words.post_update,
    c.AddNote: words.add_note,
    c.AddTask: words.add_task,
    c.CompleteTask: words.complete_task,
    c.AttachRunbook: words.attach_runbook,
    c.MarkStep: words.mark_step,
    c.DraftPublic: public.draft_public,
    c.ApprovePublic: public.approve_public,
    c.PublishPublic: public.publish_public,
    c.DiscardPublic: public.discard_public,
    c.PublicDelivered: public.delivered,
    c.ReportAlerts: alerting.report_alerts,
    c.Attend: alerting.attend,
    c.SilenceAlerts: silencing.silence_alerts,
    c.LiftSilences: silencing.lift_silences,
    c.SilencePlaced: silencing.silence_placed,
    c.SilenceEnded: silencing.silence_ended,
    c.HearSender: hearing.hear,
    c.FireTimer: timekeeping.fire_timer,
    c.Snooze: timekeeping.snooze,
    c.RoomOpened: deliveries.room_opened,
    c.RoomNamed: deliveries.room_named,
    c.MessagePosted: deliveries.message_posted,
    c.PageSent: deliveries.page_sent,
    c.PageEscaped: deliveries.page_escaped,
    c.GiveUp: deliveries.give_up,
    c.RetryDelivery: deliveries.retry_delivery,
}


def decide(state: Incident | None, command: c.Command, context: Context) -> list[Event]:
    """Return what `command` makes happen. Raises Refused, having changed nothing."""
    if isinstance(command, c.Declare):
        return lifecycle.declare(command, context)
    if state is None:
        raise ValueError("only a declaration starts an incident")
    return RULES[type(command)](state, command, context)

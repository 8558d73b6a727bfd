"""What is said in the channel (`templates/slack/tell/`) and to single people (`templates/slack/direct/`).

There is one template for each name that the reactions use."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final

from bot.domain import events as e
from bot.domain.durations import format_duration
from bot.domain.effects import Tell, TellUser
from bot.domain.incident import Incident
from bot.domain.incident.state import Task
from bot.domain.people import is_person
from bot.domain.policy import Role
from bot.domain.sender_news import SENDERS
from bot.domain.severity import Status
from bot.domain.text import cut
from bot.domain.timers import TIMERS
from bot.render.slack import ids, looks, mrkdwn
from bot.render.slack.alert_lines import alert_lines, silence_all_button, why_button
from bot.render.slack.message import (
    Block,
    Element,
    Message,
    Surroundings,
    actions,
    button,
    link_button,
    message,
    sections,
    title,
)
from bot.render.texts import Safe

ALERTS_SHOWN = 5
TASKS_SHOWN = 8
STEPS_SHOWN = 10
STEP_WORDS = 160
"""Characters of a step in a packet: what it is; how it is done stands in the checklist."""


def _over(state: Incident) -> list[Element]:
    watch = button(f"{ids.STATUS}:watch", "Monitoring", f"{state.number}:{Status.MONITORING}")
    resolve = button(ids.RESOLVE, "Resolve", state.number)
    return ([] if state.status is Status.MONITORING else [watch]) + [resolve] if state.is_active else []


def tell(effect: Tell, item: e.Recorded, state: Incident, around: Surroundings) -> Message:
    """Return the message in the incident's channel about `item`. Urgent ones mention whoever must act."""
    call = _call(item.event, state, urgent=effect.urgent)
    text = _words(f"tell/{effect.template}", item, state, around, call=call)
    if effect.template == "alerts_over":
        return _message(text, _over(state))
    if isinstance(item.event, e.AlertsReported):
        return _alerts(text, effect, item, state, around, call)
    return _message(text, _buttons(item.event, state, around))


def _alerts(text: Safe, effect: Tell, item: e.Recorded, state: Incident, around: Surroundings, call: Safe) -> Message:
    """Each alert has its own line, with its pages and its button."""
    head, foot = (
        sections(_words(f"tell/{effect.template}", item, state, around, call=call, show=part))
        for part in ("head", "foot")
    )
    lines = alert_lines(_shown(item.event)[:ALERTS_SHOWN], state, around)
    return message(text, [*head, *lines, *foot, actions(*_buttons(item.event, state, around))])


def told(effect: Tell, item: e.Recorded, state: Incident, around: Surroundings) -> Safe:
    """Return the words of `tell`: one line of several that are told together."""
    return _words(f"tell/{effect.template}", item, state, around, call=Safe(""))


def tell_user(
    effect: TellUser, item: e.Recorded, state: Incident, around: Surroundings, book: e.RunbookAttached | None = None
) -> Message:
    """Return the direct message about `item`. With the packet of a handoff comes what is left of `book`."""
    text = _words(f"direct/{effect.template}", item, state, around, call=Safe(""), book=book)
    buttons: list[Element] = []
    if effect.template == "page_requested":
        buttons.append(button(ids.ACK, "Acknowledge", state.number, "primary"))
        page = link_button(1, "Open the timeline", around.links.incident(state.number))
        buttons += [page] if page else []
    elif effect.template == "handoff_offered" and not _is_stale(item.event, state):
        buttons.append(button(ids.ACCEPT_HANDOFF, "Accept the command", state.number, "primary"))
        buttons.append(button(ids.DECLINE_HANDOFF, "Decline", state.number))
    elif effect.template == "delivery_failed":
        buttons.append(button(ids.RETRY, "Try again", state.number))
    elif effect.template == "task_overdue":
        buttons += _done(item.event, state, around)
    return _message(text, buttons)


def _words(
    template: str,
    item: e.Recorded,
    state: Incident,
    around: Surroundings,
    *,
    call: Safe,
    show: str = "all",
    book: e.RunbookAttached | None = None,
) -> Safe:
    role = around.policy.roles.get(item.event.role) if isinstance(item.event, e.RoleAssigned) else None
    return around.words(
        template,
        at=item.at,
        by=item.actor,
        call=Safe(f"{call} ") if call else call,
        event=item.event,
        facts=_shown(item.event)[:ALERTS_SHOWN],
        facts_left=_left(item.event),
        looks_severity=looks.severity,
        looks_status=looks.status,
        marks=looks.marks(state),
        role=role,
        show=show,
        sender=SENDERS.get(getattr(item.event, "source", ""), ""),
        state=state,
        task=_task(item.event, state),
        title=title(state),
        **_steps_left(book, state),
        **_clock_words(item.event, state, around),
    )


def _message(text: Safe, buttons: Sequence[Element]) -> Message:
    blocks: list[Block] = sections(text)
    if buttons:
        blocks.append(actions(*buttons))
    return message(text, blocks)


def _call(event: e.Event, state: Incident, *, urgent: bool) -> Safe:
    """Mention whom an urgent message is for: those it names, else the lead, else whoever was called so far.

    Where nobody has answered, the lead and everybody called.
    """
    if not urgent:
        return Safe("")
    if isinstance(event, e.PageRequested):
        groups = [mrkdwn.usergroup(group) for group in event.usergroups]
        return Safe(" ".join([*(mrkdwn.user(u) for u in event.users if is_person(u)), *groups]))
    called = [u for u in state.reached if is_person(u)]
    everybody = isinstance(event, e.ResponseOverdue)
    people: Iterable[str] = [*([state.lead] if state.lead else []), *(called if everybody or not state.lead else [])]
    return Safe(" ".join(mrkdwn.user(person) for person in dict.fromkeys(people)))


def _shown(event: e.Event) -> list[e.AlertFact]:
    """New alerts first."""
    if not isinstance(event, e.AlertsReported):
        return []
    return sorted(event.facts, key=lambda fact: fact.status != "firing")


def _left(event: e.Event) -> int:
    """How many alerts of the delivery are not named."""
    if not isinstance(event, e.AlertsReported):
        return 0
    named = min(len(event.facts), ALERTS_SHOWN)
    return max(max(event.opened + event.closed, len(event.facts)) - named, 0)


def _clock_words(event: e.Event, state: Incident, around: Surroundings) -> dict[str, object]:
    """What the templates about timers need beside the event."""
    match event:
        case e.RoleUnfilled():
            take = "/incident lead me" if "lead" in event.roles else f"/incident role {event.roles[0]} me"
            return {"missing": [around.policy.roles.get(r, Role(title=r)) for r in event.roles], "take": take}
        case e.HandoffOffered():
            clocks = ((t.title, getattr(state, t.field)) for t in TIMERS.values())
            return {"clocks": sorted((due, name) for name, due in clocks if due), "open_tasks": _open_tasks(state)}
        case e.WentStale():
            return {"idle": format_duration(timedelta(seconds=event.idle))}
        case e.TaskOverdue():
            return {"owner": next((t.owner for t in state.tasks if t.number == event.number), None)}
        case e.TimerSnoozed():
            return {"timer": TIMERS[event.timer].title if event.timer in TIMERS else event.timer}
        case _:
            return {}


def _steps_left(book: e.RunbookAttached | None, state: Incident) -> dict[str, object]:
    """The steps of the runbook that nobody has marked, and those that failed, by their words."""
    marked = state.runbook.outcomes if state.runbook else {}
    steps = [(step, marked.get(step.number)) for step in (book.steps if book else ())]
    left = [
        {"number": step.number, "text": cut(step.text, STEP_WORDS), "failed": outcome == "failed"}
        for step, outcome in steps
        if outcome in (None, "failed")
    ]
    return {"steps": left[:STEPS_SHOWN], "steps_left": max(len(left) - STEPS_SHOWN, 0)}


def _open_tasks(state: Incident) -> list[Task]:
    return [task for task in state.tasks if not task.done][:TASKS_SHOWN]


def _task(event: e.Event, state: Incident) -> str:
    """The words of the action item that was completed, or is overdue."""
    if not isinstance(event, e.TaskDone | e.TaskOverdue):
        return ""
    return next((task.text for task in state.tasks if task.number == event.number), "")


def _buttons(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    make = _BUTTONS.get(type(event))
    return make(event, state, around) if make and not _is_stale(event, state) else []


def _is_stale(event: e.Event, state: Incident) -> bool:
    """True if what the button asks for has happened since: it is told late, after an outage for instance."""
    if isinstance(event, e.HandoffOffered):
        return state.handoff is None or state.handoff.user != event.user
    if isinstance(event, e.RoleUnfilled):
        return all(role in state.roles for role in event.roles) or not state.is_active
    if isinstance(event, e.PageRequested):
        return not state.needs("") and not any(state.waits_for(user) for user in event.users)
    if isinstance(event, e.ResponseOverdue):
        return not state.needs("")
    return False


def _offer(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    accept = button(ids.ACCEPT_HANDOFF, "Accept", state.number, "primary")
    return [accept, button(ids.DECLINE_HANDOFF, "Decline", state.number)]


def _acknowledge(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    return [button(ids.ACK, "Acknowledge", state.number, "primary")]


def _update(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    later = button(ids.SNOOZE, "In 15 minutes", f"{state.number}:update:15m")
    return [button(ids.UPDATE, "Update", state.number, "primary"), later]


def _stale(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    say = [button(ids.UPDATE, "Update", state.number, "primary"), button(ids.RESOLVE, "Resolve", state.number)]
    return [*say, *_later(event, state, "stale", "1d", "Ask tomorrow")]


def _relief(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    over = button(f"{ids.OPEN}:handoff", "Hand over", state.number, "primary")
    return [over, *_later(event, state, "relief", "1h", "In an hour")]


def _done(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    """The action item is done; unless it has been for a while."""
    if not isinstance(event, e.TaskOverdue) or any(t.number == event.number and t.done for t in state.tasks):
        return []
    return [button(ids.TASK_DONE, "Done", f"{state.number}:{event.number}", "primary")]


def _later(event: e.Event, state: Incident, timer: str, span: str, label: str) -> list[Element]:
    """A reminder that comes again can come later."""
    comes_again = getattr(event, "next_at", None) is not None
    return [button(ids.SNOOZE, label, f"{state.number}:{timer}:{span}")] if comes_again else []


def _take(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    if not isinstance(event, e.RoleUnfilled):
        return []
    if "lead" not in event.roles:
        return [button(f"{ids.OPEN}:role", "Give it to somebody", state.number, "primary")]
    return [button(ids.TAKE_LEAD, "I take command", state.number, "primary")]


def _postmortem(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    return [button(ids.POSTMORTEM, "Postmortem", state.number, "primary")]


def _overdue(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    return [*_postmortem(event, state, around), *_later(event, state, "postmortem", "1d", "Tomorrow")]


def _sources(event: e.Event, state: Incident, around: Surroundings) -> list[Element]:
    """Each alert's own pages and silence stand beside it."""
    made = [why_button(state)]
    if state.runbook and (page := link_button(1, "Runbook", around.links.runbook(state.runbook.name))):
        made.append(page)
    if len(_shown(event)) > 1 and (silence := silence_all_button(_shown(event), state, around)):
        made.append(silence)
    return made


_Make = Callable[[e.Event, Incident, Surroundings], list[Element]]
_BUTTONS: Final[dict[type[e.Event], _Make]] = {
    e.AlertsReported: _sources,
    e.HandoffOffered: _offer,
    e.PageRequested: _acknowledge,
    e.PostmortemOverdue: _overdue,
    e.ReliefDue: _relief,
    e.Resolved: _postmortem,
    e.ResponseOverdue: _acknowledge,
    e.RoleUnfilled: _take,
    e.TaskOverdue: _done,
    e.UpdateOverdue: _update,
    e.WentStale: _stale,
}

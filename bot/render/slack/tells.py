"""What is said in the channel (`templates/slack/tell/`) and to single people (`templates/slack/direct/`).

There is one template for each name that the reactions use."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from slack_sdk.models.blocks import Block
from slack_sdk.models.blocks.block_elements import InteractiveElement

from bot.domain import events as e
from bot.domain.effects import Tell, TellUser
from bot.domain.incident import Incident
from bot.domain.people import is_person
from bot.render.slack import ids, looks, mrkdwn
from bot.render.slack.message import (
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


def tell(effect: Tell, item: e.Recorded, state: Incident, around: Surroundings) -> Message:
    """Return the message in the incident's channel about `item`. Urgent ones mention whoever must act."""
    text = _words(f"tell/{effect.template}", item, state, around, call=_call(item.event, state, urgent=effect.urgent))
    return _message(text, _buttons(item.event, state, around))


def tell_user(effect: TellUser, item: e.Recorded, state: Incident, around: Surroundings) -> Message:
    """Return the direct message about `item`."""
    text = _words(f"direct/{effect.template}", item, state, around, call=Safe(""))
    buttons: list[InteractiveElement] = []
    if effect.template == "page_requested":
        buttons.append(button(ids.ACK, "Acknowledge", state.number, "primary"))
        page = link_button(1, "Open the timeline", around.links.incident(state.number))
        buttons += [page] if page else []
    elif effect.template == "delivery_failed":
        buttons.append(button(ids.RETRY, "Retry", state.number))
    return _message(text, buttons)


def _words(template: str, item: e.Recorded, state: Incident, around: Surroundings, *, call: Safe) -> Safe:
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
        state=state,
        task=_task(item.event, state),
        title=title(state),
    )


def _message(text: Safe, buttons: Sequence[InteractiveElement]) -> Message:
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


def _task(event: e.Event, state: Incident) -> str:
    """The words of the action item that was completed."""
    if not isinstance(event, e.TaskDone):
        return ""
    return next((task.text for task in state.tasks if task.number == event.number), "")


def _buttons(event: e.Event, state: Incident, around: Surroundings) -> list[InteractiveElement]:
    make = _BUTTONS.get(type(event))
    return make(event, state, around) if make and not _is_stale(event, state) else []


def _is_stale(event: e.Event, state: Incident) -> bool:
    """True if what the button asks for has happened since: it is told late, after an outage for instance."""
    if isinstance(event, e.HandoffOffered):
        return state.handoff is None or state.handoff.user != event.user
    if isinstance(event, e.PageRequested | e.ResponseOverdue):
        return state.acknowledged_at is not None or not state.is_active
    return False


def _offer(event: e.Event, state: Incident, around: Surroundings) -> list[InteractiveElement]:
    return [button(ids.ACCEPT_HANDOFF, "Accept", state.number, "primary")]


def _acknowledge(event: e.Event, state: Incident, around: Surroundings) -> list[InteractiveElement]:
    return [button(ids.ACK, "Acknowledge", state.number, "primary")]


def _update(event: e.Event, state: Incident, around: Surroundings) -> list[InteractiveElement]:
    return [button(ids.UPDATE, "Update", state.number, "primary")]


def _postmortem(event: e.Event, state: Incident, around: Surroundings) -> list[InteractiveElement]:
    return [button(ids.POSTMORTEM, "Postmortem", state.number, "primary")]


def _sources(event: e.Event, state: Incident, around: Surroundings) -> list[InteractiveElement]:
    url = next((fact.url for fact in _shown(event) if fact.url), "")
    made = [link_button(1, "Source", url)]
    if state.runbook:
        made.append(link_button(2, "Runbook", around.links.runbook(state.runbook.name)))
    return [found for found in made if found]


_Make = Callable[[e.Event, Incident, Surroundings], list[InteractiveElement]]
_BUTTONS: Final[dict[type[e.Event], _Make]] = {
    e.AlertsReported: _sources,
    e.HandoffOffered: _offer,
    e.PageRequested: _acknowledge,
    e.PostmortemOverdue: _postmortem,
    e.Resolved: _postmortem,
    e.ResponseOverdue: _acknowledge,
    e.UpdateOverdue: _update,
}

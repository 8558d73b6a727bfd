"""The incident card: the pinned message from which an incident is run. The most important comes first."""

from collections.abc import Iterator

from bot.domain.incident import Incident
from bot.domain.people import is_person
from bot.domain.severity import Severity, Status
from bot.render.slack import ids, looks
from bot.render.slack.alert_lines import why_button
from bot.render.slack.message import (
    Block,
    Element,
    Message,
    Surroundings,
    actions,
    button,
    context,
    fields,
    header,
    message,
    people,
    plain_title,
    question,
    section,
    select,
    title,
)
from bot.render.texts import Safe

LABELS_SHOWN = 8
TASKS_SHOWN = 8
_STATUS_CHOICE = (Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING, Status.RESOLVED)
_FACTS = ("status", "lead", "response", "next_update", "service", "declared", "resolved", "call", "roles")
_STORY = (
    "resolution",
    "why",
    "description",
    "last_update",
    "alerts",
    "silenced",
    "called",
    "runbook",
    "tasks",
    "public",
)


def card(state: Incident, around: Surroundings) -> Message:
    """Return the card. It says nothing that turns false by the mere passing of time."""
    open_tasks = [task for task in state.tasks if not task.done]
    parts = around.parts(
        "card",
        state=state,
        title=title(state),
        status=looks.status(state.status),
        promise=around.policy.severities[state.severity],
        labels=list(state.labels.items())[:LABELS_SHOWN],
        labels_left=max(len(state.labels) - LABELS_SHOWN, 0),
        tasks=open_tasks[:TASKS_SHOWN],
        tasks_left=max(len(open_tasks) - TASKS_SHOWN, 0),
        tasks_done=len(state.tasks) - len(open_tasks),
        silenced=[one for one in state.silences.values() if one.remote and not one.ending],
        is_person=is_person,
        roles={n: u for n, u in state.roles.items() if n != "lead"},
        role_titles={name: role.title for name, role in around.policy.roles.items()},
    )
    head = f"{looks.marks(state)}{looks.severity(state.severity)} · {plain_title(state)}"
    blocks = list(_blocks(state, head, parts, around))
    notice = f"{looks.marks(state)}{looks.severity(state.severity)} · {state.status} · {state.key} {title(state)}"
    return message(notice, blocks)


def _blocks(state: Incident, head: str, parts: dict[str, Safe], around: Surroundings) -> Iterator[Block]:
    yield header(head)
    if state.title_assumed and state.status is not Status.CANCELLED:
        yield section(parts["no_title"], button(ids.TITLE, "Set title", state.number, "primary"))
    yield fields(parts[name] for name in _FACTS if name in parts)
    if state.is_active:
        yield from _controls(state)
    else:
        yield from _afterwards(state)
    for name in _STORY:
        if name in parts:
            yield section(parts[name])
    if "failed" in parts:
        yield section(parts["failed"], button(ids.RETRY, "Try again", state.number))
    yield context(parts["foot"])


def _controls(state: Incident) -> Iterator[Block]:
    """What waits for somebody stands first, while it waits; then what steers, then what is written and done."""
    number = state.number
    waiting: list[Element] = []
    if state.acknowledged_at is None:
        waiting.append(button(ids.ACK, "Acknowledge", number, "primary"))
    if state.lead is None:
        waiting.append(button(ids.TAKE_LEAD, "Take command", number))
    if waiting:
        yield actions(*waiting, block_id=f"first:{number}")
    severities = {f"{number}:{s.value}": looks.severity(s) for s in Severity}
    statuses = {f"{number}:{s.value}": looks.status(s) for s in _STATUS_CHOICE}
    yield actions(
        select(ids.SEVERITY, "Severity", severities, f"{number}:{state.severity.value}"),
        select(ids.STATUS, "Status", statuses, f"{number}:{state.status.value}"),
        people(ids.LEAD, "Lead", state.lead if state.lead and is_person(state.lead) else None),
        block_id=f"{ids.LEAD}:{number}",
    )
    yield actions(
        button(ids.UPDATE, "Update", number),
        button(ids.RUNBOOK, "Runbook", number),
        *([] if state.private else [button(ids.PUBLIC, "Public update", number)]),
        why_button(state),
        button(ids.RESOLVE, "Resolve", number, "danger"),
        button(ids.MORE, "More…", number),
        block_id=f"work:{number}",
    )


def _afterwards(state: Incident) -> Iterator[Block]:
    if state.status is Status.CANCELLED:
        return
    number = state.number
    sure = question("Close it?", f"{state.key} is resolved, and so is what it left: the postmortem too.", "Close it")
    yield actions(
        button(ids.POSTMORTEM, "Postmortem", number, "primary"),
        *([button(ids.CLOSE, "Close", number, asks=sure)] if state.status is Status.RESOLVED else []),
        button(f"{ids.OPEN}:reopen", "Reopen", number),
        button(ids.MORE, "More…", number),
        block_id=f"after:{number}",
    )

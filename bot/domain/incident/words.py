"""Rules about what people write: updates, notes, action items, runbook steps."""

from collections.abc import Mapping

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.incident.context import Context, must_be_active, must_be_around, read_text
from bot.domain.incident.repeats import once
from bot.domain.incident.state import Incident
from bot.domain.runbooks import Runbook, fill_steps
from bot.domain.severity import Status

TASKS_MAX = 50


def post_update(state: Incident, command: c.PostUpdate, ctx: Context) -> list[e.Event]:
    """An internal update; it sets when the next one is owed."""
    must_be_active(state)
    text = read_text(command.text, "update We are restarting the pool. next 30m")
    update = e.UpdatePosted(text=text, update_by=ctx.update_by(state.severity, command.next_in))
    return once(state, update, ctx.actor, ctx.now)


def add_note(state: Incident, command: c.AddNote, ctx: Context) -> list[e.Event]:
    """A timeline entry. Allowed at any time, also long afterwards."""
    text = read_text(command.text, "note 14:32 the deploy began")
    if command.at is not None and command.at > ctx.now:
        raise r.BadArgument(what="A note cannot lie in the future", usage="note 14:32 the deploy began")
    return once(state, e.NoteAdded(text=text, happened_at=command.at, link=command.link), ctx.actor, ctx.now)


def add_task(state: Incident, command: c.AddTask, ctx: Context) -> list[e.Event]:
    """An action item, numbered within the incident. A cancelled one owes nothing, so nobody would be reminded."""
    if state.status is Status.CANCELLED:
        raise r.FinallyCancelled(key=state.key)
    text = read_text(command.text, "task Add a replica lag alert @anna due 3d", limit=1000)
    if len(state.tasks) >= TASKS_MAX:
        raise r.BadArgument(
            what=f"{state.key} already has {TASKS_MAX} action items; use a tracker for more", usage="task …"
        )
    if command.owner:
        must_be_around(command.owner, ctx)
    due = ctx.now + command.due_in if command.due_in else command.due
    if due and due <= ctx.now:
        raise r.BadArgument(what="It would be due already", usage="task Add a replica lag alert @anna due 3d")
    task = e.TaskAdded(number=len(state.tasks) + 1, text=text, owner=command.owner, due=due)
    return once(state, task, ctx.actor, ctx.now)


def complete_task(state: Incident, command: c.CompleteTask, ctx: Context) -> list[e.Event]:
    """An action item is done."""
    task = next((t for t in state.tasks if t.number == command.number), None)
    if task is None:
        raise r.UnknownTask(key=state.key, word=command.number)
    if task.done:
        raise r.NothingChanged(what=f"Action item {command.number} is done")
    return [e.TaskDone(number=command.number)]


def runbook_event(
    runbook: Runbook,
    number: int,
    title: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    reason: str,
    *,
    by_hand: bool = False,
) -> e.RunbookAttached:
    """Return the fact that `runbook`, filled in, is in use."""
    steps = fill_steps(runbook, labels, annotations, {"number": number, "key": f"INC-{number}", "title": title})
    return e.RunbookAttached(
        name=runbook.name,
        title=runbook.title,
        digest=runbook.digest,
        reason=reason,
        escalation=runbook.escalation,
        by_hand=by_hand,
        steps=steps,
        count=len(steps),
    )


def attach_runbook(state: Incident, command: c.AttachRunbook, ctx: Context) -> list[e.Event]:
    """Use another runbook. What was ticked in the old one stays on the timeline."""
    must_be_active(state)
    if state.runbook and state.runbook.name == command.runbook.name:
        raise r.NothingChanged(what=f"{state.key} uses {command.runbook.title}")
    made = runbook_event(
        command.runbook, state.number, state.title, state.labels, {}, command.reason, by_hand=command.by_hand
    )
    return [made]


def mark_step(state: Incident, command: c.MarkStep, ctx: Context) -> list[e.Event]:
    """Tick a step of the runbook (done, skipped, failed), or open it again."""
    must_be_active(state)
    if state.runbook is None:
        raise r.NoRunbook(key=state.key)
    if not 1 <= command.number <= state.runbook.count:
        raise r.UnknownStep(last=state.runbook.count, word=command.number)
    now = state.runbook.outcomes.get(command.number, "open")
    if now == command.outcome:
        raise r.NothingChanged(what=f"Step {command.number} is {now}")
    note = read_text(command.note, "", optional=True, limit=1000)
    return [e.StepMarked(number=command.number, outcome=command.outcome, note=note)]

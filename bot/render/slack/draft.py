"""The public update that waits in the channel: its exact words, and what may be done with it."""

from bot.domain.incident import Incident
from bot.domain.incident.state import Draft
from bot.domain.severity import Status
from bot.render.slack import ids, looks, mrkdwn
from bot.render.slack.message import Block, Message, Surroundings, actions, button, context, message, section, sections


def draft(state: Incident, around: Surroundings) -> Message:
    """Return the draft with the buttons its stage allows; without a draft, what became of the last one."""
    waiting = state.draft
    parts = around.parts(
        "draft",
        state=state,
        draft=waiting,
        public_status=looks.status(waiting.status) if waiting else "",
        second_person=state.severity in around.policy.statuspage.approval.second_person,
        was_published=state.published is not None and state.published.version >= state.drafts,
    )
    blocks: list[Block] = [section(parts["head"])]
    if waiting:
        blocks += sections(mrkdwn.quoted(waiting.text))
        blocks.append(context(parts["about"]))
        if state.status is not Status.CANCELLED:
            blocks.append(_buttons(state, waiting))
    return message(parts["head"], blocks)


def _buttons(state: Incident, waiting: Draft) -> Block:
    number = state.number
    go = (
        button(ids.DRAFT_PUBLISH, "Publish", number, "primary")
        if waiting.approved_by
        else button(ids.DRAFT_APPROVE, "Approve", f"{number}:{waiting.version}", "primary")
    )
    return actions(
        go,
        button(ids.DRAFT_EDIT, "Edit", number),
        button(ids.DRAFT_DISCARD, "Discard", number, "danger"),
        block_id=f"draft:{number}:{waiting.version}",
    )

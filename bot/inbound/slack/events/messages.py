"""Messages, their edits and deletions: https://docs.slack.dev/reference/events/message"""

from collections.abc import Mapping
from typing import Any, Final

from bot.domain.record import Observation
from bot.domain.text import clean, clean_line
from bot.domain.verbs.reading import tidy
from bot.inbound.slack.counter import Body, Counter
from bot.inbound.slack.events.recording import record
from bot.inbound.slack.origins import author, is_ours, moment

WRITTEN: Final = frozenset({None, "file_share", "thread_broadcast", "me_message", "bot_message"})
"""Subtypes that somebody wrote. Joins come as events of their own; topic changes are Slack's echo of others."""


MESSAGE_MAX: Final = 40_000
"""Characters; Slack cuts longer ones: https://docs.slack.dev/reference/methods/chat.postMessage"""


async def message(counter: Counter, body: Body) -> None:
    """Record what was written, edited or deleted."""
    event = body["event"]
    match event.get("subtype"):
        case "message_changed":
            await _changed(counter, body, event)
        case "message_deleted":
            before = event.get("previous_message") or {}
            ts = str(event.get("deleted_ts") or before.get("ts") or "")
            await _deleted(counter, body, event, before, ts)
        case subtype if subtype in WRITTEN:
            await _written(counter, body, event)


async def _written(counter: Counter, body: Body, event: Mapping[str, Any]) -> None:
    if not is_ours(body, event):
        seen = written(event, str(event.get("channel", "")))
        await record(counter, moment(seen.ts), author(event), seen)


def written(event: Mapping[str, Any], channel: str, *, recovered: bool = False) -> Observation:
    """Return what a message says. `recovered`: it was not told us, we looked it up later."""
    ts, thread = str(event.get("ts", "")), str(event.get("thread_ts") or "")
    files = event.get("files") or ()
    return Observation(
        kind="message",
        key=f"{channel}:{ts}",
        channel=channel,
        ts=ts,
        thread_ts="" if thread == ts else thread,
        user=author(event),
        text=_words(event),
        files=tuple(
            clean_line(str(file.get("name") or file.get("id") or "file")) for file in files if isinstance(file, Mapping)
        ),
        recovered=recovered,
    )


async def _changed(counter: Counter, body: Body, event: Mapping[str, Any]) -> None:
    """An edit by a person. Unfurls and reply counts change a message too, but nobody wrote anything."""
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    ts = str(now.get("ts") or "")
    if now.get("subtype") == "tombstone":  # a deleted message that has replies
        await _deleted(counter, body, event, before, ts)
        return
    edited = now.get("edited")
    if is_ours(body, now) or not isinstance(edited, Mapping) or now.get("text") == before.get("text"):
        return
    channel, edit = str(event.get("channel", "")), str(edited.get("ts") or event.get("event_ts") or "")
    seen = rewritten(now, channel, edit)
    await record(counter, moment(edit) or moment(event.get("event_ts")), author(now), seen)


def rewritten(message: Mapping[str, Any], channel: str, edit: str, *, recovered: bool = False) -> Observation:
    """Return what a message says since its edit at `edit` (a Slack timestamp)."""
    ts = str(message.get("ts") or "")
    return Observation(
        kind="edited",
        key=f"{channel}:{ts}:edited:{edit}",
        channel=channel,
        ts=ts,
        user=author(message),
        text=_words(message),
        recovered=recovered,
    )


async def _deleted(counter: Counter, body: Body, event: Mapping[str, Any], before: Mapping[str, Any], ts: str) -> None:
    """Slack does not say who deleted it; it is booked to its author. The words are not taken along."""
    if is_ours(body, before):
        return
    channel = str(event.get("channel", ""))
    seen = Observation(kind="deleted", key=f"{channel}:{ts}:deleted", channel=channel, ts=ts, user=author(before))
    await record(counter, moment(event.get("event_ts") or event.get("ts")), author(before), seen)


def _words(said: Mapping[str, Any]) -> str:
    return clean(tidy(str(said.get("text") or ""), escaped=True), MESSAGE_MAX)

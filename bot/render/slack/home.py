"""App Home: what waits for this person, their incidents, the other open ones, who is on call.

Shape: https://docs.slack.dev/surfaces/app-home. A view holds 100 blocks, so each part shows its first few.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bot.domain.severity import Severity, Status
from bot.render.slack import ids, legal, looks, mrkdwn
from bot.render.slack.answers import moment
from bot.render.slack.message import (
    Block,
    Element,
    Surroundings,
    actions,
    button,
    context,
    header,
    link_button,
    section,
)
from bot.render.slack.replies import rota
from bot.render.slack.windows import View

Data = Mapping[str, Any]
ChannelLink = Callable[[str], str]

OWED_SHOWN: Final = 10
MINE_SHOWN: Final = 10
OPEN_SHOWN: Final = 20
SHIFTS_SHOWN: Final = 15
DRAFT_SHOWN: Final = 1000
"""Characters of a public update that waits for approval."""

_WORDS: Final = {
    "at": lambda value: mrkdwn.date(moment(value)),
    "looks_severity": lambda value: looks.severity(Severity(value)),
    "looks_status": lambda value: looks.status(Status(value)),
}
"""The data is that of `--json`: times, severities and statuses come as text."""


def home(data: Data, around: Surroundings, now: datetime, channel_link: ChannelLink) -> View:
    """Return the view for `data` (of `usecases/home.py`). `channel_link` gives a channel's address, or nothing."""
    view: View = {"type": "home", "blocks": list(_blocks(data, around, now, channel_link))}
    legal.check(view)
    return view


def _blocks(data: Data, around: Surroundings, now: datetime, channel_link: ChannelLink) -> Iterator[Block]:
    counts = {name: len(data[name]) for name in ("owed", "mine", "open")}
    yield section(around.words("home/head", **counts))
    yield actions(
        button(ids.DECLARE, "Declare an incident", ids.NO_TITLE, "danger"),
        button(f"{ids.ASK}:oncall", "Who is on call", "oncall"),
        button(f"{ids.ASK}:help", "All commands", "help"),
        block_id="home",
    )
    if failed := data["undelivered"]:
        text = around.words("home/undelivered", failed=failed)
        yield section(text, button(f"{ids.ASK}:undelivered", "Show why", "undelivered"))
    yield from _owed(data["owed"], around, now)
    yield from _mine(data["mine"], around, channel_link)
    yield from _open(data["open"], around, channel_link)
    if data["oncall"]:
        shifts = data["oncall"]
        yield header("On call")
        left = max(len(shifts) - SHIFTS_SHOWN, 0)
        yield section(around.words("home/oncall", shifts=shifts[:SHIFTS_SHOWN], left=left, **_WORDS))
        yield actions(*rota(), block_id="rota")
    yield context(f"As of {mrkdwn.date(now)}. It follows by itself for an hour; open it again to go on.")


def _more(found: Sequence[Data], shown: int) -> Iterator[Block]:
    if len(found) > shown:
        yield context(f"…and {len(found) - shown} more: `/incident list`")


# --- what waits for this person ---------------------------------------------------------------------------
def _owed(owed: Sequence[Data], around: Surroundings, now: datetime) -> Iterator[Block]:
    if not owed:
        return
    yield header("You owe")
    for n, one in enumerate(owed[:OWED_SHOWN]):
        late = bool(one["due"]) and moment(one["due"]) <= now
        text = around.words("home/owed", one=one, late=late, most=DRAFT_SHOWN, **_WORDS)
        if one["kind"] == "handoff":
            decline = button(f"{ids.DECLINE_HANDOFF}:{n}", "Decline", one["number"])
            yield from (section(text), actions(_answer(one, n), decline, block_id=f"owed:{n}"))
        else:
            yield section(text, _answer(one, n))
    yield from _more(owed, OWED_SHOWN)


def _answer(one: Data, n: int) -> Element:
    """Return the button with which it is owed no more."""
    number = one["number"]
    match one["kind"]:
        case "page":
            return button(f"{ids.ACK}:{n}", "Acknowledge", number, "primary")
        case "handoff":
            return button(f"{ids.ACCEPT_HANDOFF}:{n}", "Accept the command", number, "primary")
        case "approval" if len(one["text"]) <= DRAFT_SHOWN:
            return button(f"{ids.DRAFT_APPROVE}:{n}", "Approve", f"{number}:{one['version']}", "primary")
        case "approval":  # nobody approves what they have not read
            return button(f"{ids.DRAFT_EDIT}:{n}", "Read it", number)
        case "update":
            return button(f"{ids.UPDATE}:{n}", "Update", number, "primary")
        case "postmortem":
            return button(f"{ids.POSTMORTEM}:{n}", "Postmortem", number)
        case _:
            return button(f"{ids.TASK_DONE}:{n}", "Done", f"{number}:{one['task']}")


# --- incidents --------------------------------------------------------------------------------------------
def _mine(mine: Sequence[Data], around: Surroundings, channel_link: ChannelLink) -> Iterator[Block]:
    if not mine:
        return
    yield header("Your incidents")
    for one in mine[:MINE_SHOWN]:
        number = one["number"]
        yield section(_line(one, around))
        first = [] if one["acknowledged_at"] else [button(ids.ACK, "Acknowledge", number, "primary")]
        way = _way_in(one, channel_link)
        yield actions(
            *first,
            *([way] if way else []),
            button(ids.UPDATE, "Update", number),
            button(f"{ids.ASK}:catchup", "Catch up", f"catchup {one['key']}"),
            block_id=f"home:{number}",
        )
    yield from _more(mine, MINE_SHOWN)


def _open(opened: Sequence[Data], around: Surroundings, channel_link: ChannelLink) -> Iterator[Block]:
    if not opened:
        return
    yield header("Other open incidents")
    for one in opened[:OPEN_SHOWN]:
        yield section(_line(one, around), _way_in(one, channel_link))
    yield from _more(opened, OPEN_SHOWN)


def _line(one: Data, around: Surroundings) -> str:
    return around.words("home/incident", one=one, **_WORDS)


def _way_in(one: Data, channel_link: ChannelLink) -> Element | None:
    """Who is in the channel opens it; everybody else joins first."""
    if not one["here"]:
        return button(f"{ids.JOIN}:{one['number']}", "Join", one["number"])
    return link_button(one["number"], "Open channel", channel_link(one["channel"])) if one["channel"] else None

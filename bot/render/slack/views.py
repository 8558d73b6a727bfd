"""The forms (modals): declare, update, resolve, public update, runbook, severity, title.

Shape: https://docs.slack.dev/reference/views/modal-views/. Each input's block_id names its field; its action_id is `v`.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from bot.domain.durations import format_duration
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.severity import ACTIVE, Severity, Status
from bot.domain.text import TITLE_MAX
from bot.render.slack import ids, legal, limits, looks, message, mrkdwn, windows
from bot.render.slack.message import Block, Element, menu, option, plain, prompt
from bot.render.slack.windows import View

VALUE: Final = "v"
"""The action id of every input."""
PROMISES: Final = ("15m", "30m", "1h", "2h", "4h", "1d")
"""What the update form offers as time until the next update."""


def metadata(
    number: int | None, response_url: str = "", channel: str = "", *, warned: bool = False, place: str = ""
) -> str:
    """Return what a form must remember until it is submitted; `place` is the message that it is about."""
    kept = {"incident": number, "response_url": response_url, "channel": channel, "warned": warned, "place": place}
    return json.dumps({key: value for key, value in kept.items() if value})


def form(callback_id: str, title: str, submit: str, blocks: Sequence[Block], remembered: str) -> View:
    """Return a modal with inputs, checked."""
    view: View = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, limits.VIEW_TITLE),
        "submit": plain(submit, limits.VIEW_BUTTON),
        "close": plain("Cancel", limits.VIEW_BUTTON),
        "blocks": list(blocks),
        "private_metadata": remembered,
    }
    legal.check(view)
    return view


def input_of(name: str, label: str, element: Element, *, hint: str = "", optional: bool = False) -> Block:
    """Return one field, called `name` when it comes back."""
    block: Block = {"type": "input", "block_id": name, "label": plain(label, limits.LABEL_TEXT), "element": element}
    if hint:
        block["hint"] = plain(hint, limits.LABEL_TEXT)
    return block | {"optional": optional}


def text_of(placeholder: str, *, initial: str = "", lines: bool = False, most: int = limits.INPUT_LENGTH) -> Element:
    """Return a field to write in."""
    made: Element = {"type": "plain_text_input", "action_id": VALUE, "placeholder": prompt(placeholder)}
    if initial:
        made["initial_value"] = initial[:most]
    return made | {"multiline": lines, "max_length": most}


def select_of(placeholder: str, options: Sequence[dict[str, Any]], chosen: str | None = None) -> Element:
    """Return a field to choose in."""
    return menu(VALUE, placeholder, options, chosen)


def _boxes(options: Sequence[dict[str, Any]], ticked: Sequence[dict[str, Any]] = ()) -> Element:
    made: Element = {"type": "checkboxes", "action_id": VALUE, "options": list(options)}
    return made | {"initial_options": list(ticked)} if ticked else made


# --- declare ----------------------------------------------------------------------------------------------
def declare_form(
    policy: Policy,
    remembered: str = "",
    title: str = "",
    *,
    same: Sequence[Mapping[str, Any]] = (),
    filled: Mapping[str, str | list[str]] = {},
) -> View:
    """Return the form that opens an incident; with open ones that look the `same`, it offers those first.

    `filled` is what was filled in before it came back.
    """
    levels = [_level(level, policy) for level in Severity]

    def said(name: str) -> str:
        return str(filled.get(name) or "")

    special = [
        option("private", "Private", "Only those invited see it; nothing is announced or published"),
        option("drill", "Drill", "Practice: no postmortem is due, no figures count it"),
    ]
    ticked = [one for one in special if one["value"] in (filled.get("options") or ())]
    blocks: list[Block] = [
        *_lookalikes(same),
        input_of(
            "title",
            "What is wrong?",
            text_of("Checkout is down", initial=title or said("title"), most=TITLE_MAX),
            optional=True,
        ),
        input_of(
            "severity",
            "How bad is it?",
            select_of("Choose a severity", levels, said("severity") or Severity.SEV3.value),
            hint="When in doubt, the worse one: lowering it later is one click and a reason.",
        ),
        service_input(policy, said("service")),
        input_of(
            "description",
            "What do you see?",
            text_of("Since when, whom it hits", initial=said("description"), lines=True),
            optional=True,
        ),
        input_of("options", "Special", _boxes(special, ticked), optional=True),
    ]
    return form(ids.FORM_DECLARE, "Declare an incident", "Declare anyway" if same else "Declare", blocks, remembered)


def _lookalikes(same: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Say what is open and looks the same, each with the way into it; and what was never mended after the last time."""
    if not same:
        return []
    opened = [one for one in same if one["open"]]
    head = "⚠️ *Nothing is declared yet: this looks the same and is open.*"
    if not opened:
        head = "*Nothing is declared yet: this has happened before.*"
    told = [
        message.section(
            f"*{one['key']}* · {one['severity'].upper()} · {one['status']}\n{mrkdwn.words(one['title'])}",
            message.button(f"{ids.JOIN}:{n}", "Join instead", one["number"], "primary"),
        )
        for n, one in enumerate(opened)
    ]
    past = [message.section(_before(one)) for one in same if not one["open"]]
    return [message.section(head), *told, *past]


def _before(one: Mapping[str, Any]) -> str:
    """Say what a past incident left: it may be why it is back."""
    items = (f"its action *{mrkdwn.words(item['text'])}* is still open{_since(item)}" for item in one["undone"])
    return f"💡 Looks like *{one['key']}* {mrkdwn.words(one['title'])}; {', '.join(items)}"


def _since(item: Mapping[str, Any]) -> str:
    days = item["days"]
    return f", {days} day{'' if days == 1 else 's'}" if days else ""


def _level(level: Severity, policy: Policy) -> dict[str, Any]:
    promise = policy.severities[level]
    described = f"Respond in {format_duration(promise.respond)}"
    if promise.page:
        described += ", pages on-call"
    elif promise.notify:
        described += ", tells on-call"
    if promise.update_every:
        described += f", update every {format_duration(promise.update_every)}"
    return option(level.value, f"{looks.severity(level)} – {promise.meaning}".rstrip(" –"), described)


def service_input(policy: Policy, chosen: str = "", *, label: str = "Service", needed: bool = False) -> Block:
    """Return the field for a service: a menu where one holds them all."""
    names = sorted(policy.services)
    options = _named(names)
    if options and len(options) == len(names):
        return input_of("service", label, select_of("Which service?", options, chosen or None), optional=not needed)
    # More than a menu holds, or none: it is typed, and a near miss is told as in a command.
    hint = f"One of {len(names)}, such as {', '.join(names[:3])}; a typo is told." if names else ""
    typed = text_of("checkout", initial=chosen, most=60)
    return input_of("service", label, typed, hint=hint, optional=not needed)


def _named(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return as many options as a menu holds; a name that no value can carry can still be typed as a command."""
    return [option(name, name) for name in names if len(name) <= limits.OPTION_VALUE][: limits.OPTIONS]


# --- forms about one incident -----------------------------------------------------------------------------
def update_form(state: Incident, policy: Policy, remembered: str = "") -> View:
    """Return the form of an internal update, with the time until the next one."""
    usual = policy.severities[state.severity].update_every
    spans = list(PROMISES)
    if usual is not None and _spell(usual) not in spans:
        spans.insert(0, _spell(usual))
    options = [option(span, f"in {span}") for span in spans]
    blocks: list[Block] = [
        message.section(f"*{state.key}* {message.title(state)}"),
        input_of("text", "What is new?", text_of("What we know, what we do, what comes next", lines=True)),
        input_of(
            "next",
            "Next update",
            select_of("When do you owe the next one?", options, _spell(usual) if usual else None),
            optional=True,
        ),
    ]
    return form(ids.FORM_UPDATE, "Internal update", "Post", blocks, remembered)


def _spell(span: timedelta) -> str:
    return format_duration(span).replace(" ", "")


def resolve_form(state: Incident, remembered: str = "") -> View:
    """Return the form that ends an incident: what fixed it, and what the public will see."""
    blocks: list[Block] = [
        message.section(f"*{state.key}* {message.title(state)}"),
        input_of(
            "text",
            "What fixed it?",
            text_of("We restarted the pool and raised its limit", lines=True),
            hint="Stands in the channel, on the timeline and in the postmortem.",
            optional=True,
        ),
        message.context(_public_notice(state)),
        input_of(
            "note",
            "To remember for the postmortem",
            text_of("What surprised you, what went well", lines=True),
            optional=True,
        ),
    ]
    return form(ids.FORM_RESOLVE, f"Resolve {state.key}", "Resolve", blocks, remembered)


def _public_notice(state: Incident) -> str:
    if state.private:
        return "🔒 Private: the public sees nothing of it."
    if state.draft and state.draft.approved_by:
        words = mrkdwn.cut(mrkdwn.words(state.draft.text), 1500)
        return f"🌐 The public will see the approved update, then that it is resolved:\n{words}"
    waiting = " The draft in the channel is not approved, so it stays unpublished." if state.draft else ""
    if state.published and state.published.status is not Status.RESOLVED:
        return f"🌐 The public will see that it is resolved.{waiting}"
    return f"🌐 The public has seen nothing of it; resolving publishes nothing.{waiting}"


def public_form(state: Incident, remembered: str = "") -> View:
    """Return the form of the next public update; it shows what waits and what the public saw last."""
    draft, last = state.draft, state.published
    seen = f"The public saw the last one ({last.status}) {mrkdwn.date(last.at)}." if last else "Nothing is public yet."
    offered = [s for s in Status if s in ACTIVE or s is Status.RESOLVED]
    now = (
        draft.status if draft and not draft.automatic else state.status if state.status in offered else Status.RESOLVED
    )
    blocks: list[Block] = [
        message.section(f"*{state.key}* {message.title(state)}"),
        message.context(f"🌐 {seen} Submitting makes a draft; it goes out once approved and published."),
        input_of(
            "status", "Status", select_of("Status", [option(s.value, looks.status(s)) for s in offered], now.value)
        ),
        input_of(
            "title",
            "Public title",
            text_of("Problem with the checkout", initial=draft.title if draft else "", most=TITLE_MAX),
            optional=True,
        ),
        input_of(
            "text",
            "What the public reads",
            text_of(
                "What they notice, what you do, when you write again", initial=draft.text if draft else "", lines=True
            ),
            hint="No internal names, no blame, no guesses.",
        ),
    ]
    return form(ids.FORM_PUBLIC, "Public update", "Save draft", blocks, remembered)


def runbook_form(state: Incident, books: Mapping[str, str], remembered: str = "") -> View:
    """Return the chooser of runbooks (name → title), by title."""
    now = state.runbook.name if state.runbook else None
    by_title = sorted(books.items(), key=lambda book: book[1].lower())
    options = [option(name, title) for name, title in by_title if len(name) <= limits.OPTION_VALUE][: limits.OPTIONS]
    if not options:
        return windows.note("Runbooks", "No runbook is in the library: put Markdown files into `runbooks/`.")
    blocks: list[Block] = [
        message.section(f"*{state.key}* {message.title(state)}"),
        input_of("runbook", "Runbook", select_of("Choose one", options, now)),
    ]
    return form(ids.FORM_RUNBOOK, "Runbook", "Use it", blocks, remembered)


def severity_form(state: Incident, chosen: Severity | None, remembered: str = "") -> View:
    """Return the form that asks why the severity is lowered to `chosen`."""
    levels = [option(level.value, looks.severity(level)) for level in Severity]
    blocks: list[Block] = [
        message.section(f"*{state.key}* {message.title(state)} · now {looks.severity(state.severity)}"),
        input_of("severity", "New severity", select_of("Choose a severity", levels, (chosen or state.severity).value)),
        input_of(
            "text",
            "Why is it less bad?",
            text_of("Only the old checkout is down; the new one takes the orders", lines=True, most=1000),
            hint="Stands in the channel, on the timeline and in the postmortem.",
        ),
    ]
    return form(ids.FORM_SEVERITY, "Change the severity", "Change", blocks, remembered)


def title_form(state: Incident, remembered: str = "") -> View:
    """Return the form that gives an incident its title."""
    initial = "" if state.title_assumed else state.title
    room = "The name of its channel tells nothing of it." if state.private else "Its channel follows; links stay good."
    blocks: list[Block] = [
        message.context(f"*{state.key}* {room}"),
        input_of("title", "What is wrong?", text_of("Checkout is down", initial=initial, most=TITLE_MAX)),
    ]
    return form(ids.FORM_TITLE, f"Title of {state.key}", "Save", blocks, remembered)

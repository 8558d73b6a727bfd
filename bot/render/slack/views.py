"""The forms (modals): declare, update, resolve, public update, runbook, severity, title; and the note after one.

Shape: https://docs.slack.dev/reference/views/modal-views/. Each input's block_id names its field; its action_id is `v`.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)

from bot.domain.durations import format_duration
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.severity import ACTIVE, Severity, Status
from bot.domain.text import TITLE_MAX
from bot.render.slack import ids, legal, limits, looks, message, mrkdwn

View = dict[str, Any]

VALUE: Final = "v"
"""The action id of every input."""
PROMISES: Final = ("15m", "30m", "1h", "2h", "4h", "1d")
"""What the update form offers as time until the next update."""


def metadata(number: int | None, response_url: str = "", channel: str = "") -> str:
    """Return what a form must remember until it is submitted."""
    kept = {"incident": number, "response_url": response_url, "channel": channel}
    return json.dumps({key: value for key, value in kept.items() if value})


def _view(callback_id: str, title: str, submit: str, blocks: Sequence[Block], remembered: str) -> View:
    view: View = {
        "type": "modal",
        "callback_id": callback_id,
        "title": _plain(title, limits.VIEW_TITLE),
        "submit": _plain(submit, limits.VIEW_BUTTON),
        "close": _plain("Cancel", limits.VIEW_BUTTON),
        "blocks": [block.to_dict() for block in blocks],
        "private_metadata": remembered,
    }
    legal.check(view)
    return view


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": mrkdwn.plain(text, limit), "emoji": True}


def _input(name: str, label: str, element: Any, *, hint: str = "", optional: bool = False) -> InputBlock:
    return InputBlock(
        block_id=name,
        label=PlainTextObject(text=label, emoji=True),
        element=element,
        hint=PlainTextObject(text=hint, emoji=True) if hint else None,
        optional=optional,
    )


def _text(placeholder: str, *, initial: str = "", lines: bool = False, most: int = limits.INPUT_LENGTH) -> Any:
    return PlainTextInputElement(
        action_id=VALUE,
        placeholder=PlainTextObject(text=placeholder),
        initial_value=initial[:most] or None,
        multiline=lines,
        max_length=most,
    )


def _select(placeholder: str, options: Sequence[Option], chosen: str | None = None) -> Any:
    return StaticSelectElement(
        action_id=VALUE,
        placeholder=PlainTextObject(text=placeholder),
        options=list(options),
        initial_option=next((option for option in options if option.value == chosen), None),
    )


# --- declare ----------------------------------------------------------------------------------------------
def declare_form(policy: Policy, remembered: str = "", title: str = "") -> View:
    """Return the form that opens an incident."""
    levels = [_level(level, policy) for level in Severity]
    blocks: list[Block] = [
        _input("title", "What is wrong?", _text("Checkout is down", initial=title, most=TITLE_MAX), optional=True),
        _input(
            "severity",
            "How bad is it?",
            _select("Choose a severity", levels, Severity.SEV3.value),
            hint="When in doubt, the worse one: lowering it later is one click and a reason.",
        ),
        _service_input(policy),
        _input("description", "What do you see?", _text("Since when, whom it hits", lines=True), optional=True),
        _input(
            "options",
            "Special",
            CheckboxesElement(
                action_id=VALUE,
                options=[
                    _option("private", "Private", "Only those invited see it; nothing is announced or published"),
                    _option("drill", "Drill", "Practice: no postmortem is due, no figures count it"),
                ],
            ),
            optional=True,
        ),
    ]
    return _view(ids.FORM_DECLARE, "Declare an incident", "Declare", blocks, remembered)


def _option(value: str, label: str, description: str = "") -> Option:
    return Option(
        value=value,
        text=PlainTextObject(text=mrkdwn.plain(label, limits.OPTION_TEXT), emoji=True),
        description=mrkdwn.plain(description, limits.OPTION_TEXT) if description else None,
    )


def _level(level: Severity, policy: Policy) -> Option:
    promise = policy.severities[level]
    described = f"Respond in {format_duration(promise.respond)}"
    if promise.page:
        described += ", pages on-call"
    elif promise.notify:
        described += ", tells on-call"
    if promise.update_every:
        described += f", update every {format_duration(promise.update_every)}"
    return _option(level.value, f"{looks.severity(level)} – {promise.meaning}".rstrip(" –"), described)


def _service_input(policy: Policy) -> InputBlock:
    options = _named(sorted(policy.services))
    if options:
        return _input("service", "Service", _select("Which service?", options), optional=True)
    return _input("service", "Service", _text("checkout", most=60), optional=True)


def _named(names: Sequence[str]) -> list[Option]:
    """Return as many options as a menu holds; a name that no value can carry can still be typed as a command."""
    return [_option(name, name) for name in names if len(name) <= limits.OPTION_VALUE][: limits.OPTIONS]


# --- forms about one incident -----------------------------------------------------------------------------
def update_form(state: Incident, policy: Policy, remembered: str = "") -> View:
    """Return the form of an internal update, with the time until the next one."""
    usual = policy.severities[state.severity].update_every
    spans = list(PROMISES)
    if usual is not None and _spell(usual) not in spans:
        spans.insert(0, _spell(usual))
    options = [_option(span, f"in {span}") for span in spans]
    blocks: list[Block] = [
        message.section(f"*{state.key}* {message.title(state)}"),
        _input("text", "What is new?", _text("What we know, what we do, what comes next", lines=True)),
        _input(
            "next",
            "Next update",
            _select("When do you owe the next one?", options, _spell(usual) if usual else None),
            optional=True,
        ),
    ]
    return _view(ids.FORM_UPDATE, "Internal update", "Post", blocks, remembered)


def _spell(span: timedelta) -> str:
    return format_duration(span).replace(" ", "")


def resolve_form(state: Incident, remembered: str = "") -> View:
    """Return the form that ends an incident: what fixed it, and what the public will see."""
    blocks: list[Block] = [
        message.section(f"*{state.key}* {message.title(state)}"),
        _input(
            "text",
            "What fixed it?",
            _text("We restarted the pool and raised its limit", lines=True),
            hint="Stands in the channel, on the timeline and in the postmortem.",
            optional=True,
        ),
        message.context(_public_notice(state)),
        _input(
            "note",
            "To remember for the postmortem",
            _text("What surprised you, what went well", lines=True),
            optional=True,
        ),
    ]
    return _view(ids.FORM_RESOLVE, f"Resolve {state.key}", "Resolve", blocks, remembered)


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
        _input("status", "Status", _select("Status", [_option(s.value, looks.status(s)) for s in offered], now.value)),
        _input(
            "title",
            "Public title",
            _text("Problem with the checkout", initial=draft.title if draft else "", most=TITLE_MAX),
            optional=True,
        ),
        _input(
            "text",
            "What the public reads",
            _text(
                "What they notice, what you do, when you write again", initial=draft.text if draft else "", lines=True
            ),
            hint="No internal names, no blame, no guesses.",
        ),
    ]
    return _view(ids.FORM_PUBLIC, "Public update", "Save draft", blocks, remembered)


def runbook_form(state: Incident, names: Sequence[str], remembered: str = "") -> View:
    """Return the chooser of runbooks."""
    now = state.runbook.name if state.runbook else None
    options = _named(names)
    if not options:
        return note("Runbooks", "No runbook is in the library: put Markdown files into `runbooks/`.")
    blocks: list[Block] = [
        message.section(f"*{state.key}* {message.title(state)}"),
        _input("runbook", "Runbook", _select("Choose one", options, now)),
    ]
    return _view(ids.FORM_RUNBOOK, "Runbook", "Use it", blocks, remembered)


def severity_form(state: Incident, chosen: Severity | None, remembered: str = "") -> View:
    """Return the form that asks why the severity is lowered to `chosen`."""
    levels = [_option(level.value, looks.severity(level)) for level in Severity]
    blocks: list[Block] = [
        message.section(f"*{state.key}* {message.title(state)} · now {looks.severity(state.severity)}"),
        _input("severity", "New severity", _select("Choose a severity", levels, (chosen or state.severity).value)),
        _input(
            "text",
            "Why is it less bad?",
            _text("Only the old checkout is down; the new one takes the orders", lines=True, most=1000),
            hint="Stands in the channel, on the timeline and in the postmortem.",
        ),
    ]
    return _view(ids.FORM_SEVERITY, "Change the severity", "Change", blocks, remembered)


def title_form(state: Incident, remembered: str = "") -> View:
    """Return the form that gives an incident its title."""
    initial = "" if state.title_assumed else state.title
    blocks: list[Block] = [
        message.context(f"*{state.key}*: the channel keeps its name."),
        _input("title", "What is wrong?", _text("Checkout is down", initial=initial, most=TITLE_MAX)),
    ]
    return _view(ids.FORM_TITLE, f"Title of {state.key}", "Save", blocks, remembered)


# --- what replaces a form ---------------------------------------------------------------------------------
def note(title: str, text: str) -> View:
    """Return a view that only says something. `text` is mrkdwn."""
    view: View = {
        "type": "modal",
        "title": _plain(title, limits.VIEW_TITLE),
        "close": _plain("Close", limits.VIEW_BUTTON),
        "blocks": [block.to_dict() for block in message.sections(text)],
    }
    legal.check(view)
    return view

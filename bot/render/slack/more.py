"""Behind the card's More…: everything else that can be done, one press away, and the small forms that ask for the rest.

The card stays calm: what is rare stands here, in the groups in which people look for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.severity import Status
from bot.domain.text import cut
from bot.render.slack import ids, legal, limits, message, mrkdwn
from bot.render.slack.message import Block, Element, button, option, plain, prompt
from bot.render.slack.views import VALUE, form, input_of, select_of, service_input, text_of
from bot.render.slack.windows import View, note

REASON_MAX: Final = 1000
SPANS: Final = {"2h": "2 hours", "4h": "4 hours", "8h": "8 hours", "12h": "12 hours", "1d": "a day", "1w": "a week"}
"""How long somebody else is on call."""
_LOOKS: Final = {"catchup": "Catch up", "timeline": "Timeline", "timers": "Timers"}
"""What is shown to whoever asks → the button's label."""


# --- the window -------------------------------------------------------------------------------------------
def more(state: Incident, remembered: str = "", *, undoable: bool = False) -> View:
    """Return the window with what can be done besides the card's own controls; `undoable` by the one who looks."""
    blocks: list[Block] = [_about(state)]
    for label, buttons in _groups(state, undoable=undoable):
        blocks += [{"type": "divider"}, message.context(label), message.actions(*buttons)]
    view: View = {
        "type": "modal",
        "callback_id": ids.MORE,
        "title": plain(f"More for {state.key}", limits.VIEW_TITLE),
        "close": plain("Close", limits.VIEW_BUTTON),
        "blocks": blocks,
        "private_metadata": remembered,
    }
    legal.check(view)
    return view


def _groups(state: Incident, *, undoable: bool) -> Iterable[tuple[str, list[Element]]]:
    number, active = state.number, state.is_active

    def opens(form: str, label: str, style: str = "") -> Element:
        return button(f"{ids.OPEN}:{form}", label, number, style)

    if active:
        withdraw = [button(ids.WITHDRAW_HANDOFF, "Withdraw the offer", number)] if state.handoff else []
        handoff = opens("handoff", "Hand over")
        yield "*People*", [opens("page", "Page someone"), handoff, *withdraw, opens("role", "Give a role")]
    facts = [opens("note", "Note"), opens("task", "Action item"), opens("title", "Title")]
    if active:
        facts += [opens("service", "Service"), opens("call", "Call link")]
    yield "*Write down*", facts
    if active and any(not one.ending for one in state.silences.values()):
        yield "*Alerts*", [button(ids.UNSILENCE, "Lift the silences", number)]
    yield (
        "*Look up* · only you see it",
        [button(f"{ids.ASK}:{word}", label, f"{word} {state.key}") for word, label in _LOOKS.items()],
    )
    if active:
        undo = [button(ids.UNDO, "Undo the declaration", number)] if undoable else []
        yield (
            "*Not an incident of its own*",
            [*undo, opens("merge", "Merge into another"), opens("cancel", "Cancel it", "danger")],
        )


# --- people -----------------------------------------------------------------------------------------------
def page_form(state: Incident, policy: Policy, remembered: str = "") -> View:
    """Return the form that pages a person, or whoever is on call for a service."""
    blocks = [
        _about(state),
        input_of("user", "Whom?", _person("A person"), optional=True),
        service_input(policy, label="Or whoever is on call for"),
        _reason("Why?", "We need somebody who knows the database", optional=True),
        message.context("📟 They get a direct message and a mention in the channel, whatever the hour."),
    ]
    return form(ids.FORM_PAGE, "Page someone", "Page", blocks, remembered)


def handoff_form(state: Incident, remembered: str = "") -> View:
    """Return the form that offers the command."""
    lead = f"{mrkdwn.user(state.lead)} stays in command" if state.lead else "Nobody is in command"
    blocks = [
        _about(state),
        input_of("user", "Who shall take the command?", _person("A person")),
        message.context(f"🤝 {lead} until they accept. They get the state, open items and running clocks."),
    ]
    return form(ids.FORM_HANDOFF, "Hand over the command", "Offer it", blocks, remembered)


def role_form(state: Incident, policy: Policy, remembered: str = "") -> View:
    """Return the form that gives somebody a role."""
    roles = [option(name, role.title, role.duties) for name, role in policy.roles.items()][: limits.OPTIONS]
    blocks = [
        _about(state),
        input_of("role", "Which role?", select_of("Choose a role", roles)),
        input_of("user", "Who takes it?", _person("A person")),
    ]
    return form(ids.FORM_ROLE, "Give a role", "Give it", blocks, remembered)


def _person(placeholder: str) -> Element:
    return {"type": "users_select", "action_id": VALUE, "placeholder": prompt(placeholder)}


# --- facts ------------------------------------------------------------------------------------------------
def service_form(state: Incident, policy: Policy, remembered: str = "") -> View:
    """Return the form that says which service it is about."""
    field = service_input(policy, state.service or "", label="Which service is it about?", needed=True)
    return form(ids.FORM_SERVICE, f"Service of {state.key}", "Save", [_about(state), field], remembered)


def call_form(state: Incident, remembered: str = "") -> View:
    """Return the form that says where people talk."""
    address = text_of("https://meet.example/inc-7", initial=state.call_url, most=2000)
    blocks = [
        _about(state),
        input_of("url", "Where do you talk?", address, hint="Left empty, there is no call any more.", optional=True),
    ]
    return form(ids.FORM_CALL, f"Call of {state.key}", "Save", blocks, remembered)


# --- its end, and that it was none --------------------------------------------------------------------------
def reopen_form(state: Incident, remembered: str = "") -> View:
    """Return the form that asks why it is not over."""
    blocks = [
        _about(state),
        _reason("Why is it not over?", "Orders fail again since 03:12"),
        message.context("🔁 The response timer starts again, and whoever is on call is told as at the start."),
    ]
    return form(ids.FORM_REOPEN, f"Reopen {state.key}", "Reopen", blocks, remembered)


def cancel_form(state: Incident, remembered: str = "") -> View:
    """Return the form that asks why it was no incident."""
    public = state.published is not None and state.published.status is not Status.RESOLVED
    seen = " The public will read that it was a false alarm." if public else ""
    blocks = [
        _about(state),
        _reason("Why was it no incident?", "A test of the alarm"),
        message.context(f"🚫 That is final. If it was one and is over, resolve it instead.{seen}"),
    ]
    return form(ids.FORM_CANCEL, f"Cancel {state.key}", "Cancel it for good", blocks, remembered)


def merge_form(state: Incident, others: Sequence[Mapping[str, Any]], remembered: str = "") -> View:
    """Return the form that folds it into one of `others`, open incidents as lists show them."""
    if not others:
        return note("Merge", f"No other incident is open that {state.key} could be part of.")
    options = [option(str(one["number"]), cut(f"{one['key']} {one['title']}", limits.OPTION_TEXT)) for one in others]
    blocks = [
        _about(state),
        input_of("incident", "Which one goes on?", select_of("Choose one", options[: limits.OPTIONS])),
        _reason("Why?", "It is the same pool", optional=True),
        message.context(f"🔗 {state.key} ends here; its alerts and its people move over. That is final."),
    ]
    return form(ids.FORM_MERGE, f"Merge {state.key}", "Merge", blocks, remembered)


# --- about no incident --------------------------------------------------------------------------------------
def override_form(policy: Policy, remembered: str = "") -> View:
    """Return the form that puts somebody else on call for a while."""
    if not policy.oncall:
        return note("On call", "No rotation is set up: add one under `oncall` in tocsin.yaml.")
    names = [option(name, name) for name in policy.oncall if len(name) <= limits.OPTION_VALUE][: limits.OPTIONS]
    spans = [option(span, f"for {label}") for span, label in SPANS.items()]
    since = text_of("18:00, or tomorrow 09:00", most=40)
    blocks = [
        input_of("schedule", "Which rotation?", select_of("Choose one", names, names[0]["value"] if names else None)),
        input_of("user", "Who is on call instead?", _person("A person")),
        input_of(
            "start", "From when?", since, hint="In the rotation's time zone. Left empty: from now.", optional=True
        ),
        input_of("span", "How long?", select_of("Choose", spans, "8h")),
        message.context("🔁 They are told, and so is the channel at the change. It can be taken back."),
    ]
    return form(ids.FORM_OVERRIDE, "On call for a while", "Change it", blocks, remembered)


def _about(state: Incident) -> Block:
    return message.section(f"*{state.key}* {message.title(state)}")


def _reason(label: str, example: str, *, optional: bool = False) -> Block:
    return input_of("text", label, text_of(example, lines=True, most=REASON_MAX), optional=optional)

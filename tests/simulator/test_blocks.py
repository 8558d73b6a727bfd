"""Block Kit's limits: what Slack takes, what it refuses; never stricter than the SDK's models."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.models import blocks as sdk
from slack_sdk.models.blocks import basic_components, block_elements

from bot.simulator import views
from bot.simulator.blocks import faults_of, length_of, settle
from bot.simulator.errors import SlackError


def plain(text: str) -> dict[str, Any]:
    """Return a plain_text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    """Return a mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def section(text: str = "x", **more: Any) -> dict[str, Any]:
    """Return a section."""
    return {"type": "section", "text": mrkdwn(text), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    """Return an actions block."""
    return {"type": "actions", "elements": list(elements)}


def button(text: str = "Go", **more: Any) -> dict[str, Any]:
    """Return a button."""
    return {"type": "button", "text": plain(text), **more}


def option(text: str = "o", value: str = "v") -> dict[str, Any]:
    """Return an option."""
    return {"text": plain(text), "value": value}


def select(*options: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a menu."""
    return {"type": "static_select", "options": list(options), **more}


def field(**more: Any) -> dict[str, Any]:
    """Return an input block."""
    return {"type": "input", "label": plain("l"), "element": {"type": "plain_text_input"}, **more}


WELL = [
    section("x" * 3000),
    section(fields=[mrkdwn("x" * 2000)] * 10),
    {"type": "section", "fields": [plain("x")]},
    section(accessory=button("x" * 75, value="x" * 2000, style="danger")),
    {"type": "header", "text": plain("x" * 150)},
    {"type": "context", "elements": [mrkdwn("x")] * 10},
    {"type": "divider"},
    {"type": "image", "image_url": "https://x.example/i.png", "alt_text": "a"},
    {"type": "markdown", "text": "**x**"},
    actions(*[button(action_id=str(n)) for n in range(25)]),
    actions(select(option("x" * 75, "x" * 150))),
    actions({"type": "overflow", "options": [option(value=str(n)) for n in range(5)]}),
    actions({"type": "users_select", "initial_user": "U0001"}),
    field(hint=plain("h"), optional=True),
    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
]
ILL = [
    (section("x" * 3001), "less than 3001"),
    (section(""), "more than 0"),
    (section(" "), "more than 0"),
    ({"type": "section"}, "text or fields"),
    (section(fields=[mrkdwn("x" * 2001)]), "less than 2001"),
    (section(fields=[mrkdwn("x")] * 11), "no more than 10"),
    (section(colour="red"), "additional property: colour"),
    (section(accessory={"type": "plain_text_input"}), "unsupported type"),
    ({"type": "header", "text": mrkdwn("x")}, "one of: plain_text"),
    ({"type": "header", "text": plain("x" * 151)}, "less than 151"),
    ({"type": "context", "elements": [mrkdwn("x")] * 11}, "no more than 10"),
    ({"type": "context", "elements": [button()]}, "one of"),
    ({"type": "banner"}, "unsupported type: banner"),
    ({}, "unsupported type"),
    ("divider", "must provide an object"),
    (actions(*[button() for _ in range(26)]), "no more than 25"),
    (actions(), "no less than 1"),
    (actions(button("x" * 76)), "less than 76"),
    (actions(button(value="x" * 2001)), "less than 2001"),
    (actions(button(action_id="x" * 256)), "less than 256"),
    (actions(button(style="green")), "one of: primary"),
    (actions(button(url="javascript:x")), "valid URL"),
    (actions(button(action_id="a"), button(action_id="a")), "already exists"),
    (actions(select(option("x" * 76))), "less than 76"),
    (actions(select(option(value="x" * 151))), "less than 151"),
    (actions(select(*[option(value=str(n)) for n in range(101)])), "no more than 100"),
    (actions(select(option(), option())), "already exists"),
    (actions({"type": "static_select"}), "options or option_groups"),
    (actions({"type": "overflow", "options": [option(value=str(n)) for n in range(6)]}), "than 5"),
    (section(block_id="x" * 256), "less than 256"),
    (field(label=mrkdwn("l")), "one of: plain_text"),
    (field(optional="yes"), "must provide a boolean"),
]


@pytest.mark.parametrize("block", WELL, ids=range(len(WELL)))
def test_a_legal_block_is_taken(block: dict[str, Any]) -> None:
    """At the very limit."""
    assert faults_of([block], message=True) == []


@pytest.mark.parametrize(("block", "words"), ILL, ids=range(len(ILL)))
def test_an_illegal_block_is_refused_in_slacks_words(block: Any, words: str) -> None:
    """One step over the limit."""
    faults = faults_of([block], message=True)
    assert words in faults[0]
    assert "[json-pointer:/blocks/0" in faults[0]


def test_the_number_of_blocks_and_their_ids_are_limited() -> None:
    """Fifty in a message, a hundred in a view, ids unique."""
    divider = {"type": "divider"}
    assert not faults_of([divider] * 50, message=True)
    assert faults_of([divider] * 51, message=True)
    assert not faults_of([divider] * 100, message=False)
    assert faults_of([divider] * 101, message=False)
    assert faults_of([divider | {"block_id": "a"}] * 2, message=True)
    assert faults_of([{"type": "markdown", "text": "x"}], message=False)
    assert length_of([section("x" * 10), section(fields=[mrkdwn("yy")])]) == 13


def test_the_sdks_models_are_legal_blocks() -> None:
    """What the SDK builds and validates, this Slack takes."""
    text = basic_components.PlainTextObject(text="x")
    choices = [basic_components.Option(text="x", value="v")]
    elements = [
        block_elements.ButtonElement(text="Go", action_id="a", value="v", style="primary"),
        block_elements.StaticSelectElement(placeholder="p", action_id="b", options=choices),
        block_elements.UserSelectElement(placeholder="p", action_id="c"),
        block_elements.DatePickerElement(action_id="d", initial_date="2026-09-21"),
        block_elements.DateTimePickerElement(action_id="e", initial_date_time=1790000000),
        block_elements.OverflowMenuElement(action_id="f", options=choices * 1),
        block_elements.CheckboxesElement(action_id="g", options=choices),
        block_elements.RadioButtonsElement(action_id="h", options=choices),
        block_elements.ConversationSelectElement(placeholder="p", action_id="i"),
        block_elements.StaticMultiSelectElement(placeholder="p", action_id="j", options=choices),
    ]
    built = [
        sdk.SectionBlock(text="*x*", fields=["a", "b"]),
        sdk.HeaderBlock(text=text),
        sdk.ContextBlock(elements=[basic_components.MarkdownTextObject(text="x")]),
        sdk.DividerBlock(),
        sdk.ActionsBlock(elements=elements),
        sdk.InputBlock(label="l", element=block_elements.PlainTextInputElement(multiline=True)),
        sdk.InputBlock(label="n", element=block_elements.NumberInputElement(is_decimal_allowed=False)),
    ]
    assert faults_of([block.to_dict() for block in built], message=False) == []


def test_what_the_app_left_out_is_filled_in() -> None:
    """Ids and flags, as Slack returns them."""
    kept = settle([section(accessory=button())])[0]
    assert kept["block_id"]
    assert kept["text"]["verbatim"] is False
    assert kept["accessory"]["action_id"]
    assert kept["accessory"]["text"]["emoji"] is True


VIEW = {"type": "modal", "title": plain("t"), "blocks": [section()]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": plain("x" * 25)}, "less than 25"),
        ({"submit": plain("x" * 25)}, "less than 25"),
        ({"title": None}, "missing required field: title"),
        ({"blocks": [field()]}, "missing required field: submit"),
        ({"blocks": []}, "no less than 1"),
        ({"private_metadata": "x" * 3001}, "less than 3001"),
        ({"callback_id": "x" * 256}, "less than 256"),
        ({"type": "home"}, "must be modal"),
        ({"size": "big"}, "additional property"),
    ],
)
def test_an_illegal_view_is_refused(changes: dict[str, Any], words: str) -> None:
    """Titles, buttons, inputs without submit, unknown keys."""
    assert views.check(VIEW, kind="modal")
    with pytest.raises(SlackError) as refused:
        views.check(VIEW | changes, kind="modal")
    assert words in " ".join(refused.value.messages)

"""Block Kit as Slack accepts it: blocks, elements and composition objects.

https://docs.slack.dev/reference/block-kit (one page for each block and element)
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from bot.simulator import limits
from bot.simulator.shapes import (
    Check,
    OneOf,
    Shape,
    anything,
    choice,
    complain,
    doubles,
    flag,
    link,
    listing,
    plain,
    string,
    text,
    whole,
)

STYLE = choice("primary", "danger")
BLOCK_ID = string(limits.BLOCK_ID)
ACTION_ID = string(limits.ACTION_ID)
PLACEHOLDER = plain(limits.PLACEHOLDER)
CONFIRM = Shape(
    {
        "title": plain(limits.CONFIRM_TITLE),
        "text": text(limits.CONFIRM_TEXT),
        "confirm": plain(limits.CONFIRM_BUTTON),
        "deny": plain(limits.CONFIRM_BUTTON),
    },
    {"style": STYLE},
)
OPTION = Shape(
    {"text": text(limits.OPTION_TEXT), "value": string(limits.OPTION_VALUE)},
    {"description": text(limits.OPTION_DESCRIPTION), "url": link(limits.OPTION_URL)},
)
SELECT_OPTION = Shape(
    {"text": plain(limits.OPTION_TEXT), "value": string(limits.OPTION_VALUE)},
    {"description": plain(limits.OPTION_DESCRIPTION)},
)
SELECT_OPTIONS = listing(SELECT_OPTION, limits.OPTIONS, unique="value")
GROUP = Shape({"label": plain(limits.GROUP_LABEL), "options": SELECT_OPTIONS})
FILTER = Shape(
    {},
    {
        "include": listing(choice("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": flag,
        "exclude_bot_users": flag,
    },
)
DISPATCH = Shape({"trigger_actions_on": listing(choice("on_enter_pressed", "on_character_entered"), 2)})
ID = string(64)
IDS = listing(ID, 1000, 0)


def _element(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Shape:
    return Shape(required, {"action_id": ACTION_ID, **optional})


def _menu(initial: Mapping[str, Check], *, many: bool = False, **more: Check) -> Shape:
    optional: dict[str, Check] = {"placeholder": PLACEHOLDER, "confirm": CONFIRM}
    optional |= {"focus_on_load": flag, **initial, **more}
    if many:
        optional["max_selected_items"] = whole(1000, 1)
    return _element({}, optional)


def _static(initial: str, check: Check, *, many: bool) -> Check:
    groups = listing(GROUP, limits.OPTION_GROUPS)
    menu = _menu({initial: check}, many=many, options=SELECT_OPTIONS, option_groups=groups)

    def either(value: Any, at: str, faults: list[str]) -> None:
        menu(value, at, faults)
        if ("options" in value) == ("option_groups" in value):
            complain(faults, at, "must provide either options or option_groups")

    return either


def _boxes(most: int, initial: str, check: Check) -> Shape:
    optional: dict[str, Check] = {initial: check, "confirm": CONFIRM, "focus_on_load": flag}
    return _element({"options": listing(OPTION, most, unique="value")}, optional)


def _picker(initial: str, check: Check, **more: Check) -> Shape:
    optional: dict[str, Check] = {initial: check, "confirm": CONFIRM, "focus_on_load": flag}
    return _element({}, optional | more)


def _field(**more: Check) -> dict[str, Check]:
    return {
        "placeholder": PLACEHOLDER,
        "dispatch_action_config": DISPATCH,
        "focus_on_load": flag,
        **more,
    }


LENGTH = whole(limits.INPUT_LENGTH)
MENUS: Mapping[str, Check] = {
    "static_select": _static("initial_option", SELECT_OPTION, many=False),
    "multi_static_select": _static("initial_options", SELECT_OPTIONS, many=True),
    "external_select": _menu({"initial_option": SELECT_OPTION}, min_query_length=whole(255)),
    "multi_external_select": _menu({"initial_options": SELECT_OPTIONS}, many=True, min_query_length=whole(255)),
    "users_select": _menu({"initial_user": ID}),
    "multi_users_select": _menu({"initial_users": IDS}, many=True),
    "conversations_select": _menu(
        {"initial_conversation": ID},
        default_to_current_conversation=flag,
        response_url_enabled=flag,
        filter=FILTER,
    ),
    "multi_conversations_select": _menu(
        {"initial_conversations": IDS},
        many=True,
        default_to_current_conversation=flag,
        filter=FILTER,
    ),
    "channels_select": _menu({"initial_channel": ID}, response_url_enabled=flag),
    "multi_channels_select": _menu({"initial_channels": IDS}, many=True),
}
PICKERS: Mapping[str, Check] = {
    "checkboxes": _boxes(limits.CHECKBOXES, "initial_options", listing(OPTION, limits.CHECKBOXES)),
    "radio_buttons": _boxes(limits.RADIO_BUTTONS, "initial_option", OPTION),
    "datepicker": _picker("initial_date", string(10), placeholder=PLACEHOLDER),
    "timepicker": _picker("initial_time", string(5), placeholder=PLACEHOLDER, timezone=string(64)),
    "datetimepicker": _picker("initial_date_time", whole(9_999_999_999)),
}
BUTTONS: Mapping[str, Check] = {
    "button": _element(
        {"text": plain(limits.BUTTON_TEXT)},
        {
            "value": string(limits.BUTTON_VALUE),
            "url": link(limits.BUTTON_URL),
            "style": STYLE,
            "confirm": CONFIRM,
            "accessibility_label": string(limits.ACCESSIBILITY_LABEL),
        },
    ),
    "overflow": _element(
        {"options": listing(OPTION, limits.OVERFLOW_OPTIONS, unique="value")},
        {"confirm": CONFIRM},
    ),
}
FIELDS: Mapping[str, Check] = {
    "plain_text_input": _element(
        {},
        _field(
            initial_value=string(limits.INPUT_LENGTH, 0),
            multiline=flag,
            min_length=LENGTH,
            max_length=whole(limits.INPUT_LENGTH, 1),
        ),
    ),
    "email_text_input": _element({}, _field(initial_value=string(limits.INPUT_LENGTH))),
    "url_text_input": _element({}, _field(initial_value=string(limits.INPUT_LENGTH))),
    "number_input": _element(
        {"is_decimal_allowed": flag},
        _field(initial_value=string(64), min_value=string(64), max_value=string(64)),
    ),
    "rich_text_input": _element({}, _field(initial_value=anything)),
}
IMAGE: Mapping[str, Check] = {
    "image": Shape(
        {"image_url": link(limits.IMAGE_URL), "alt_text": string(limits.IMAGE_ALT)},
    )
}
ACTIONS: Mapping[str, Check] = {**MENUS, **PICKERS, **BUTTONS}
INPUTS: Mapping[str, Check] = {**MENUS, **PICKERS, **FIELDS}
INTERACTIVE = frozenset(ACTIONS) | frozenset(FIELDS)
ACCESSORIES: Mapping[str, Check] = {**ACTIONS, **IMAGE}


def _rich_text(value: Any, at: str, faults: list[str]) -> None:
    """Check a rich_text block's outer form; its leaves are free."""
    kinds = ("section", "list", "quote", "preformatted")
    part = Shape({"elements": anything}, {"style": anything, "indent": anything, "border": whole(9)})
    shapes: dict[str, Check] = {f"rich_text_{kind}": part for kind in kinds}
    elements = listing(OneOf(lambda: shapes), 1000)
    Shape({"elements": elements}, {"block_id": BLOCK_ID})(value, at, faults)


def _section(value: Any, at: str, faults: list[str]) -> None:
    Shape(
        {},
        {
            "text": text(limits.SECTION_TEXT),
            "fields": listing(text(limits.FIELD_TEXT), limits.FIELDS),
            "accessory": OneOf(lambda: ACCESSORIES),
            "expand": flag,
            "block_id": BLOCK_ID,
        },
    )(value, at, faults)
    if value.get("text") is None and value.get("fields") is None:
        complain(faults, at, "missing required field: text or fields")


def _context_element(value: Any, at: str, faults: list[str]) -> None:
    if isinstance(value, dict) and value.get("type") == "image":
        IMAGE["image"](value, at, faults)
    else:
        text(limits.TEXT_OBJECT)(value, at, faults)


def _block(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Shape:
    return Shape(required, {"block_id": BLOCK_ID, **(optional or {})})


_actions = listing(OneOf(lambda: ACTIONS), limits.ACTIONS_ELEMENTS, unique="action_id")
BLOCKS: Mapping[str, Check] = {
    "section": _section,
    "divider": _block({}),
    "header": _block({"text": plain(limits.HEADER_TEXT)}),
    "context": _block({"elements": listing(_context_element, limits.CONTEXT_ELEMENTS)}),
    "actions": _block({"elements": _actions}),
    "image": _block(
        {"image_url": link(limits.IMAGE_URL), "alt_text": string(limits.IMAGE_ALT)},
        {"title": plain(limits.IMAGE_TITLE)},
    ),
    "input": _block(
        {"label": plain(limits.LABEL_TEXT), "element": OneOf(lambda: INPUTS)},
        {"hint": plain(limits.HINT_TEXT), "optional": flag, "dispatch_action": flag},
    ),
    "rich_text": _rich_text,
}
IN_MESSAGES: Mapping[str, Check] = {
    **BLOCKS,
    "markdown": _block({"text": string(limits.MARKDOWN_TEXT)}),
}


def faults_of(blocks: Any, *, message: bool, at: str = "/blocks") -> list[str]:
    """Return what Slack would find wrong with the blocks of a message or a view."""
    faults: list[str] = []
    most = limits.BLOCKS_IN_MESSAGE if message else limits.BLOCKS_IN_VIEW
    allowed = IN_MESSAGES if message else BLOCKS
    least = 0 if message else 1
    listing(OneOf(lambda: allowed), most, least, unique="block_id")(blocks, at, faults)
    if not faults:
        focused = [e for e in elements_of(blocks) if e.get("focus_on_load")]
        if len(focused) > 1:
            complain(faults, at, "only one element may have focus_on_load")
        for place, block in enumerate(blocks):
            doubles(list(elements_of([block])), "action_id", f"{at}/{place}/elements", faults)
    return faults


def elements_of(blocks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every interactive element of some blocks."""
    for block in blocks:
        candidates = [block.get("accessory"), block.get("element"), *block.get("elements", ())]
        for element in candidates:
            if isinstance(element, dict) and element.get("type") in INTERACTIVE:
                yield element


def length_of(value: Any) -> int:
    """Return the characters of all texts in some blocks."""
    if isinstance(value, list):
        return sum(length_of(entry) for entry in value)
    if not isinstance(value, dict):
        return 0
    said = value.get("text")
    own = len(said) if isinstance(said, str) else 0
    return own + sum(length_of(part) for part in value.values())


def settle(value: Any, *, top: bool = True) -> Any:
    """Return blocks as Slack keeps them: with the ids and flags that the app left out."""
    if isinstance(value, list):
        return [settle(entry, top=top) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = {key: settle(part, top=False) for key, part in value.items() if part is not None}
    kind = kept.get("type")
    if top:
        kept.setdefault("block_id", secrets.token_urlsafe(4)[:5])
    if kind == "plain_text" and "text" in kept:
        kept.setdefault("emoji", True)
    elif kind == "mrkdwn":
        kept.setdefault("verbatim", False)
    elif kind in INTERACTIVE:
        kept.setdefault("action_id", secrets.token_urlsafe(4)[:5])
    elif kind == "input" and top:
        kept.setdefault("optional", False)
        kept.setdefault("dispatch_action", False)
    return kept

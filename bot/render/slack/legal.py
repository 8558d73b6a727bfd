"""The last look before Slack: what leaves is legal, and what is too long was cut where it does no harm."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block, InputBlock

from bot.render.slack import limits, mrkdwn

Json = dict[str, Any]

_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "section": frozenset({"text", "fields", "accessory", "expand"}),
    "divider": frozenset(),
    "header": frozenset({"text"}),
    "context": frozenset({"elements"}),
    "actions": frozenset({"elements"}),
    "image": frozenset({"image_url", "alt_text", "title"}),
    "input": frozenset({"label", "element", "hint", "optional", "dispatch_action"}),
}
"""The blocks that we send, and their keys beside `type` and `block_id`."""
_ELEMENTS: Final = frozenset(
    {"button", "overflow", "static_select", "users_select", "channels_select", "conversations_select"}
    | {"multi_users_select", "multi_static_select", "checkboxes", "radio_buttons", "datepicker", "timepicker"}
    | {"plain_text_input"}
)
_VIEW_KEYS: Final = frozenset(
    {"type", "title", "submit", "close", "blocks", "private_metadata", "callback_id", "external_id"}
    | {"clear_on_close", "notify_on_close"}
)
CUT_NOTICE: Final = "… _cut: the whole text is on the timeline_"


class IllegalPayload(ValueError):
    """Slack would refuse this; `breaches` lists every reason, each with its place."""

    def __init__(self, breaches: Sequence[str]) -> None:
        super().__init__("; ".join(breaches))
        self.breaches = tuple(breaches)


def check(payload: Sequence[Json] | Json) -> None:
    """Check a message's blocks (a list) or a view (a dict). Raises IllegalPayload naming every breach.

    Slack's own library has its say first, as far as it parses; our limits are those it does not know.
    """
    blocks = payload.get("blocks") or [] if isinstance(payload, dict) else payload
    breaches = [
        breach
        for n, block in enumerate(blocks)
        if block.get("type", "") in _KEYS
        for breach in _library(block, f"blocks[{n}]")
    ]
    _check_limits(payload, breaches)


def _check_limits(payload: Sequence[Json] | Json, breaches: list[str]) -> None:
    breaches += _view(payload) if isinstance(payload, dict) else _blocks(payload, limits.BLOCKS_IN_MESSAGE)
    if not isinstance(payload, dict) and (total := characters(payload)) > limits.MESSAGE_CHARACTERS:
        breaches.append(f"blocks: {total} characters in all, at most {limits.MESSAGE_CHARACTERS}")
    if breaches:
        raise IllegalPayload(breaches)


def characters(value: object) -> int:
    """Return how many characters of text are in `value`, as Slack counts a message."""
    if isinstance(value, Mapping):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(characters(part) for part in value.values())
    if isinstance(value, list | tuple):
        return sum(characters(part) for part in value)
    return 0


# --- views and blocks -------------------------------------------------------------------------------------


def _view(view: Json) -> Iterator[str]:
    if view.get("type") not in ("modal", "home"):
        yield f"view: unknown type {view.get('type')!r}"
    for key in view.keys() - _VIEW_KEYS:
        yield f"view: unknown key {key}"
    if view.get("type") == "modal":
        yield from _text(view.get("title"), "view.title", limits.VIEW_TITLE, only_plain=True)
        for key in ("submit", "close"):
            if key in view:
                yield from _text(view[key], f"view.{key}", limits.VIEW_BUTTON, only_plain=True)
    yield from _length(view.get("private_metadata", ""), "view.private_metadata", limits.PRIVATE_METADATA)
    yield from _length(view.get("callback_id", ""), "view.callback_id", limits.CALLBACK_ID)
    blocks = view.get("blocks") or []
    yield from _blocks(blocks, limits.BLOCKS_IN_VIEW)
    if any(block.get("type") == "input" for block in blocks) and "submit" not in view and view.get("type") == "modal":
        yield "view: has inputs but no submit"


def _blocks(blocks: Sequence[Json], most: int) -> Iterator[str]:
    if not 0 < len(blocks) <= most:
        yield f"blocks: {len(blocks)}, from 1 to {most}"
    seen: set[str] = set()
    for n, block in enumerate(blocks):
        at = f"blocks[{n}]"
        if (block_id := block.get("block_id")) is not None:
            yield from _length(block_id, f"{at}.block_id", limits.BLOCK_ID)
            if block_id in seen:
                yield f"{at}.block_id: {block_id!r} twice"
            seen.add(block_id)
        yield from _block(block, at)


def _block(block: Json, at: str) -> Iterator[str]:
    kind = block.get("type", "")
    if kind not in _KEYS:
        yield f"{at}: unknown type {kind!r}"
        return
    for key in block.keys() - _KEYS[kind] - {"type", "block_id"}:
        yield f"{at}: unknown key {key}"
    match kind:
        case "section":
            yield from _section(block, at)
        case "header":
            yield from _text(block.get("text"), f"{at}.text", limits.HEADER_TEXT, only_plain=True)
        case "context":
            yield from _context(block.get("elements") or [], at)
        case "actions":
            yield from _many(block.get("elements") or [], f"{at}.elements", limits.ACTIONS_ELEMENTS)
            yield from _elements(block.get("elements") or [], f"{at}.elements")
        case "input":
            yield from _text(block.get("label"), f"{at}.label", limits.LABEL_TEXT, only_plain=True)
            if "hint" in block:
                yield from _text(block["hint"], f"{at}.hint", limits.LABEL_TEXT, only_plain=True)
            yield from _elements([block.get("element") or {}], f"{at}.element")


def _library(block: Json, at: str) -> Iterator[str]:
    """What Slack's own library finds."""
    try:
        parsed = InputBlock(**_known(block)) if block["type"] == "input" else Block.parse(block)
        if parsed is None:
            yield f"{at}: Slack's library does not know it"
        else:
            parsed.to_dict()
    except (SlackObjectFormationError, TypeError, ValueError, KeyError, AttributeError) as exc:
        yield f"{at}: {exc}"


def _known(block: Json) -> Json:
    return {key: value for key, value in block.items() if key in _KEYS["input"] | {"block_id"}}


def _section(block: Json, at: str) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield f"{at}: neither text nor fields"
    if "text" in block:
        yield from _text(block["text"], f"{at}.text", limits.SECTION_TEXT)
    if "fields" in block:
        yield from _many(block["fields"], f"{at}.fields", limits.FIELDS)
        for n, field in enumerate(block["fields"]):
            yield from _text(field, f"{at}.fields[{n}]", limits.FIELD_TEXT)
    if "accessory" in block:
        yield from _elements([block["accessory"]], f"{at}.accessory")


def _context(elements: Sequence[Json], at: str) -> Iterator[str]:
    yield from _many(elements, f"{at}.elements", limits.CONTEXT_ELEMENTS)
    for n, element in enumerate(elements):
        if element.get("type") != "image":
            yield from _text(element, f"{at}.elements[{n}]", limits.TEXT_OBJECT)


# --- elements and texts -----------------------------------------------------------------------------------


def _elements(elements: Sequence[Json], at: str) -> Iterator[str]:
    seen: set[str] = set()
    for n, element in enumerate(elements):
        place = f"{at}[{n}]"
        if element.get("type") not in _ELEMENTS:
            yield f"{place}: unknown type {element.get('type')!r}"
            continue
        action = element.get("action_id", "")
        if not action:
            yield f"{place}: no action_id"
        yield from _length(action, f"{place}.action_id", limits.ACTION_ID)
        if action in seen:
            yield f"{place}.action_id: {action!r} twice"
        seen.add(action)
        yield from _element(element, place)


def _element(element: Json, at: str) -> Iterator[str]:
    if element["type"] == "button":
        yield from _text(element.get("text"), f"{at}.text", limits.BUTTON_TEXT, only_plain=True)
        yield from _length(element.get("value", ""), f"{at}.value", limits.BUTTON_VALUE)
        yield from _length(element.get("url", ""), f"{at}.url", limits.BUTTON_URL)
        if element.get("style") not in (None, "primary", "danger"):
            yield f"{at}.style: {element['style']!r}"
    if "placeholder" in element:
        yield from _text(element["placeholder"], f"{at}.placeholder", limits.PLACEHOLDER, only_plain=True)
    most = {"overflow": limits.OVERFLOW_OPTIONS, "checkboxes": limits.BOXES, "radio_buttons": limits.BOXES}
    if "options" in element or element["type"] in most:
        yield from _options(element, at, most.get(element["type"], limits.OPTIONS))


def _options(element: Json, at: str, most: int) -> Iterator[str]:
    options = element.get("options") or []
    yield from _many(options, f"{at}.options", most)
    values = [option.get("value") for option in options]
    if len(values) != len(set(values)):
        yield f"{at}.options: a value twice"
    for n, option in enumerate(options):
        yield from _text(option.get("text"), f"{at}.options[{n}].text", limits.OPTION_TEXT)
        yield from _length(option.get("value", ""), f"{at}.options[{n}].value", limits.OPTION_VALUE)
        if "description" in option:
            yield from _text(option["description"], f"{at}.options[{n}].description", limits.OPTION_TEXT)
    for first in [element.get("initial_option"), *element.get("initial_options", [])]:
        if first is not None and first not in options:
            yield f"{at}: the initial option is none of the options"


def _text(text: Any, at: str, most: int, *, only_plain: bool = False) -> Iterator[str]:
    if not isinstance(text, Mapping) or text.get("type") not in ("plain_text", "mrkdwn"):
        yield f"{at}: no text object"
        return
    if only_plain and text["type"] != "plain_text":
        yield f"{at}: must be plain_text"
    if not str(text.get("text", "")).strip():
        yield f"{at}: empty text"
    yield from _length(text.get("text", ""), at, most)


def _length(value: str, at: str, most: int) -> Iterator[str]:
    if len(value) > most:
        yield f"{at}: {len(value)} characters, at most {most}"


def _many(values: Sequence[Any], at: str, most: int) -> Iterator[str]:
    if not 0 < len(values) <= most:
        yield f"{at}: {len(values)}, from 1 to {most}"


# --- fitting ----------------------------------------------------------------------------------------------


def made(blocks: Iterable[Block]) -> list[Json]:
    """Return `blocks` as data. Slack's library checks each as it makes it, which is what a message costs most for."""
    return [block.to_dict() for block in blocks]


def fit(blocks: Iterable[Block | Json], most: int = limits.MESSAGE_CHARACTERS) -> list[Json]:
    """Return `blocks` as a legal message of at most `most` characters.

    The longest section texts are cut first, outside escapes and links, and say that they were cut; blocks with
    controls are never dropped. Raises IllegalPayload for what cannot be mended by cutting words.
    """
    whole = [block if isinstance(block, dict) else block.to_dict() for block in blocks]
    while (excess := characters(whole) - most) > 0:
        longest = max((b for b in whole if b["type"] == "section" and "text" in b), key=_size, default=None)
        if longest is None or _size(longest) <= len(CUT_NOTICE) + 100:
            break
        keep = max(_size(longest) - excess - len(CUT_NOTICE), _size(longest) // 2)
        text = mrkdwn.cut(longest["text"]["text"].removesuffix(CUT_NOTICE), keep)
        longest["text"]["text"] = text.removesuffix(mrkdwn.ELLIPSIS) + CUT_NOTICE
    _check_limits(whole, [])  # the library had its say when it made them
    return whole


def _size(block: Json) -> int:
    return len(block["text"]["text"])

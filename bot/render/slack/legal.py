"""The last look before Slack: what leaves is legal, and what is too long was cut where it does no harm."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

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
_SELECT: Final = frozenset({"placeholder", "confirm", "focus_on_load"})
_ELEMENTS: Final[Mapping[str, frozenset[str]]] = {
    "button": frozenset({"text", "url", "value", "style", "confirm", "accessibility_label"}),
    "checkboxes": frozenset({"options", "initial_options", "confirm", "focus_on_load"}),
    "overflow": frozenset({"options", "confirm"}),
    "plain_text_input": frozenset(
        {"initial_value", "multiline", "min_length", "max_length", "placeholder", "focus_on_load"}
        | {"dispatch_action_config"}
    ),
    "static_select": _SELECT | {"options", "option_groups", "initial_option"},
    "users_select": _SELECT | {"initial_user"},
}
"""The elements that we send, and their keys beside `type` and `action_id`."""
_ASKED: Final = frozenset({"checkboxes", "plain_text_input", "static_select", "users_select"})
"""What an input may ask for."""
_CLICKED: Final = frozenset(_ELEMENTS) - {"plain_text_input"}
"""What may stand among actions, or beside a section."""
_TEXT_KEYS: Final = frozenset({"type", "text", "emoji", "verbatim"})
_OPTION_KEYS: Final = frozenset({"text", "value", "description", "url"})
_QUESTION_KEYS: Final = frozenset({"title", "text", "confirm", "deny", "style"})
_STYLES: Final = (None, "primary", "danger")
_NAMED: Final = frozenset({"type", "action_id"})
_PLACED: Final = frozenset({"type", "block_id"})
_MENUS: Final = {
    "checkboxes": limits.BOXES,
    "overflow": limits.OVERFLOW_OPTIONS,
    "static_select": limits.OPTIONS,
}
"""Elements that need options → how many at most."""
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

    It knows all that Slack's own library refuses, and the limits which that library misses; tests hold the two against
    each other (ADR 0011).
    """
    if isinstance(payload, dict):
        breaches = list(_view(payload))
    else:
        breaches = list(_blocks(payload, limits.BLOCKS_IN_MESSAGE))
        if (total := characters(payload)) > limits.MESSAGE_CHARACTERS:
            breaches.append(f"blocks: {total} characters in all, at most {limits.MESSAGE_CHARACTERS}")
    if breaches:
        raise IllegalPayload(breaches)


def characters(value: object) -> int:
    """Return how many characters of text are in `value`, as Slack counts a message."""
    total = 0
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            for key, inner in part.items():
                if isinstance(inner, dict | list):
                    left.append(inner)
                elif key == "text" and isinstance(inner, str):
                    total += len(inner)
        elif isinstance(part, list | tuple):
            left += part
    return total


# --- views and blocks -------------------------------------------------------------------------------------


def _view(view: Json) -> Iterator[str]:
    if view.get("type") not in ("modal", "home"):
        yield f"view: unknown type {view.get('type')!r}"
    yield from _unknown(view, _VIEW_KEYS, "view")
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
    if block.keys() - _KEYS[kind] - _PLACED:
        yield from _unknown(block, _KEYS[kind] | _PLACED, at)
    match kind:
        case "section":
            yield from _section(block, at)
        case "header":
            yield from _text(block.get("text"), f"{at}.text", limits.HEADER_TEXT, only_plain=True)
        case "context":
            yield from _context(block.get("elements") or [], at)
        case "actions":
            yield from _many(block.get("elements") or [], f"{at}.elements", limits.ACTIONS_ELEMENTS)
            yield from _elements(block.get("elements") or [], f"{at}.elements", _CLICKED)
        case "input":
            yield from _text(block.get("label"), f"{at}.label", limits.LABEL_TEXT, only_plain=True)
            if "hint" in block:
                yield from _text(block["hint"], f"{at}.hint", limits.LABEL_TEXT, only_plain=True)
            yield from _elements([block.get("element") or {}], f"{at}.element", _ASKED)


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
        yield from _elements([block["accessory"]], f"{at}.accessory", _CLICKED)


def _context(elements: Sequence[Json], at: str) -> Iterator[str]:
    yield from _many(elements, f"{at}.elements", limits.CONTEXT_ELEMENTS)
    for n, element in enumerate(elements):
        if element.get("type") != "image":
            yield from _text(element, f"{at}.elements[{n}]", limits.TEXT_OBJECT)


# --- elements and texts -----------------------------------------------------------------------------------


def _elements(elements: Sequence[Json], at: str, fit_here: frozenset[str]) -> Iterator[str]:
    seen: set[str] = set()
    for n, element in enumerate(elements):
        place = f"{at}[{n}]"
        if element.get("type") not in _ELEMENTS:
            yield f"{place}: unknown type {element.get('type')!r}"
            continue
        if element["type"] not in fit_here:
            yield f"{place}: no {element['type']} can stand here"
        action = element.get("action_id", "")
        if not action:
            yield f"{place}: no action_id"
        yield from _length(action, f"{place}.action_id", limits.ACTION_ID)
        if action in seen:
            yield f"{place}.action_id: {action!r} twice"
        seen.add(action)
        yield from _element(element, place)


def _element(element: Json, at: str) -> Iterator[str]:
    kind = element["type"]
    if element.keys() - _ELEMENTS[kind] - _NAMED:
        yield from _unknown(element, _ELEMENTS[kind] | _NAMED, at)
    if kind == "button":
        yield from _text(element.get("text"), f"{at}.text", limits.BUTTON_TEXT, only_plain=True)
        yield from _length(element.get("value", ""), f"{at}.value", limits.BUTTON_VALUE)
        yield from _length(element.get("url", ""), f"{at}.url", limits.BUTTON_URL)
        if element.get("style") not in _STYLES:
            yield f"{at}.style: {element['style']!r}"
    elif kind == "plain_text_input":
        if not 0 < element.get("max_length", 1) <= limits.INPUT_LENGTH:
            yield f"{at}.max_length: {element['max_length']}, from 1 to {limits.INPUT_LENGTH}"
        yield from _length(element.get("initial_value", ""), f"{at}.initial_value", element.get("max_length", 3000))
    if "confirm" in element:
        yield from _question(element["confirm"], f"{at}.confirm")
    if "placeholder" in element:
        yield from _text(element["placeholder"], f"{at}.placeholder", limits.PLACEHOLDER, only_plain=True)
    if kind in _MENUS:
        yield from _options(element, at, _MENUS[kind], only_plain=kind != "checkboxes")


def _question(asks: Json, at: str) -> Iterator[str]:
    yield from _unknown(asks, _QUESTION_KEYS, at)
    yield from _text(asks.get("title"), f"{at}.title", limits.CONFIRM_TITLE, only_plain=True)
    yield from _text(asks.get("text"), f"{at}.text", limits.CONFIRM_TEXT)
    for key in ("confirm", "deny"):
        yield from _text(asks.get(key), f"{at}.{key}", limits.CONFIRM_BUTTON, only_plain=True)


def _options(element: Json, at: str, most: int, *, only_plain: bool) -> Iterator[str]:
    options = element.get("options") or []
    yield from _many(options, f"{at}.options", most)
    values = [option.get("value") for option in options]
    if len(values) != len(set(values)):
        yield f"{at}.options: a value twice"
    for n, option in enumerate(options):
        place = f"{at}.options[{n}]"
        if option.keys() - _OPTION_KEYS:
            yield from _unknown(option, _OPTION_KEYS, place)
        if not option.get("value"):
            yield f"{place}: no value"
        yield from _text(option.get("text"), place, limits.OPTION_TEXT, only_plain=only_plain)
        yield from _length(option.get("value") or "", place, limits.OPTION_VALUE)
        if "description" in option:
            yield from _text(option["description"], f"{place}.description", limits.OPTION_TEXT, only_plain=only_plain)
    for first in [element.get("initial_option"), *element.get("initial_options", [])]:
        if first is not None and first not in options:
            yield f"{at}: the initial option is none of the options"


def _text(text: Any, at: str, most: int, *, only_plain: bool = False) -> Iterator[str]:
    if not isinstance(text, Mapping) or text.get("type") not in ("plain_text", "mrkdwn"):
        yield f"{at}: no text object"
        return
    if only_plain and text["type"] != "plain_text":
        yield f"{at}: must be plain_text"
    if text.keys() - _TEXT_KEYS:
        yield from _unknown(text, _TEXT_KEYS, at)
    if ("verbatim" if text["type"] == "plain_text" else "emoji") in text:
        yield f"{at}: {text['type']} takes no such key"
    if not str(text.get("text", "")).strip():
        yield f"{at}: empty text"
    yield from _length(text.get("text", ""), at, most)


def _unknown(part: Mapping[str, Any], known: frozenset[str], at: str) -> Iterator[str]:
    for key in sorted(part.keys() - known):
        yield f"{at}: unknown key {key}"


def _length(value: str, at: str, most: int) -> Iterator[str]:
    if len(value) > most:
        yield f"{at}: {len(value)} characters, at most {most}"


def _many(values: Sequence[Any], at: str, most: int) -> Iterator[str]:
    if not 0 < len(values) <= most:
        yield f"{at}: {len(values)}, from 1 to {most}"


# --- fitting ----------------------------------------------------------------------------------------------


def fit(blocks: Iterable[Json]) -> list[Json]:
    """Return `blocks` as a legal message, no longer than one may be.

    The longest section texts are cut first, outside escapes and links, and say that they were cut; blocks with
    controls are never dropped. Raises IllegalPayload for what cannot be mended by cutting words.
    """
    whole = list(blocks)
    while (excess := characters(whole) - limits.MESSAGE_CHARACTERS) > 0:
        longest = max((b for b in whole if b["type"] == "section" and "text" in b), key=_size, default=None)
        if longest is None or _size(longest) <= len(CUT_NOTICE) + 100:
            break
        keep = max(_size(longest) - excess - len(CUT_NOTICE), _size(longest) // 2)
        text = mrkdwn.cut(longest["text"]["text"].removesuffix(CUT_NOTICE), keep)
        longest["text"]["text"] = text.removesuffix(mrkdwn.ELLIPSIS) + CUT_NOTICE
    check(whole)
    return whole


def _size(block: Json) -> int:
    return len(block["text"]["text"])

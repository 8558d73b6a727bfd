"""Modals and home tabs: checked, opened, stacked, updated and closed.

https://docs.slack.dev/surfaces/modals and https://docs.slack.dev/surfaces/app-home
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from bot.simulator import blocks, limits
from bot.simulator.errors import SlackError
from bot.simulator.shapes import Check, Shape, anything, complain, flag, plain, string
from bot.simulator.store import Json
from bot.simulator.world import World

COMMON: Mapping[str, Check] = {
    "private_metadata": string(limits.PRIVATE_METADATA, 0),
    "callback_id": string(limits.VIEW_CALLBACK_ID, 0),
    "external_id": string(limits.VIEW_EXTERNAL_ID, 0),
}
MODAL = Shape(
    {"title": plain(limits.VIEW_TITLE), "blocks": anything},
    {
        **COMMON,
        "submit": plain(limits.VIEW_BUTTON),
        "close": plain(limits.VIEW_BUTTON),
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
    },
)
HOME = Shape({"blocks": anything}, COMMON)


def check(view: Any, *, kind: str) -> Json:
    """Return a legal view. Raises SlackError invalid_arguments, view_too_large."""
    faults: list[str] = []
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", ["[ERROR] must provide an object [json-pointer:/view]"])
    if view.get("type") != kind:
        complain(faults, "/view/type", f"must be {kind}")
    (MODAL if kind == "modal" else HOME)(view, "/view", faults)
    content = view.get("blocks", [])
    faults += blocks.faults_of(content, message=False, at="/view/blocks")
    if not faults and kind == "modal":
        inputs = any(block.get("type") == "input" for block in content)
        if inputs and not view.get("submit"):
            complain(faults, "/view", "missing required field: submit")
    if faults:
        raise SlackError("invalid_arguments", faults)
    if len(json.dumps(view)) > limits.VIEW_BYTES:
        raise SlackError("view_too_large")
    return view


def build(world: World, view: Json, user: str, *, after: Json | None = None) -> Json:
    """Return a view in Slack's full shape; `after` is the view it is pushed upon."""
    external = view.get("external_id", "")
    if external and any(v["external_id"] == external and v["_user"] != user for v in world.views.values()):
        raise SlackError("duplicate_external_id")
    view_id = world.next_id("V")
    full = {
        "id": view_id,
        "team_id": world.team["id"],
        "type": view["type"],
        "previous_view_id": after["id"] if after else None,
        "root_view_id": after["root_view_id"] if after else view_id,
        "app_id": world.app.id,
        "app_installed_team_id": world.team["id"],
        "bot_id": world.app.bot_id,
        "_user": user,
    }
    return full | _content(world, view)


def _content(world: World, view: Json) -> Json:
    content = blocks.settle(view["blocks"])
    title = {"type": "plain_text", "text": "View Title", "emoji": True}
    return {
        "blocks": content,
        "private_metadata": view.get("private_metadata", ""),
        "callback_id": view.get("callback_id", ""),
        "external_id": view.get("external_id", ""),
        "state": {"values": state_of(content, {})},
        "hash": f"{world.next_ts()[:10]}.{secrets.token_hex(4)}",
        "title": blocks.settle(view["title"], top=False) if view.get("title") else title,
        "clear_on_close": view.get("clear_on_close", False),
        "notify_on_close": view.get("notify_on_close", False),
        "close": blocks.settle(view["close"], top=False) if view.get("close") else None,
        "submit": blocks.settle(view["submit"], top=False) if view.get("submit") else None,
    }


def public(view: Json) -> Json:
    """Return a view as the app sees it."""
    return {key: value for key, value in view.items() if not key.startswith("_")}


# -- the stack of a person's modals ---------------------------------------------------------


def stack(world: World, user: str) -> list[Json]:
    """Return a person's open modals, the visible one last."""
    mine = [v for v in world.views.values() if v["_user"] == user and v["type"] == "modal"]
    return sorted(mine, key=lambda view: int(view["id"][1:]))


def home(world: World, user: str) -> Json | None:
    """Return what the app published for a person."""
    return next((v for v in world.views.values() if v["_user"] == user and v["type"] == "home"), None)


def open_modal(world: World, view: Json, user: str) -> Json:
    """Show a modal in the place of any other."""
    full = build(world, check(view, kind="modal"), user)
    for old in stack(world, user):
        world.drop_view(old["id"])
    world.keep_view(full)
    show(world, full)
    return full


def push(world: World, view: Any, user: str) -> Json:
    """Show a modal on top of the open one. Raises SlackError push_limit_reached, not_found."""
    under = stack(world, user)
    if not under:
        raise SlackError("not_found")
    if len(under) >= limits.VIEW_STACK:
        raise SlackError("push_limit_reached")
    full = build(world, check(view, kind="modal"), user, after=under[-1])
    world.keep_view(full)
    show(world, full)
    return full


def update(world: World, old: Json, view: Any, known_hash: str | None = None) -> Json:
    """Change an open modal. Raises SlackError hash_conflict."""
    check(view, kind=old["type"])
    if known_hash is not None and known_hash != old["hash"]:
        raise SlackError("hash_conflict")
    # https://docs.slack.dev/surfaces/modals#updating_views : input survives where ids stay
    content = _content(world, view)
    content["state"] = {"values": state_of(content["blocks"], old["state"]["values"])}
    full = old | content
    world.keep_view(full)
    show(world, full)
    return full


def publish(world: World, view: Json, user: str, known_hash: str | None = None) -> Json:
    """Set a person's home tab. Raises SlackError hash_conflict."""
    old = home(world, user)
    if old is not None:
        return update(world, old, view, known_hash)
    full = build(world, check(view, kind="home"), user)
    world.keep_view(full)
    show(world, full)
    return full


def close(world: World, view: Json, *, everything: bool = False) -> None:
    """Close a modal; what lay under it comes to sight again."""
    user = view["_user"]
    gone = stack(world, user) if everything else [view]
    for each in gone:
        world.drop_view(each["id"])
        world.feed.push("view_closed", {"view_id": each["id"]}, frozenset({user}))
    if rest := stack(world, user):
        show(world, rest[-1])


def show(world: World, view: Json) -> None:
    """Show a view to its owner's pages."""
    kind = "home" if view["type"] == "home" else "view"
    depth = len(stack(world, view["_user"]))
    world.feed.push(kind, {"view": public(view) | {"stack": depth}}, frozenset({view["_user"]}))


# -- state ----------------------------------------------------------------------------------

# https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload#state
STATE_KEYS: Mapping[str, tuple[str, str, Any]] = {
    "plain_text_input": ("value", "initial_value", None),
    "email_text_input": ("value", "initial_value", None),
    "url_text_input": ("value", "initial_value", None),
    "number_input": ("value", "initial_value", None),
    "rich_text_input": ("rich_text_value", "initial_value", None),
    "static_select": ("selected_option", "initial_option", None),
    "external_select": ("selected_option", "initial_option", None),
    "radio_buttons": ("selected_option", "initial_option", None),
    "users_select": ("selected_user", "initial_user", None),
    "conversations_select": ("selected_conversation", "initial_conversation", None),
    "channels_select": ("selected_channel", "initial_channel", None),
    "multi_static_select": ("selected_options", "initial_options", []),
    "multi_external_select": ("selected_options", "initial_options", []),
    "checkboxes": ("selected_options", "initial_options", []),
    "multi_users_select": ("selected_users", "initial_users", []),
    "multi_conversations_select": ("selected_conversations", "initial_conversations", []),
    "multi_channels_select": ("selected_channels", "initial_channels", []),
    "datepicker": ("selected_date", "initial_date", None),
    "timepicker": ("selected_time", "initial_time", None),
    "datetimepicker": ("selected_date_time", "initial_date_time", None),
}


def state_of(content: list[Json], known: Mapping[str, Any]) -> Json:
    """Return state.values of some blocks: what is known, else each element's initial value."""
    values: Json = {}
    for block in content:
        for element in blocks.elements_of([block]):
            if (keys := STATE_KEYS.get(element["type"])) is None:
                continue
            key, initial, empty = keys
            here = known.get(block["block_id"])
            place = here.get(element["action_id"]) if isinstance(here, dict) else None
            if not isinstance(place, dict) or key not in place:
                place = {key: element.get(initial, empty)}
            state = {"type": element["type"], key: place[key]}
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def unmet(content: list[Json], values: Mapping[str, Any]) -> dict[str, str]:
    """Return what the client itself would refuse in a submission, by block_id."""
    errors: dict[str, str] = {}
    for block in content:
        if block.get("type") != "input":
            continue
        element = block["element"]
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        given = state.get(STATE_KEYS[element["type"]][0])
        if given in (None, "", []):
            if not block.get("optional"):
                errors[block["block_id"]] = "Please complete this required field."
            continue
        if isinstance(given, str) and len(given) < element.get("min_length", 0):
            errors[block["block_id"]] = f"Please enter at least {element['min_length']} characters."
        if isinstance(given, str) and len(given) > element.get("max_length", limits.INPUT_LENGTH):
            errors[block["block_id"]] = "Please shorten this text."
    return errors

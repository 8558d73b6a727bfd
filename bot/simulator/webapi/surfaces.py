"""views.*: modals and home tabs that the app opens."""

from __future__ import annotations

from bot.simulator import views
from bot.simulator.errors import SlackError
from bot.simulator.interactions import spend_trigger
from bot.simulator.store import Json
from bot.simulator.webapi.call import Call


def _view(call: Call, kind: str) -> Json:
    """Return the legal view of a call, checked before anything is used up."""
    return views.check(call.data("view"), kind=kind)


def _trigger(call: Call) -> str:
    given = call.text("trigger_id") or call.text("interactivity_pointer")
    if not given:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: trigger_id"])
    return spend_trigger(call.world, given)


def open_view(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.open"""
    view = _view(call, "modal")
    return {"view": views.public(views.open_modal(call.world, view, _trigger(call)))}


def push_view(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.push"""
    view = _view(call, "modal")
    return {"view": views.public(views.push(call.world, view, _trigger(call)))}


def update_view(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.update"""
    view_id, external = call.text("view_id"), call.text("external_id")
    if not view_id and not external:
        words = "[ERROR] missing required field: view_id or external_id"
        raise SlackError("invalid_arguments", [words])
    for old in call.world.views.values():
        if old["id"] == view_id or (external and old["external_id"] == external):
            known = call.text("hash") or None
            new = views.update(call.world, old, _view(call, old["type"]), known)
            return {"view": views.public(new)}
    raise SlackError("not_found")


def publish_view(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.publish"""
    user = call.text("user_id")
    call.user(user, "invalid_arguments")
    home = call.world.settings.manifest.get("features", {}).get("app_home", {})
    if not home.get("home_tab_enabled"):
        raise SlackError("not_enabled")
    view = _view(call, "home")
    known = call.text("hash") or None
    return {"view": views.public(views.publish(call.world, view, user, known))}

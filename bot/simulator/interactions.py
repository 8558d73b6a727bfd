"""What people do with the app: commands, clicks, submissions, shortcuts, menus.

Payloads: https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from bot.simulator import blocks, posts, responses, text, views
from bot.simulator.channel import Channel
from bot.simulator.delivery import Courier, Unreachable
from bot.simulator.errors import PersonError, SlackError
from bot.simulator.store import Json
from bot.simulator.world import World

TOKEN = "legacy-verification-token"  # noqa: S105 - Slack's deprecated constant, no secret


def mint_trigger(world: World, user: str) -> str:
    """Return a trigger: it opens one view within three seconds."""
    now = world.now()
    keep = 20 * world.settings.pace.trigger_life
    for old in [key for key, slip in world.triggers.items() if now - slip["at"] > keep]:
        del world.triggers[old]
    trigger = f"{int(now * 1000)}.{world.team['id']}.{secrets.token_hex(8)}"
    world.triggers[trigger] = {"user": user, "at": now, "used": False}
    return trigger


def spend_trigger(world: World, trigger: str) -> str:
    """Use a trigger up and return whose it is.

    Raises SlackError invalid_trigger_id, exchanged_trigger_id, expired_trigger_id.
    """
    slip = world.triggers.get(trigger)
    if slip is None:
        raise SlackError("invalid_trigger_id")
    if slip["used"]:
        raise SlackError("exchanged_trigger_id")
    if world.now() - slip["at"] > world.settings.pace.trigger_life:
        raise SlackError("expired_trigger_id")
    slip["used"] = True
    return str(slip["user"])


def commands(world: World) -> list[Json]:
    """Return the app's slash commands."""
    return list(world.settings.manifest.get("features", {}).get("slash_commands", ()))


def shortcuts(world: World) -> list[Json]:
    """Return the app's shortcuts."""
    return list(world.settings.manifest.get("features", {}).get("shortcuts", ()))


class Desk:
    """Takes what people do to the app, and shows them what it acknowledged."""

    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier

    async def command(self, user: str, channel: Channel, typed: str) -> str | None:
        """Deliver a slash command and return the text of the answer, if one came at once."""
        world = self._world
        name, _, rest = typed.partition(" ")
        known = next(c for c in commands(world) if c["command"] == name)
        said = text.command_text(world, rest.strip(), should_escape=bool(known.get("should_escape")))
        payload = {
            "token": TOKEN,
            "team_id": world.team["id"],
            "team_domain": world.team["domain"],
            "channel_id": channel.id,
            "channel_name": _named(channel),
            "user_id": user,
            "user_name": world.handle(user),
            "command": name,
            "text": said,
            "api_app_id": world.app.id,
            "is_enterprise_install": "false",
            "response_url": responses.mint(world, user, channel),
            "trigger_id": mint_trigger(world, user),
        }
        world.commit()
        try:
            ack = await self._courier.interact("slash_commands", payload)
            if ack:
                responses.answer(world, channel, user, ack, {})
        except Unreachable as failure:
            self._complain(channel, user, f'{name} failed with the error "{failure.shown}"')
            return None
        except SlackError:
            self._complain(channel, user, f'{name} failed with the error "invalid_command_response"')
            return None
        world.commit()
        return str(ack["text"]) if ack.get("text") else None

    def _complain(self, channel: Channel, user: str, words: str) -> None:
        message = {"type": "message", "user": "USLACKBOT", "text": words}
        posts.whisper(self._world, channel, user, message)
        self._world.commit()

    async def action(self, user: str, place: Json, block_id: str, action_id: str, value: Json) -> None:
        """Deliver a click or a choice in a message or a view.

        `place` has `channel` and `ts`, or `view_id`. Raises PersonError.
        """
        element, payload = self._at(user, place, block_id, action_id)
        action: Json = {"block_id": block_id, "action_ts": self._world.next_ts()}
        kept = ("type", "action_id", "text", "value", "style", "url", "placeholder")
        action |= {key: element[key] for key in kept if key in element}
        if element["type"] != "button":  # a button's value is the app's, not the person's
            action |= {key: part for key, part in value.items() if key not in ("type", "action_id")}
        payload |= {"type": "block_actions", "actions": [action]}
        payload["trigger_id"] = mint_trigger(self._world, user)
        if view := payload.get("view"):
            self._remember(place["view_id"], block_id, action_id, value)
            payload["view"] = views.public(self._world.views[view["id"]])
        else:
            states = views.state_of(payload.pop("_blocks"), {block_id: {action_id: value}})
            payload["state"] = {"values": states}
        self._world.commit()
        await self._deliver(payload, answers=False)

    async def options(self, user: str, place: Json, block_id: str, action_id: str, value: str) -> Json:
        """Ask the app for the options of an external menu and return its answer."""
        _, payload = self._at(user, place, block_id, action_id)
        for key in ("state", "response_url", "_blocks"):
            payload.pop(key, None)
        payload |= {"type": "block_suggestion", "block_id": block_id, "action_id": action_id}
        payload["value"] = value
        return await self._deliver(payload)

    async def shortcut(self, user: str, callback_id: str, channel: Channel | None, ts: str) -> None:
        """Deliver a global shortcut, or one on a message."""
        world = self._world
        if callback_id not in {s["callback_id"] for s in shortcuts(world)}:
            raise PersonError("unknown_shortcut", "The app has no such shortcut.", 404)
        kind = "message_action" if channel else "shortcut"
        payload = self._frame(user) | {"type": kind, "callback_id": callback_id}
        payload |= {"action_ts": world.next_ts(), "trigger_id": mint_trigger(world, user)}
        del payload["api_app_id"]
        if channel:
            message = world.messages.get(channel.id, {}).get(ts)
            if message is None:
                raise PersonError("message_not_found", "This message is gone.", 404)
            payload |= {"channel": {"id": channel.id, "name": _named(channel)}}
            payload |= {"message_ts": ts, "message": posts.shown(message)}
            payload["response_url"] = responses.mint(world, user, channel, message)
        world.commit()
        await self._deliver(payload, answers=False)

    async def submit(self, user: str, view_id: str, values: Mapping[str, Any]) -> Json:
        """Deliver a submission; return what the page shows: errors, a view, or closed."""
        world = self._world
        view = self._view(user, view_id)
        view["state"] = {"values": views.state_of(view["blocks"], values)}
        world.keep_view(view)
        world.commit()
        if errors := views.unmet(view["blocks"], view["state"]["values"]):
            return {"errors": errors, "closed": False}
        payload = self._frame(user) | {"type": "view_submission"}
        payload |= {"trigger_id": mint_trigger(world, user), "view": views.public(view)}
        payload["response_urls"] = []
        ack = await self._deliver(payload)
        try:
            shown = self._after_submission(user, view_id, ack)
        except SlackError as refused:
            words = f"The app answered with a view that Slack refuses: {refused.messages or refused}"
            raise PersonError("invalid_response", words, 502) from None
        world.commit()
        return shown

    def _after_submission(self, user: str, view_id: str, ack: Json) -> Json:
        """https://docs.slack.dev/surfaces/modals#response_actions"""
        world, view = self._world, self._world.views.get(view_id)
        match ack.get("response_action"):
            case "errors":
                return {"errors": ack.get("errors", {}), "closed": False}
            case "update" if view:
                return {"view": views.public(views.update(world, view, ack.get("view"))), "closed": False}
            case "push" if view:
                return {"view": views.public(views.push(world, ack.get("view"), user)), "closed": False}
            case "clear" if view:
                views.close(world, view, everything=True)
            case _ if view:
                views.close(world, view)
        return {"closed": True}

    async def close(self, user: str, view_id: str) -> None:
        """Dismiss a modal; the app hears of it if it asked to."""
        view = self._view(user, view_id)
        everything = bool(view["clear_on_close"])
        views.close(self._world, view, everything=everything)
        self._world.commit()
        if view["notify_on_close"]:
            payload = self._frame(user) | {"type": "view_closed", "view": views.public(view)}
            await self._deliver(payload | {"is_cleared": everything}, answers=False)

    # -- parts of payloads ------------------------------------------------------------------

    def _frame(self, user: str) -> Json:
        world = self._world
        name = world.handle(user)
        team = world.team["id"]
        return {
            "team": {"id": team, "domain": world.team["domain"]},
            "user": {"id": user, "username": name, "name": name, "team_id": team},
            "api_app_id": world.app.id,
            "token": TOKEN,
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _at(self, user: str, place: Json, block_id: str, action_id: str) -> tuple[Json, Json]:
        """Return the element that was used and the payload's account of where it stands."""
        world, payload = self._world, self._frame(user)
        if place.get("view_id"):
            view = self._view(user, place["view_id"])
            payload["container"] = {"type": "view", "view_id": view["id"]}
            payload["view"] = views.public(view)
            return _element(view["blocks"], block_id, action_id), payload
        channel = world.channels[place["channel"]]
        ts = place.get("ts", "")
        whispered = world.ephemerals.get(channel.id, {}).get(ts)
        message = whispered or world.messages.get(channel.id, {}).get(ts)
        if message is None or (whispered and whispered["_reader"] != user):
            raise PersonError("message_not_found", "This message is gone.", 404)
        content = message.get("blocks", [])
        payload["container"] = {
            "type": "message",
            "message_ts": ts,
            "channel_id": channel.id,
            "is_ephemeral": bool(whispered),
        }
        if message.get("thread_ts"):
            payload["container"]["thread_ts"] = message["thread_ts"]
        payload["channel"] = {"id": channel.id, "name": _named(channel)}
        if not whispered:
            payload["message"] = posts.shown(message)
        payload["state"] = {"values": {}}
        payload["_blocks"] = content
        payload["response_url"] = responses.mint(world, user, channel, message)
        return _element(content, block_id, action_id), payload

    def _view(self, user: str, view_id: str) -> Json:
        view = self._world.views.get(view_id)
        if view is None or view["_user"] != user:
            raise PersonError("view_not_found", "This window is closed already.", 404)
        return view

    def _remember(self, view_id: str, block_id: str, action_id: str, value: Json) -> None:
        view = self._world.views[view_id]
        known = view["state"]["values"]
        merged = known | {block_id: known.get(block_id, {}) | {action_id: value}}
        view["state"] = {"values": views.state_of(view["blocks"], merged)}
        self._world.keep_view(view)

    async def _deliver(self, payload: Json, *, answers: bool = True) -> Json:
        try:
            return await self._courier.interact("interactive", payload, answers=answers)
        except Unreachable as failure:
            if failure.reason == "http_timeout":
                words = "The app did not answer within 3 seconds."
                raise PersonError("timeout", words, 504) from None
            words = "The app could not be reached."
            raise PersonError("unreachable", words, 502) from None


def _element(content: list[Json], block_id: str, action_id: str) -> Json:
    for block in content:
        if block.get("block_id") == block_id:
            for element in blocks.elements_of([block]):
                if element.get("action_id") == action_id:
                    return element
    raise PersonError("action_not_found", "This button is no longer there.", 404)


def _named(channel: Channel) -> str:
    """https://docs.slack.dev/interactivity/implementing-slash-commands#app_command_handling"""
    if channel.kind == "private":
        return "privategroup"
    return "directmessage" if channel.is_direct else channel.name

"""What a person types, as a Slack client sends it: escaped, linked, and as a rich_text block.

Escaping and references: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from typing import Any

from bot.simulator.store import Json
from bot.simulator.world import World

BROADCASTS = ("here", "channel", "everyone")
TYPED = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|(?P<link>https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"])"
    r"|(?<![\w.])@(?P<at>[\w.-]*\w)"
    r"|(?<![\w&])#(?P<hash>[\w-]+)"
    r"|:(?P<emoji>[a-z0-9_+-]+(?:::skin-tone-[2-6])?):"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
)


def escape(text: str) -> str:
    """Escape the three characters that Slack escapes, and only those."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def people(world: World) -> dict[str, str]:
    """Return id by short name, for everyone who can be mentioned."""
    return {str(u["name"]).lower(): uid for uid, u in world.users.items() if uid != "USLACKBOT"}


def compose(world: World, typed: str) -> tuple[str, list[Json]]:
    """Return a message's text and its rich_text block, as a client sends what was typed."""
    said: list[str] = []
    elements: list[Json] = []
    at = 0
    for match in TYPED.finditer(typed):
        text, element = _piece(world, match)
        if element is None:
            continue
        if match.start() > at:
            _plain(typed[at : match.start()], said, elements)
        said.append(text)
        elements.append(element)
        at = match.end()
    if at < len(typed):
        _plain(typed[at:], said, elements)
    section = {"type": "rich_text_section", "elements": elements}
    block = {"type": "rich_text", "block_id": "b1", "elements": [section]}
    return "".join(said), [block]


def command_text(world: World, typed: str, *, should_escape: bool) -> str:
    """Return a slash command's text: references are escaped only if the app asks for it.

    https://docs.slack.dev/interactivity/implementing-slash-commands#creating_commands
    """
    if not should_escape:
        return escape(typed)
    names, rooms = people(world), {c.name: c.id for c in world.channels.values()}

    def refer(match: re.Match[str]) -> str:
        if (at := match["at"]) and at.lower() in names:
            return f"<@{names[at.lower()]}|{at.lower()}>"
        if (room := match["hash"]) and room in rooms:
            return f"<#{rooms[room]}|{room}>"
        if match["link"]:
            return f"<{match[0]}>"
        return match[0]

    return TYPED.sub(refer, escape(typed))


def mentions(world: World, text: str, user: str) -> bool:
    """Whether a text calls this person: by name, by group, or as everyone."""
    if f"<@{user}" in text or any(f"<!{word}" in text for word in BROADCASTS):
        return True
    groups = [group["id"] for group in world.usergroups.values() if user in group["users"]]
    return any(f"<!subteam^{group}" in text for group in groups)


def _plain(text: str, said: list[str], elements: list[Json]) -> None:
    said.append(escape(text))
    elements.append({"type": "text", "text": text})


def _piece(world: World, match: re.Match[str]) -> tuple[str, Json | None]:
    """Return the text and the element of one typed piece; None leaves it plain."""
    kind, inner = match.lastgroup or "", match[match.lastgroup or 0]
    if kind == "code":
        return escape(match[0]), _styled(inner[1:-1], "code")
    if kind in ("bold", "italic", "strike"):
        return escape(match[0]), _styled(inner, kind)
    if kind == "link":
        return f"<{escape(inner)}>", {"type": "link", "url": inner}
    if kind == "emoji":
        return match[0], {"type": "emoji", "name": inner}
    if kind == "hash":
        for channel in world.channels.values():
            if channel.name == inner and not channel.is_direct:
                reference = {"type": "channel", "channel_id": channel.id}
                return f"<#{channel.id}|{inner}>", reference
        return "", None
    return _mention(world, inner.lower())


def _mention(world: World, name: str) -> tuple[str, Json | None]:
    if name in BROADCASTS:
        return f"<!{name}>", {"type": "broadcast", "range": name}
    if user := people(world).get(name):
        return f"<@{user}>", {"type": "user", "user_id": user}
    for group in world.usergroups.values():
        if group["handle"] == name:
            element = {"type": "usergroup", "usergroup_id": group["id"]}
            return f"<!subteam^{group['id']}>", element
    return "", None


def _styled(text: str, style: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "style": {style: True}}

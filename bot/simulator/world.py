"""The workspace's working set: everything in memory, everything written before an answer."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass

from bot.simulator.channel import Channel
from bot.simulator.feed import Feed
from bot.simulator.settings import WorkspaceSettings
from bot.simulator.store import Json, Store


@dataclass(frozen=True)
class App:
    """The app under test, as the workspace knows it."""

    id: str
    name: str
    user_id: str
    bot_id: str


class World:
    """All facts of one workspace. Change it, `keep` what changed, then `commit` once."""

    def __init__(self, settings: WorkspaceSettings) -> None:
        self.settings = settings
        self.store = Store(settings.path)
        self.feed = Feed()
        self.users: dict[str, Json] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, dict[str, Json]] = {}
        self.ephemerals: dict[str, dict[str, Json]] = {}
        self.usergroups: dict[str, Json] = {}
        self.views: dict[str, Json] = {}
        self.response_urls: dict[str, Json] = {}
        self.deliveries: dict[str, Json] = {}
        self.triggers: dict[str, Json] = {}
        self._counters: Json = {}
        self._last_ts = 0
        self.seed: Json = tomllib.loads(settings.seed.read_text(encoding="utf-8"))
        self.team: Json = self.seed["team"]
        display = settings.manifest.get("display_information", {})
        bot_user = settings.manifest.get("features", {}).get("bot_user", {})
        name = bot_user.get("display_name") or display.get("name") or "bot"
        app = self.seed["app"]
        self.app = App(app["id"], name, app["user_id"], app["bot_id"])
        self._load()

    # -- time and names ---------------------------------------------------------------------

    def now(self) -> float:
        """Return the wall clock in seconds since the epoch."""
        return self.settings.clock()

    def next_ts(self) -> str:
        """Return a message time stamp that no message of this workspace had before."""
        self._last_ts = max(int(self.now() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def number_from(self, prefix: str, taken: int) -> None:
        """Leave the first numbers of a prefix to the seed."""
        self._counters[prefix] = taken

    def next_id(self, prefix: str) -> str:
        """Return a new short id such as C0042."""
        taken = int(self._counters.get(prefix, 0)) + 1
        self._counters[prefix] = taken
        self.store.put("meta", "counters", self._counters)
        return f"{prefix}{taken:04d}"

    # -- keeping ----------------------------------------------------------------------------

    def commit(self) -> None:
        """Write all changes, then tell the pages."""
        self.store.commit()
        self.feed.release()

    def keep_channel(self, channel: Channel) -> None:
        """Keep a channel and show it anew to everyone who may see it."""
        self.channels[channel.id] = channel
        self.store.put("channel", channel.id, asdict(channel))
        self.feed.push("channel", {"channel": channel.id}, self.audience(channel))

    def keep_message(self, channel: Channel, message: Json) -> None:
        """Keep a message; its ts is its name."""
        self.messages.setdefault(channel.id, {})[message["ts"]] = message
        self.store.put("message", f"{channel.id}:{message['ts']}", message)

    def drop_message(self, channel: Channel, ts: str) -> None:
        """Forget a message."""
        self.messages[channel.id].pop(ts, None)
        self.store.drop("message", f"{channel.id}:{ts}")

    def keep_user(self, user: Json) -> None:
        """Keep a person."""
        self.users[user["id"]] = user
        self.store.put("user", user["id"], user)

    def keep_view(self, view: Json) -> None:
        """Keep a modal or a home tab (with its owner beside it under `_user`)."""
        self.views[view["id"]] = view
        self.store.put("view", view["id"], view)

    def drop_view(self, view_id: str) -> None:
        """Forget a modal."""
        self.views.pop(view_id, None)
        self.store.drop("view", view_id)

    # -- finding ----------------------------------------------------------------------------

    def audience(self, channel: Channel) -> frozenset[str] | None:
        """Return who may see a channel: None means everyone."""
        return None if channel.kind == "public" else frozenset(channel.members)

    def may_see(self, channel: Channel, user: str) -> bool:
        """Whether a person or the app may see a channel at all."""
        return channel.kind == "public" or user in channel.members

    def history(self, channel: Channel) -> list[Json]:
        """Return a channel's messages, oldest first."""
        return list(self.messages.get(channel.id, {}).values())

    def direct(self, *users: str) -> Channel | None:
        """Return the direct message between exactly these users, if it was ever opened."""
        wanted = set(users)
        for channel in self.channels.values():
            if channel.is_direct and set(channel.members) == wanted:
                return channel
        return None

    def handle(self, user: str) -> str:
        """Return a user's short name."""
        found = self.users.get(user)
        return str(found["name"]) if found else user

    @property
    def url(self) -> str:
        """The address of the workspace, as Slack's `https://<domain>.slack.com/`; here it leads to the page."""
        return self.settings.base_url.rstrip("/") + "/"

    def permalink(self, channel: Channel, message: Json) -> str:
        """Return the address of a message."""
        link = f"{self.url}archives/{channel.id}"
        link += "/p" + str(message["ts"]).replace(".", "")
        thread = message.get("thread_ts")
        if thread and thread != message["ts"]:
            link += f"?thread_ts={thread}&cid={channel.id}"
        return link

    # -- beginning --------------------------------------------------------------------------

    def _load(self) -> None:
        self.users = dict(self.store.load("user"))
        self.channels = {key: Channel(**body) for key, body in self.store.load("channel")}
        for kind, shelf in (("message", self.messages), ("ephemeral", self.ephemerals)):
            for key, body in self.store.load(kind):
                shelf.setdefault(key.partition(":")[0], {})[body["ts"]] = body
                self._last_ts = max(self._last_ts, int(body["ts"].replace(".", "")))
        self.usergroups = dict(self.store.load("usergroup"))
        self.views = dict(self.store.load("view"))
        self.response_urls = dict(self.store.load("response_url"))
        self.deliveries = dict(self.store.load("delivery"))
        self._counters = dict(self.store.load("meta")).get("counters", {})

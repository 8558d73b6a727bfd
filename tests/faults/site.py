"""The real house on loopback, beside the simulated workspace and fake vendors; and what people do there."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from bot.delivery.runner import Runner
from bot.domain import commands as c
from bot.domain.alerts import AlertBatch, Episode
from bot.domain.effects import ShowHome
from bot.domain.events import AlertFact
from bot.domain.incident import Incident
from bot.domain.notices import Notice
from bot.domain.questions import question_id
from bot.domain.runbook_match import Shelf
from bot.domain.triage import triage
from bot.ports.delivery import DeliveryError, Done, Job, Registration
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded
from bot.simulator import Workspace
from bot.storage import schema
from bot.storage.database import Database
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Act, Request
from bot.usecases.notices import Announce
from bot.usecases.triaging import AnswerQuestion
from bot.wiring.house import House, open_house
from tests.faults.surroundings import CONFIG, open_workspace, settings_for
from tests.faults.weather import AT_WORK, Weather, attribute, named
from tests.support.alerts import alert, episode
from tests.support.demo import words_of
from tests.support.vendors import Vendors

ROOM = "inc-1-checkout-is-down"
PATIENCE = 40.0
"""Seconds. Generous: it only ends a test that has already failed."""
_CHANGING = re.compile(
    r" in <#C\w+>|<#C\w+>|\. Its channel #\S+ is being opened; you will be invited\."
    r"|<!date\^[^>]*>|\d{4}-\d\d-\d\dT[\d:.]+Z?|\d\d:\d\d(:\d\d)?|\b\d+ ?(s|ms|m|min)\b|127\.0\.0\.1:\d+"
)


@dataclass(frozen=True)
class _Fired:
    """A case that puts one alert on record, without triage."""

    episode: Episode
    command_id: str = ""

    def keys(self) -> Keys:
        return Keys()

    def claims(self) -> tuple[Claim, ...]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        return Changes(Answer(kind="fired"), episodes=[self.episode])


@dataclass
class Attempt:
    """One call of a handler: which effect, and by when it had ended (in the loop's seconds)."""

    job: Job
    at: float
    error: str = ""


@dataclass
class Asked:
    """One call of Slack, as the bot saw it: when it left, when its answer was read (in the loop's seconds), and for how
    many seconds that asks to be left alone."""

    method: str
    channel: str
    left: float
    read: float
    wait: float


@dataclass
class Site:
    """Everything that stands, and what was done to it."""

    house: House
    workspace: Workspace
    vendors: Vendors
    base: str
    http: aiohttp.ClientSession
    weather: Weather
    kinds: dict[str, str] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    committed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def runner(self) -> Runner:
        """The house's runner."""
        return self.house.runner

    @property
    def registry(self) -> dict[str, Registration]:
        """Every effect that the house can carry out."""
        found = self.runner._carrier._registry
        assert isinstance(found, dict)
        return found

    @property
    def database(self) -> Database:
        """The house's database."""
        store = self.house.committer._store
        assert isinstance(store, Database)
        return store

    def watch(self) -> None:
        """Note which effect every handler is called for, and let its calls say so."""
        attribute(self.registry["page_pager"].handler.__self__._http)  # type: ignore[attr-defined]
        slack = self.registry["open_room"].handler.__self__._slack  # type: ignore[attr-defined]
        slack._post = self._timed(slack._post)
        for kind, registration in self.registry.items():
            self.registry[kind] = replace(registration, handler=self._watched(registration))

    def _timed(self, post: Callable[..., Any]) -> Callable[..., Any]:
        async def timed(method: str, given: Mapping[str, object]) -> Any:
            now = asyncio.get_running_loop().time
            left = now()
            status, headers, raw = await post(method, given)
            wait = float(headers.get("Retry-After", 0))
            self.asked.append(Asked(method, str(given.get("channel", "")), left, now(), wait))
            return status, headers, raw

        return timed

    def _watched(self, registration: Registration) -> Callable[[Job], Any]:
        async def handler(job: Job) -> Done:
            self.kinds[job.id] = job.effect.kind
            attempt = Attempt(job, asyncio.get_running_loop().time(), "no answer")
            self.attempts.append(attempt)
            AT_WORK.set(named(job.effect, job.id))
            try:
                done = await registration.handler(job)
            except DeliveryError as exc:
                attempt.error = str(exc)
                raise
            finally:
                AT_WORK.set("")
            attempt.error = ""
            return done

        return handler

    # --- people ---------------------------------------------------------------------------------------
    def channel(self, name: str) -> Any:
        """Return the channel of the workspace that has, or had first, this name; or None."""
        channels = self.workspace.world.channels.values()
        return next((c for c in channels if name in (c.name, *c.previous_names)), None)

    async def say(self, channel: str, text: str, user: str = "U0001") -> dict[str, Any]:
        """Type `text` into `channel` as a person does."""
        body = {"as": user, "channel": self.channel(channel).id, "text": text}
        async with self.http.post(f"{self.base}/simulator/send", json=body) as answer:
            said: dict[str, Any] = await answer.json()
        assert said.get("ok"), said
        return said

    async def declare(self, words: str) -> None:
        """Declare an incident, and wait until all that follows is done.

        What a process does for the first time takes long, and Slack waits three seconds for an answer.
        """
        number = 1
        while await self.database.incident(number):
            number += 1
        await self.say("incidents", f"/incident declare {words}")
        async with asyncio.timeout(PATIENCE):
            while await self.database.incident(number) is None:
                await self.committed.wait()
                self.committed.clear()
        await self.quiet()

    async def fire(self, incident: int) -> None:
        """Let an alert fire in an incident that a person declared."""
        fired = _Fired(episode(incident, service="checkout"))
        await self.house.committer.submit(fired)

    async def page_comes_in(self, incident: int) -> None:
        """Let an incident of PagerDuty's own join ours."""
        fact = AlertFact(source="pagerduty", fingerprint="Q1", name="Payments", summary="", status="firing")
        news = c.ReportAlerts(facts=(fact,), opened=1, closed=0, firing=1, total=1, raised=("pagerduty:Q1",))
        policy = self.house.settings.config
        await self.house.committer.submit(Act(Request("alert:pagerduty"), incident, news, policy))

    async def tell_the_house(self) -> None:
        """Let the house say something that belongs to no incident."""
        fields = {"sender": "PagerDuty", "version": "V2", "setting": "TOCSIN_PAGERDUTY_WEBHOOK_SECRETS"}
        notice = Notice(key="story/1", template="legacy_webhook", user="U0003", fields=fields)
        for _ in range(2):
            await self.house.committer.submit(Announce((notice,)))

    async def ask_people(self) -> None:
        """Let two alerts come of which people are asked first, and let one person dismiss them."""
        policy = self.house.settings.config
        for n in (1, 2):
            one = alert(f"maybe-{n}", alertname="Maybe", service="search")
            batch = AlertBatch(source="alertmanager", alerts=(one,))
            await self.house.committer.submit(ReportBatch(Request("alert:alertmanager"), batch, policy, Shelf()))
            await self.quiet()
        question = question_id(triage(one, policy).group_key, 1)
        asked = Request("U0003", surface="slack")
        case = AnswerQuestion(asked, question, "dismiss", "", policy, Shelf())
        await self.house.committer.submit(case)

    async def open_home(self, user: str = "U0001") -> None:
        """Open App Home as a person does, and wait until the house is about to draw it."""
        before = len(self.attempts)

        def drawn() -> bool:
            shows = (one.job.effect for one in self.attempts[before:])
            return any(isinstance(one, ShowHome) and one.user == user for one in shows)

        async with self.http.get(f"{self.base}/simulator/home?as={user}") as answer:
            assert answer.status == 200
        async with asyncio.timeout(PATIENCE):
            while not drawn():
                self.committed.clear()
                await self.committed.wait()

    async def press(self, action: str, user: str = "U0001") -> bool:
        """Press the button of that action id: on the card, else in the announcement or a direct message to `user`.

        Return False if there is none.
        """
        world = self.workspace.world
        places = [self.channel(ROOM), self.channel("incidents")]
        places += [c for c in world.channels.values() if c.is_direct and user in c.members]
        for channel in places:
            for message in world.history(channel) if channel else ():
                if block := _button(message, action):
                    body = {"as": user, "channel": channel.id, "ts": message["ts"], "block_id": block["block_id"]}
                    element = next(one for one in _elements(block) if one.get("action_id") == action)
                    body |= {"action_id": action, "value": {"type": "button", "value": element["value"]}}
                    async with self.http.post(f"{self.base}/simulator/action", json=body) as answer:
                        assert answer.status == 200, await answer.text()
                    return True
        return False

    def offers(self, action: str) -> bool:
        """Whether a button of that action id stands in the room."""
        return any(_button(message, action) for message in self.messages(ROOM))

    async def quiet(self) -> None:
        """Wait until no effect waits or runs: told by commits, not by the clock."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self.committed.clear()
                if (await self.database.stats()).waiting == 0:
                    return
                await self.committed.wait()

    async def until(self, holds: Callable[[Incident], bool]) -> None:
        """Wait until the incident's state is so: told by commits."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self.committed.clear()
                state = await self.database.incident(1)
                if state is not None and holds(state):
                    return
                await self.committed.wait()

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """Return what stands in a channel, oldest first, without ephemeral answers."""
        found = self.channel(channel)
        if found is None:
            return []
        listed = self.workspace.world.history(found)
        return sorted((m for m in listed if not m.get("ephemeral")), key=lambda m: str(m["ts"]))

    def direct(self, user: str) -> list[dict[str, Any]]:
        """Return the messages between the bot and `user`."""
        world = self.workspace.world
        rooms = [c for c in world.channels.values() if c.is_direct and user in c.members]
        return [m for room in rooms for m in world.history(room)]

    def picture(self) -> dict[str, Any]:
        """Return everything that anybody outside sees, without times and time stamps.

        Slack's notices of a changed topic are left out: several changes that wait are shown as one.
        """
        room = self.channel(ROOM)
        assert room is not None

        def words(listed: list[dict[str, Any]]) -> Counter[str]:
            seen = [m for m in listed if m.get("subtype") not in ("channel_topic", "group_topic")]
            return Counter(_CHANGING.sub("…", words_of(message)) for message in seen)

        return {
            "rooms": sorted(c.name for c in self.workspace.world.channels.values() if c.name.startswith("inc-")),
            "members": sorted(room.members),
            "topic": room.topic["value"],
            "pins": len(room.pins),
            "bookmarks": sorted(bookmark["title"] for bookmark in room.bookmarks),
            "room": words(self.messages(ROOM)),
            "incidents": words(self.messages("incidents")),
            "general": words(self.messages("general")),
            "home": [_CHANGING.sub("…", words_of(view)) for view in self.homes()],
            "direct": {user: words(self.direct(user)) for user in ("U0001", "U0002", "U0003")},
            **self.vendors.picture(),
        }

    def homes(self) -> list[dict[str, Any]]:
        """Return what App Home shows, to whom it shows anything."""
        return [view for view in self.workspace.world.views.values() if view["type"] == "home"]

    def twice(self) -> list[str]:
        """Return the effects whose message stands twice."""
        world = self.workspace.world
        said = [m for channel in world.channels.values() for m in world.history(channel)]
        ids = [m["metadata"]["event_payload"]["effect"] for m in said if m.get("metadata")]
        return [one for one, times in Counter(ids).items() if times > 1]

    def order_of_tells(self) -> list[str]:
        """Return the effect ids of what was said in the room, in the order in which it stands there."""
        said = [m["metadata"]["event_payload"]["effect"] for m in self.messages(ROOM) if m.get("metadata")]
        return [one for one in said if self.kinds[one] == "tell"]


def _elements(block: dict[str, Any]) -> list[dict[str, Any]]:
    return [*block.get("elements", ()), block.get("accessory") or {}]


def _button(message: dict[str, Any], action: str) -> dict[str, Any] | None:
    """Return the block of `message` in which that button is."""
    blocks: list[dict[str, Any]] = message.get("blocks") or []
    return next((b for b in blocks if any(one.get("action_id") == action for one in _elements(b))), None)


@asynccontextmanager
async def open_site(folder: Path, *, config: str = CONFIG, **more: str) -> AsyncIterator[Site]:
    """Open everything. The database is a file in `folder`; `more` are further variables of the environment."""
    url = f"sqlite:///{folder / 'tocsin.db'}"
    if not (folder / "tocsin.db").exists():
        schema.migrate(url)  # in this thread: Alembic bears no second one beside it
    vendors = Vendors()
    async with AsyncExitStack() as stack:
        opened, base = await stack.enter_async_context(open_workspace())
        there = await stack.enter_async_context(vendors.running())
        settings = settings_for(url, base, config, **(there | more))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        house = await stack.enter_async_context(open_house(settings))
        weather = Weather(opened, vendors.all)
        site = Site(house, opened, vendors, base, http, weather)
        site.watch()
        house.committer.on_commit.append(site.committed.set)
        await stack.enter_async_context(house.working())
        assert await house.slack.connected(PATIENCE)
        yield site

"""A whole web door over an in-memory store: commands in by the real cases, pages out over loopback."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from bot.assets import asset_dir
from bot.domain import commands as c
from bot.domain.alerts import Episode
from bot.domain.events import PublicPublished, Recorded
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.record import Entry
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity
from bot.inbound import web as door
from bot.inbound.web.doorkeeper import Doorkeeper
from bot.ports.reader import DeliveryRow, Fault, Reader, Stats, TimerRow
from bot.ports.store import Changes, Loaded, Unavailable
from bot.render.texts import Texts
from bot.usecases.cases import Act, Open, Request
from bot.wiring.observability import Meters

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
NAMES = {"U0ANNA": "Anna Berg", "U0BEN": "Ben Ortiz"}
INSTALLATION = "01TESTINSTALLATION"


class Shelf:
    """An in-memory Reader that is filled through the real cases."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.now = START
        self.loaded = Loaded(next_number=1)
        self.log: dict[int, list[Recorded]] = {}
        self.seen: dict[int, list[Entry]] = {}
        self.timer_rows: list[TimerRow] = []
        self.delivery_rows: list[DeliveryRow] = []
        self.episode_rows: list[Episode] = []
        self.down = False

    # --- in
    def declare(self, title: str, actor: str = "U0ANNA", **fields: object) -> int:
        number = self.loaded.next_number
        fields.setdefault("severity", Severity.SEV1)
        case = Open(Request(actor), c.Declare(title=title, **fields), self.policy)  # type: ignore[arg-type]
        self._keep(case.run(self.loaded, self.now))
        return number

    def do(self, number: int, command: c.Command, actor: str = "U0ANNA") -> None:
        self._keep(Act(Request(actor), number, command, self.policy).run(self.loaded, self.now))

    def publish(self, number: int, text: str = "", **fields: object) -> None:
        self.do(number, c.DraftPublic(text, **fields))  # type: ignore[arg-type]
        self.do(number, c.ApprovePublic(), "U0BEN")
        self.do(number, c.PublishPublic(), "U0BEN")

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def _keep(self, changes: Changes) -> None:
        self.loaded.apply(changes)
        for new in changes.events:
            self.log.setdefault(new.incident, []).append(new.recorded)

    # --- out: Reader
    def _up(self) -> None:
        if self.down:
            raise Unavailable("no database")

    async def incident(self, number: int) -> Incident | None:
        self._up()
        return self.loaded.incidents.get(number)

    async def incident_of_channel(self, channel: str) -> int | None:
        return None

    async def incidents(self, *, active: bool = False, limit: int = 200, before: int | None = None) -> list[Incident]:
        self._up()
        found = sorted(self.loaded.incidents.values(), key=lambda state: -state.number)
        found = [s for s in found if (s.is_active or not active) and (before is None or s.number < before)]
        return found[:limit]

    async def unfinished(self) -> list[Incident]:
        return await self.incidents(limit=10**9)

    async def events(self, number: int, as_of: datetime | None = None) -> list[Recorded]:
        return self.log[number]

    async def entries(self, number: int, as_of: datetime | None = None) -> list[Entry]:
        return self.seen.get(number, [])

    async def timers(self, number: int) -> list[TimerRow]:
        return [row for row in self.timer_rows if row.incident == number]

    async def episodes(self, number: int) -> list[Episode]:
        return [row for row in self.episode_rows if row.incident == number]

    async def deliveries(self, number: int) -> list[DeliveryRow]:
        return [row for row in self.delivery_rows if row.incident == number]

    async def published(self) -> list[tuple[Incident, list[Recorded]]]:
        self._up()
        made = []
        for number, events in sorted(self.log.items(), reverse=True):
            state = self.loaded.incidents[number]
            told = [item for item in events if isinstance(item.event, PublicPublished)]
            if told and not state.private and not state.drill:
                made.append((state, told))
        return made

    async def stats(self) -> Stats:
        self._up()
        return Stats(
            {"sev1": 2}, waiting=3, failed=1, oldest_waiting_at=self.now - timedelta(seconds=7), armed_timers=4
        )

    async def ping(self) -> float:
        return 0.001

    async def verify(self, number: int | None = None) -> list[Fault]:
        return []


class Library:
    """Runbooks by name."""

    def __init__(self, *runbooks: Runbook) -> None:
        self._by_name = {runbook.name: runbook for runbook in runbooks}

    def get(self, name: str) -> Runbook | None:
        return self._by_name.get(name)


async def fine() -> tuple[door.HealthStatus, str]:
    """A check that finds nothing wrong."""
    return "ok", "answers"


class House:
    """The door, its store, and a browser that remembers cookies."""

    def __init__(
        self,
        policy: Policy,
        tokens: tuple[str, ...] = ("ann:s3cret", "boss:t0psecret:private"),
        *,
        reader: Reader | None = None,
        library: Library | None = None,
        checks: dict[str, door.HealthCheck] | None = None,
        demo: bool = False,
        templates: Path | None = None,
        public_url: str = "http://127.0.0.1:8080",
        more: Callable[[web.Application], None] | None = None,
        doorkeeper: Doorkeeper | None = None,
    ) -> None:
        self.shelf = Shelf(policy)
        self.meters = Meters("1.2.3")
        self.links = door.LoginLinks(self.clock) if demo else None
        folders = [folder for folder in (templates, asset_dir("templates")) if folder]
        secrets = [SecretStr(token) for token in tokens]
        self.app = web.Application()
        door.add_routes(
            self.app,
            reader=reader or self.shelf,
            policy=lambda: self.shelf.policy,
            texts=Texts(*folders),
            template_folders=folders,
            library=library or Library(),
            names=lambda actor: NAMES.get(actor, actor),
            access=door.Access(door.Sessions(lambda: b"k" * 32, self.clock), door.ApiTokens(secrets), self.links),
            health_checks=checks if checks is not None else {"database": fine, "slack": fine, "delivery": fine},
            metrics=self.meters.exposition,
            installation_id=INSTALLATION,
            clock=self.clock,
            public_url=public_url,
            links=door.Links(message=lambda link: f"https://acme.slack.example/{link.removeprefix('slack:')}"),
            doorkeeper=doorkeeper,
        )
        if more:
            more(self.app)
        self.client: TestClient[web.Request, web.Application] = TestClient(
            TestServer(self.app), cookie_jar=CookieJar(unsafe=True)
        )

    def clock(self) -> datetime:
        return self.shelf.now

    async def __aenter__(self) -> "House":
        await self.client.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def sign_in(self, token: str = "ann:s3cret") -> None:
        answer = await self.client.post("/login", data={"token": token}, allow_redirects=False)
        assert answer.status == 303, await answer.text()

    async def text(self, path: str, status: int = 200) -> str:
        answer = await self.client.get(path)
        body = await answer.text()
        assert answer.status == status, (path, answer.status, body[:400])
        return body

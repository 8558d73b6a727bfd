"""The floor: what any Python service must pay to take a webhook and keep it – bare aiohttp, pydantic, one SQLite commit
for all that wait. `python -m benchmarks.floor PORT FILE`.

What Tocsin adds to it is what it does: authentication, triage, comparing with what is known, an answer per alert.
"""

import asyncio
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiohttp import web
from pydantic import BaseModel

READY: Final = "The floor is ready"
_UPSERT: Final = "INSERT INTO seen VALUES (?, ?) ON CONFLICT (fingerprint) DO UPDATE SET body = excluded.body"


class _Alert(BaseModel):
    status: str
    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: str  # noqa: N815  # Alertmanager's own name


class _Delivery(BaseModel):
    version: str
    groupKey: str  # noqa: N815  # Alertmanager's own name
    alerts: list[_Alert]


class _Floor:
    def __init__(self, file: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._waiting: asyncio.Queue[tuple[_Delivery, asyncio.Future[None]]] = asyncio.Queue()
        self._file = file
        self._db: sqlite3.Connection | None = None

    def _open(self) -> None:
        self._db = sqlite3.connect(self._file, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE seen (fingerprint TEXT PRIMARY KEY, body TEXT)")

    def _write(self, rows: list[tuple[str, str]]) -> None:
        assert self._db
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(_UPSERT, rows)
        self._db.execute("COMMIT")

    async def work(self) -> None:
        """Commit what waits, all of it at once, then answer."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._open)
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            rows = [(one.fingerprint, one.model_dump_json()) for delivery, _ in batch for one in delivery.alerts]
            await loop.run_in_executor(self._thread, self._write, rows)
            for _, told in batch:
                told.set_result(None)

    async def take(self, request: web.Request) -> web.Response:
        """Parse, wait for the commit, answer."""
        delivery = _Delivery.model_validate_json(await request.read())
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((delivery, told))
        await told
        return web.json_response({"outcome": "unchanged"}, status=202)


async def serve(port: int, file: str) -> None:
    """Serve until killed."""
    floor = _Floor(file)
    app = web.Application()
    app.router.add_post("/webhooks/alertmanager", floor.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    await floor.work()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))

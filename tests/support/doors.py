"""What the tests of the webhook doors stand on: an empty library, a database that is away, clients that are closed."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.domain.runbook_match import Shelf
from bot.ports.store import Answer, Unavailable
from bot.usecases.committer import Case

Client = TestClient[web.Request, web.Application]
Open = Callable[..., Awaitable[Client]]


class Shelves:
    """A library with nothing in it."""

    async def fresh(self) -> Shelf:
        return Shelf()


class Down:
    """A committer whose database is away."""

    async def submit(self, case: Case) -> Answer:
        raise Unavailable("no database at db.example")


def basic(pair: str) -> str:
    """Return the header of basic authentication with `user:password`."""
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@asynccontextmanager
async def clients() -> AsyncIterator[Callable[[web.Application], Awaitable[Client]]]:
    """Serve applications, each to a client of its own, for as long as a test runs."""
    async with AsyncExitStack() as stack:

        async def serve(app: web.Application) -> Client:
            return await stack.enter_async_context(TestClient(TestServer(app)))

        yield serve

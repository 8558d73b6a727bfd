"""A relay in front of PostgreSQL that loses the line in the midst of a commit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from sqlalchemy import make_url

CHUNK = 65536


class Relay:
    """Passes everything on. `cut`: lose the line at the next COMMIT, before the server hears it, or after it has."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cut: Literal["before", "after"] | None = None
        self.away = False
        """Nobody gets through."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        if self.away:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        silent = asyncio.Event()
        ways = (self._there(reader, back, writer, silent), self._back(there, writer, silent))
        with suppress(OSError):
            await asyncio.gather(*ways)
        for end in (back, writer):
            end.close()

    async def _there(
        self,
        reader: asyncio.StreamReader,
        to: asyncio.StreamWriter,
        caller: asyncio.StreamWriter,
        silent: asyncio.Event,
    ) -> None:
        while data := await reader.read(CHUNK):
            if self.cut and b"COMMIT;" in data:
                how, self.cut = self.cut, None
                silent.set()
                if how == "before":
                    to.transport.abort()
                    caller.transport.abort()
                    return
            to.write(data)
            await to.drain()
        to.close()

    async def _back(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter, silent: asyncio.Event) -> None:
        while data := await reader.read(CHUNK):
            if silent.is_set():  # the server has answered: it is done, and nobody hears of it
                to.transport.abort()
                return
            to.write(data)
            await to.drain()
        to.close()


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[tuple[str, Relay]]:
    """Yield the address of the database at `url` behind a relay, and the relay."""
    address = make_url(url)
    assert address.port
    relay = Relay(address.port)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield address.set(host="127.0.0.1", port=port).render_as_string(hide_password=False), relay

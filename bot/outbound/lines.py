"""The one session that every call to a vendor shares, so that its connections are kept and reused."""

import aiohttp

from bot.ports.claim import must_hold


class _Request(aiohttp.ClientRequest):
    """Asks once more whether the claim holds, when it has its connection and right before its bytes leave.

    Several requests may have waited for a new connection each when the process froze; on waking, all of them would
    leave before the loop looks at its clocks.
    """

    async def send(self, conn: "aiohttp.connector.Connection") -> aiohttp.ClientResponse:
        must_hold()
        return await super().send(conn)


def open_session(limit: int) -> aiohttp.ClientSession:
    """Return a session of up to `limit` connections, which the caller closes. Needs a running loop."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit), request_class=_Request)

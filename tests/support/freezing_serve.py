"""`tocsin serve` that freezes (SIGSTOP) with the bytes of one call in its hands.

    python -m tests.support.freezing_serve serve

The file `freeze` in its folder names a method and words of its body, a line each. The next such call takes the file
away and stops the process: the deadline of the call runs, nothing has left yet, and when it is woken (SIGCONT) the
bytes leave. Lines are kept for longer than the usual 15 s: on a new one the deadline would strike before they leave.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.quick_serve import main

ORDER = Path("freeze")
LINES_KEPT = 300.0
_send = aiohttp.ClientRequest.send
_connector = aiohttp.BaseConnector.__init__


async def _freezing(request: aiohttp.ClientRequest, conn: Any) -> aiohttp.ClientResponse:
    if ORDER.exists():
        name, words = ORDER.read_text().splitlines()
        if str(request.url).endswith(name) and words.encode() in bytes(getattr(request.body, "_value", b"")):
            ORDER.unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGSTOP)
    return await _send(request, conn)


def _keeping(connector: aiohttp.BaseConnector, **more: Any) -> None:
    _connector(connector, **{**more, "keepalive_timeout": LINES_KEPT})


if __name__ == "__main__":
    aiohttp.BaseConnector.__init__ = _keeping  # type: ignore[method-assign]
    aiohttp.ClientRequest.send = _freezing  # type: ignore[method-assign]
    sys.exit(main())

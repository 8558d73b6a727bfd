"""A sender of webhooks in a process of its own: real HTTP over loopback, plain asyncio, so that it costs little itself.

`python -m benchmarks.load` reads one order (JSON) from standard input, prints one result (JSON). Each connection sends
its next request when the last one was answered. With a rate, requests are due at fixed times and latency counts from
then: a server that stalls cannot hide it by slowing the sender down.
"""

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from benchmarks.payloads import PAYLOADS


def send(
    url: str,
    token: str,
    payload: str,
    count: int,
    *,
    first: int = 0,
    connections: int = 32,
    rate: float = 0.0,
) -> dict[str, Any]:
    """POST `count` bodies of the kind `payload` to `url` from another process; return what came of it.

    `token` is the sender's bearer token, or Slack's signing secret. `rate` is in requests per second; 0 sends as fast
    as answers come. Latencies are in ms.
    """
    order = {"url": url, "token": token, "payload": payload, "count": count, "first": first}
    order |= {"connections": connections, "rate": rate}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"], input=json.dumps(order), capture_output=True, text=True, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


class _Line(asyncio.Protocol):
    """One kept-alive connection; one request at a time."""

    def __init__(self) -> None:
        self._data = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return status and body."""
        assert self._transport
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(rest) >= length and self._answer:
            self._data = b""
            self._answer.set_result((int(head[9:12]), rest))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server closed the line"))


async def _run(order: Mapping[str, Any]) -> dict[str, Any]:
    parts = urlsplit(order["url"])
    requests = [
        _request(parts.netloc, parts.path, order, body)
        for body in PAYLOADS[order["payload"]](order["first"], order["count"])
    ]
    loop = asyncio.get_running_loop()
    lines = []
    for _ in range(order["connections"]):
        _, line = await loop.create_connection(_Line, parts.hostname, parts.port)
        lines.append(line)
    took: list[float] = []
    outcomes: Counter[str] = Counter()
    started = time.perf_counter()
    turns = _turns(requests, started, order["rate"])
    await asyncio.gather(*(_work(line, turns, took, outcomes) for line in lines))
    seconds = time.perf_counter() - started
    took.sort()
    return {
        "seconds": seconds,
        "per_second": len(took) / seconds,
        "outcomes": outcomes,
        "p50": _quantile(took, 0.5) * 1000,
        "p99": _quantile(took, 0.99) * 1000,
        "max": took[-1] * 1000,
    }


def _turns(requests: Sequence[bytes], started: float, rate: float) -> Iterator[tuple[bytes, float]]:
    """Each request, with the time at which it is due."""
    for n, request in enumerate(requests):
        yield request, started + n / rate if rate else 0.0


async def _work(line: _Line, turns: Iterator[tuple[bytes, float]], took: list[float], outcomes: Counter[str]) -> None:
    for request, due in turns:
        if due and (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        begun = due or time.perf_counter()
        status, body = await line.ask(request)
        took.append(time.perf_counter() - begun)
        outcomes[json.loads(body)["outcome"] if status == 202 else str(status)] += 1


def _request(host: str, path: str, order: Mapping[str, Any], body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
    if order["payload"] == "commands":
        now = str(int(time.time()))
        mac = hmac.new(order["token"].encode(), b"v0:" + now.encode() + b":" + body, hashlib.sha256).hexdigest()
        head += f"Content-Type: application/x-www-form-urlencoded\r\nX-Slack-Request-Timestamp: {now}\r\n"
        head += f"X-Slack-Signature: v0={mac}\r\n"
    else:
        head += f"Content-Type: application/json\r\nAuthorization: Bearer {order['token']}\r\n"
    return f"{head}\r\n".encode() + body


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


if __name__ == "__main__":
    json.dump(asyncio.run(_run(json.load(sys.stdin))), sys.stdout)

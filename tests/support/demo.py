"""Runs the real `tocsin demo` (or one half of it) as a process, and acts as a person in its workspace."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
"""Seconds. Generous: it only ends a test that has already failed."""
T = TypeVar("T")


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(look: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """Return the first true result of `look`, asked again and again; fail after `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        if found := look():
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:.0f} s for {what}")
        threading.Event().wait(0.05)


class Process:
    """A `tocsin …` process of ours: started, read, killed by its id."""

    def __init__(
        self, *arguments: str, cwd: Path, env: dict[str, str] | None = None, ready: str = "", module: str = "bot"
    ) -> None:
        self.output: list[str] = []
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("TOCSIN_", "SLACK_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=cwd,
            env={**clean, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if ready:
            try:
                self.wait_for(ready)
            except BaseException:
                self.kill()
                raise

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output.append(line.rstrip("\n"))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def wait_for(self, pattern: str) -> str:
        """Return the first line of output that matches, however long ago it was printed."""

        def look() -> str | None:
            found = next((line for line in list(self.output) if re.search(pattern, line)), None)
            if found is None and self._process.poll() is not None:
                raise AssertionError("it ended:\n" + "\n".join(self.output[-40:]))
            return found

        try:
            return until(look, f"the line {pattern!r}")
        except AssertionError as exc:
            raise AssertionError(f"{exc}; it said:\n" + "\n".join(self.output[-40:])) from None

    def kill(self) -> None:
        """SIGKILL: no clean-up of any kind."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        self._close()

    def _close(self) -> None:
        self._reader.join(2)
        if self._process.stdout:
            self._process.stdout.close()

    def stop(self) -> int:
        """SIGTERM; return the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(15)
        finally:
            if self._process.poll() is None:
                self.kill()
            self._close()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Person:
    """Somebody in the workspace, acting through the page's own interface."""

    def __init__(self, base: str, user: str = "U0001") -> None:
        self.base = base.rstrip("/")
        self.user = user

    def get(self, path: str, **query: str) -> Any:
        words = "&".join(f"{k}={v}" for k, v in {"as": self.user, **query}.items())
        return _json(urllib.request.Request(f"{self.base}{path}?{words}"))

    def post(self, path: str, **body: Any) -> Any:
        data = json.dumps({"as": self.user, **body}).encode()
        return _json(urllib.request.Request(f"{self.base}{path}", data, {"Content-Type": "application/json"}))

    def channel(self, name: str) -> dict[str, Any] | None:
        """The channel called `name`, if this person can see it."""
        channels = self.get("/simulator/state")["channels"]
        return next((c for c in channels if c["name"] == name), None)

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """The messages of the channel called `channel`, oldest first; none if it does not exist."""
        found = self.channel(channel)
        if found is None:
            return []
        listed: list[dict[str, Any]] = self.get("/simulator/messages", channel=found["id"], limit="200")["messages"]
        return listed

    def direct(self) -> list[dict[str, Any]]:
        """The messages between the bot and this person, oldest first."""
        rooms = [c["id"] for c in self.get("/simulator/state")["channels"] if c["is_im"]]
        return [m for room in rooms for m in self.get("/simulator/messages", channel=room, limit="200")["messages"]]

    def say(self, channel: str, text: str) -> Any:
        """Type into a channel; a slash command works as in Slack."""
        found = until(lambda: self.channel(channel), f"#{channel}")
        answer = self.post("/simulator/send", channel=found["id"], text=text)
        assert answer.get("ok"), answer
        return answer

    def press(self, channel: str, ts: str, block_id: str, action_id: str, value: dict[str, Any]) -> Any:
        """Use a button or a select of a message."""
        found = self.channel(channel)
        assert found is not None
        return self.post(
            "/simulator/action", channel=found["id"], ts=ts, block_id=block_id, action_id=action_id, value=value
        )

    def click(self, channel: str, action: str, value: str | None = None) -> Any:
        """Press the newest button whose action id is `action` (or begins with it and a colon)."""
        for message in reversed(self.messages(channel)):
            for block in message.get("blocks", ()):
                for element in [*block.get("elements", ()), block.get("accessory") or {}]:
                    name = element.get("action_id", "")
                    if element.get("type") != "button" or action not in (name, name.partition(":")[0]):
                        continue
                    if value is None or element.get("value") == value:
                        state = {"type": "button", "value": element.get("value", "")}
                        return self.press(channel, message["ts"], block["block_id"], name, state)
        raise AssertionError(f"no button {action} in #{channel}")

    def sees(self, channel: str, pattern: str) -> dict[str, Any]:
        """Wait for a message in `channel` that matches; return it."""

        def look() -> dict[str, Any] | None:
            return next((m for m in self.messages(channel) if re.search(pattern, words_of(m))), None)

        try:
            return until(look, f"{pattern!r} in #{channel}")
        except AssertionError as exc:
            seen = "\n".join(words_of(m)[:300] for m in self.messages(channel))
            raise AssertionError(f"{exc}; there is:\n{seen}") from None

    def control(self, **settings: Any) -> None:
        """Set latency, faults, tiers or an outage of the workspace."""
        data = json.dumps(settings).encode()
        request = urllib.request.Request(f"{self.base}/simulator/control", data, {"Content-Type": "application/json"})
        answer = _json(request)
        assert answer.get("error") is None, answer

    def calls(self, after: int = 0) -> list[dict[str, Any]]:
        """What the bot called, in order; beyond number `after`, for who looks often and must not be in the way."""
        made: list[dict[str, Any]] = self.get("/simulator/calls", after=str(after))["calls"]
        return made

    def last_call(self) -> int:
        """The number of the last call so far."""
        return int(self.get("/simulator/control")["calls"])


def words_of(message: dict[str, Any]) -> str:
    """Return all text a reader of the message sees."""
    parts = [message.get("text", "")]

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("text"), str):
                parts.append(node["text"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    walk(message.get("blocks", []))
    return "\n".join(parts)


def _json(request: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return json.loads(refused.read() or b"{}")


def fetch(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Return status and body of a request; an error status is an answer too."""
    request = urllib.request.Request(url, data, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()

"""The weather: latency, faults, rate limits and outages, set from outside; and every call made."""

from __future__ import annotations

import itertools
import random
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.simulator import limits
from bot.simulator.errors import PersonError
from bot.simulator.store import Json

CALLS_KEPT = 50_000
BEFORE = frozenset({"429", "ratelimited", "500", "503", "reset_before", "silence"})
AFTER = frozenset({"reset_after", "silence_after", "malformed"})


@dataclass
class Fault:
    """A misfortune for the calls of a method (`*`: of any): the nth one, or the next `times`."""

    kind: str
    method: str = "*"
    nth: int | None = None
    times: int = 1
    retry_after: float = 1
    seen: int = 0

    def strikes(self, method: str) -> bool:
        """Count a call, and say whether it is struck."""
        if self.method not in ("*", method) or self.spent:
            return False
        self.seen += 1
        return self.nth is None or self.seen == self.nth

    @property
    def spent(self) -> bool:
        """Whether it has done what it was set to do; `times` 0 means for ever."""
        if self.nth is not None:
            return self.seen >= self.nth
        return bool(self.times) and self.seen >= self.times


@dataclass
class CallRecord:
    """One call the app made; times in milliseconds since the workspace opened."""

    n: int
    method: str
    at: float
    args: Json
    connection: str
    done_at: float | None = None
    ok: bool | None = None
    error: str | None = None


@dataclass
class Budget:
    """A token bucket: `most` at once, refilled at `rate` a second."""

    most: float
    rate: float
    left: float
    at: float

    def take(self, now: float) -> float:
        """Take one; return 0.0, or the seconds until there is one."""
        self.left = min(self.most, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left >= 1:
            self.left -= 1
            return 0.0
        return (1 - self.left) / self.rate


@dataclass
class Control:
    """What is set now, and the calls so far."""

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    enforced: bool = False
    scale: float = 1.0
    down: bool = False
    calls: deque[CallRecord] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _opened: float = field(default_factory=time.monotonic)
    _budgets: dict[str, Budget] = field(default_factory=dict)

    def shown(self) -> Json:
        """Return the settings as the page and tests read them."""
        return {
            "latency_ms": self.latency_ms,
            "jitter_ms": self.jitter_ms,
            "faults": [asdict(fault) for fault in self.faults],
            "tiers": {"enforced": self.enforced, "scale": self.scale},
            "down": self.down,
            "calls": self.calls[-1].n if self.calls else 0,
        }

    def set(self, wanted: Mapping[str, Any]) -> None:
        """Change what is named. Raises PersonError for what does not exist."""
        known = {"latency_ms", "jitter_ms", "faults", "tiers", "down", "reset", "refresh_links"}
        if unknown := set(wanted) - known:
            raise PersonError("unknown_setting", f"There is no setting {', '.join(sorted(unknown))}.")
        try:
            if wanted.get("reset"):
                self.latency_ms = self.jitter_ms = 0.0
                self.faults, self.enforced, self.scale, self.down = [], False, 1.0, False
            self.latency_ms = float(wanted.get("latency_ms", self.latency_ms))
            self.jitter_ms = float(wanted.get("jitter_ms", self.jitter_ms))
            if "faults" in wanted:
                self.faults = [Fault(**fault) for fault in wanted["faults"]]
            tiers = wanted.get("tiers", {})
            self.enforced = bool(tiers.get("enforced", self.enforced))
            self.scale = float(tiers.get("scale", self.scale))
            self.down = bool(wanted.get("down", self.down))
        except (TypeError, ValueError, AttributeError) as wrong:
            raise PersonError("invalid_setting", str(wrong)) from None
        self._budgets.clear()

    def pause(self) -> float:
        """Return the seconds a call takes, half of them before its effect."""
        spread = random.uniform(-1, 1) * self.jitter_ms  # noqa: S311 - weather, no secret
        return max(0.0, self.latency_ms + spread) / 1000

    def fault(self, method: str) -> Fault | None:
        """Return the misfortune that strikes this call, if any."""
        struck = next((fault for fault in self.faults if fault.strikes(method)), None)
        self.faults = [fault for fault in self.faults if not fault.spent]
        return struck

    def wait(self, method: str, tier: str, channel: str) -> float:
        """Count a call against its tier; return the seconds to wait if it is one too many.

        https://docs.slack.dev/apis/web-api/rate-limits : the window of a minute, and of a
        second for posts to one channel, is multiplied by `scale`.
        """
        if not self.enforced:
            return 0.0
        if method == "chat.postMessage":
            key, most = f"{method}:{channel}", float(limits.POSTS_BURST)
            rate = limits.POSTS_PER_SECOND / self.scale
        else:
            key, most = method, float(limits.TIERS[tier])
            rate = most / (60 * self.scale)
        now = time.monotonic()
        return self._budgets.setdefault(key, Budget(most, rate, most, now)).take(now)

    def begin(self, method: str, args: Mapping[str, Any], connection: str) -> CallRecord:
        """Write down that a call came in."""
        kept = {key: value for key, value in args.items() if key != "token"}
        record = CallRecord(next(self._numbers), method, self._clock(), kept, connection)
        self.calls.append(record)
        return record

    def end(self, record: CallRecord, error: str | None) -> None:
        """Write down how it went."""
        record.done_at, record.ok, record.error = self._clock(), error is None, error

    def _clock(self) -> float:
        return round((time.monotonic() - self._opened) * 1000, 3)

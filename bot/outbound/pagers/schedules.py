"""PagerDuty's schedules: who is on call by them, and when.

https://developer.pagerduty.com/api-reference/3a6b910f11050-list-all-of-the-on-calls · `GET /oncalls` answers with one
entry for each person, schedule, escalation level and stretch of time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from pydantic import SecretStr

from bot.outbound.calls import TIMEOUT, Reply, call
from bot.ports.delivery import DeliveryError
from bot.ports.schedules import Stretch

VENDOR: Final = "PagerDuty"
PAGE: Final = 100  # the most that one answer may hold
PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class PagerDutySchedules:
    """Asks PagerDuty. `timeout` is in seconds, for one call."""

    http: aiohttp.ClientSession
    token: SecretStr
    api_url: str
    timeout: float = TIMEOUT

    async def ask(self, schedules: Iterable[str], since: datetime, until: datetime) -> list[Stretch]:
        """Return who is on call in `schedules` between the two. Raises DeliveryError."""
        query = [("schedule_ids[]", one) for one in sorted(set(schedules))]
        query += [("include[]", "users"), ("since", since.isoformat()), ("until", until.isoformat())]
        found: dict[tuple[object, ...], Stretch] = {}
        offset = 0
        for _ in range(PAGES):
            body = (await self._get([*query, ("limit", str(PAGE)), ("offset", str(offset))])).body
            offset += len(body["oncalls"])
            for entry in body["oncalls"]:
                one = _stretch(entry, since, until)
                if one:  # the same stretch stands there once for each level that calls the schedule
                    found[one.schedule, one.user, one.start, one.end] = one
            if not body.get("more") or not body["oncalls"]:
                break
        return sorted(found.values(), key=lambda one: (one.schedule, one.start))

    async def _get(self, query: list[tuple[str, str]]) -> Reply:
        headers = {
            "Authorization": f"Token token={self.token.get_secret_value()}",
            "Accept": "application/vnd.pagerduty+json;version=2",
        }
        url = f"{self.api_url.rstrip('/')}/oncalls?{urlencode(query)}"
        reply = await call(self.http, VENDOR, "GET", url, headers=headers, timeout=self.timeout)
        if reply.status == 200 and isinstance(reply.body, dict) and isinstance(reply.body.get("oncalls"), list):
            return reply
        if reply.status in (401, 403):
            raise DeliveryError("PagerDuty refused the token", permanent=True, mend="Set PAGERDUTY_API_TOKEN.")
        raise DeliveryError(f"PagerDuty answered {reply.status}")


def _stretch(entry: object, since: datetime, until: datetime) -> Stretch | None:
    """Return one entry; None for what is no person's, or cannot be read. Without an end it goes on."""
    if not isinstance(entry, dict):
        return None
    schedule, user = _part(entry, "schedule"), _part(entry, "user")
    if not schedule.get("id") or not user.get("id"):
        return None
    try:
        start, end = _moment(entry.get("start")) or since, _moment(entry.get("end")) or until
    except ValueError:
        return None
    return Stretch(str(schedule["id"]), str(user["id"]), str(user.get("email") or ""), start, end)


def _part(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = entry.get(key)
    return part if isinstance(part, dict) else {}


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str) or not value:
        return None
    at = datetime.fromisoformat(value.replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at

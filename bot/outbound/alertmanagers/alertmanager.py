"""Prometheus Alertmanager, API v2: silence alerts for a while, and lift the silence.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml · Only the configured address is called; the
`externalURL` of a delivery is what its sender says, and is not. A new silence has no id of ours, so our effect's id
stands in its comment, and is looked for before a repeat.
"""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
from pydantic import SecretStr

from bot.domain import commands as c
from bot.domain.effects import LiftSilence, SilenceAlert
from bot.domain.events import SilenceRequested, Silencing
from bot.domain.incident import Incident
from bot.domain.text import clean_line
from bot.outbound.calls import TIMEOUT, RateLimit, Reply, call, refusal
from bot.ports.clock import Clock, utc_now
from bot.ports.delivery import DeliveryError, Done, Job, Registration

VENDOR: Final = "Alertmanager"
BUDGET: Final = "alertmanager"
COMMENT_MAX: Final = 500
_MEND_SETUP: Final = "Set webhooks.alertmanager.url in tocsin.yaml to Alertmanager's own address."
_MEND_ACCESS: Final = "Set TOCSIN_ALERTMANAGER_API_TOKEN or TOCSIN_ALERTMANAGER_API_BASIC to what it asks for."
# A plain name and a plain value: quoted names are understood from 0.28 on only, and a filter is only to save work.
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_VALUE: Final = re.compile(r"[\w .:/-]{1,200}")


class Alertmanager:
    """One Alertmanager, or a cluster behind one address. `url` is where its pages are; `/api/v2` is added.

    `installation` tells several Tocsins at one Alertmanager apart. `timeout` is in seconds, for one call.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        url: str,
        installation: str,
        token: SecretStr | None = None,
        basic: SecretStr | None = None,
        timeout: float = TIMEOUT,
        clock: Clock = utc_now,
    ) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}/api/v2" if url else ""
        self._token = token
        self._basic = basic
        self._installation = installation
        self._timeout = timeout
        self._clock = clock
        self._limit = RateLimit(VENDOR, BUDGET)

    def registry(self) -> dict[str, Registration]:
        """What this vendor carries out."""
        return {
            "silence_alert": Registration(self.silence, "silence an alert at Alertmanager", BUDGET, "alertmanager"),
            "lift_silence": Registration(self.lift, "lift a silence at Alertmanager", BUDGET, "alertmanager"),
        }

    async def silence(self, job: Job) -> Done:
        """Place one silence. Raises DeliveryError.

        One that nobody wants any more, or whose time has passed, is not placed; one that an earlier attempt placed
        is reported all the same, so that it is lifted.
        """
        effect, asked = job.effect, job.event.event
        assert isinstance(effect, SilenceAlert)
        self._must_be_set_up()
        key = f"{job.event.seq}.{effect.number}"
        if not isinstance(asked, SilenceRequested) or effect.number >= len(asked.silences):
            return Done(c.SilenceEnded(key))  # its words were erased
        wish = asked.silences[effect.number]
        known = job.state.silences.get(key)
        found = await self._find(job, wish) if job.first_at is not None else ""
        if not found and (known is None or known.ending or not job.state.is_active or asked.until <= self._clock()):
            return Done(c.SilenceEnded(key))
        placed = found or await self._place(job, wish, asked.until)
        return Done(c.SilencePlaced(key, wish.name, placed, wish.matchers, asked.until))

    async def lift(self, job: Job) -> Done:
        """End one silence. One that has ended, or is gone, is lifted. Raises DeliveryError."""
        effect = job.effect
        assert isinstance(effect, LiftSilence)
        self._must_be_set_up()
        path = f"/silence/{quote(effect.remote, safe='')}"
        if job.first_at is None or not await self._is_over(path):
            reply = await self._call("DELETE", path)
            # Older ones answer 500 for one that is gone: https://github.com/prometheus/alertmanager/pull/2815
            if reply.status not in (200, 404) and not (reply.status == 500 and await self._is_over(path)):
                raise _error(reply, self._secret())
        return Done(c.SilenceEnded(effect.silence))

    # --- the calls ------------------------------------------------------------------------------------
    async def _place(self, job: Job, wish: Silencing, until: datetime) -> str:
        matchers = [
            {"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in wish.matchers.items()
        ]
        body = {
            "matchers": matchers,
            "startsAt": _stamp(job.event.at),
            "endsAt": _stamp(until),
            "createdBy": "tocsin" if job.state.private else f"tocsin: {job.event.actor}",
            "comment": f"{_about(job.state)} {self._mark(job)}",
        }
        reply = await self._call("POST", "/silences", body)
        placed = reply.body.get("silenceID") if isinstance(reply.body, dict) else None
        if reply.status != 200 or not isinstance(placed, str) or not placed:
            raise _error(reply, self._secret())
        return placed[:100]

    async def _find(self, job: Job, wish: Silencing) -> str:
        """Return the id of the silence that an earlier attempt placed, or ""."""
        mark = self._mark(job)
        reply = await self._call("GET", f"/silences{_filter(wish.matchers)}")
        if reply.status != 200 or not isinstance(reply.body, list):
            raise _error(reply, self._secret())
        for one in reply.body:
            if isinstance(one, dict) and str(one.get("comment", "")).endswith(mark) and _is_live(one):
                return str(one.get("id", ""))[:100]
        return ""

    async def _is_over(self, path: str) -> bool:
        reply = await self._call("GET", path)
        if reply.status == 404:
            return True
        if reply.status != 200 or not isinstance(reply.body, dict):
            raise _error(reply, self._secret())
        return not _is_live(reply.body)

    async def _call(self, method: str, path: str, body: object = None) -> Reply:
        self._limit.let_pass()
        reply = await call(
            self._http, VENDOR, method, self._url + path, headers=self._headers(), json=body, timeout=self._timeout
        )
        if reply.status == 429:
            raise self._limit.reached(reply.retry_after())
        return reply

    def _mark(self, job: Job) -> str:
        """Return what tells this effect's silence from every other one; at the end of the comment."""
        return f"[tocsin/{self._installation}/{job.id}]"

    def _must_be_set_up(self) -> None:
        if not self._url:
            raise DeliveryError("no Alertmanager is set up to be called", permanent=True, mend=_MEND_SETUP)

    def _headers(self) -> Mapping[str, str]:
        return api_headers(self._token, self._basic)

    def _secret(self) -> str:
        secret = self._token or self._basic
        return secret.get_secret_value() if secret else ""


def api_headers(token: SecretStr | None, basic: SecretStr | None) -> dict[str, str]:
    """Return the headers that let us in at Alertmanager's API: a bearer token, else `user:password`, else none."""
    if token and token.get_secret_value():
        return {"Authorization": f"Bearer {token.get_secret_value()}"}
    if basic and basic.get_secret_value():
        return {"Authorization": f"Basic {base64.b64encode(basic.get_secret_value().encode()).decode()}"}
    return {}


def _about(state: Incident) -> str:
    """Return what the silence is for. A private incident tells only that it is there."""
    words = f"Private incident {state.key}" if state.private else f"{state.key}: {state.title}"
    return clean_line(words, COMMENT_MAX)


def _filter(matchers: Mapping[str, str]) -> str:
    """Return a query that narrows the list to silences with one of these matchers, where that can be said safely."""
    for name, value in matchers.items():
        if _PLAIN.fullmatch(name) and _PLAIN_VALUE.fullmatch(value):
            return "?" + urlencode({"filter": f'{name}="{value}"'})
    return ""


def _is_live(silence: Mapping[str, Any]) -> bool:
    status = silence.get("status")
    return not (isinstance(status, dict) and status.get("state") == "expired")


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error(reply: Reply, secret: str) -> DeliveryError:
    if reply.status >= 500:
        return DeliveryError(f"Alertmanager has trouble ({reply.status})")
    if reply.status < 300:  # something in between answered for it
        return DeliveryError(f"Alertmanager gave an unexpected answer ({reply.status})")
    mend = _MEND_ACCESS if reply.status in (401, 403) else _MEND_SETUP
    why = reply.body if isinstance(reply.body, str) else ""
    if isinstance(reply.body, dict):
        why = str(reply.body.get("message") or reply.body.get("error") or "")
    return refusal(VENDOR, reply, why, mend=mend, secret=secret)

"""PagerDuty by Events API v2: page, acknowledge, resolve.

https://developer.pagerduty.com/docs/events-api-v2/overview/ · An event is taken with 202; its `dedup_key` makes a
repeat harmless, so nothing needs to be looked up before one.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from pydantic import SecretStr

from bot.domain import commands as c
from bot.domain.effects import PagePager, QuietPager, TryPager
from bot.domain.events import PageRequested
from bot.domain.incident import Incident
from bot.domain.severity import Severity
from bot.domain.text import clean_line
from bot.outbound.calls import TIMEOUT, RateLimit, Reply, call, refusal
from bot.ports.delivery import DeliveryError, Done, Job, Registration

VENDOR: Final = "PagerDuty"
BUDGET: Final = "pagerduty"
"""All events share one limit: about 120 a minute for each integration key."""
SUMMARY_MAX: Final = 1024
DEDUP_KEY_MAX: Final = 255
SOURCE_MAX: Final = 255
_SEVERITY: Final[Mapping[Severity, str]] = {
    Severity.SEV1: "critical",
    Severity.SEV2: "error",
    Severity.SEV3: "warning",
    Severity.SEV4: "info",
}
_MEND_KEY: Final = "Set PAGERDUTY_ROUTING_KEY to the integration key of an Events API v2 integration."


class PagerDuty:
    """Sends events to PagerDuty. All targets use the one routing key; the target's name is part of the dedup key.

    `events_url` is the base address (`https://events.pagerduty.com`, or the EU's), `installation` tells several
    Tocsins on one PagerDuty account apart, `public_url` is where people reach our pages. `timeout` is in seconds, for
    one call.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        routing_key: SecretStr | None,
        events_url: str,
        installation: str,
        public_url: str,
        timeout: float = TIMEOUT,
    ) -> None:
        self._http = http
        self._key = routing_key
        self._url = f"{events_url.rstrip('/')}/v2/enqueue"
        self._installation = installation
        self._timeout = timeout
        self._public_url = public_url.rstrip("/")
        self._limit = RateLimit(VENDOR, BUDGET)

    def registry(self) -> dict[str, Registration]:
        """What this vendor carries out."""
        return {
            "page_pager": Registration(self.page, "page through PagerDuty", BUDGET, "pagerduty"),
            "try_pager": Registration(self.try_out, "test the way to PagerDuty", BUDGET, "pagerduty"),
            "quiet_pager": Registration(self.quiet, "tell PagerDuty that it is handled", BUDGET, "pagerduty"),
        }

    async def page(self, job: Job) -> Done:
        """Trigger the alert of a PagePager's target. Raises DeliveryError."""
        effect = job.effect
        assert isinstance(effect, PagePager)
        await self._send("trigger", job.state, effect.target, self._alert(job))
        return Done(c.PageSent(effect.target, ok=True))

    async def quiet(self, job: Job) -> Done:
        """Acknowledge or resolve the alert of a QuietPager's target. Raises DeliveryError."""
        effect = job.effect
        assert isinstance(effect, QuietPager)
        # An acknowledgement that is tried again when all is over would say less than what was said since.
        action = effect.action if job.state.is_active else "resolve"
        await self._send(action, job.state, effect.target, {})
        return Done()

    async def try_out(self, job: Job) -> Done:
        """Send an alert that says it is a test, and resolve it. Both keep their key, so a repeat is the same alert.

        Raises DeliveryError.
        """
        effect = job.effect
        assert isinstance(effect, TryPager)
        key = self._fitting(f"tocsin/{self._installation}/test/{effect.ticket}/{effect.target}")
        payload = {
            "summary": "Test by Tocsin: the way to this pager works, nothing is to be done",
            "source": "tocsin",
            "severity": "info",
            "class": "test",
        }
        await self._enqueue("trigger", key, {"payload": payload, "client": "Tocsin"})
        await self._enqueue("resolve", key, {})
        return Done()

    def dedup_key(self, incident: Incident, target: str) -> str:
        """Return the key that all events about one target of one incident share; at most 255 characters."""
        return self._fitting(f"tocsin/{self._installation}/{incident.key}/{target}")

    @staticmethod
    def _fitting(key: str) -> str:
        if len(key) <= DEDUP_KEY_MAX:
            return key
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        return f"{key[: DEDUP_KEY_MAX - 17]}/{digest}"

    async def _send(self, action: str, incident: Incident, target: str, alert: Mapping[str, Any]) -> None:
        await self._enqueue(action, self.dedup_key(incident, target), alert)

    async def _enqueue(self, action: str, dedup_key: str, alert: Mapping[str, Any]) -> None:
        if self._key is None or not self._key.get_secret_value():
            raise DeliveryError("PagerDuty is not set up", permanent=True, mend=_MEND_KEY)
        key = self._key.get_secret_value()
        event = {
            "routing_key": key,
            "event_action": action,
            "dedup_key": dedup_key,
            **alert,
        }
        self._limit.let_pass()
        reply = await call(self._http, VENDOR, "POST", self._url, json=event, timeout=self._timeout)
        if reply.status == 429:
            raise self._limit.reached(reply.retry_after())
        if reply.status != 202:
            raise _error(reply, key)

    def _alert(self, job: Job) -> dict[str, Any]:
        state = job.state
        service = "" if state.private else state.service or ""
        link = f"{self._public_url}/incidents/{state.number}"
        return {
            "payload": {
                "summary": _summary(state),
                "source": clean_line(service, SOURCE_MAX) or "tocsin",
                "severity": _SEVERITY[state.severity],
                "timestamp": job.event.at.isoformat(timespec="milliseconds"),
                "class": "incident",
                **({"component": service} if service else {}),
                "custom_details": _details(job),
            },
            "client": "Tocsin",
            "client_url": link,
            "links": [{"href": link, "text": state.key}],
        }


def _summary(state: Incident) -> str:
    """Return the line that a phone reads out. A private incident tells only that it is there."""
    if state.private:
        what = f"Private incident {state.key}"
    else:  # an assumed title mentions somebody in Slack's way, which is noise here
        what = state.key if state.title_assumed else f"{state.key}: {state.title}"
    drill = "Drill: " if state.drill else ""
    return clean_line(f"{drill}{state.severity.label} {what}", SUMMARY_MAX)


def _details(job: Job) -> dict[str, Any]:
    state, event = job.state, job.event.event
    details: dict[str, Any] = {"incident": state.key, "severity": state.severity.label, "status": state.status.value}
    if state.private:
        return details
    if isinstance(event, PageRequested) and event.reason:
        details["reason"] = event.reason
    if state.room:
        details["channel"] = f"#{state.room.name}"
    if state.alerts_firing:
        details["alerts_firing"] = state.alerts_firing
    details |= {key: value for key, value in (("service", state.service), ("drill", state.drill)) if value}
    return details


def _error(reply: Reply, key: str) -> DeliveryError:
    if reply.status >= 500:
        return DeliveryError(f"PagerDuty has trouble ({reply.status})")
    if reply.status < 300:  # taken is 202 and nothing else: something in between answered for PagerDuty
        return DeliveryError(f"PagerDuty gave an unexpected answer ({reply.status})")
    mend = _MEND_KEY if reply.status in (400, 401, 403) else "Check PAGERDUTY_EVENTS_URL."
    if reply.status < 400:
        mend = "Check PAGERDUTY_EVENTS_URL: it answers with a redirect."
    return refusal(VENDOR, reply, _why(reply.body), mend=mend, secret=key)


def _why(body: object) -> str:
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    listed = [str(one) for one in errors] if isinstance(errors, list) else []
    return "; ".join(listed) or str(body.get("message") or "")

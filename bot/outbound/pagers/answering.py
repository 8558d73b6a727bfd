"""PagerDuty's own incidents: tell PagerDuty by its REST API that one is acknowledged or resolved here.

https://developer.pagerduty.com/api-reference/8a0e1aa2ec666-update-an-incident · What Tocsin paged itself is answered by
the Events API under its dedup key (`pagerduty.py`); what PagerDuty opened has only its id.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr

from bot.domain.effects import AnswerSender
from bot.outbound.calls import TIMEOUT, RateLimit, Reply, call, refusal
from bot.ports.delivery import DeliveryError, Done, Job, Registration
from bot.ports.waits import retry_after

VENDOR: Final = "PagerDuty"
BUDGET: Final = "pagerduty.rest"
"""960 calls a minute for each key: https://developer.pagerduty.com/docs/rest-api-rate-limits"""
_STATUS: Final[Mapping[str, str]] = {"acknowledge": "acknowledged", "resolve": "resolved"}
_RANK: Final[Mapping[str, int]] = {"triggered": 0, "acknowledged": 1, "resolved": 2}
_MEND: Final = (
    "Set PAGERDUTY_API_TOKEN to a REST API key that may write, and PAGERDUTY_FROM to the e-mail of a PagerDuty user."
)


class PagerDutyAnswers:
    """Answers PagerDuty's incidents. `sender` is the e-mail of a PagerDuty user, in whose name it is done.

    Without a token or a sender nothing is told, and that is no failure: `tocsin doctor` says that it is so.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        token: SecretStr | None,
        sender: str,
        api_url: str,
        timeout: float = TIMEOUT,
    ) -> None:
        self._http = http
        self._token = token.get_secret_value() if token else ""
        self._sender = sender
        self._url = api_url.rstrip("/")
        self._timeout = timeout
        self._limit = RateLimit(VENDOR, BUDGET)

    def registry(self) -> dict[str, Registration]:
        """What this vendor carries out."""
        name = "answer PagerDuty's incident"
        return {"answer_sender": Registration(self.answer, name, BUDGET, "pagerduty-rest")}

    async def answer(self, job: Job) -> Done:
        """Set the status of PagerDuty's incident, unless it is that far already. Raises DeliveryError."""
        effect = job.effect
        assert isinstance(effect, AnswerSender)
        if not self._token or not self._sender:
            return Done()
        if effect.action == "resolve" and job.state.is_active:
            return Done()  # reopened meanwhile: it goes on
        # A repeat of an acknowledgement would start PagerDuty's own timer anew.
        if job.first_at is not None and await self._is_done(effect):
            return Done()
        body = {"incident": {"type": "incident_reference", "status": _STATUS[effect.action]}}
        reply = await self._call("PUT", effect.remote, body)
        if _status(reply):
            return Done()
        if reply.status == 400 and await self._is_done(effect):  # it was resolved there before
            return Done()
        raise self._error(reply)

    async def _is_done(self, effect: AnswerSender) -> bool:
        reply = await self._call("GET", effect.remote)
        if status := _status(reply):
            return _RANK[status] >= _RANK[_STATUS[effect.action]]
        raise self._error(reply)

    async def _call(self, method: str, remote: str, body: object = None) -> Reply:
        headers = {
            "Authorization": f"Token token={self._token}",
            "Accept": "application/vnd.pagerduty+json;version=2",
            "From": self._sender,
        }
        url = f"{self._url}/incidents/{quote(remote, safe='')}"
        self._limit.let_pass()
        reply = await call(self._http, VENDOR, method, url, headers=headers, json=body, timeout=self._timeout)
        if reply.status == 429:
            raise self._limit.reached(_reset(reply))
        return reply

    def _error(self, reply: Reply) -> DeliveryError:
        if reply.status >= 500 or reply.status == 408:
            return DeliveryError(f"PagerDuty has trouble ({reply.status})")
        if reply.status < 300:
            return DeliveryError(f"PagerDuty gave an unexpected answer ({reply.status})")
        mend = (
            _MEND if reply.status in (400, 401, 402, 403) else "Look at the incident in PagerDuty; it may be deleted."
        )
        if reply.status < 400:
            mend = "Check PAGERDUTY_API_URL: it answers with a redirect."
        return refusal(VENDOR, reply, _why(reply.body), mend=mend, secret=self._token)


def _status(reply: Reply) -> str:
    """The incident's status, as PagerDuty tells it; empty if that was not PagerDuty's yes."""
    incident = reply.body.get("incident") if reply.status == 200 and isinstance(reply.body, dict) else None
    status = incident.get("status") if isinstance(incident, dict) else None
    return status if isinstance(status, str) and status in _RANK else ""


def _reset(reply: Reply) -> float:
    """Seconds until the rate limit starts anew: PagerDuty says it in a header of its own, which may be missing."""
    told = reply.headers.get("ratelimit-reset")
    return reply.retry_after() if told is None else retry_after(told)


def _why(body: Any) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return ""
    errors = error.get("errors")
    listed = [str(one) for one in errors] if isinstance(errors, list) else []
    return "; ".join([str(error.get("message") or ""), *listed]).strip("; ")

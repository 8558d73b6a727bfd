"""Atlassian Statuspage, API v1: bring the page up to date with what was published.

https://developer.statuspage.io/ · One request a second for each token; 420 or 429 above it. There is no idempotency
key: our incident and the version shown stand in the remote incident's `metadata`, and are looked at before a repeat.
"""

from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import structlog
from pydantic import SecretStr

from bot.domain import commands as c
from bot.domain.effects import ShowStatusPage
from bot.domain.events import PublicPublished
from bot.domain.severity import Severity, Status
from bot.domain.text import clean_line, cut
from bot.outbound.calls import TIMEOUT, RateLimit, Reply, call, refusal
from bot.ports.delivery import DeliveryError, Done, Job, Registration

VENDOR: Final = "Statuspage"
PROVIDER: Final = "statuspage"
BUDGET: Final = "statuspage"
NAME_MAX: Final = 255
BODY_MAX: Final = 25_000
PAGE_SIZE: Final = 100
"""Components a page of the list; the vendor's own maximum."""
_PAGES_MAX: Final = 10
_STATUS: Final[Mapping[Status, str]] = {
    Status.INVESTIGATING: "investigating",
    Status.IDENTIFIED: "identified",
    Status.MONITORING: "monitoring",
    Status.RESOLVED: "resolved",
    Status.CLOSED: "resolved",
    Status.CANCELLED: "resolved",
}
_COMPONENT: Final[Mapping[Severity, str]] = {
    Severity.SEV1: "major_outage",
    Severity.SEV2: "partial_outage",
    Severity.SEV3: "degraded_performance",
    Severity.SEV4: "degraded_performance",
}
_MEND_SETUP: Final = "Set STATUSPAGE_API_KEY and STATUSPAGE_PAGE_ID."

log = structlog.get_logger()


class Statuspage:
    """One page at Statuspage. `api_url` ends in `/v1`; `installation` tells several Tocsins on one page apart."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        api_key: SecretStr | None,
        page_id: str,
        api_url: str,
        installation: str,
        timeout: float = TIMEOUT,
    ) -> None:
        self._http = http
        self._key = api_key
        self._page = page_id
        self._url = f"{api_url.rstrip('/')}/pages/{page_id}"
        self._timeout = timeout
        self._installation = installation
        self._components: dict[str, str] = {}
        self._limit = RateLimit(VENDOR, BUDGET)

    def registry(self) -> dict[str, Registration]:
        """What this vendor carries out."""
        return {"show_status_page": Registration(self.show, "update Statuspage", BUDGET, "statuspage")}

    async def show(self, job: Job) -> Done:
        """Show the published update that caused `job`. Raises DeliveryError.

        A page that shows this version, or a newer one, is left alone: a repeat never tells subscribers twice, and an
        older update that comes late never replaces a newer one.
        """
        assert isinstance(job.effect, ShowStatusPage)
        update = job.event.event
        if not isinstance(update, PublicPublished):
            raise DeliveryError("nothing was published", permanent=True)
        if self._key is None or not self._key.get_secret_value() or not self._page:
            raise DeliveryError("Statuspage is not set up", permanent=True, mend=_MEND_SETUP)
        remote = await self._find(job)
        if remote is None or _version(remote) < update.version:
            payload = await self._payload(job, update)
            remote = await self._send(payload, remote)
        else:
            await self._remove_twins(job, remote)
        return Done(c.PublicDelivered(PROVIDER, update.version, str(remote["id"]), str(remote.get("shortlink") or "")))

    # --- the remote incident --------------------------------------------------------------------------
    async def _find(self, job: Job) -> dict[str, Any] | None:
        """Return the remote incident, if there is one.

        Without an id it is searched for even on a first attempt: an earlier update may have created it, and its
        answer may have been lost.
        """
        known = job.state.remote.get(PROVIDER)
        if known:
            reply = await self._call("GET", f"/incidents/{known}", missing=True)
            if reply.status != 404:
                return _incident(reply)
            log.warning("incident gone at Statuspage", incident=job.state.key, remote=known)
        # Unresolved ones first; a resolved one is found among the newest.
        for path in ("/incidents/unresolved", f"/incidents?limit={PAGE_SIZE}"):
            for one in _list(await self._call("GET", path)):
                if _ours(one).get("incident") == self._name(job):
                    return one
        return None

    async def _remove_twins(self, job: Job, remote: dict[str, Any]) -> None:
        """Delete what else stands there for this incident: a call that was given up may have created it late."""
        for one in _list(await self._call("GET", "/incidents/unresolved")):
            if _ours(one).get("incident") == self._name(job) and one["id"] != remote["id"]:
                log.warning("late copy removed", incident=job.state.key, remote=one["id"])
                await self._call("DELETE", f"/incidents/{one['id']}", missing=True)

    async def _send(self, payload: dict[str, Any], remote: dict[str, Any] | None) -> dict[str, Any]:
        if remote is None:
            return _incident(await self._call("POST", "/incidents", payload))
        return _incident(await self._call("PATCH", f"/incidents/{remote['id']}", payload))

    async def _payload(self, job: Job, update: PublicPublished) -> dict[str, Any]:
        status = _STATUS[update.status]
        affected = "operational" if status == "resolved" else _COMPONENT[job.state.severity]
        ids = await self._component_ids(update.components)
        return {
            "incident": {
                "name": clean_line(update.title, NAME_MAX),
                "status": status,
                "body": cut(update.text, BODY_MAX),
                "component_ids": ids,
                "components": dict.fromkeys(ids, affected),
                "metadata": {"tocsin": {"incident": self._name(job), "version": update.version}},
                "deliver_notifications": True,
            }
        }

    def _name(self, job: Job) -> str:
        return f"{self._installation}/{job.state.key}"

    # --- components -----------------------------------------------------------------------------------
    async def _component_ids(self, names: tuple[str, ...]) -> list[str]:
        """Return the page's ids of the components called `names`; those that it does not have are left out, loudly."""
        if any(name.casefold() not in self._components for name in names):
            self._components = await self._fetch_components()
        missing = [name for name in names if name.casefold() not in self._components]
        if missing:
            log.warning("no such component at Statuspage", names=missing)
        return [self._components[name.casefold()] for name in names if name not in missing]

    async def _fetch_components(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for page in range(1, _PAGES_MAX + 1):
            listed = _list(await self._call("GET", f"/components?page={page}&per_page={PAGE_SIZE}"))
            found |= {str(one.get("name", "")).casefold(): str(one["id"]) for one in listed if not one.get("group")}
            if len(listed) < PAGE_SIZE:
                break
        return found

    # --- calls ----------------------------------------------------------------------------------------
    async def _call(self, method: str, path: str, json: object = None, *, missing: bool = False) -> Reply:
        """Return a good answer (with `missing`, also a 404). Raises DeliveryError for every other."""
        assert self._key is not None
        key = self._key.get_secret_value()
        headers = {"Authorization": f"OAuth {key}", "Accept": "application/json"}
        url = f"{self._url}{path}"
        self._limit.let_pass()
        reply = await call(self._http, VENDOR, method, url, headers=headers, json=json, timeout=self._timeout)
        if reply.status in (420, 429):
            raise self._limit.reached(reply.retry_after())
        if 200 <= reply.status < 300 or (missing and reply.status == 404):
            return reply
        raise _error(reply, key)


def _error(reply: Reply, key: str) -> DeliveryError:
    if reply.status >= 500:
        return DeliveryError(f"Statuspage has trouble ({reply.status})")
    mends = {
        401: "Check STATUSPAGE_API_KEY.",
        403: "Check STATUSPAGE_API_KEY and what it may do.",
        404: "Check STATUSPAGE_PAGE_ID.",
        422: "Change the public update, or the page's settings, then publish again.",
    }
    mend = mends.get(reply.status, "Check STATUSPAGE_API_URL.")
    return refusal(VENDOR, reply, _why(reply.body), mend=mend, secret=key)


def _why(body: object) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    return "; ".join(map(str, error)) if isinstance(error, list) else str(error or "")


def _incident(reply: Reply) -> dict[str, Any]:
    if not isinstance(reply.body, dict) or not reply.body.get("id"):
        raise DeliveryError("Statuspage gave an answer that is no incident")
    return reply.body


def _list(reply: Reply) -> list[dict[str, Any]]:
    if not isinstance(reply.body, list):
        raise DeliveryError("Statuspage gave an answer that is no list")
    return [one for one in reply.body if isinstance(one, dict) and one.get("id")]


def _ours(remote: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = remote.get("metadata")
    ours = metadata.get("tocsin") if isinstance(metadata, dict) else None
    return ours if isinstance(ours, dict) else {}


def _version(remote: Mapping[str, Any]) -> int:
    version = _ours(remote).get("version")
    return int(version) if isinstance(version, int | str) and str(version).isdigit() else 0

"""What `tocsin doctor` looks at of Alertmanager: whether its API, where alerts are silenced, answers and lets us in."""

import aiohttp

from bot.outbound.alertmanagers.alertmanager import api_headers
from bot.settings import Settings
from bot.wiring.findings import Finding

_CHECK = "alertmanager api"


async def answers(settings: Settings, http: aiohttp.ClientSession) -> list[Finding]:
    """Return one finding. Never raises."""
    url = settings.config.webhooks.alertmanager.url.rstrip("/")
    if not url:
        return [Finding(_CHECK, "OK", "not called; set webhooks.alertmanager.url to silence alerts from Slack")]
    head = api_headers(settings.env.alertmanager_api_token, settings.env.alertmanager_api_basic)
    try:
        async with http.get(f"{url}/api/v2/status", headers=head, allow_redirects=False) as answer:
            status, body = answer.status, await answer.json(content_type=None) if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
        mend = "check webhooks.alertmanager.url and the way to it"
        return [Finding(_CHECK, "FAIL", f"cannot be reached: {type(exc).__name__}", mend)]
    if isinstance(body, dict) and isinstance(body.get("versionInfo"), dict):
        version = str(body["versionInfo"].get("version", "unknown"))[:40]
        return [Finding(_CHECK, "OK", f"version {version} answers: alerts can be silenced")]
    mend = "check webhooks.alertmanager.url"
    if status in (401, 403):
        mend = "set TOCSIN_ALERTMANAGER_API_TOKEN or TOCSIN_ALERTMANAGER_API_BASIC"
    return [Finding(_CHECK, "FAIL", f"HTTP {status}, not Alertmanager's API v2", mend)]

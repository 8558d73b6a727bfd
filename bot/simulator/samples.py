"""The workspace in the place of an alert's sender: the webhook as Alertmanager or PagerDuty sends.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
https://developer.pagerduty.com/docs/webhooks/webhook-signatures/
"""

from __future__ import annotations

import hashlib
import hmac

import aiohttp

from bot.simulator.errors import PersonError
from bot.simulator.settings import Sample, WorkspaceSettings
from bot.simulator.store import Json

PATIENCE = aiohttp.ClientTimeout(total=10)


async def send(http: aiohttp.ClientSession, settings: WorkspaceSettings, sample_id: str, action: str) -> Json:
    """Send a sample and return the bot's own answer. Raises PersonError."""
    sample = next((sample for sample in settings.samples if sample.id == sample_id), None)
    if sample is None or action not in sample.actions:
        raise PersonError("unknown_sample", "There is no such sample alert.", 404)
    url, headers, body = _request(settings, sample, action)
    try:
        async with http.post(url, data=body, headers=headers, timeout=PATIENCE) as answer:
            text = await answer.text(errors="replace")
            return {"status": answer.status, "body": text}
    except (aiohttp.ClientError, TimeoutError) as failed:
        words = f"The bot's webhook could not be reached: {str(failed) or 'no answer in 10 seconds'}"
        raise PersonError("unreachable", words, 502) from None


def _request(settings: WorkspaceSettings, sample: Sample, action: str) -> tuple[str, dict[str, str], bytes]:
    body = sample.build(action)
    headers = {"Content-Type": "application/json"}
    if sample.source == "alertmanager":
        url = settings.alertmanager_url
        headers["User-Agent"] = "Alertmanager/0.28.1"
        if settings.alertmanager_token:
            headers["Authorization"] = f"Bearer {settings.alertmanager_token}"
    else:
        url = settings.pagerduty_url
        headers["User-Agent"] = "PagerDuty-Webhook/V3.0"
        if settings.pagerduty_secret:
            digest = hmac.new(settings.pagerduty_secret.encode(), body, hashlib.sha256)
            headers["X-PagerDuty-Signature"] = f"v1={digest.hexdigest()}"
    if url is None:
        raise PersonError("not_configured", f"No webhook of {sample.source} is set up.", 409)
    return url, headers, body

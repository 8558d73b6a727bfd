"""What `tocsin doctor` looks at for PagerDuty's webhooks and our answers to them."""

from collections.abc import Mapping

import aiohttp

from bot.settings import Settings
from bot.wiring.findings import Finding


def incoming(settings: Settings) -> list[Finding]:
    """The webhook's secrets."""
    count = len(settings.env.pagerduty_secrets)
    return [Finding("pagerduty in", "OK", f"{count} signing secret{'' if count == 1 else 's'}")]


def kept(unusable: Mapping[str, int]) -> list[Finding]:
    """Signed deliveries that nothing could be made of."""
    return [
        Finding(
            f"{source} in",
            "WARN",
            f"{count} deliver{'y' if count == 1 else 'ies'} with a good signature meant nothing",
            "read `reason` in the table `unusable`; the log's `webhook_unusable` lines say when",
        )
        for source, count in sorted(unusable.items())
    ]


async def answers(settings: Settings, http: aiohttp.ClientSession) -> list[Finding]:
    """Whether our acknowledgement and resolve reach the incidents that PagerDuty opened."""
    env = settings.env
    if not env.pagerduty_secrets:
        return []
    token = env.pagerduty_api_token.get_secret_value() if env.pagerduty_api_token else ""
    if not token or not env.pagerduty_from:
        mend = "set PAGERDUTY_API_TOKEN and PAGERDUTY_FROM (the e-mail of a PagerDuty user)"
        return [Finding("pagerduty out", "WARN", "is not told who acknowledges and resolves its incidents", mend)]
    head = {"Authorization": f"Token token={token}", "Accept": "application/vnd.pagerduty+json;version=2"}
    url = f"{env.pagerduty_api_url.rstrip('/')}/users"
    try:
        async with http.get(url, headers=head, params={"query": env.pagerduty_from, "limit": "100"}) as answer:
            body = await answer.json(content_type=None) if answer.status == 200 else {}
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
        mend = f"check the way to {env.pagerduty_api_url}"
        return [Finding("pagerduty out", "FAIL", f"cannot be reached: {type(exc).__name__}", mend)]
    if status != 200:
        return [Finding("pagerduty out", "FAIL", f"HTTP {status}", "check PAGERDUTY_API_TOKEN")]
    users = body.get("users") if isinstance(body, dict) else None
    known = {str(one.get("email", "")).casefold() for one in users or () if isinstance(one, dict)}
    if env.pagerduty_from.casefold() not in known:
        mend = "set PAGERDUTY_FROM to the e-mail of a user of this PagerDuty account"
        return [Finding("pagerduty out", "FAIL", f"there is no user {env.pagerduty_from}", mend)]
    return [Finding("pagerduty out", "OK", f"acknowledges and resolves as {env.pagerduty_from}")]

"""Who carries which effect out: Slack's handlers and those of every other vendor."""

import aiohttp

from bot.outbound.alertmanagers.alertmanager import Alertmanager
from bot.outbound.pagers.answering import PagerDutyAnswers
from bot.outbound.pagers.pagerduty import PagerDuty
from bot.outbound.statuspages.statuspage import Statuspage
from bot.ports.delivery import Registry
from bot.settings import Settings


def vendors(settings: Settings, slack: Registry, http: aiohttp.ClientSession, installation: str) -> Registry:
    env, timeout = settings.env, settings.config.delivery.request_timeout
    pager = PagerDuty(
        http,
        routing_key=env.pagerduty_routing_key,
        events_url=env.pagerduty_events_url,
        installation=installation,
        public_url=settings.public_url,
        timeout=timeout,
    )
    page = Statuspage(
        http,
        api_key=env.statuspage_api_key,
        page_id=env.statuspage_page_id,
        api_url=env.statuspage_api_url,
        installation=installation,
        timeout=timeout,
    )
    alertmanager = Alertmanager(
        http,
        url=settings.config.webhooks.alertmanager.url,
        token=env.alertmanager_api_token,
        basic=env.alertmanager_api_basic,
        installation=installation,
        timeout=timeout,
    )
    answers = PagerDutyAnswers(
        http,
        token=env.pagerduty_api_token,
        sender=env.pagerduty_from,
        api_url=env.pagerduty_api_url,
        timeout=timeout,
    )
    vendors = (pager, answers, page, alertmanager)
    return {
        **slack,
        **{k: v for one in vendors for k, v in one.registry().items()},
    }

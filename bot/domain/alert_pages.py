"""Where an alert points: its source, the pages in its annotations, what it is about. Only http(s) becomes a link."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from bot.domain.alerts import Alert

RUNBOOK_PAGES: Final = ("runbook_url", "runbook", "runbook_link", "playbook_url")
DASHBOARDS: Final = (
    "dashboard_url",
    "grafana_url",
    "dashboard",
    "graph_url",
    "panel_url",
    "dashboardURL",
    "panelURL",
    "dashboard_link",
)
"""As people name them in their rules; Grafana's own alerting says `dashboardURL`."""
PAGE_MAX: Final = 500
PLACES: Final = (
    "instance",
    "pod",
    "host",
    "hostname",
    "node",
    "device",
    "mountpoint",
    "container",
    "queue",
    "topic",
    "database",
    "path",
)
"""Labels that tell alerts of one rule apart, as exporters name them; the first two that an alert has are shown."""
# RFC 3986's characters; anything else could end a link early or hide where it leads.
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.IGNORECASE)


def page_of(annotations: Mapping[str, str], names: Sequence[str]) -> str:
    """Return the first of these annotations that is a web address, or ""."""
    return next((found for name in names if name in annotations and (found := web_page(annotations[name]))), "")


@lru_cache(maxsize=1024)  # the alerts of a rule all lead to its pages
def web_page(text: str) -> str:
    """Return `text` if it is an http(s) address with a host and nothing else, else ""."""
    address = text.strip()
    if len(address) > PAGE_MAX or not _ADDRESS.fullmatch(address):
        return ""
    try:
        parts = urlsplit(address)
        return address if parts.hostname and not parts.username and not parts.password else ""
    except ValueError:
        return ""


def short_page(url: str) -> str:
    """Return `url`, or, where it is too long to be kept, the page without its query: half a query is another one."""
    if len(url) <= PAGE_MAX:
        return url
    page = url.partition("#")[0].partition("?")[0]
    return page if len(page) <= PAGE_MAX else ""


def told_apart(alert: Alert) -> str:
    """Return what tells `alert` from others of its name: `instance=web-1:9100`, at PagerDuty `#4213`."""
    if number := alert.labels.get("pagerduty") if alert.source == "pagerduty" else None:
        return f"#{number}"
    named = [f"{name}={alert.labels[name]}" for name in PLACES if alert.labels.get(name)]
    return ", ".join(named[:2])

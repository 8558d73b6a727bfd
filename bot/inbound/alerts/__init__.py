"""Alerts in: one source a file – verify, parse into an AlertBatch – and one line in SOURCES."""

from collections.abc import Mapping
from typing import Final

from bot.inbound.alerts.alertmanager import Alertmanager
from bot.inbound.alerts.pagerduty import PagerDuty
from bot.inbound.alerts.source import Source

SOURCES: Final[Mapping[str, Source]] = {
    "alertmanager": Alertmanager(),
    "pagerduty": PagerDuty(),
}

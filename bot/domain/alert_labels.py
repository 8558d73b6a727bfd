"""Which labels and annotations of an alert are kept: what something here goes by first, then as they come. Pure."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from bot.domain.alert_pages import DASHBOARDS, RUNBOOK_PAGES
from bot.domain.alerts import Alert
from bot.domain.matchers import parse
from bot.domain.policy import Policy
from bot.domain.routes import SeverityByLabel
from bot.domain.triage import ENV_LABELS, SERVICE_LABELS

KEPT_MAX: Final = 60
"""Labels, and annotations, kept of one alert; Prometheus alerts have about ten."""
_JUDGED_BY: Final = ("alertname", "severity", "priority", "urgency", *SERVICE_LABELS, *ENV_LABELS)
_READ: Final = ("summary", "message", "title", "description", *RUNBOOK_PAGES, *DASHBOARDS)
_IN_TITLE: Final = re.compile(r"""(labels|annotations)(?:\.|\[\s*['"])([A-Za-z_][\w.:-]*)""")


def kept(alerts: tuple[Alert, ...], policy: Policy) -> tuple[Alert, ...]:
    """Return `alerts`, which have been judged by all they say, with as many labels and annotations as are kept."""
    if all(len(alert.labels) <= KEPT_MAX and len(alert.annotations) <= KEPT_MAX for alert in alerts):
        return alerts
    by, read = _gone_by(policy)
    return tuple(_kept(alert, by, read) for alert in alerts)


def _kept(alert: Alert, by: Collection[str], read: Collection[str]) -> Alert:
    labels, annotations = _first(alert.labels, by), _first(alert.annotations, read)
    gone = [name for name in alert.labels if name not in labels]
    inexact = tuple(dict.fromkeys((*alert.inexact, *gone)))
    return alert.model_copy(update={"labels": labels, "annotations": annotations, "inexact": inexact})


def _first(found: Mapping[str, str], wanted: Collection[str]) -> dict[str, str]:
    names = [*(name for name in found if name in wanted), *(name for name in found if name not in wanted)]
    chosen = set(names[:KEPT_MAX])
    return {name: value for name, value in found.items() if name in chosen}


def _gone_by(policy: Policy) -> tuple[set[str], set[str]]:
    """The labels and the annotations that a policy goes by."""
    labels, annotations = set(_JUDGED_BY), set(_READ)
    for match in (*(route.match for route in policy.routes), *(dog.match for dog in policy.triage.watchdogs)):
        labels |= {one.name for line in match for one in parse(line)}
    for route in policy.routes:
        labels |= set(route.group_by or ())
        if isinstance(route.severity, SeverityByLabel):
            labels.add(route.severity.label)
        for kind, name in _IN_TITLE.findall(route.title or ""):
            (labels if kind == "labels" else annotations).add(name)
    return labels, annotations

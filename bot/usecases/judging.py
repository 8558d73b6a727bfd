"""What a delivery of alerts means under the policy, before anything is known of its alerts. Pure.

A group that fires on is sent again and again, byte for byte, by each of a pair: it is read once, and judged once.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from bot.domain.alert_labels import kept
from bot.domain.alerts import AlertBatch
from bot.domain.policy import Policy
from bot.domain.triage import Verdict, triage
from bot.ports.store import Keys


class Judgement(NamedTuple):
    """What a delivery means under a policy, before anything is known of its alerts."""

    batch: AlertBatch
    """With as many labels and annotations as are kept."""
    verdicts: tuple[Verdict, ...]
    keys: Keys


def judge(batch: AlertBatch, policy: Policy, at: datetime | None) -> Judgement:
    """Judge `batch`, which came in `at`; None: no route of `policy` counts only at some times."""
    verdicts = tuple(triage(alert, policy, at) for alert in batch.alerts)
    if (alerts := kept(batch.alerts, policy)) is not batch.alerts:
        batch = batch.model_copy(update={"alerts": alerts})
    return Judgement(batch, verdicts, _keys(batch, verdicts, policy))


def _keys(batch: AlertBatch, verdicts: Sequence[Verdict], policy: Policy) -> Keys:
    """Every alert named, the group of every alert that fires, and a number if one of those might open."""
    firing = [v for a, v in zip(batch.alerts, verdicts, strict=True) if a.status == "firing"]
    named = {(a.source, a.fingerprint) for a in batch.alerts}
    named |= {(a.source, a.merged_into) for a in batch.alerts if a.merged_into}
    asks = any(route.action == "triage" for route in policy.routes)  # people may have been asked about some alerts
    return Keys(
        groups=frozenset(v.group_key for v in verdicts if v.action != "ignore"),
        fingerprints=frozenset(named),
        asked=frozenset(v.group_key for v in firing if v.action in ("open", "triage")) if asks else frozenset(),
        opens=any(v.action == "open" for v in firing),
    )


class _Itself:
    """Something that is compared as the thing it is, not by what it says."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.it is other.it

    def __hash__(self) -> int:
        return id(self.it)


@lru_cache(maxsize=256)
def _judge_again(batch: _Itself, policy: _Itself) -> Judgement:
    return judge(batch.it, policy.it, None)


def judge_again(batch: AlertBatch, policy: Policy) -> Judgement | None:
    """Judge a small delivery that comes again and again, and was read only once; None if it depends on the time."""
    if any(route.during for route in policy.routes):
        return None
    return _judge_again(_Itself(batch), _Itself(policy))

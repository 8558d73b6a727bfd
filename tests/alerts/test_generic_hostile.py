"""Any JSON at the door of a generic source: taken, skipped or refused in words, never a 500; and always clean."""

import json
import time
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alert_mapping import Preset
from bot.domain.policy import Policy
from bot.domain.runbook_match import Shelf
from bot.inbound.alerts import mapping
from bot.inbound.alerts.generic import Delivery, Generic
from bot.inbound.alerts.mapping import ITEMS_MAX, moment
from bot.inbound.alerts.reading import Unusable
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from tests.alerts.test_hostile import assert_bounded
from tests.support.generic import FIXTURES, OWN, compact, generic, on_file
from tests.support.ledger import Ledger

_TEXT = st.text(max_size=60) | st.sampled_from(
    ["<!channel>", "\u202e" * 9, "{{ 7*7 }}", "ALARM", "Recovered", "firing"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
PRESETS = {name: generic(name, preset=name) for name in get_args(Preset)}
FILES = {name: [one.stem for one in (FIXTURES / name).glob("*.json")] for name in PRESETS}
SENT = {name: [json.loads(s.raw) for file in files for s in on_file(name, file)] for name, files in FILES.items()}


def taken(source: Generic, raw: bytes) -> None:
    """Read and commit: it may be unusable with a reason, and nothing else may be raised."""
    try:
        batch = Delivery(source).parse(raw, {"x-odd": "\udcff"})
    except Unusable as exc:
        assert str(exc)  # noqa: PT017 - both ways out are right; the reason must be there
        return
    assert batch.alerts or batch.skipped
    for alert in batch.alerts:
        assert_bounded(alert)
    for skipped in batch.skipped:
        assert skipped.reason
        assert len(skipped.reason) <= 300
    answer = Ledger().run(ReportBatch(Request("alert:x"), batch, Policy(), Shelf()))
    json.dumps(answer.fields)


def mutated(body: Any, path: list[int], value: Any) -> Any:
    """Put `value` somewhere into `body`: the path's numbers choose the way down."""
    if not path or not isinstance(body, dict | list) or not body:
        return value
    if isinstance(body, dict):
        key = sorted(body)[path[0] % len(body)]
        return {**body, key: mutated(body[key], path[1:], value)}
    place = path[0] % len(body)
    return [*body[:place], mutated(body[place], path[1:], value), *body[place + 1 :]]


@given(body=_JSON, name=st.sampled_from(sorted(PRESETS)))
@settings(max_examples=150, deadline=None)
def test_any_json_is_answered(body: Any, name: str) -> None:
    taken(PRESETS[name], json.dumps(body).encode())


@given(data=st.data(), path=st.lists(st.integers(0, 30), min_size=1, max_size=5), value=_JSON)
@settings(max_examples=250, deadline=None)
def test_any_json_in_the_place_of_any_field_is_answered(data: st.DataObject, path: list[int], value: Any) -> None:
    name = data.draw(st.sampled_from(sorted(SENT)))
    body = mutated(data.draw(st.sampled_from(SENT[name])), path, value)
    if name == "cloudwatch" and data.draw(st.booleans()):
        message = json.loads(SENT[name][0]["Message"]) if isinstance(SENT[name][0].get("Message"), str) else {}
        body = {"Type": "Notification", "Message": json.dumps(mutated(message, path, value))}
    taken(PRESETS[name], json.dumps(body).encode())


@given(raw=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_answered(raw: bytes) -> None:
    taken(PRESETS["grafana"], raw)


_EXPRESSIONS = st.sampled_from(
    ["item", "body", "item.a", "item.a.b", "item.a ~ item.b", "item.a + item.b", "item.a[0]", "item.a | int",
     "item.a()",
     "item.a | as_labels", "item.a | from_json", "item.a | join(item.b)", "item.a | replace(item.b, item.a)", "-item.a",
     "item.a * item.b", "item.a.split(item.b)", "item.a | first", "item.a < item.b", "item.a in item.b", "'firing'",
     "item.a | merged(item.b)", "item.a | map('lower')", "item.a | selectattr('a')", "item.a[item.b]", "item.a | float"]
)  # fmt: skip


@given(
    said=st.fixed_dictionaries(dict.fromkeys(("fingerprint", "status", "name"), _EXPRESSIONS)),
    more=st.dictionaries(st.sampled_from(["skip", "summary", "severity", "url", "starts_at", "occurred_at", "group",
                                          "truncated", "labels", "annotations"]), _EXPRESSIONS, max_size=4),
    items=st.none() | _EXPRESSIONS.filter(lambda text: "item" not in text) | st.just("[body, body.a, body.b]"),
    body=st.fixed_dictionaries({"a": _JSON, "b": _JSON}) | _JSON,
)  # fmt: skip
@settings(max_examples=250, deadline=None)
def test_any_mapping_over_any_json_is_answered(said: Any, more: Any, items: str | None, body: Any) -> None:
    taken(generic("x", **{"items": None, **said, **more, **({"items": items} if items else {})}), compact(body))


def test_a_flood_is_read_up_to_a_limit_and_the_rest_is_counted() -> None:
    body = {"alerts": [{"id": str(n), "title": "x"} for n in range(ITEMS_MAX + 5)]}
    batch = Delivery(generic()).parse(compact(body), {})
    assert len(batch.alerts) == ITEMS_MAX
    assert [skipped.reason for skipped in batch.skipped] == [f"5 left unread: more than {ITEMS_MAX} in one delivery"]


def test_many_unusable_alerts_are_counted_not_listed() -> None:
    batch = Delivery(generic()).parse(compact({"alerts": [{}] * 5000}), {})
    assert len(batch.skipped) == 101
    assert batch.skipped[-1].reason == "4900 more that could not be used"


def test_expressions_that_take_too_long_leave_the_rest_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "BUDGET", 0.05)
    slow = generic(**{**OWN, "summary": "body.alerts | map(attribute='id') | join"})
    body = {"alerts": [{"id": str(n), "title": "x"} for n in range(2000)]}
    started = time.perf_counter()
    batch = Delivery(slow).parse(compact(body), {})
    assert time.perf_counter() - started < 5
    assert batch.alerts
    assert (
        batch.skipped[-1].reason == f"{2000 - len(batch.alerts)} left unread: the expressions took longer than 0.05 s"
    )


def test_headers_are_there_but_for_those_that_hold_secrets() -> None:
    source = generic(
        **{**OWN, "hmac": {"header": "X-Sign", "secret_env": "SOME_KEY"}},
        labels={
            "event": "headers['x-event']",
            "a": "headers.authorization",
            "b": "headers['x-sign']",
            "c": "headers.cookie",
        },
    )
    headers = {"X-Event": "push", "Authorization": "Bearer t", "X-Sign": "s", "Cookie": "c"}
    (alert,) = Delivery(source).parse(compact({"alerts": [{"id": "1", "title": "x"}]}), headers).alerts
    assert alert.labels == {"event": "push"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("2026-11-22T17:43:27.123+0000", datetime(2026, 11, 22, 17, 43, 27, 123000, UTC)),
        ("2026-11-22 23:51:35.527", datetime(2026, 11, 22, 23, 51, 35, 527000, UTC)),
        ("2026-11-22T09:51:03.157076+02:00", datetime(2026, 11, 22, 7, 51, 3, 157076, UTC)),
        ("2026-11-22T09:51:03Z", datetime(2026, 11, 22, 9, 51, 3, 0, UTC)),
        (1795341600000, datetime(2026, 11, 22, 10, 0, tzinfo=UTC)),
        ("1795341600", datetime(2026, 11, 22, 10, 0, tzinfo=UTC)),
        (1795341600.5, datetime(2026, 11, 22, 10, 0, 0, 500000, UTC)),
        *((odd, None) for odd in (None, True, 0, -1, 10**400, float("nan"), float("inf"), "", "now",
                                  "0001-01-01T00:00:00Z",
                                  [], {}, "9" * 24, "9" * 5000, "1.2.3", 1e308)),
    ],
)  # fmt: skip
def test_a_time_is_read_however_the_sender_writes_it(given: Any, wanted: datetime | None) -> None:
    assert moment(given) == wanted

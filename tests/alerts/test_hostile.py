"""Text from alerts is hostile: it is cleaned and cut at the door, whatever it holds."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alerts import Alert
from bot.domain.policy import Policy
from bot.domain.runbook_match import Shelf
from bot.domain.text import TITLE_MAX
from bot.inbound.alerts import SOURCES
from bot.inbound.alerts import reading as r
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from tests.support.alerts import body, scenario, wire
from tests.support.ledger import Ledger
from tests.support.unseen import SAMPLES, unseen


def assert_clean(text: str, limit: int) -> None:
    assert len(text) <= limit
    assert unseen(text) == []


def assert_bounded(alert: Alert) -> None:
    assert_clean(alert.name, r.LABEL_MAX)
    assert "\n" not in alert.name
    assert_clean(alert.summary, 300)
    for found, limit in ((alert.labels, r.LABEL_MAX), (alert.annotations, r.ANNOTATION_MAX)):
        assert len(found) <= r.PAIRS_MAX
        for name, value in found.items():
            assert_clean(name, r.NAME_MAX)
            assert_clean(value, limit)
    assert alert.url == "" or alert.url.startswith(("http://", "https://"))
    assert len(alert.fingerprint) <= r.ID_MAX


def declared_from(raw: bytes) -> Ledger:
    batch = SOURCES["alertmanager"].parse(raw, {})
    ledger = Ledger()
    ledger.run(ReportBatch(Request("alert:alertmanager"), batch, Policy(), Shelf()))
    for alert in batch.alerts:
        assert_bounded(alert)
    for state in ledger.incidents.values():
        assert_clean(state.title, TITLE_MAX)
        assert "\n" not in state.title
        assert len(state.room_name) <= 80
        assert len(state.model_dump_json()) < 16_000
    return ledger


def test_the_recorded_hostile_texts_come_in_clean_and_cut() -> None:
    for sent in scenario("alertmanager", "hostile-text"):
        assert len(declared_from(sent.raw).incidents) == 1


def test_a_link_that_is_not_http_does_not_come_in() -> None:
    urls = ["javascript:alert(1)", "data:text/html,x", "JaVaScRiPt:x", "file:///etc/passwd", "https://", "http:///x",
            "https://a.example/x> <!channel", "https://a.example/\u202egpj", "//a.example", "https://[bad"]  # fmt: skip
    for url in urls:
        item = wire() | {"generatorURL": url, "annotations": {"runbook_url": url, "summary": "s"}}
        (alert,) = SOURCES["alertmanager"].parse(body(item), {}).alerts
        assert alert.url == ""
        assert not alert.annotations.get("runbook_url", "").lower().startswith(("javascript", "data", "file"))
    assert r.web_url("https://a.example/graph?g0.expr=up+%3D%3D+0&x=[1]#y")


def test_a_template_in_an_alert_stays_text() -> None:
    ledger = declared_from(body(wire() | {"annotations": {"summary": "{{ 7*7 }} {% for x in y %}"}}))
    assert "{{ 7*7 }} {% for x in y %}" in ledger.incidents[1].title


def test_a_timestamp_of_year_one_or_with_nine_digits_is_read() -> None:
    assert r.moment("0001-01-01T00:00:00Z") is None
    nine = r.moment("2026-11-22T12:00:00.123456789+05:30")
    assert nine is not None
    assert nine.isoformat() == "2026-11-22T06:30:00.123456+00:00"
    assert r.moment("2026-11-22T12:00:00Z") is not None
    for odd in ("9999-12-31T23:59:59-23:59", "2026-13-45T99:99:99Z", "now", "", None, 7, {}):
        assert r.moment(odd) is None


def test_an_id_that_is_too_long_or_odd_becomes_its_hash_and_stays_distinct() -> None:
    a, b = r.identity("x" * 500), r.identity("x" * 501)
    assert a != b
    assert len(a) <= r.ID_MAX
    assert r.identity("6eed1234abcd0000") == "6eed1234abcd0000"
    assert r.identity("ü").startswith("sha256:")


_PIECE = st.text(max_size=40) | st.sampled_from(["<!channel>", "<@U1>", "`" * 50, "&lt;", "*_~", "👩", *SAMPLES])
_TEXT = st.text(max_size=400) | st.lists(_PIECE, max_size=8).map("".join)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(labels=st.dictionaries(_TEXT, _TEXT, max_size=6), annotations=st.dictionaries(_TEXT, _TEXT, max_size=6))
@settings(max_examples=60)
def test_any_labels_and_annotations_come_in_clean(labels: dict[str, str], annotations: dict[str, str]) -> None:
    declared_from(body(wire() | {"labels": {"severity": "page", **labels}, "annotations": annotations}))


@given(
    item=st.dictionaries(st.sampled_from(list(wire())), _JSON, max_size=7),
    top=st.dictionaries(_TEXT, _JSON, max_size=3),
)
@settings(max_examples=60)
def test_any_json_in_the_place_of_an_alert_is_taken_or_skipped(item: Any, top: dict[str, Any]) -> None:
    raw = json.dumps({**top, "alerts": [wire() | item, item]}).encode()
    declared_from(raw)


@given(event=st.dictionaries(st.sampled_from(["id", "event_type", "occurred_at", "data", "agent"]), _JSON), data=_JSON)
@settings(max_examples=60)
def test_any_json_in_the_place_of_a_pagerduty_event_is_taken_skipped_or_unusable(event: Any, data: Any) -> None:
    source = SOURCES["pagerduty"]
    raw = json.dumps({"event": {"event_type": "incident.triggered", "data": data, **event}}).encode()
    source.delivery_id(raw, {})
    try:
        for alert in source.parse(raw, {}).alerts:
            assert_bounded(alert)
    except r.Unusable as exc:
        assert str(exc)  # noqa: PT017 - both ways out are right; the reason must be there

"""A generic source on the command line: the configuration's mistakes, `explain`, `doctor`."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli import run
from bot.domain.alert_mapping import AlertMapping
from bot.domain.expressions import filters
from bot.inbound.alerts.mapping import PRESETS
from bot.settings import Environment, Settings, read_config
from bot.wiring.doctor import Finding, examine
from tests.support.generic import FIXTURES

GOOD = """\
webhooks:
  generic:
    shop:
      token_env: SHOP_TOKEN
      items: body.alerts
      fingerprint: item.id
      status: "'firing' if item.bad else 'resolved'"
      name: item.title
      labels:
        team: item.team
        env: "'prod'"
    grafana: {preset: grafana, token_env: GRAFANA_TOKEN}
"""
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def to(text: str) -> Path:
        file = tmp_path / "tocsin.yaml"
        file.write_text(text)
        return file

    return to


def test_a_sound_configuration_is_fine(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(GOOD)
    assert run(["config", "check"]) == 0
    assert "fine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("items: body.alerts", "items: body.", "tocsin.yaml:5: webhooks.generic.shop.items: expected name"),
        ("name: item.title", "name: Shop alert", "tocsin.yaml:8: webhooks.generic.shop.name:"),
        ("env: \"'prod'\"", "env: prod", "tocsin.yaml:11: webhooks.generic.shop.labels.env: 'prod' is unknown"),
        ("team: item.team", "team: item.team | nope", "tocsin.yaml:10: webhooks.generic.shop.labels.team: No filter"),
        ("      name: item.title\n", "", "tocsin.yaml:3: webhooks.generic.shop: name must be said"),
        ("token_env: SHOP_TOKEN", "token_env: s3cret-value", ":4: webhooks.generic.shop.token_env: names an"),
        ("    grafana: {", "    pagerduty: {", ":12: webhooks.generic.pagerduty: pagerduty has a path of its own"),
        ("    grafana: {", "    Gra fana: {", ":12: webhooks.generic.Gra fana: a source is named in lower case"),
        ("preset: grafana", "preset: nagios", "tocsin.yaml:12: webhooks.generic.grafana.preset: Input should be"),
        ("preset: grafana", "presett: grafana", ":12: webhooks.generic.grafana.presett: there is no such key"),
        ("{preset: grafana,", "{preset: grafana, labels: body.,", "tocsin.yaml:12: webhooks.generic.grafana.labels"),
        ("{preset: grafana,", "{preset: cloudwatch, sns: {topics: [alarms]},", "a topic is written arn:aws:sns:"),
        (", token_env: GRAFANA_TOKEN", "", "webhooks.generic.grafana: name a variable in token_env"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_naming_file_line_and_key(
    write: Write, capsys: pytest.CaptureFixture[str], was: str, becomes: str, said: str
) -> None:
    assert was in GOOD
    write(GOOD.replace(was, becomes))
    assert run(["config", "check"]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "s3cret-value" not in told
    assert "Traceback" not in told


def test_the_schema_knows_both_ways_of_writing_labels(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    kinds = {kind["type"] for kind in schema["$defs"]["GenericSource"]["properties"]["labels"]["anyOf"]}
    assert kinds == {"string", "object"}


def test_explain_reads_a_payload_as_a_generic_source_would(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    payload = write(GOOD).parent / "payload.json"
    recorded = json.loads((FIXTURES / "grafana" / "lifecycle.json").read_text())
    payload.write_text(json.dumps(recorded["requests"][0]["body"]))
    assert run(["explain", str(payload), "--source", "grafana", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["outcome"], told["incident"]) == ("opened", "INC-1")
    assert told["alerts"][0]["severity_reason"] == 'severity="critical" → SEV1'


def test_explain_says_which_alert_is_skipped_and_why(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    payload = write(GOOD).parent / "payload.json"
    payload.write_text(json.dumps({"alerts": [{"title": "no id"}, {"id": 1, "bad": True, "title": "Full"}]}))
    assert run(["explain", str(payload), "--source", "shop"]) == 0
    assert "skipped: alert 1 has no fingerprint" in capsys.readouterr().out


def test_explain_names_the_sources_there_are(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    payload = write(GOOD).parent / "payload.json"
    payload.write_text("{}")
    assert run(["explain", str(payload), "--source", "nagios"]) == 1
    assert "use one of: alertmanager, pagerduty, shop, grafana" in capsys.readouterr().err


DOC = (Path(__file__).parents[2] / "docs/alerts-generic.md").read_text(encoding="utf-8")


def test_what_the_page_says_to_paste_is_a_sound_configuration(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL) if block.startswith("webhooks:")]
    assert len(blocks) == 6
    for block in blocks:
        write(block)
        assert run(["config", "check"]) == 0, capsys.readouterr().err


def test_the_payload_to_paste_into_datadog_is_the_one_that_is_tested() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)
    pasted = json.loads(block)
    recorded = json.loads((FIXTURES / "datadog" / "lifecycle.json").read_text())["requests"][0]["body"]
    assert set(pasted) == set(recorded)
    used = (PRESETS / "datadog.yaml").read_text()
    assert set(re.findall(r"body\.(\w+)", used)) <= set(pasted)


def test_the_page_names_every_key_and_every_filter() -> None:
    told = set(re.findall(r"`([a-z_]+)[`(]", DOC))
    assert set(AlertMapping.model_fields) <= told
    assert set(filters()) - {"d"} <= told


async def test_doctor_says_which_variable_is_missing(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    monkeypatch.delenv("GRAFANA_TOKEN", raising=False)
    file = write(GOOD)
    environment = Environment.model_validate({"TOCSIN_DATABASE_URL": f"sqlite:///{file.parent}/none.db"})
    found = [
        one for one in await examine(Settings(environment, read_config(file), file)) if one[0] == "generic sources"
    ]
    assert found == [
        Finding("generic sources", "OK", "/webhooks/generic/shop asks for SHOP_TOKEN"),
        Finding("generic sources", "WARN", "/webhooks/generic/grafana answers 503", "set GRAFANA_TOKEN"),
    ]

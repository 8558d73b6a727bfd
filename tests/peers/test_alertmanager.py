"""A real Alertmanager drives the real bot: an alert fires, the channel opens; it ends, the channel is told."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.demo import Person, Process, fetch, free_port, until

CONFIG = """
route: {{receiver: tocsin, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: tocsin
    webhook_configs:
      - url: {url}/webhooks/alertmanager
        send_resolved: true
        http_config: {{authorization: {{credentials: {token}}}}}
"""
LABELS = {
    "alertname": "ServiceDown",
    "severity": "critical",
    "service": "checkout",
    "env": "production",
    "instance": "checkout-1:8443",
}


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[str]:
    """The demo's address."""
    port = free_port()
    arguments = ("demo", "--no-open", "--port", str(port), "--data", str(tmp_path / "demo"))
    with Process(*arguments, cwd=tmp_path, ready="Tocsin is ready"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def sender(alertmanager: Path, bot: str, tmp_path: Path) -> Iterator[str]:
    """The address of an Alertmanager that sends to the bot."""
    token = json.loads((tmp_path / "demo" / "secrets.json").read_text())["alertmanager"]
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIG.format(url=bot, token=token))
    address = f"127.0.0.1:{free_port()}"
    arguments = [
        str(alertmanager),
        f"--config.file={config}",
        f"--storage.path={tmp_path / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (tmp_path / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log)
        try:
            until(lambda: _answers(f"http://{address}/-/ready"), "Alertmanager to be ready")
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(10)


def _answers(url: str) -> bool:
    try:
        return fetch(url)[0] == 200
    except OSError:
        return False


def tell(sender: str, *, ends_in: timedelta) -> None:
    """Tell Alertmanager of the alert, as Prometheus does."""
    now = datetime.now(UTC)
    alert = {
        "labels": LABELS,
        "annotations": {"summary": "Checkout does not answer"},
        "startsAt": (now - timedelta(minutes=1)).isoformat(),
        "endsAt": (now + ends_in).isoformat(),
        "generatorURL": "http://prometheus.example/graph",
    }
    body = json.dumps([alert]).encode()
    status, answer = fetch(f"{sender}/api/v2/alerts", body, {"Content-Type": "application/json"})
    assert status == 200, answer


@pytest.mark.alertmanager
def test_an_alert_fires_the_channel_opens_and_its_end_is_told_there(sender: str, bot: str) -> None:
    anna = Person(bot)
    tell(sender, ends_in=timedelta(minutes=5))

    def room() -> str | None:
        return next(
            (c["name"] for c in anna.get("/simulator/state")["channels"] if c["name"].startswith("inc-1-")), None
        )

    name = until(room, "the incident's channel")
    anna.sees(name, "SEV1")
    anna.sees(name, "checkout-1:8443")
    tell(sender, ends_in=timedelta(seconds=-1))
    anna.sees(name, r"(?i)ServiceDown[^\n]*resolved|resolved[^\n]*ServiceDown|all alerts")
    assert sum(c["name"].startswith("inc-") for c in anna.get("/simulator/state")["channels"]) == 1

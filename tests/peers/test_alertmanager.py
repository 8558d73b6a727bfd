"""A real Alertmanager drives the real bot, through fire, group, resolve, outages of ours, and silences of ours."""

import json
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.demo import ROOT, Person, Process, fetch, free_port, until

CONFIG = """
route: {{receiver: tocsin, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: tocsin
    webhook_configs:
      - url: {url}/webhooks/alertmanager
        send_resolved: true
        http_config: {{authorization: {{credentials: {token}}}}}
"""
LABELS = {"alertname": "ServiceDown", "severity": "critical", "service": "checkout", "env": "production"}


class Gate:
    """Stands before the bot's webhook: passes deliveries on, or answers 500 to the next few."""

    def __init__(self, bot: str) -> None:
        self.bot = bot
        self.refuse = 0
        self.seen: list[tuple[int, bytes]] = []
        """Answer and body of each delivery."""
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                status, body = gate.answer(self.path, raw, str(self.headers["Authorization"]))
                gate.seen.append((status, raw))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, raw: bytes, authorization: str) -> tuple[int, bytes]:
        """Pass a delivery on. A bot that is down is a bad gateway, as behind any proxy."""
        if self.refuse:
            self.refuse -= 1
            return 500, b"not now"
        head = {"Content-Type": "application/json", "Authorization": authorization}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.bot + path, raw, head), timeout=10) as told:
                return told.status, told.read()
        except urllib.error.HTTPError as exc:
            return exc.code, exc.read()
        except OSError:
            return 502, b""

    @contextmanager
    def running(self) -> Iterator["Gate"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class Site:
    """The bot on its data, the gate before it, and Alertmanager."""

    def __init__(self, folder: Path, alertmanager: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.sender = f"http://127.0.0.1:{free_port()}"
        self.gate = Gate(self.base)
        self._program = alertmanager
        self.bot: Process | None = None
        demo = (ROOT / "bot" / "wiring" / "demo.yaml").read_text()
        (folder / "tocsin.yaml").write_text(f"{demo}\nwebhooks: {{alertmanager: {{url: '{self.sender}'}}}}\n")

    def start(self) -> None:
        """Start the bot, on what it left behind."""
        arguments = ("demo", "--no-open", "--port", str(self.port), "--data", str(self.folder / "demo"))
        self.bot = Process(*arguments, cwd=self.folder, ready="Tocsin is ready")

    def stop(self) -> None:
        """Stop the bot."""
        if self.bot:
            self.bot.stop()

    @contextmanager
    def alertmanager(self) -> Iterator[None]:
        """Run Alertmanager, which sends through the gate."""
        token = json.loads((self.folder / "demo" / "secrets.json").read_text())["alertmanager"]
        config = self.folder / "alertmanager.yml"
        config.write_text(CONFIG.format(url=self.gate.url, token=token))
        arguments = [
            str(self._program),
            f"--config.file={config}",
            f"--storage.path={self.folder / 'alertmanager'}",
            f"--web.listen-address={self.sender.removeprefix('http://')}",
            "--cluster.listen-address=",
        ]
        with (self.folder / "alertmanager.log").open("wb") as log:
            process = subprocess.Popen(arguments, stdout=log, stderr=log)
            try:
                until(lambda: _answers(f"{self.sender}/-/ready"), "Alertmanager to be ready")
                yield
            finally:
                process.terminate()
                process.wait(10)

    def tell(
        self,
        instance: int,
        *,
        ends_in: timedelta = timedelta(minutes=5),
        starts_at: datetime | None = None,
        labels: dict[str, str] | None = None,
    ) -> None:
        """Tell Alertmanager of the alert of an instance, as Prometheus does."""
        now = datetime.now(UTC)
        alert = {
            "labels": {**LABELS, "instance": f"checkout-{instance}:8443", **(labels or {})},
            "annotations": {
                "summary": f"Checkout {instance} does not answer",
                "runbook_url": "https://wiki.example/down",
            },
            "startsAt": (starts_at or now - timedelta(minutes=1)).isoformat(),
            "endsAt": (now + ends_in).isoformat(),
            "generatorURL": "http://prometheus.example/graph",
        }
        status, answer = fetch(
            f"{self.sender}/api/v2/alerts", json.dumps([alert]).encode(), {"Content-Type": "application/json"}
        )
        assert status == 200, answer

    def over(self, instance: int) -> None:
        """Tell Alertmanager that the alert of an instance has ended."""
        self.tell(instance, ends_in=timedelta(seconds=-1))

    def silences(self) -> list[dict[str, Any]]:
        """Return what Alertmanager has of silences."""
        status, answer = fetch(f"{self.sender}/api/v2/silences")
        assert status == 200
        listed: list[dict[str, Any]] = json.loads(answer)
        return listed


def _answers(url: str) -> bool:
    try:
        return fetch(url)[0] == 200
    except OSError:
        return False


@pytest.fixture
def site(alertmanager: Path, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, alertmanager)
    with ExitStack() as stack:
        stack.callback(made.stop)
        made.start()
        stack.enter_context(made.gate.running())
        stack.enter_context(made.alertmanager())
        yield made


@pytest.mark.alertmanager
def test_an_outage_from_its_first_alert_to_its_last_is_one_channel_through_outages_of_ours(site: Site) -> None:
    anna = Person(site.base)

    def rooms() -> list[str]:
        return [c["name"] for c in anna.get("/simulator/state")["channels"] if c["name"].startswith("inc-")]

    site.tell(1)
    room = until(rooms, "the incident's channel")[0]
    anna.sees(room, "SEV1")
    anna.sees(room, "checkout-1:8443")
    anna.sees(room, "Checkout 1 does not answer")
    # grouped: another instance joins
    site.tell(2)
    anna.sees(room, "2 of 2 alerts firing")
    # one of two ends, then the other
    site.over(2)
    anna.sees(room, "1 of 2 alerts firing")
    site.over(1)
    anna.sees(room, "No alert fires any more")
    # it fires again, and we answer 500: the same bytes come again until we take them
    site.gate.seen.clear()
    site.gate.refuse = 2
    site.tell(1)
    anna.sees(room, "1 of 2 alerts firing")
    refused, taken = [raw for status, raw in site.gate.seen if status == 500], site.gate.seen[-1]
    assert len(refused) == 2
    assert refused[0] == taken[1]
    assert taken[0] == 202
    # we are away when the next one fires
    site.stop()
    site.gate.seen.clear()
    site.tell(3)
    until(lambda: site.gate.seen, "a delivery to nobody")
    site.start()
    anna.sees(room, "2 of 3 alerts firing")
    assert len(rooms()) == 1


@pytest.mark.alertmanager
def test_a_silence_from_the_channel_holds_at_alertmanager_and_ends_with_the_incident(site: Site) -> None:
    anna = Person(site.base)
    site.tell(1)

    def room() -> str | None:
        return next(
            (c["name"] for c in anna.get("/simulator/state")["channels"] if c["name"].startswith("inc-1-")), None
        )

    name = until(room, "the incident's channel")
    anna.sees(name, "1 of 1 alert firing")
    anna.click(name, "silence")
    anna.sees(name, "is silenced at Alertmanager")
    (placed,) = site.silences()
    assert placed["status"]["state"] == "active"
    assert {one["name"]: one["value"] for one in placed["matchers"]} == {**LABELS, "instance": "checkout-1:8443"}
    assert placed["createdBy"] == "tocsin: U0001"
    assert placed["comment"].startswith("INC-1: ")
    until(lambda: _suppressed(site), "Alertmanager to hold it back")
    anna.say(name, "/incident unsilence")
    anna.sees(name, "is heard again")
    assert [one["status"]["state"] for one in site.silences()] == ["expired"]
    anna.say(name, "/incident silence ServiceDown 2h")
    until(lambda: [one for one in site.silences() if one["status"]["state"] == "active"], "the second silence")
    anna.say(name, "/incident resolve the pool was restarted")
    until(lambda: {one["status"]["state"] for one in site.silences()} == {"expired"}, "both to have ended")
    assert len(site.silences()) == 2


@pytest.mark.alertmanager
def test_a_firing_that_alertmanager_has_lost_sight_of_comes_back_with_the_same_start(site: Site) -> None:
    """Prometheus cannot reach Alertmanager for a while, which calls the alert over: a start is no name for a firing."""
    anna, start = Person(site.base), datetime.now(UTC) - timedelta(minutes=1)

    def sent() -> list[tuple[str, str]]:
        alerts = [json.loads(raw)["alerts"][0] for _, raw in site.gate.seen]
        return [(alert["status"], alert["startsAt"]) for alert in alerts]

    site.tell(1, starts_at=start, ends_in=timedelta(seconds=2))
    until(lambda: [status for status, _ in sent()] == ["firing", "resolved"], "Alertmanager to call it over")
    site.tell(1, starts_at=start)
    until(lambda: len(sent()) == 3, "the alert to be told again")
    assert sent()[2] == sent()[0]
    (room,) = (c["name"] for c in anna.get("/simulator/state")["channels"] if c["name"].startswith("inc-"))
    anna.sees(room, "1 of 1 alert firing")


@pytest.mark.alertmanager
def test_an_alert_that_is_not_known_as_alertmanager_has_it_offers_no_silence(site: Site) -> None:
    anna = Person(site.base)
    site.tell(1, labels={"path": "a  b"})
    name = until(
        lambda: next(
            (c["name"] for c in anna.get("/simulator/state")["channels"] if c["name"].startswith("inc-1-")), ""
        ),
        "the incident's channel",
    )
    anna.sees(name, "no silence from here: label")
    anna.say(name, "/incident silence all")
    assert site.silences() == []
    site.tell(2, labels={f"a{n:03}": "x" for n in range(50)} | {"target_url": "ftp://db.example/x"})
    anna.sees(name, "2 of 2 alerts firing")
    anna.click(name, "silence")
    anna.sees(name, "is silenced at Alertmanager")
    (placed,) = site.silences()
    assert {one["name"]: one["value"] for one in placed["matchers"]}["target_url"] == "ftp://db.example/x"
    until(lambda: "suppressed" in _states(site), "Alertmanager to hold it back")


def _states(site: Site) -> list[str]:
    status, answer = fetch(f"{site.sender}/api/v2/alerts")
    assert status == 200
    return [one["status"]["state"] for one in json.loads(answer)]


def _suppressed(site: Site) -> bool:
    return _states(site) == ["suppressed"]

"""PagerDuty, at a real `tocsin serve`: from its webhook to the channel, and from the channel back to PagerDuty."""

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.alerts import scenario, secret_of, signed
from tests.support.demo import fetch
from tests.support.serving import QUICK, Site

PATIENCE = 30
"""Seconds. Generous: it only ends a test that has already failed."""
Calls = queue.SimpleQueue[tuple[str, str, Any]]


@pytest.fixture
def pagerduty() -> Iterator[tuple[str, Calls]]:
    """PagerDuty's REST API, and what it was told."""
    calls: Calls = queue.SimpleQueue()

    class Api(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls.put((self.path, self.headers["From"], body["incident"]["status"]))
            told = json.dumps({"incident": {"id": "Q1GR0VU2ABCDEF", "status": body["incident"]["status"]}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", calls
        server.shutdown()
        thread.join()


def test_both_ways_and_a_wrong_secret(tmp_path: Path, pagerduty: tuple[str, Calls]) -> None:
    url, calls = pagerduty
    secret = secret_of("lifecycle")
    told = scenario("pagerduty", "lifecycle")
    triggered, note, resolved = told[0], told[9], told[12]
    with Site(tmp_path, config=QUICK) as site:
        site.open_workspace()
        site.migrate()
        site.serve(
            TOCSIN_PAGERDUTY_WEBHOOK_SECRETS=secret,
            PAGERDUTY_API_TOKEN="pd-s3cret",
            PAGERDUTY_FROM="bot@example.com",
            PAGERDUTY_API_URL=url,
        )
        at, anna = f"{site.base}/webhooks/pagerduty", site.person()

        assert fetch(at, triggered.raw, signed(triggered.raw, "guessed"))[0] == 401
        anna.sees("incidents", "PagerDuty sent a webhook whose signature is wrong")

        status, answer = fetch(at, triggered.raw, dict(triggered.headers))
        assert (status, json.loads(answer)["incident"]) == (202, "INC-1")
        anna.sees("incidents", "HighErrorRate")
        fetch(at, note.raw, dict(note.headers))
        anna.sees("inc-1-firing-1-higherrorrate-eu-1-api-critical-checkout-api", "Rolled back checkout to 1.42.0")

        assert site.run("incident", "ack", "1")[0] == 0
        assert calls.get(timeout=PATIENCE) == ("/incidents/Q1GR0VU2ABCDEF", "bot@example.com", "acknowledged")
        assert site.run("incident", "resolve", "1", "rolled", "back")[0] == 0
        assert calls.get(timeout=PATIENCE) == ("/incidents/Q1GR0VU2ABCDEF", "bot@example.com", "resolved")
        assert json.loads(fetch(at, resolved.raw, dict(resolved.headers))[1])["outcome"] == "resolved"

        fetch(at, b"{", signed(b"{", secret))
        metrics = fetch(f"{site.base}/metrics")[1]
        assert 'tocsin_webhook_signature_failures_total{source="pagerduty"} 1.0' in metrics
        assert 'tocsin_webhook_unusable_kept{source="pagerduty"} 1.0' in metrics
        site.idle()
        assert calls.empty()
        for word in (secret, "pd-s3cret", "Traceback"):
            assert word not in site.said

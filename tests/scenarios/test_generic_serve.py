"""Other senders, at a real `tocsin serve`: from the payload to the channel, and what is not let in."""

import json
from pathlib import Path

from tests.support.demo import fetch
from tests.support.generic import digest, on_file
from tests.support.serving import QUICK, Site

CONFIG = f"""{QUICK}
webhooks:
  generic:
    grafana: {{preset: grafana, token_env: GRAFANA_WEBHOOK_TOKEN}}
    sentry: {{preset: sentry, hmac: {{secret_env: SENTRY_CLIENT_SECRET}}}}
    later: {{preset: datadog, token_env: NOT_SET_YET}}
"""
SECRETS = {"GRAFANA_WEBHOOK_TOKEN": "grafana-s3cret", "SENTRY_CLIENT_SECRET": "sentry-s3cret"}


def test_alerts_of_other_senders_open_and_close_in_the_channel(tmp_path: Path) -> None:
    with Site(tmp_path, config=CONFIG) as site:
        site.open_workspace()
        site.migrate()
        site.serve(**SECRETS)
        at, anna = f"{site.base}/webhooks/generic", site.person()
        first, *others = on_file("grafana", "lifecycle")
        bearer = {"Authorization": "Bearer grafana-s3cret"}
        assert fetch(f"{at}/grafana", first.raw)[0] == 401
        status, told = fetch(f"{at}/grafana", first.raw, bearer)
        assert (status, json.loads(told)["incident"]) == (202, "INC-1")
        room = "inc-1-high-memory-usage-this-alert-was-triggered-for-zone-us-1-shop"
        anna.sees(room, "High memory usage")
        for sent in others:
            status, told = fetch(f"{at}/grafana", sent.raw, bearer)
        assert json.loads(told)["outcome"] == "resolved"
        (issue, *_) = on_file("sentry", "issue-alert")
        signed = {"Sentry-Hook-Signature": digest(issue.raw, "sentry-s3cret")}
        assert fetch(f"{at}/sentry", issue.raw, signed)[0] == 202
        assert fetch(f"{at}/later", b"{}")[0] == 503
        assert fetch(f"{at}/nagios", b"{}")[0] == 404
        assert 'tocsin_webhook_seconds_count{outcome="opened",source="grafana"}' in fetch(f"{site.base}/metrics")[1]
        for secret in SECRETS.values():
            assert secret not in site.said
        assert "Traceback" not in site.said

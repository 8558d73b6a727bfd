"""What was given up is tried again from another process: `tocsin incident retry`, beside a running `serve`."""

from pathlib import Path

import pytest

from tests.support.demo import Process, free_port, until
from tests.support.postgres import Cluster
from tests.support.serving import Site

pytestmark = [pytest.mark.postgres, pytest.mark.kill]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_delivery_that_was_given_up_is_retried_by_another_process(
    tmp_path: Path, durable: Cluster, kind: str
) -> None:
    url = durable.create(f"retry_{free_port()}") if kind == "postgresql" else None
    with Site(tmp_path, url) as site:
        site.start()
        anna = site.person()
        anna.control(faults=[{"method": "pins.add", "kind": "missing_scope"}])
        anna.say("general", "/incident declare sev2 Checkout is down")
        until(lambda: site.health("delivery")[1] == "0 waiting, 1 given up", "the end of its trials")
        room = until(lambda: anna.channel("inc-1-checkout-is-down"), "the channel")
        assert room["pins"] == []
        asked = Process("incident", "retry", "1", cwd=site.folder, env=site.env)
        until(lambda: asked.ended, "the answer")
        assert asked.stop() == 0, asked.output
        site.idle()
        until(lambda: len((anna.channel("inc-1-checkout-is-down") or {}).get("pins", ())) == 1, "the pin")
        assert [call["ok"] for call in anna.calls() if call["method"] == "pins.add"] == [False, True]

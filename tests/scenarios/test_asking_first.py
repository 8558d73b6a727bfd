"""Four hundred alerts at a real `serve`: one message that counts – a question first, or the incident's own."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.alerts import body, wire
from tests.support.demo import fetch, until, words_of
from tests.support.serving import QUICK, Site
from tests.support.workspace_process import TOKENS

CONFIG = f"""{QUICK}
routes: [{{match: ['severity="warning"'], action: triage}}]
triage: {{channel: incidents}}
"""
HEADERS = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKENS['TOCSIN_ALERTMANAGER_TOKEN']}"}


def deliver(site: Site, prefix: str, count: int, **labels: str) -> None:
    """Send `count` deliveries of ten alerts each, eight at a time."""

    def one(n: int) -> None:
        alerts = [wire(f"{prefix}{n:03}{m}", instance=f"{n}-{m}", **labels) for m in range(10)]
        status, answer = fetch(f"{site.base}/webhooks/alertmanager", body(*alerts), HEADERS)
        assert status == 202, answer

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(count)))


def test_four_hundred_alerts_are_one_message_that_counts_and_a_question_survives_a_restart(tmp_path: Path) -> None:
    with Site(tmp_path, config=CONFIG) as site:
        bot = site.start()
        anna, ben = site.person(), site.person("U0002")

        # an outage: one channel, one line that counts
        deliver(site, "a", 40, severity="critical", service="checkout")
        room = "inc-1-highlatency-p99-over-2-s-checkout"
        assert "400 of 400 alerts firing" in words_of(anna.sees(room, "400 of 400 alerts firing"))
        site.idle()
        counting = [m for m in anna.messages(room) if "alerts firing" in words_of(m)]
        live = [m for m in counting if "Silence" in words_of(m) or "Why?" in words_of(m)]
        assert len(live) >= 1
        assert len([m for m in anna.messages(room) if "400 of 400" in words_of(m)]) == 1
        assert len([call for call in anna.calls() if call["method"] == "chat.postMessage"]) < 12

        # a doubt: one question that counts, asked once, also across a restart
        deliver(site, "b", 40, severity="warning", service="search")
        anna.sees("incidents", "Is this an incident.*400 of 400 alerts firing")
        site.idle()
        assert bot.stop() == 0
        site.serve()
        until(lambda: site.health("slack")[0] == 200, "the socket")
        questions = [m for m in anna.messages("incidents") if "Is this an incident?" in words_of(m)]
        assert len(questions) == 1
        anna.click("incidents", "triage_declare")
        anna.sees("incidents", r"INC-2\b.* – declared by")
        ben.sees("incidents", r"INC-2\b.* – declared by")
        assert not any("Is this an incident?" in words_of(m) for m in anna.messages("incidents"))
        told = [m for m in anna.messages("incidents") if m.get("ephemeral")]
        assert any("INC-2" in words_of(m) for m in told)
        anna.sees("inc-2-highlatency-p99-over-2-s-search", "400 of 400 alerts firing")

        # dismissed: nothing more of it until it is over
        deliver(site, "c", 1, severity="warning", service="pay")
        anna.sees("incidents", "Is this an incident.*10 of 10 alerts firing")
        anna.click("incidents", "triage_dismiss")
        anna.sees("incidents", "Dismissed")
        deliver(site, "c", 1, severity="warning", service="pay")
        site.idle()
        assert not any("Is this an incident?" in words_of(m) for m in anna.messages("incidents"))
        assert not [line[:3000] for line in site.said.splitlines() if "Traceback" in line]

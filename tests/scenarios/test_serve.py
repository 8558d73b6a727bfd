"""`tocsin serve` for real: over signed HTTP and Socket Mode, on both databases, stopped, doubled, misled."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.support.demo import Person, fetch, free_port, until, words_of
from tests.support.postgres import Cluster
from tests.support.serving import Site, tocsin
from tests.support.workspace_process import TOKENS

ROOM = "inc-1-checkout-is-down"
DECLARE = "/incident declare sev1 Checkout is down #checkout"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A workspace and a `serve` on SQLite, over Socket Mode."""
    with Site(tmp_path) as place:
        yield place


def furnished(person: Person, room: str = ROOM) -> None:
    """Wait until the room is complete: card pinned, runbook posted, both bookmarks."""
    person.sees(room, "Diagnosis|First response")
    until(lambda: (c := person.channel(room)) and c["pins"] and len(c["bookmarks"]) >= 2 and c, f"all of {room}")


def no_secret(said: str) -> bool:
    """Whether none of the tokens was printed or logged."""
    return not [token for token in TOKENS.values() if token.rpartition(":")[2] in said]


def test_the_main_job_over_signed_http(tmp_path: Path) -> None:
    """Slash command, buttons, form, events and alerts, each as a signed request; nothing of it by Socket Mode."""
    with Site(tmp_path, mode="http") as site:
        bot = site.start()
        anna, ben = site.person(), site.person("U0002")
        anna.say("general", DECLARE)
        furnished(anna)
        ben.click(ROOM, "ack")
        anna.sees(ROOM, r"(?i)acknowledged")
        anna.say(ROOM, "the pool is exhausted")
        anna.click(ROOM, "draft_approve")
        anna.sees(ROOM, r"(?i)approved")
        fired = anna.post("/simulator/sample", id="service-down", action="fire")
        assert json.loads(fired["body"])["outcome"] == "opened", fired
        anna.say("general", "/incident declare")
        (form,) = anna.get("/simulator/state")["views"]
        assert anna.post("/simulator/submit", view_id=form["id"], values={})["ok"]
        anna.say(ROOM, "/incident resolve restarted the pool")
        anna.sees(ROOM, r"(?i)resolved")
        code, document = site.run("postmortem", "1")
        assert code == 0
        assert "the pool is exhausted" in document
        assert fetch(f"{site.base}/slack/events", b"{}")[0] == 401
        assert bot.stop() == 0
        assert no_secret(site.said)
        assert "Traceback" not in site.said


def test_what_is_missing_or_taken_is_named(tmp_path: Path) -> None:
    with Site(tmp_path) as site, socket.create_server(("127.0.0.1", 0)) as taken:
        refusals = [site.run("serve")]
        site.migrate()
        (tmp_path / "bad.yaml").write_text("organization:\n  nam: Acme\n")
        refusals += [
            site.run("serve", SLACK_BOT_TOKEN=""),
            site.run("serve", SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=""),
            site.run("serve", TOCSIN_PORT=str(taken.getsockname()[1])),
            site.run("serve", TOCSIN_CONFIG="bad.yaml"),
            site.run("serve", TOCSIN_TEMPLATES="/no/such/folder"),
        ]
    expected = (
        "run: tocsin migrate",
        "SLACK_BOT_TOKEN is not set",
        "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)",
        "in use; change TOCSIN_HOST or TOCSIN_PORT",
        "bad.yaml:2: organization.nam: there is no such key",
        "TOCSIN_TEMPLATES",
    )
    for (code, said), words in zip(refusals, expected, strict=True):
        assert code == 1
        assert words in said
        assert len(said.splitlines()) == 1, said


@pytest.mark.parametrize("mode", ["http", "socket"])
def test_forty_commands_at_once_are_acknowledged_before_slack_has_answered_a_single_call(
    tmp_path: Path, mode: Literal["http", "socket"]
) -> None:
    """Nobody's acknowledgement waits for a call, of theirs or of anybody else's. How fast it is, the benchmark says."""
    with Site(tmp_path, mode=mode, config="delivery: {call_timeout: 8s, lease: 10s}\n") as site:
        bot = site.start()
        anna = site.person()
        general = until(lambda: anna.channel("general"), "#general")["id"]
        anna.control(latency_ms=12_000)
        anna.say("general", DECLARE)
        until(lambda: [call for call in anna.calls() if call["method"] == "conversations.create"], "delivery at work")
        before = len(anna.calls()) - 1

        def declare(n: int) -> str:
            answer = anna.post("/simulator/send", channel=general, text=f"/incident declare sev2 Outage number {n}")
            return str(answer.get("text"))

        with ThreadPoolExecutor(40) as pool:
            said = list(pool.map(declare, range(40)))
        calls = anna.calls()[before:]
        assert [one for one in said if "declared as SEV2" not in one] == []
        assert [call["method"] for call in calls if call["done_at"] is not None] == []
        bot.kill()  # it would wait for its calls


def test_a_stop_in_the_middle_is_clean_and_the_next_start_finishes_the_job(site: Site) -> None:
    bot = site.start()
    anna = site.person()
    anna.control(latency_ms=400)
    anna.say("general", DECLARE)
    until(lambda: anna.channel(ROOM), "the channel")
    began = time.monotonic()
    assert bot.stop() == 0
    assert time.monotonic() - began < 10
    anna.control(latency_ms=0)
    site.serve()
    furnished(anna)
    site.idle()
    said = [words_of(message) for message in anna.messages(ROOM)]
    assert sum("Runbook Service or API down" in text for text in said) == 1
    assert sum(call["method"] == "conversations.create" for call in anna.calls()) == 1


def test_two_processes_on_one_postgresql_do_everything_once(tmp_path: Path, postgres: Cluster) -> None:
    url = postgres.create(f"two_{free_port()}")
    with Site(tmp_path, url) as site:
        site.start()
        other = free_port()
        site.serve(TOCSIN_PORT=str(other))
        ports = [site.port, other]

        def fire(n: int) -> None:
            labels = {"alertname": "Down", "severity": "critical", "service": f"service {n}"}
            alert = {
                "status": "firing",
                "labels": labels,
                "fingerprint": f"{n:016x}",
                "startsAt": "2026-01-01T00:00:00Z",
            }
            body = json.dumps({"version": "4", "groupKey": f"g{n}", "alerts": [alert]}).encode()
            head = {"Authorization": f"Bearer {TOKENS['TOCSIN_ALERTMANAGER_TOKEN']}"}
            status, said = fetch(f"http://127.0.0.1:{ports[n % 2]}/webhooks/alertmanager", body, head)
            assert (status, json.loads(said)["outcome"]) == (202, "opened"), said

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(fire, range(10)))
        anna = site.person()
        for n in range(10):
            anna.say("general", f"/incident declare sev1 Trouble number {n}")

        def rooms() -> list[dict[str, Any]]:
            return [c for c in anna.get("/simulator/state")["channels"] if c["name"].startswith("inc-")]

        until(lambda: len(rooms()) == 20, "twenty rooms")
        assert sorted(int(room["name"].split("-")[1]) for room in rooms()) == list(range(1, 21))
        made = [call["args"]["name"] for call in anna.calls() if call["method"] == "conversations.create"]
        assert len(made) == len(set(made)) == 20
        for room in rooms():
            anna.sees(room["name"], "Status")
            cards = [m for m in anna.messages(room["name"]) if "*Status*" in words_of(m)]
            assert len(cards) == 1, room
        # Slack's rate limits spread the rest over a minute; what is there already is there once
        announced = [words_of(message).partition("\n")[0] for message in anna.messages("incidents")]
        assert len(announced) == len(set(announced))
        assert site.run("incident", "verify")[0] == 0


def test_the_command_line_works_beside_a_running_serve(site: Site) -> None:
    site.start()
    code, said = site.run("incident", "declare", "sev2", "Search", "is", "slow", "--service", "search")
    assert code == 0, said
    anna = site.person()
    furnished(anna, "inc-1-search-is-slow")
    assert site.run("incident", "lead", "1", "@U0002")[0] == 0
    assert site.run("incident", "ack", "INC-1")[0] == 0
    assert site.run("incident", "ack", "INC-1")[0] == 1
    assert site.run("incident", "frobnicate")[0] == 2
    anna.sees("inc-1-search-is-slow", r"(?i)acknowledged")
    (one,) = json.loads(site.run("incident", "list", "--json")[1])
    assert (one["number"], one["key"], one["severity"], one["status"]) == (1, "INC-1", "sev2", "investigating")
    for name in ("title", "channel", "private", "drill", "declared_at", "acknowledged_at", "resolved_at"):
        assert name in one
    shown = json.loads(site.run("incident", "show", "1", "--json")[1])
    assert shown["roles"] == {"lead": "U0002"}
    assert {"alerts", "timers", "services"} <= set(shown)
    lines = json.loads(site.run("incident", "timeline", "1", "--json")[1])
    assert {"seq", "at", "kind", "actor", "text", "link"} <= set(lines[0])
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    for form in ("md", "html", "json"):
        assert site.run("postmortem", "1", "--format", form, "--out", f"pm.{form}")[0] == 0
    assert json.loads((site.folder / "pm.json").read_text())["key"] == "INC-1"
    code, said = site.run("doctor")
    assert code == 0, said
    assert {line.split()[0] for line in said.splitlines()} <= {"OK", "WARN"}
    code, said = site.run("doctor", SLACK_BOT_TOKEN="xoxb-not-the-token", TOCSIN_ALERTMANAGER_TOKEN="")
    assert code == 1
    assert "FAIL  slack " in said
    assert "xoxb-not-the-token" not in said


def test_a_serve_that_starts_while_slack_is_away_takes_alerts_and_recovers(site: Site) -> None:
    site.migrate()
    site.serve()
    head = {"Authorization": f"Bearer {TOKENS['TOCSIN_ALERTMANAGER_TOKEN']}"}
    alert = {"status": "firing", "labels": {"alertname": "Down", "severity": "critical"}, "fingerprint": "f1"}
    body = json.dumps({"version": "4", "groupKey": "g", "alerts": [alert]}).encode()
    assert fetch(f"{site.base}/webhooks/alertmanager", body, head)[0] == 202
    assert fetch(f"{site.base}/health/slack")[0] == 503
    assert json.loads(fetch(f"{site.base}/health")[1])["status"] == "degraded"
    site.open_workspace()
    anna = site.person()
    furnished(anna, "inc-1-down")
    until(lambda: site.health("slack")[0] == 200, "the socket")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("config", "check"), "delivery: call_timeout must be"),
        (("runbook", "match", "junk.json"), "there is no list `alerts`"),
        (("runbook", "coverage", "odd.json"), "there are no alert rules"),
        (("migrate", "--to", "junk"), "there is no schema revision"),
        (("migrate",), "the database address must look like"),
    ],
)
def test_a_mistake_on_the_command_line_ends_in_one_line(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "tocsin.yaml").write_text(
        "delivery: {lease: 1s, call_timeout: 5s}\n" if "config" in arguments else "{}"
    )
    (tmp_path / "junk.json").write_text("{}")
    (tmp_path / "odd.json").write_text('[1, null, {"alert": 5, "labels": [1]}, {"labels": {"severity": []}}]')
    url = "mysql://tocsin:hunter2@db/tocsin" if arguments == ("migrate",) else "sqlite:///tocsin.db"
    code, said = tocsin(*arguments, cwd=tmp_path, env={"TOCSIN_DATABASE_URL": url})
    assert code == 1
    assert words in said
    assert "hunter2" not in said
    assert len(said.splitlines()) == 1, said

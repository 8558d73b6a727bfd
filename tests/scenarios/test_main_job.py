"""The main job, end to end, through the workspace as a person uses it: the real demo process, nothing replaced."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.demo import Person, Process, fetch, free_port, until, words_of

ROOM = "inc-1-checkout-is-down"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """The address of a running demo with an empty workspace."""
    port = free_port()
    arguments = ("demo", "--no-open", "--port", str(port), "--data", str(tmp_path / "demo"))
    with Process(*arguments, cwd=tmp_path, ready=r"http://127\.0\.0\.1:\d+/") as process:
        yield f"http://127.0.0.1:{port}"
        assert process.stop() == 0, "\n".join(process.output[-20:])
        assert not any("Traceback" in line for line in process.output), "\n".join(process.output)


def test_one_line_in_slack_opens_the_whole_room(demo: str) -> None:
    anna = Person(demo)
    answer = anna.say("general", "/incident declare sev1 Checkout is down #checkout")
    assert answer["ok"], answer
    card = anna.sees(ROOM, "SEV1")
    room = until(
        lambda: (c := anna.channel(ROOM)) and c["pins"] and len(c["bookmarks"]) >= 2 and c, "pin and bookmarks"
    )
    assert room["pins"] == [card["ts"]]
    assert "SEV1" in room["topic"]
    assert "U0001" in room["members"]
    assert len(room["members"]) > 2, "configured people were invited"
    anna.sees("incidents", "Checkout is down")
    anna.sees(ROOM, "Diagnosis")
    anna.sees(ROOM, r"(?i)waiting for approval|status page")
    ids = {e.get("action_id", "") for b in card["blocks"] for e in [*b.get("elements", []), b.get("accessory") or {}]}
    assert {"ack", "severity", "status", "lead", "update", "runbook", "public", "resolve"} <= ids


def test_from_declared_to_the_postmortem(demo: str, tmp_path: Path) -> None:
    anna, ben = Person(demo), Person(demo, "U0002")
    anna.say("general", "/incident declare sev1 Checkout is down #checkout")
    anna.sees(ROOM, "Diagnosis")
    ben.click(ROOM, "ack")
    anna.sees(ROOM, r"(?i)acknowledged")
    anna.say(ROOM, "the pool is exhausted, restarting it")
    anna.say(ROOM, "/incident update We are restarting the pool next 10m")
    anna.sees(ROOM, "We are restarting the pool")
    anna.click(ROOM, "draft_approve")
    anna.sees(ROOM, r"(?i)approved")
    anna.say(ROOM, "/incident resolve restarted the connection pool")
    anna.sees(ROOM, r"(?i)resolved")
    status, page = fetch(f"{demo}/status")
    assert status == 200
    assert re.search(r"(?i)resolved", page)
    assert "Checkout is down" not in page, "the internal title never goes public"
    listed = cli(tmp_path, "incident", "list", "--all", "--json")
    assert [(one["key"], one["status"]) for one in json.loads(listed)] == [("INC-1", "resolved")]
    document = until(
        lambda: (t := cli(tmp_path, "postmortem", "1", "--format", "md")) and "the pool is exhausted" in t and t,
        "the message in the postmortem",
    )
    assert "restarted the connection pool" in document
    assert "## Timeline" in document
    assert "No faults" in cli(tmp_path, "incident", "verify") or "intact" in cli(tmp_path, "incident", "verify")


def cli(tmp_path: Path, *arguments: str) -> str:
    """Run one `tocsin` command beside the demo, on its database."""
    url = f"sqlite:///{tmp_path / 'demo' / 'tocsin.db'}"
    process = Process(*arguments, cwd=tmp_path, env={"TOCSIN_DATABASE_URL": url})
    code = process._process.wait(30)
    process._reader.join(5)
    process._process.stdout.close()  # type: ignore[union-attr]
    assert code == 0, "\n".join(process.output)
    return "\n".join(process.output)


def test_a_sample_alert_opens_an_incident_says_why_and_a_duplicate_changes_nothing(demo: str) -> None:
    anna = Person(demo)
    fired = anna.post("/simulator/sample", id="service-down", action="fire")
    assert fired["status"] == 202, fired
    outcome = json.loads(fired["body"])
    assert (outcome["outcome"], outcome["incident"]) == ("opened", "INC-1")
    name = until(
        lambda: next((c["name"] for c in anna.get("/simulator/state")["channels"] if "inc-1" in c["name"]), None),
        "room",
    )
    card = anna.sees(name, "SEV1")
    assert "severity" in words_of(card).lower()
    anna.sees(name, "checkout-1.example:8443")
    repeated = json.loads(anna.post("/simulator/sample", id="service-down", action="repeat")["body"])
    assert repeated["outcome"] == "unchanged"
    resolved = json.loads(anna.post("/simulator/sample", id="service-down", action="resolve")["body"])
    assert resolved["outcome"] == "resolved"
    anna.sees(name, r"(?i)resolved")
    assert sum("inc-" in c["name"] for c in anna.get("/simulator/state")["channels"]) == 1


def test_a_signed_pagerduty_event_opens_an_incident(demo: str) -> None:
    anna = Person(demo)
    fired = anna.post("/simulator/sample", id="pagerduty", action="fire")
    assert fired["status"] == 202, fired
    assert json.loads(fired["body"])["outcome"] == "opened"
    name = until(
        lambda: next((c["name"] for c in anna.get("/simulator/state")["channels"] if "inc-1" in c["name"]), None),
        "room",
    )
    anna.sees(name, "Payments are failing")
    resolved = anna.post("/simulator/sample", id="pagerduty", action="resolve")
    assert json.loads(resolved["body"])["outcome"] == "resolved"


def test_wrong_and_hostile_requests_get_a_clear_refusal_and_nothing_breaks(demo: str) -> None:
    anna = Person(demo)
    for text, words in (
        ("/incident declar sev1 x", r"(?i)did you mean"),
        ("/incident declare sev1 " + "x" * 2500, r"(?i)the most is 200"),
        ("/incident declare sev2 🔥🔥", r"(?i)letter or digit"),
        ("/incident ack", r"(?i)no incident"),
        ("/incident INC-99 ack", r"(?i)no incident INC-99"),
    ):
        assert anna.say("general", text)["ok"]
        anna.sees("general", words)
    assert fetch(f"{demo}/webhooks/alertmanager", b"{}", {"Authorization": "Bearer wrong"})[0] == 401
    assert fetch(f"{demo}/webhooks/pagerduty", b"{}", {"X-PagerDuty-Signature": "v1=\xff"})[0] == 401
    assert fetch(f"{demo}/slack/events", b"junk", {"X-Slack-Request-Timestamp": "junk", "X-Slack-Signature": "junk"})[
        0
    ] in (401, 404)
    assert fetch(f"{demo}/health/live")[0] == 200
    assert fetch(f"{demo}/no/such/page")[0] == 404

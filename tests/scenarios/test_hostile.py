"""Junk at every door, Slack misbehaving, the database locked or away: refused in words, nothing lost, nothing twice."""

import hashlib
import hmac
import http.client
import json
import re
import resource
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.demo import Person, fetch, until, words_of
from tests.support.postgres import Cluster
from tests.support.serving import Site
from tests.support.workspace_process import TOKENS

BEARER = {"Authorization": f"Bearer {TOKENS['TOCSIN_ALERTMANAGER_TOKEN']}"}
NOTICED_WITHIN = 6.0
"""Seconds: a sweep a second, a writer that waits two for the lock, and a busy machine."""
DEEP = b"[" * 100_000
NASTY = "<!channel> <@U0001> \u202eevil\u2066 \x00 *b* `c` ``` <https://evil.example|click> &amp; " + "x" * 10_000


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A `serve` over signed HTTP on each database; afterwards its log is looked at."""
    url = None
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres")
        url = cluster.create(f"hostile_{time.monotonic_ns()}")
    with Site(tmp_path_factory.mktemp("hostile"), url, mode="http") as place:
        bot = place.start()
        yield place
        assert bot.stop() == 0
        assert not [line for line in place.said.splitlines() if "Traceback" in line]
        for token in TOKENS.values():
            assert token.rpartition(":")[2] not in place.said


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A `serve` over Socket Mode whose workspace misbehaves."""
    with Site(tmp_path_factory.mktemp("weather")) as place:
        place.start()
        yield place


def ask(site: Site, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> int:
    """Return the status of one raw request."""
    line = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    try:
        line.request(method, path, body, dict(headers or {}))
        return line.getresponse().status
    finally:
        line.close()


def signed(body: bytes, secret: str = TOKENS["SLACK_SIGNING_SECRET"], age: int = 0) -> dict[str, str]:
    """Return the headers with which Slack would send `body`."""
    stamp = str(int(time.time()) - age)
    mac = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    kind = "application/x-www-form-urlencoded" if b"=" in body else "application/json"
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac}", "Content-Type": kind}


def batch(**labels: str) -> bytes:
    """Return an Alertmanager delivery of one alert."""
    named = {"alertname": "Down", "severity": "critical", **labels}
    mark = hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]
    alert = {"status": "firing", "labels": named, "annotations": {"summary": named["alertname"]}, "fingerprint": mark}
    return json.dumps({"version": "4", "groupKey": mark, "alerts": [alert]}).encode()


def command(text: str, **fields: str) -> bytes:
    """Return a slash command as Slack posts it."""
    asked = {"command": "/incident", "text": text, "channel_id": "C0001", "user_id": "U0001"}
    return urlencode({**asked, "trigger_id": f"t{time.monotonic_ns()}", "response_url": "", **fields}).encode()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/webhooks/alertmanager", b"", 422),
        ("/webhooks/alertmanager", b"null", 422),
        ("/webhooks/alertmanager", b'{"alerts": [NaN]}', 422),
        ("/webhooks/alertmanager", b'{"alerts": "\xff"}', 422),
        ("/webhooks/alertmanager", b'{"alerts":' + DEEP, 422),
        ("/webhooks/alertmanager", b'{"alerts": [1, null, [], {}]}', 202),
        ("/webhooks/alertmanager", b'{"alerts": [], "alerts": [], "a": ' + b"9" * 4000 + b"}", 202),
        ("/webhooks/alertmanager", b"x" * 9_000_000, 413),
        ("/webhooks/alertmanager", batch(alertname=NASTY, service="a\x00b\ud800", x="\udfff"), 202),
        ("/webhooks/alertmanager", batch(alertname="🔥🔥", service="\u202eשלום"), 202),
        ("/webhooks/generic/nobody", b"{}", 404),
        ("/slack/events", b"x" * 9_000_000, 413),
        ("/slack/events", b"\xff", 401),
        ("/login", b"token=%ff%fe&next=//evil.example", 401),
        ("/login", b"x" * 9_000_000, 413),
    ],
)
def test_junk_bodies_are_refused_in_words(site: Site, path: str, body: bytes, status: int) -> None:
    assert ask(site, "POST", path, body, BEARER) == status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/incidents/x", 404),
        ("/incidents/99999999999999999999999", 404),
        ("/status/incidents/x", 404),
        ("/health/x", 404),
        ("/runbooks/../x", 404),
        ("/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404),
        ("/%ff%fe%00", 404),
        ("/slack/events", 405),
        ("/webhooks/alertmanager", 405),
        ("/status?" + "x" * 60_000, 400),
    ],
)
def test_junk_paths_are_refused_in_words(site: Site, path: str, status: int) -> None:
    assert ask(site, "GET", path) == status
    assert ask(site, "BREW", path) in (400, 404, 405)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer " + "x" * 60_000},
        {"Authorization": "Bearer serve-test-alertmanager-token\x01"},
        {"Content-Length": "-4"},
        {"Content-Encoding": "gzip", **BEARER},
        {"Content-Encoding": "br", **BEARER},
        {f"X-{n}": "v" for n in range(3000)},
    ],
    ids=["huge", "control", "negative", "gzip", "br", "many"],
)
def test_junk_headers_are_refused_and_what_they_hold_is_not_logged(site: Site, headers: dict[str, str]) -> None:
    """The fixture looks for tokens and tracebacks in the log."""
    assert ask(site, "POST", "/webhooks/alertmanager", b"ZZZ\r\njunk\r\n", headers) in (400, 401, 422)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 200),
        (b"null", 200),
        (b"[]", 200),
        (DEEP, 400),
        (b"payload=" + DEEP, 400),
        (b"payload=junk", 400),
        (command("declare sev2 " + "x" * 10_000), 200),
        (command("declare sev2 🔥🔥"), 200),
        (command("update \x00 <!channel>", channel_id="C\x00"), 200),
        (command("x" * 500_000), 200),
        (command("INC-99999999999999999999 status"), 200),
    ],
)
def test_signed_junk_never_breaks_slacks_door(site: Site, body: bytes, status: int) -> None:
    assert ask(site, "POST", "/slack/events", body, signed(body)) == status


def test_stale_forged_and_unsigned_requests_of_slack_are_refused(site: Site) -> None:
    body = command("declare sev1 Never")
    for headers in ({}, signed(body, secret="another"), signed(body, age=400), signed(body, age=-400)):
        assert ask(site, "POST", "/slack/events", body, headers) == 401
    assert "Never" not in site.run("incident", "list", "--all")[1]


def test_hostile_words_are_kept_and_shown_and_ring_nobody(site: Site) -> None:
    body = command("declare sev2 <!channel> &lt;!here&gt; <@U0003> \u202e\x00down #\x00", user_id="U0002")
    assert ask(site, "POST", "/slack/events", body, signed(body)) == 200
    assert ask(site, "POST", "/webhooks/alertmanager", batch(alertname=NASTY, service="<!everyone>"), BEARER) == 202
    anna = site.person("U0002")

    def rooms() -> list[str]:
        listed = anna.get("/simulator/state")["channels"]
        return [c["name"] for c in listed if re.search(r"^inc-\d+-.*(down|evil)", c["name"])]

    until(lambda: len(rooms()) >= 2, "both rooms")
    for room in rooms():
        anna.sees(room, "Status")
    for channel in [*rooms(), "incidents"]:
        for message in anna.messages(channel):
            assert not re.search(r"<!(channel|here|everyone)", words_of(message)), message
    assert site.run("incident", "verify")[0] == 0
    assert site.health("database")[0] == 200


# --- Slack misbehaving ------------------------------------------------------------------------------------


FAULTS: tuple[dict[str, Any], ...] = (
    {"method": "conversations.create", "kind": "reset_after"},
    {"method": "conversations.create", "kind": "429", "retry_after": 1},
    {"method": "chat.postMessage", "kind": "silence_after"},
    {"method": "bookmarks.add", "kind": "malformed"},
    {"method": "*", "kind": "500", "times": 4},
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['kind']} {fault['method']}")
def test_whatever_slack_does_the_room_ends_complete_and_nothing_is_there_twice(
    weather: Site, fault: dict[str, Any]
) -> None:
    anna, number = weather.person(), FAULTS.index(fault) + 1
    room = f"inc-{number}-trouble-{number}"
    anna.control(faults=[fault])
    anna.say("general", f"/incident declare sev1 Trouble {number} #checkout")
    complete(anna, room)
    weather.idle()
    said = [words_of(message) for message in anna.messages(room)]
    for words in (r"\*Status\*", "Runbook Service or API down", "Public update, version 1", "you are needed"):
        assert sum(bool(re.search(words, text)) for text in said) == 1, (words, said)
    found = anna.channel(room)
    assert found is not None
    assert (len(found["pins"]), len(found["bookmarks"])) == (1, 2)
    names = [c["name"] for c in anna.get("/simulator/state")["channels"]]
    assert sum(name.startswith(f"inc-{number}-") for name in names) == 1


def complete(person: Person, room: str) -> None:
    """Wait for all that a new room gets."""
    person.sees(room, "Public update, version 1")
    person.sees(room, "Runbook Service or API down")
    until(lambda: (c := person.channel(room)) and c["pins"] and len(c["bookmarks"]) >= 2, f"all of {room}")


def test_an_outage_of_slack_in_the_middle_of_a_declaration_is_outlived(weather: Site) -> None:
    anna = weather.person()
    anna.control(latency_ms=200)
    anna.say("general", "/incident declare sev1 Outage #checkout")
    (room,) = until(
        lambda: [c["name"] for c in anna.get("/simulator/state")["channels"] if "outage" in c["name"]], "it"
    )
    anna.control(down=True, latency_ms=0)
    until(lambda: '"outcome": "retry"' in weather.said.rpartition("Outage")[2], "a failed attempt")
    anna.control(down=False)
    complete(anna, room)
    weather.idle()
    assert sum("*Status*" in words_of(message) for message in anna.messages(room)) == 1


# --- the database locked or away --------------------------------------------------------------------------


def test_a_locked_file_refuses_honestly_and_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    with Site(tmp_path, mode="http") as site:
        site.start()
        anna = site.person()
        locker = sqlite3.connect(tmp_path / "tocsin.db", isolation_level=None)
        locker.execute("BEGIN EXCLUSIVE")
        try:
            assert ask(site, "POST", "/webhooks/alertmanager", batch(service="locked"), BEARER) == 503
            anna.say("general", "/incident declare sev2 Declared while locked")
            anna.sees("general", "Not confirmed yet|Not saved")
            assert ask(site, "GET", "/health/live") == 200
        finally:
            locker.close()
        told = anna.sees("general", r"INC-1\b.* declared|Not saved")
        saved = "INC-1" in words_of(told)
        until(lambda: ask(site, "POST", "/webhooks/alertmanager", batch(service="after"), BEARER) == 202, "recovery")
        listed = [one["title"] for one in json.loads(site.run("incident", "list", "--json")[1])]
        assert ("Declared while locked" in listed) == saved
        assert len(listed) == 1 + saved


def test_a_file_that_takes_no_change_is_not_called_well(tmp_path: Path) -> None:
    """Another program may hold the writer's lock while every read is answered; nobody need declare to find out."""
    with Site(tmp_path, mode="http") as site:
        site.start()
        assert site.health("database")[0] == 200
        locker = sqlite3.connect(tmp_path / "tocsin.db", isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        try:
            began = time.monotonic()
            until(lambda: "refuses changes" in site.health("database")[1], "health to say so")
            assert time.monotonic() - began < NOTICED_WITHIN
            assert '"degraded"' in fetch(f"{site.base}/health")[1]
            assert ask(site, "GET", "/health/ready") == 200, "it can still be asked, and refuses in words"
        finally:
            locker.close()
        until(lambda: "refuses" not in site.health("database")[1], "health to say that it is over")


def test_a_disk_that_takes_no_more_refuses_honestly_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    """What cannot be written is not acknowledged. The kernel stands in for the disk: it refuses to write to files."""
    with Site(tmp_path, mode="http") as site:
        bot = site.start()
        anna = site.person()
        assert ask(site, "POST", "/webhooks/alertmanager", batch(service="before"), BEARER) == 202
        site.idle()
        limited_writes(bot.pid, 1)
        assert ask(site, "POST", "/webhooks/alertmanager", batch(service="full"), BEARER) == 503
        anna.say("general", "/incident declare sev2 Declared on a full disk")
        anna.sees("general", "Not saved")
        until(lambda: "refuses changes" in site.health("database")[1], "health to say so")
        limited_writes(bot.pid, resource.RLIM_INFINITY)
        until(lambda: ask(site, "POST", "/webhooks/alertmanager", batch(service="after"), BEARER) == 202, "recovery")
        listed = json.loads(site.run("incident", "list", "--json")[1])
        assert len(listed) == 2
        assert site.run("incident", "verify")[0] == 0


def limited_writes(pid: int, size: int) -> None:
    """Let a process write to no place of a file beyond so many bytes."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Make `folder` a disk of a few megabytes; False where one may not."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    there = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield there
    finally:
        if there:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_on_a_disk_that_fills_up_each_alert_is_refused_or_there_for_good(tmp_path: Path) -> None:
    """Where SQLite still finds room in its own files it goes on; from then on nothing is taken that is not kept."""
    with small_disk(tmp_path / "disk") as there, Site(tmp_path / "disk", mode="http") as site:
        bot = site.start()
        rubbish, taken = tmp_path / "disk" / "rubbish", []

        def send(n: int) -> int:
            name = f"Trouble{n}"
            answered = ask(site, "POST", "/webhooks/alertmanager", batch(alertname=name, service=name), BEARER)
            if answered == 202:
                taken.append(name)
            return answered

        assert send(0) == 202
        if there:
            with suppress(OSError), rubbish.open("wb", buffering=0) as file:
                while True:
                    file.write(b"\0" * 4096)
        else:
            limited_writes(bot.pid, (tmp_path / "disk" / "tocsin.db-wal").stat().st_size)
        until(lambda: send(len(taken)) == 503, "the end of what SQLite still has room for")
        until(lambda: "refuses changes" in site.health("database")[1], "health to say so")
        rubbish.unlink(missing_ok=True)
        limited_writes(bot.pid, resource.RLIM_INFINITY)
        until(lambda: send(len(taken)) == 202, "recovery")
        listed = json.loads(site.run("incident", "list", "--json")[1])
        assert sorted(one["title"].split()[0] for one in listed) == sorted(taken)
        assert site.run("incident", "verify")[0] == 0


AWAY = 20.0
"""Seconds for which PostgreSQL is gone: ten times as long as a claim holds here."""


def test_a_postgresql_that_is_gone_for_a_while_costs_nothing_that_was_accepted(tmp_path: Path) -> None:
    with Cluster(durable=True) as cluster, Site(tmp_path, cluster.create("away"), mode="http") as site:
        site.start()
        anna = site.person()
        anna.control(latency_ms=800)
        anna.say("general", "/incident declare sev1 Before #checkout")
        posts = "chat.postMessage"
        until(lambda: [c for c in anna.calls() if c["method"] == posts and c["done_at"] is None], "a call in flight")
        cluster.stop_immediate()  # in the middle of furnishing it
        gone = time.monotonic()
        anna.say("general", "/incident declare sev2 Declared while away")
        anna.sees("general", "Not saved")
        while time.monotonic() - gone < AWAY:
            assert ask(site, "POST", "/webhooks/alertmanager", batch(service="away"), BEARER) == 503
            assert site.health("database")[0] == 503
            assert [ask(site, "GET", path) for path in ("/health/live", "/metrics")] == [200, 200]
            threading.Event().wait(1)
        done = [c["args"]["channel"] for c in anna.calls() if c["method"] == posts and c["ok"]]
        assert done, "it was carried out,"
        assert "result not recorded" in site.said, "and its claim ended before that could be written down"
        anna.control(latency_ms=0)
        cluster.start()
        complete(anna, "inc-1-before")
        site.idle()
        assert ask(site, "POST", "/webhooks/alertmanager", batch(service="after"), BEARER) == 202
        listed = [one["title"] for one in json.loads(site.run("incident", "list", "--json")[1])]
        assert "Declared while away" not in listed
        assert len(listed) == 2
        said = [words_of(message) for message in anna.messages("inc-1-before")]
        for words in (r"\*Status\*", "Runbook Service or API down", "Public update, version 1", "you are needed"):
            assert sum(bool(re.search(words, text)) for text in said) == 1, (words, said)
        assert site.run("incident", "verify")[0] == 0

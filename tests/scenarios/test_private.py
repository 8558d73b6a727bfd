"""A private incident is on no surface of an outsider. Marked words go in, and are looked for after."""

import http.cookiejar
import json
import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.crew import BEARER, alert
from tests.support.demo import Person, fetch, until
from tests.support.serving import Site
from tests.support.workspace_process import TOKENS

ANNA, BEN, EVE = "U0001", "U0002", "U0005"
"""Eve is in no list of the configuration."""
MARK = "quokka"
"""Every word that nobody outside may read has it in it."""
CONFIG = f"""
organization: {{name: Acme}}
channels: {{announce: incidents, digest: general}}
services:
  {MARK}svc: {{owners: [{BEN}], components: [Checkout], runbook: {MARK}book}}
  checkout: {{owners: [{BEN}], components: [Checkout]}}
oncall:
  primary: {{people: [{BEN}]}}
escalations:
  default: {{levels: [{{targets: [{{schedule: primary}}, {{pagerduty: default}}], wait: 10m}}]}}
routes:
  - {{match: ['team="{MARK}team"'], action: open, severity: sev1, service: {MARK}svc, private: true}}
runbooks: {{dir: books, default: null}}
statuspage: {{components: [{{name: Checkout}}], providers: [builtin, statuspage]}}
"""
BOOK = """---
title: First response to any incident
owner: incident-response
severity: sev3
matches: []
last_reviewed: 2026-11-22
---

# Quokkabook

## Diagnosis

1. Look at the Quokkastep.
"""
INSIDE = (
    "update The Quokkaupdate is out next 30m",
    "note the Quokkanote began",
    "task rotate the Quokkatask @ben due 3d",
    "title The Quokkatitle is renamed",
    "sev 2 because of the Quokkareason",
    "status identified the Quokkastatus",
    "page @ben because Quokkapage",
    "role comms @ben",
    "handoff @ben",
    "step 1 done with a Quokkadone",
    "mitigate the Quokkamitigated",
    "resolve the Quokkafix",
    "reopen because the Quokkaback",
    "resolve again Quokkaagain",
    "close",
)
ASKED = ("", "status", "catchup", "timeline", "why", "timers", "postmortem", "public review", "ack", "note hello")


class Vendor:
    """A pager and a status page in one, which keep all that they are told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                vendor.told.append(f"{self.path} {body}")
                answer = json.dumps({"status": "success", "dedup_key": "x", "id": "p1"}).encode()
                self.send_response(202)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_PATCH = do_PUT = do_GET = do_POST  # noqa: N815  # the names that the library calls

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def open_vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    thread = threading.Thread(target=vendor.server.serve_forever)
    thread.start()
    try:
        yield vendor
    finally:
        vendor.server.shutdown()
        thread.join()
        vendor.server.server_close()


def open_site(folder: Path, vendor: Vendor) -> Site:
    """A workspace and a `serve` that knows a pager and a hosted status page."""
    site = Site(folder)
    (folder / "tocsin.yaml").write_text(CONFIG)
    (folder / "books").mkdir()
    (folder / "books" / f"{MARK}book.md").write_text(BOOK)
    site.open_workspace()
    site.migrate()
    keys = {
        "PAGERDUTY_ROUTING_KEY": "R" * 32,
        "PAGERDUTY_EVENTS_URL": vendor.url,
        "STATUSPAGE_API_KEY": "statuspage-key-of-the-test",
        "STATUSPAGE_PAGE_ID": "page1",
        "STATUSPAGE_API_URL": vendor.url,
    }
    site.serve(**keys)
    until(lambda: site.health("slack")[0] == 200, "the socket")
    return site


def answer(person: Person, channel: str, text: str) -> str:
    """Type a command; return what was answered."""
    return json.dumps(person.say(channel, f"/incident {text}"))


def all_seen(person: Person) -> str:
    """Everything that this person can look at in the workspace, as one text."""
    state = person.get("/simulator/state")
    told = [person.get("/simulator/messages", channel=c["id"], limit="200") for c in state["channels"]]
    person.get("/simulator/home")
    home = until(lambda: person.get("/simulator/home")["view"], "App Home")
    return json.dumps([state, told, home], ensure_ascii=False)


def room_of(person: Person, number: int) -> str:
    """The channel of an incident, once this person can see it."""
    return until(
        lambda: next(
            (c["name"] for c in person.get("/simulator/state")["channels"] if c["name"].startswith(f"inc-{number}")), ""
        ),
        f"the channel of INC-{number}",
    )


def web(site: Site, *, signed_in: bool) -> Iterator[tuple[str, int, str]]:
    """Every page there is for somebody without the right to private incidents: path, status, body."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    if signed_in:
        token = urllib.parse.urlencode({"token": TOKENS["TOCSIN_API_TOKENS"]}).encode()
        opener.open(f"{site.base}/login", token, timeout=20).close()
        assert len(jar) == 1
    numbers = [f"/incidents/{n}{rest}" for n in (1, 2, 3) for rest in ("", "/postmortem", "/postmortem?format=md")]
    public = ("/status", "/history.atom", "/history.rss", "/metrics", "/health", "/api/v2/summary.json")
    more = ("/api/v2/incidents.json", "/api/v2/incidents/unresolved.json", "/incidents", "/incidents?show=all")
    for path in (*public, *more, *numbers):
        try:
            with opener.open(f"{site.base}{path}", timeout=20) as got:
                yield path, got.status, got.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                yield path, refused.code, refused.read().decode()


def test_an_outsider_finds_a_private_incident_on_no_surface(tmp_path: Path) -> None:
    with open_vendor() as vendor, open_site(tmp_path, vendor) as site:
        anna, ben, eve = (site.person(user) for user in (ANNA, BEN, EVE))

        # --- a whole life of it, with a marked word at each step
        said = f"declare sev1 Payroll leak of the Quokka #{MARK}svc --private\nThe Quokkadescription"
        assert "INC-1" in answer(anna, "general", said)
        room = room_of(anna, 1)
        anna.sees(room, "Quokkastep")
        anna.say(room, "somebody types a Quokkamessage")
        answer(anna, "general", "declare sev3 The Quokkamerged --private")
        fired = alert(f"{MARK}alert", f"{MARK}label", commonLabels={"team": f"{MARK}team"})
        body = json.loads(fired)
        body["alerts"][0]["labels"]["team"] = f"{MARK}team"
        body["alerts"][0]["annotations"]["summary"] = "The Quokkasummary"
        status, told = fetch(f"{site.base}/webhooks/alertmanager", json.dumps(body).encode(), BEARER)
        assert (status, json.loads(told)["incident"]) == (202, "INC-3")
        assert "INC-4" in answer(eve, "general", "declare sev3 Payroll leak")
        hers = room_of(eve, 4)
        assert "INC-5" in answer(anna, "general", "declare sev4 A public one")

        # --- while it is open, she looks and tries
        asked = [
            answer(eve, "general", text) for text in ("list", "list all", "oncall", "help", f"oncall {MARK}svc"[:6])
        ]
        asked += [answer(eve, "general", f"INC-{n} {text}") for n in (1, 2, 3) for text in ASKED]
        asked += [answer(eve, hers, text) for text in ("merge INC-1", "merge INC-2")]
        asked += [answer(eve, "general", "INC-5 merge INC-1")]
        eve.say("general", f"<@{eve.get('/simulator/state')['bot']['user_id']}> status INC-1")
        unknown = answer(eve, "general", "INC-99 status")
        assert answer(eve, "general", "INC-1 status") == unknown.replace("INC-99", "INC-1"), "it tells nothing apart"
        for text in INSIDE:
            shown = answer(anna, room, text)
            assert "Traceback" not in shown
            if text == "handoff @ben":
                answer(ben, room, "handoff accept")
            eve.get("/simulator/home")
        answer(anna, "general", "INC-2 merge INC-1")
        answer(anna, "general", "INC-3 cancel because of the Quokkacancel")
        asked += [answer(eve, "general", f"INC-1 {text}") for text in ASKED]
        site.idle()

        # --- what those in it see, so that this test can fail
        within = all_seen(anna) + site.run("incident", "timeline", "1")[1]
        for text in ("Quokka #", *INSIDE):
            for word in re.findall(r"Quokka\w+", text):
                assert word in within, f"{word} went in"

        # --- what everybody else sees
        seen = all_seen(eve)
        assert MARK not in "\n".join(asked).lower(), [one for one in asked if MARK in one.lower()]
        assert MARK not in seen.lower(), re.findall(rf".{{80}}{MARK}.{{40}}", seen, re.IGNORECASE)
        for signed_in in (False, True):
            for path, code, page in web(site, signed_in=signed_in):
                assert MARK not in page.lower(), path
                assert code == 404 or "/incidents/" not in path or not signed_in, (path, code)
        assert MARK not in "\n".join(vendor.told).lower(), vendor.told
        assert any("Private incident INC-" in one for one in vendor.told), "the pager was called, in few words"
        assert not [one for one in vendor.told if one.startswith("/pages")], "nothing of it is for the public"
        assert MARK not in site.said.lower(), [line for line in site.said.splitlines() if MARK in line.lower()]

        # --- let in she sees it, and removed she sees it no longer
        channel = anna.channel(room)
        assert channel
        assert anna.post("/simulator/invite", channel=channel["id"], users=[EVE])["ok"]
        until(lambda: "Quokkatitle" in answer(eve, "general", "INC-1 status"), "what she was let in to see")
        assert eve.post("/simulator/leave", channel=channel["id"])["ok"]
        until(lambda: "Quokkatitle" not in answer(eve, "general", "INC-1 status"), "what is hers no longer")
        assert MARK not in answer(eve, "general", "list all").lower()

        # --- and the operator sees who tried
        code, trail = site.run("audit", "--denied", "--json")
        assert code == 0
        denied = [one for one in json.loads(trail) if one["actor"] == EVE]
        assert {one["incident"] for one in denied} >= {"INC-1", "INC-2", "INC-3"}
        assert MARK not in trail.lower()

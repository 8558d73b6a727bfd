"""An incident with at least one effect of every kind, at a real bot beside its workspace and its vendors.

The same company and nearly the same words as in the fault site (`tests/faults`); but here everything comes in by the
doors, and the bot may die at any moment. People look whether it is done what they asked for, and ask again if not;
senders send again until they are answered.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.render.slack import ids
from tests.faults.story import STEPS
from tests.faults.surroundings import CONFIG
from tests.kills.halves import CHANGING, NOTHING_RINGS, Halves, picture, rooms
from tests.support.alerts import body, scenario, signed, wire
from tests.support.demo import Person, fetch, until, words_of
from tests.support.killable import Passage, passages
from tests.support.pagerduty import event_body, incident
from tests.support.vendors import ALERTMANAGER, Vendors

LEASE = 60.0
"""Seconds. Whatever goes on sooner after a death was not waited for."""
PATIENCE = 300.0
"""Seconds in which a step and all its deaths have to end; generous: it only ends a test that has already failed."""
ARCHIVED_AFTER = "0.5s"
"""So soon that the archive falls due while what the closing shows in the channel is still under way."""
LOOKS_AGAIN = 1.0
"""Seconds after which somebody opens App Home once more, if nothing came of it."""
OPEN = "state IN ('waiting', 'held', 'claimed')"


@dataclass
class Lives:
    """The workspace and the vendors stand all the time; the bot dies and is born again."""

    halves: Halves
    vendors: Vendors
    person: Person = field(init=False)
    pictures: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What was to be seen when each step was over."""
    _as_in: "Lives | None" = None
    _seen: int = 0
    """How much had happened when the last picture was taken."""

    def __post_init__(self) -> None:
        self.person = Person(self.halves.peer)

    def passages(self) -> list[Passage]:
        """All that happened so far, in all lives."""
        return passages(self.halves.data)

    # --- the story ------------------------------------------------------------------------------------
    def story(self, as_in: "Lives | None" = None) -> None:
        """Live it, and keep a picture of each step. Fails at the first that is not `as_in` another telling."""
        self._as_in = as_in
        try:
            self._live()
        except AssertionError as exc:
            died = [f"{one.name} {one.which}" for one in self.passages()[self._seen :] if one.what == "died"]
            exc.add_note(f"Since the step before, the bot died at: {', '.join(died)}")
            raise

    def _live(self) -> None:
        self._an_alert("HighLatency", "f1", "Checkout is down", service="checkout", severity="critical")
        self._pagerduty(event_body("E1", "triggered", incident(), _now()))
        self._over("an alert, and an incident of PagerDuty's own")
        for _, words in STEPS:
            self._say(words)
            if words == "/incident ack":
                self._beside()
            if words == "/incident close":
                until(lambda: rooms(self.person)[0]["is_archived"], "the archive", PATIENCE)
            self._over(words)
        self._say("/incident INC-1 reopen because it is back", "incidents")
        self._over("reopened")
        self._say("/incident declare sev4 Search is slow #search", "incidents")
        self._over("another one, declared by a person")
        self._home("Home in the end")

    def _beside(self) -> None:
        """What belongs to no incident: an old sender, a question that is dismissed, App Home, the test of a page."""
        self._pagerduty(scenario("pagerduty", "v2-legacy")[0].raw)
        self._over("an old sender")
        for n in (1, 2):
            self._an_alert("Maybe", f"maybe-{n}", "Is it?", service="search", severity="warning")
            self._over("a question")
        sam = Person(self.person.base, "U0003")
        self._asks("U0003", lambda: sam.click("general", ids.TRIAGE_DISMISS))
        self._home("Home")
        self._say("/incident page --test checkout", "incidents")
        self._over("a page's test")

    # --- who asks -------------------------------------------------------------------------------------
    def _say(self, words: str, channel: str = "") -> None:
        where = self.person.channel(channel) if channel else rooms(self.person)[0]
        assert where
        self._asks("U0001", lambda: self.person.post("/simulator/send", channel=where["id"], text=words))

    def _asks(self, user: str, ask: Callable[[], Any]) -> None:
        """Ask until it is done, as the audit trail has it: that is written in the same commit."""
        done = f"SELECT count(*) FROM audit WHERE actor = '{user}' AND outcome = 'done'"
        before = self._count(done)

        def is_done() -> bool:
            if self._count(done) == before:
                ask()
            return self._count(done) > before

        until(is_done, "what was asked for", PATIENCE)

    def _home(self, step: str) -> None:
        """Open App Home, and again if nothing came of it: Slack repeats at once what nobody took, then in a minute."""
        shown = "SELECT count(*) FROM effects WHERE kind = 'show_home'"
        before, opened = self._count(shown), float("-inf")

        def follows() -> bool:
            nonlocal opened
            if time.monotonic() - opened > LOOKS_AGAIN:
                self.person.get("/simulator/home")
                opened = time.monotonic()
            return self._count(shown) > before

        until(follows, "a Home", PATIENCE)
        self._over(step)
        view = self.person.get("/simulator/home")["view"]
        self._keep(step, {"home": CHANGING.sub("…", words_of(view))})

    def _an_alert(self, name: str, fingerprint: str, summary: str, **labels: str) -> None:
        one = wire(fingerprint, alertname=name, **labels) | {"annotations": {"summary": summary}}
        bearer = {"Authorization": f"Bearer {self._secret('alertmanager')}"}
        self._send("alertmanager", body(one), bearer)

    def _pagerduty(self, raw: bytes) -> None:
        self._send("pagerduty", raw, signed(raw, self._secret("pagerduty")))

    def _send(self, source: str, raw: bytes, headers: Mapping[str, str]) -> None:
        url = f"http://127.0.0.1:{self.halves.bot_port}/webhooks/{source}"
        sent = {"Content-Type": "application/json", **headers}

        def is_taken() -> bool:
            try:
                return fetch(url, raw, sent)[0] == 202
            except OSError:
                return False

        until(is_taken, f"an answer to {source}", PATIENCE)

    def _secret(self, name: str) -> str:
        return str(json.loads((self.halves.data / "secrets.json").read_text())[name])

    # --- what comes of it -----------------------------------------------------------------------------
    def _over(self, step: str) -> None:
        """Wait until nothing is left to be done, and take the picture."""
        left = f"SELECT count(*) FROM effects WHERE {OPEN}"
        until(lambda: not self._count(left), f"the end of {step!r}", PATIENCE)
        self._keep(step, picture(self.person) | self.vendors.picture())

    def _keep(self, step: str, seen: dict[str, Any]) -> None:
        if self._as_in is not None:
            assert (step, seen) == self._as_in.pictures[len(self.pictures)], (
                "this is not what it looks like undisturbed"
            )
        self.pictures.append((step, seen))
        self._seen = len(self.passages())

    def _count(self, query: str) -> int:
        with closing(sqlite3.connect(f"file:{self.halves.data / 'tocsin.db'}?mode=ro", uri=True)) as database:
            return int(database.execute(query).fetchone()[0])


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@contextmanager
def lives(folder: Path, *doom: str) -> Iterator[Lives]:
    """Open everything in `folder`; `doom` says where the bot dies (`tests.support.killable`)."""
    vendors = Vendors()
    with vendors.beside() as there:
        config = yaml.safe_load(CONFIG) | yaml.safe_load(NOTHING_RINGS)
        config |= {"webhooks": {"alertmanager": {"url": there.pop(ALERTMANAGER)}}}
        config["channels"]["archive_after"] = ARCHIVED_AFTER
        del config["delivery"]
        delivery = f"{{call_timeout: 8s, lease: {LEASE:.0f}s}}"
        halves = Halves(folder, delivery, yaml.safe_dump(config), there)
        try:
            halves.start(*doom).wait_for("The bot runs")
            yield Lives(halves, vendors)
        finally:
            halves.close()

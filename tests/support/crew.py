"""Several real `tocsin serve` processes on one PostgreSQL, and everything that can befall them."""

import contextlib
import hashlib
import http.client
import json
import os
import re
import signal
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.demo import Process, fetch, free_port, until
from tests.support.postgres import Cluster
from tests.support.serving import SERVES, Site
from tests.support.workspace_process import TOKENS

LEASE = 3.0
"""Seconds that a claim holds."""
UNHURRIED = "delivery: {call_timeout: 2s, lease: 3s}"
CONFIG = f"""{UNHURRIED}
severities:
  sev1: {{respond: 4s}}
"""
BEARER = {"Authorization": f"Bearer {TOKENS['TOCSIN_ALERTMANAGER_TOKEN']}", "Content-Type": "application/json"}
STARTS_WITHIN = 90.0
"""Seconds. Generous: three processes start at once, on whatever else goes on."""
HUNG = 10.0
"""Seconds after which a sender hangs up; every answer is due in 3, and machines may be slow."""
NOBODY, BROKEN = 0, 1
"""Instead of a status: nobody took the connection; or the line broke, or fell silent, before there was an answer."""


class Crew(Site):
    """A workspace, a database of a cluster, and numbered replicas; each keeps its port when it is started again."""

    def __init__(self, folder: Path, cluster: Cluster, replicas: int = 3, config: str = CONFIG) -> None:
        self.database = f"crew_{free_port()}"
        super().__init__(folder, cluster.create(self.database), config=config)
        self.cluster = cluster
        self.ports = [self.port, *(free_port() for _ in range(replicas - 1))]
        self.running: dict[int, Process] = {}
        self._frozen: set[int] = set()

    def __enter__(self) -> "Crew":
        self.open_workspace()
        self.migrate()
        for n in range(len(self.ports)):
            self.launch(n)
        for n in range(len(self.ports)):
            self.ready(n)
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *_: object) -> None:
        for n in list(self._frozen):
            self.thaw(n)
        if kind is not None:
            self.say_all()
        super().__exit__()

    def say_all(self) -> None:
        """Print what is known, where a failed test shows it: the queue, the timers, what each process said last."""
        with contextlib.suppress(RuntimeError):  # the database may be what failed
            for table in ("effects WHERE state IN ('waiting', 'held', 'claimed', 'failed')", "budgets"):
                columns = "id, kind, state, attempt, lane, budget, not_before, lease_until, worker, error"
                chosen = columns if table.startswith("effects") else "*"
                show(f"--- {table}", self.rows(f"SELECT {chosen} FROM {table} LIMIT 60"))
            show("--- now", self.rows("SELECT now(), extract(epoch FROM now())"))
            armed = "SELECT incident, kind, due FROM timers WHERE state = 'armed' ORDER BY due LIMIT 20"
            show("--- armed timers", self.rows(armed))
        for process in self.bots:
            show(f"--- process {process.pid}, ended: {process.ended}", process.output[-60:])

    # --- what befalls a replica -----------------------------------------------------------------------
    def launch(self, n: int, module: str = "tests.support.quick_serve") -> None:
        """Start replica `n`, without waiting for it."""
        # one address for all: it stands in links, by which a bookmark is recognised
        env = {**self.env, "TOCSIN_PORT": str(self.ports[n]), "TOCSIN_PUBLIC_URL": self.base}
        self.running[n] = Process("serve", cwd=self.folder, env=env, module=module)
        self.bots.append(self.running[n])

    def ready(self, n: int) -> None:
        """Wait until replica `n` serves and its socket is up; as any supervisor does, start it again if it ended."""

        def stands() -> bool:
            if self.running[n].ended:  # it was started while the database was away, and said so
                self.launch(n)
            return any(re.search(SERVES, line) for line in list(self.running[n].output))

        until(stands, f"replica {n}", STARTS_WITHIN)
        until(lambda: fetch(f"{self.at(n)}/health/slack")[0] == 200, f"the socket of replica {n}", STARTS_WITHIN)

    def kill(self, n: int) -> None:
        """SIGKILL replica `n`."""
        self.thaw(n)
        self.running[n].kill()

    def freeze(self, n: int) -> None:
        """SIGSTOP replica `n`: its connections stand, and nothing answers."""
        self._frozen.add(n)
        os.kill(self.running[n].pid, signal.SIGSTOP)

    def froze(self) -> int:
        """Wait until a replica has frozen by itself; return which."""

        def look() -> list[int]:
            return [n for n, one in self.running.items() if n not in self._frozen and _state(one.pid) == "T"]

        found = until(look, "a frozen replica")[0]
        self._frozen.add(found)
        return found

    def thaw(self, n: int) -> None:
        """SIGCONT replica `n`, if it is frozen."""
        if n in self._frozen:
            self._frozen.discard(n)
            os.kill(self.running[n].pid, signal.SIGCONT)

    def thaw_later(self, n: int, seconds: float) -> threading.Timer:
        """SIGCONT replica `n` when so many seconds have passed."""
        timer = threading.Timer(seconds, self.thaw, (n,))
        timer.start()
        return timer

    def at(self, n: int) -> str:
        """The address of replica `n`."""
        return f"http://127.0.0.1:{self.ports[n]}"

    def which(self, worker: str) -> int:
        """The replica that calls itself `worker` in the database."""
        pid = int(worker.split(":")[1])
        return next(n for n, process in self.running.items() if process.pid == pid)

    def rows(self, query: str) -> list[list[str]]:
        """Return the rows of an SQL query, as text."""
        return [line.split("|") for line in self.cluster.sql(query, self.database).splitlines()]

    # --- what is asked of them ------------------------------------------------------------------------
    def post(self, n: int, alert: bytes) -> tuple[int, dict[str, Any]]:
        """Deliver alerts to replica `n` as Alertmanager does; return the status, or NOBODY or BROKEN."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[n], timeout=HUNG)
        try:
            connection.request("POST", "/webhooks/alertmanager", alert, BEARER)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except ConnectionRefusedError:
            return NOBODY, {}
        except (OSError, http.client.HTTPException):
            return BROKEN, {}
        finally:
            connection.close()

    def deliver(self, start: int, alert: bytes) -> str:
        """Deliver alerts to one replica after the other until they are taken; return the incident's key."""
        turn = iter(range(start, start + 1000))

        def attempt() -> str:
            status, told = self.post(next(turn) % len(self.ports), alert)
            assert status in (NOBODY, BROKEN, 202, 503), (status, told)
            return str(told["incident"] or told) if status == 202 else ""

        return until(attempt, "the alerts to be taken", patience=60)

    def tell(self, channel: str, words: str, done: str, user: str = "U0001") -> str:
        """Type a command, again if the answer is an error or a time-out, until one matches `done`; return it."""
        person = self.person(user)

        def attempt() -> str:
            said = str(person.say(channel, words).get("text") or "")
            return said if re.search(done, said) else ""

        return until(attempt, f"an answer to {words!r}", patience=60)

    def quiet(self, numbers: Iterable[int], patience: float = 60) -> None:
        """Wait until nothing waits to be delivered and every one of the incidents has rung for its response."""
        many = len(list(numbers))
        rung = "SELECT count(DISTINCT incident) FROM timers WHERE kind = 'respond' AND state <> 'armed'"
        # a look may show something once more
        still = """SELECT (SELECT count(*) FROM effects WHERE state IN ('waiting', 'held', 'claimed'))
            + (SELECT count(*) FROM looks)"""
        until(lambda: int(self.cluster.sql(rung, self.database)) >= many, "every response timer", patience)
        until(lambda: self.cluster.sql(still, self.database) == "0", "an empty queue", patience)


def _state(pid: int) -> str:
    """Return the letter that the kernel has for what a process does: T, it is stopped (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@dataclass(frozen=True, slots=True)
class Post:
    """What a message of the bot in the workspace tells: where, when, and for which effect."""

    channel: str
    ts: str
    effect: str


def show(title: str, lines: Iterable[object]) -> None:
    """Print, where a failed test shows it."""
    sys.stdout.write("\n".join([title, *map(str, lines), ""]))


def alert(name: str, service: str, **more: Any) -> bytes:
    """Return a webhook body with one firing critical alert."""
    one = {
        "status": "firing",
        "labels": {"alertname": name, "severity": "critical", "service": service},
        "annotations": {},
        "fingerprint": hashlib.sha256(name.encode()).hexdigest()[:16],
        "startsAt": "2026-01-01T00:00:00Z",
    }
    body = {"version": "4", "groupKey": f"{{}}:{{alertname={name!r}}}", "status": "firing", "alerts": [one]}
    return json.dumps({**body, **more}).encode()


class Workspace:
    """All that stands in the workspace at the end, read from its own file, where nothing is left out."""

    def __init__(self, crew: Crew) -> None:
        with contextlib.closing(sqlite3.connect(crew.folder / "workspace.db")) as db:
            facts = [(kind, key, json.loads(body)) for kind, key, body in db.execute("SELECT * FROM facts")]
        self.channels = {key: body for kind, key, body in facts if kind == "channel"}
        self.rooms = [c for c in self.channels.values() if c["name"].startswith("inc-")]
        messages = [(key.partition(":")[0], body) for kind, key, body in facts if kind == "message"]
        self._messages = sorted(messages, key=lambda one: one[1]["ts"])

    def posts(self) -> list[Post]:
        """The bot's messages, by time; one that tells several things in one, as after an outage, once for each."""
        return [
            Post(channel, said["ts"], effect)
            for channel, said in self._messages
            if (payload := said.get("metadata", {}).get("event_payload"))
            for effect in (payload["effect"], *payload.get("folded", "").split())
        ]

    def texts(self) -> list[str]:
        """What the bot said, by time."""
        return [str(said["text"]) for _, said in self._messages if said.get("metadata")]

    def live(self, key: str) -> list[dict[str, Any]]:
        """The messages of incident `key` that were edited: its card, its announcement."""
        ours = (said for _, said in self._messages if said.get("metadata") and said.get("edited"))
        mine = f"{key.removeprefix('INC-')}."
        return [said for said in ours if said["metadata"]["event_payload"]["effect"].startswith(mine)]

    def came(self) -> list[str]:
        """Each joining of somebody, as Slack says it in the channel."""
        joins = ("channel_join", "group_join")
        return [f"{channel} {said['user']}" for channel, said in self._messages if said.get("subtype") in joins]

    def needless_topics(self) -> list[str]:
        """Notices of a topic that was set although it stood already."""
        notices = [(c, said["topic"]) for c, said in self._messages if said.get("subtype") == "channel_topic"]
        standing: dict[str, str] = {}
        found = []
        for channel, topic in notices:
            if standing.get(channel) == topic:
                found.append(f"{channel} {topic}")
            standing[channel] = topic
        return found


def effect_of(call: dict[str, Any]) -> str:
    """Return the id of the effect that a call of chat.postMessage carried out."""
    metadata = call["args"]["metadata"]
    read = json.loads(metadata) if isinstance(metadata, str) else metadata
    return str(read["event_payload"]["effect"])


def doubled(names: Iterable[str]) -> dict[str, int]:
    """Return what occurs more than once."""
    return {name: count for name, count in Counter(names).items() if count > 1}

"""SIGTERM with calls in flight: what can be finished is, the rest is handed back, and nothing is lost."""

import json
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.kills.halves import DECLARE, ROOM, Halves, job, picture, settled
from tests.support.crew import BEARER, alert
from tests.support.demo import Person, Process, fetch, until, words_of
from tests.support.serving import Site

WITHIN = 10.0
SILENT: list[dict[str, Any]] = [
    {"method": "chat.postMessage", "kind": "silence", "times": 0},
    {"method": "users.list", "kind": "silence", "times": 0},  # what is read at the start hangs
]


@pytest.mark.kill
def test_told_to_stop_with_calls_in_flight_it_ends_in_time_and_the_next_start_loses_nothing(
    undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    halves = Halves(tmp_path, delivery="{call_timeout: 8s, lease: 10s}")
    try:
        bot = halves.start()
        bot.wait_for("The bot runs")
        person = Person(halves.peer)
        person.control(latency_ms=2000)
        person.say("general", DECLARE)
        until(lambda: in_flight(person), "a message on its way")
        told = time.monotonic()
        assert bot.stop() == 0, "\n".join(bot.output[-20:])
        assert time.monotonic() - told < WITHIN
        person.control(reset=True)
        halves.start().wait_for("The bot runs")
        job(person)
        assert settled(person, picture) == undisturbed
    finally:
        halves.close()


def in_flight(person: Person) -> bool:
    return any(c["method"] == "chat.postMessage" and c["done_at"] is None for c in person.calls())


@pytest.mark.kill
@pytest.mark.parametrize("mode", ["http", "socket"])
def test_told_to_stop_while_everything_is_slow_it_takes_nothing_new_ends_in_time_and_loses_nothing(
    tmp_path: Path, mode: Literal["http", "socket"]
) -> None:
    """Slack is silent, what is read at the start hangs, senders dawdle, and people go on asking."""
    with Site(tmp_path, mode=mode, config="delivery: {call_timeout: 8s, lease: 10s}\n") as site:
        site.open_workspace()
        site.migrate()
        anna = site.person()
        anna.control(faults=SILENT)
        bot = site.serve()
        until(lambda: site.health("slack")[0] == 200, "the socket")
        anna.say("general", DECLARE)
        until(lambda: in_flight(anna) and (room := anna.channel(ROOM)) and "U0001" in room["members"], "it half done")
        assert [c for c in anna.calls() if c["method"] == "users.list" and c["done_at"] is None], "a read that hangs"
        with ExitStack() as lines:
            for _ in range(3):
                lines.enter_context(dawdle(site))
            os.kill(bot.pid, signal.SIGTERM)
            told = time.monotonic()
            answers, commands = ask_on(site, anna, bot)
            took = time.monotonic() - told
        assert bot.stop() == 0, "\n".join(bot.output[-20:])
        assert took < WITHIN
        assert set(answers) <= {503, 0}, "nothing new is taken"
        assert 503 in answers, "and whoever asks hears so"
        assert not [said for said in commands if "INC-" in said]
        if mode == "http":
            assert "Nothing was done: Tocsin is being stopped or restarted." in commands[0]
        anna.control(reset=True)
        site.serve()
        anna.sees(ROOM, "Diagnosis|First response")
        site.idle()
        said = [words_of(message) for message in anna.messages(ROOM)]
        for words in ("*Status*", "Runbook Service or API down"):
            assert sum(words in one for one in said) == 1, words
        until(lambda: "said while it stops" in site.run("incident", "timeline", "1")[1], "what was said meanwhile")
        assert [one["key"] for one in json.loads(site.run("incident", "list", "--all", "--json")[1])] == ["INC-1"]
        assert site.run("incident", "verify")[0] == 0


def dawdle(site: Site) -> socket.socket:
    """Begin a delivery, and never end it."""
    line = socket.create_connection(("127.0.0.1", site.port))
    head = f"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nAuthorization: {BEARER['Authorization']}\r\n"
    line.sendall(f'{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"a"'.encode())
    return line


def ask_on(site: Site, person: Person, bot: Process) -> tuple[list[int], list[str]]:
    """Send alerts and type commands until the process has ended; return the statuses (0: no answer) and the words."""
    answers, commands = list[int](), list[str]()
    person.say(ROOM, "said while it stops")
    while not bot.ended:
        n = len(answers)
        try:
            answers.append(fetch(f"{site.base}/webhooks/alertmanager", alert(f"Late {n}", f"late {n}"), BEARER)[0])
        except OSError:
            answers.append(0)
        if n in (0, 20):
            commands.append(str(person.say("general", f"/incident declare sev3 Too late {n}").get("text")))
        threading.Event().wait(0.1)
    return answers, commands

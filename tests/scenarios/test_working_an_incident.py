"""What people do within an incident, through the workspace as they use it: the real demo process, nothing replaced."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.support.demo import ROOT, Person, Process, fetch, free_port, until, words_of

ROOM = "inc-1-checkout-is-down"


def running(folder: Path) -> Iterator[str]:
    """A demo in `folder`, and afterwards that it ended well."""
    port = free_port()
    arguments = ("demo", "--no-open", "--port", str(port), "--data", str(folder / "demo"))
    with Process(*arguments, cwd=folder, ready="Tocsin is ready") as process:
        yield f"http://127.0.0.1:{port}"
        assert process.stop() == 0, "\n".join(process.output[-20:])
        assert not any("Traceback" in line for line in process.output), "\n".join(process.output)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """The address of a running demo."""
    yield from running(tmp_path)


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[str]:
    """A demo whose SEV1 wants an answer within two seconds."""
    company = (ROOT / "bot/wiring/demo.yaml").read_text()
    (tmp_path / "tocsin.yaml").write_text(company + "severities: {sev1: {respond: 2s}}\n")
    yield from running(tmp_path)


def declared(demo: str, text: str = "sev1 Checkout is down #checkout", room: str = ROOM) -> Person:
    """Anna has declared an incident, and its channel is furnished."""
    anna = Person(demo)
    anna.say("general", f"/incident declare {text}")
    anna.sees(room, "Diagnosis")
    return anna


def whispers(person: Person, channel: str) -> list[str]:
    """What only this person was told in a channel, oldest first."""
    return [words_of(m) for m in person.messages(channel) if m.get("ephemeral")]


def asked(person: Person, channel: str, command: str) -> str:
    """Give a command; return what only the asker is told."""
    before = len(whispers(person, channel))
    person.say(channel, command)
    return until(lambda: whispers(person, channel)[before:], f"the answer to {command}")[-1]


def private_page(demo: str, folder: Path, path: str) -> str:
    """Return a private web page, signed in with the demo's token, which sees no private incidents."""
    secret = json.loads((folder / "demo" / "secrets.json").read_text())["api"]
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    form = urllib.parse.urlencode({"token": f"demo:{secret}"}).encode()
    browser.open(urllib.request.Request(f"{demo}/login", form, {"Origin": demo}), timeout=20).close()
    with browser.open(f"{demo}{path}", timeout=20) as answer:
        page: str = answer.read().decode()
        return page


def test_step_buttons_move_the_progress_bar(demo: str) -> None:
    anna = declared(demo)
    assert "▱▱▱▱▱▱▱▱▱▱▱▱ *0 of 15*" in words_of(anna.sees(ROOM, "Diagnosis"))
    anna.click(ROOM, "step:1:done")
    anna.sees(ROOM, r"▰▱+ \*1 of 15\*.* next: step 2")
    anna.click(ROOM, "step:2:skipped")
    anna.sees(ROOM, r"\*2 of 15\*")
    anna.click(ROOM, "step:3:failed")
    book = words_of(anna.sees(ROOM, r"▰▰▱+ \*3 of 15\* · ❌ failed: 3 · next: step 4"))
    assert "✅ 1." in book
    assert "❌ 3." in book
    anna.say(ROOM, "/incident step 4 done no evictions")
    anna.sees(ROOM, r"\*4 of 15\*")
    assert "marked step 4 done: no evictions" in asked(anna, ROOM, "/incident timeline")


def test_the_timeline_holds_what_was_said_and_done_in_the_channel(demo: str, tmp_path: Path) -> None:
    anna, ben = declared(demo), Person(demo, "U0002")
    room = anna.channel(ROOM)
    assert room is not None
    first = anna.say(ROOM, "the pool is exausted")["ts"]
    anna.post("/simulator/edit", channel=room["id"], ts=first, text="the pool is exhausted")
    second = ben.say(ROOM, "salary list attached")["ts"]
    ben.post("/simulator/delete", channel=room["id"], ts=second)
    ben.post("/simulator/send", channel=room["id"], text="the limit is 100", thread_ts=first)
    ben.post("/simulator/pin", channel=room["id"], ts=first, on=True)
    ben.post("/simulator/react", channel=room["id"], ts=first, name="eyes", on=True)
    anna.say(ROOM, "/incident note 09:15 version 4.2 went out")
    until(lambda: "reacted" in asked(anna, ROOM, "/incident timeline"), "the reaction, the last thing observed")
    whole = asked(anna, ROOM, "/incident timeline")
    for line in (
        "<@U0001> wrote: the pool is exhausted",
        "<@U0001> edited a message",
        "<@U0002> deleted a message",
        "<@U0002> replied in a thread: the limit is 100",
        "<@U0002> pinned a message: the pool is exhausted",
        "<@U0002> reacted with :eyes:",
        "version 4.2 went out",
    ):
        assert line in whole
    assert "salary" not in whole, "what was deleted is gone"
    page = private_page(demo, tmp_path, "/incidents/1")
    for words in ("anna wrote: the pool is exhausted", "ben replied in a thread", "ben reacted with", "times in UTC"):
        assert words in page
    assert "salary" not in page


def test_a_private_incident_is_seen_by_nobody_else_anywhere(demo: str, tmp_path: Path) -> None:
    anna, emeka = declared(demo, "sev2 Customer data leaked #checkout --private", "inc-1"), Person(demo, "U0005")
    declared(demo, "sev3 Search is slow #search", "inc-2-search-is-slow")
    emeka.sees("incidents", "Search is slow")
    assert emeka.channel("inc-1") is None
    assert not any("INC-1" in words_of(m) or "leaked" in words_of(m) for m in emeka.messages("incidents"))
    listed = asked(emeka, "general", "/incident list")
    assert "INC-2" in listed
    assert "INC-1" not in listed
    assert "no incident INC-1" in asked(emeka, "general", "/incident INC-1 status")
    assert "INC-1" in asked(anna, "general", "/incident list")
    assert "leaked" not in private_page(demo, tmp_path, "/incidents")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        private_page(demo, tmp_path, "/incidents/1")
    assert "leaked" not in fetch(f"{demo}/status")[1]


def test_the_status_page_says_what_was_published_and_nothing_before(demo: str) -> None:
    anna = declared(demo)
    assert "All Systems Operational" in fetch(f"{demo}/status")[1]
    anna.click(ROOM, "draft_approve")
    anna.sees(ROOM, "approved by <@U0001>, not yet published")
    assert "All Systems Operational" in fetch(f"{demo}/status")[1]
    anna.click(ROOM, "draft_publish")
    anna.sees(ROOM, "The public update is published")
    page = fetch(f"{demo}/status")[1]
    assert "Problem with Checkout" in page
    assert "We are investigating a problem with Checkout" in page
    anna.say(ROOM, "/incident resolve rolled back to 4.1")
    anna.sees(ROOM, "Published on the .* as \\*✅ Resolved")
    after = fetch(f"{demo}/status")[1]
    assert "The problem with Checkout is resolved" in after
    assert "All Systems Operational" in after
    assert "rolled back" not in after, "what fixed it is not public"


def test_nobody_answering_is_told_once_and_an_acknowledgement_stops_it(hasty: str) -> None:
    anna, ben, daisuke = Person(hasty), Person(hasty, "U0002"), Person(hasty, "U0004")
    anna.say("general", "/incident declare sev1 Checkout is down #checkout")
    anna.sees(ROOM, "Acknowledge")
    ben.click(ROOM, "ack")
    declared(hasty, "sev1 Search is down #search", "inc-2-search-is-down")
    overdue = words_of(anna.sees("inc-2-search-is-down", "Nobody has acknowledged INC-2"))
    assert "<@U0002>" in overdue
    assert "It escalates again" in overdue
    for person in (ben, daisuke):
        person.sees("Tocsin", "SEV1 INC-2 needs you")
    anna.sees("inc-2-search-is-down", r"🚨 \*Overdue\*")
    daisuke.click("Tocsin", "ack")
    daisuke.sees("Tocsin", r"\*INC-2\* is yours")
    anna.sees("inc-2-search-is-down", "acknowledged INC-2 after .*, after the response time had passed")
    said = [words_of(m) for m in anna.messages("inc-2-search-is-down")]
    assert sum("Nobody has acknowledged INC-2" in words for words in said) == 1
    assert not any("Nobody has acknowledged" in words_of(m) for m in anna.messages(ROOM)), "INC-1 was acknowledged"
    assert "stopped by “acknowledged”" in asked(anna, ROOM, "/incident timers")

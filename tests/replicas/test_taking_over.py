"""A replica dies or freezes in the middle of a call: another one finishes the job, within the lease, and once."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from tests.support.crew import UNHURRIED, Crew, Workspace, alert, doubled, effect_of
from tests.support.demo import until, words_of
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.postgres, pytest.mark.kill]

KIND = {"conversations.create": "open_room", "conversations.invite": "invite", "bookmarks.add": "bookmark"}
"""Methods that one kind of effect calls; of a message, the metadata says whose it is."""
ON_ITS_WAY = 14_000
"""Milliseconds, half of them before the effect: the caller gives up after 2 s, the repeat is out after 3."""
GONE_WITHIN = 5.0
"""Seconds in which a copy that slipped out is taken away (docs/adr/0017)."""
SWEEP = 1.0
"""Seconds after which replicas look again, at the latest, whether a lease has ended: were a death not seen at once, it
would take so long."""
WATCHED = """
CREATE TABLE taken (id text, worker text, at double precision, lease_until double precision);
CREATE FUNCTION note_taken() RETURNS trigger AS $$ BEGIN
    INSERT INTO taken VALUES (NEW.id, NEW.worker, extract(epoch FROM clock_timestamp()), NEW.lease_until);
    RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER taken AFTER UPDATE ON effects FOR EACH ROW
    WHEN (NEW.state = 'claimed' AND NEW.token IS DISTINCT FROM OLD.token) EXECUTE FUNCTION note_taken();
"""
"""Has the database itself note every claim: a row keeps only its last, and not when that was."""


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory, durable: Cluster) -> Iterator[Crew]:
    """Three replicas; each test leaves them standing."""
    with Crew(tmp_path_factory.mktemp("crew"), durable, config=UNHURRIED) as crew:
        durable.sql(WATCHED, crew.database)
        yield crew


def caught_in(crew: Crew, method: str, misfortune: str, title: str) -> tuple[int, str, str]:
    """Declare an incident whose first `method` hangs; return which replica hangs in which effect of which incident."""
    anna = crew.person()
    anna.control(faults=[{"method": method, "kind": misfortune, "times": 1}])
    before = anna.calls()[-1]["n"]
    key = crew.deliver(0, alert(title, title))
    hung = until(lambda: [c for c in anna.calls() if c["n"] > before and c["method"] == method], "the call")[0]
    claimed = f"SELECT worker, id, kind FROM effects WHERE state = 'claimed' AND incident = {key[4:]}"
    mine = KIND.get(method) or effect_of(hung)
    held = until(lambda: [row for row in crew.rows(claimed) if mine in row], "who holds it")
    return crew.which(held[0][0]), held[0][1], key


def left(crew: Crew, key: str) -> list[list[str]]:
    """Return what is still to be done for an incident; empty once its room is furnished."""
    mine = f"SELECT kind, state, attempt, error, not_before FROM effects WHERE incident = {key[4:]}"
    bookmarks = crew.rows(f"{mine} AND kind = 'bookmark' AND state = 'done'")
    return crew.rows(f"{mine} AND state NOT IN ('done', 'cancelled')") or (
        [] if len(bookmarks) == 2 else [["bookmarks"]]
    )


def finished(crew: Crew, key: str) -> None:
    """Wait until nothing is left to be done for an incident."""
    try:
        until(lambda: not left(crew, key), f"the end of {key}")
    except AssertionError as exc:
        raise AssertionError(f"{exc}; left: {left(crew, key)}") from None


def once(crew: Crew) -> None:
    """Hold the workspace to having everything once."""
    seen = Workspace(crew)
    rooms = [room["name"].split("-")[1] for room in seen.rooms]
    assert doubled(rooms) == {}
    assert doubled(post.effect for post in seen.posts()) == {}
    assert doubled(seen.came()) == {}
    assert seen.needless_topics() == []
    furnished = {room["name"]: (len(room["pins"]), len(room["bookmarks"])) for room in seen.rooms}
    assert {name: count for name, count in furnished.items() if count != (1, 2)} == {}


@pytest.mark.parametrize(
    ("method", "misfortune"),
    [
        ("conversations.create", "silence_after"),
        ("chat.postMessage", "silence"),
        ("chat.postMessage", "silence_after"),
        ("bookmarks.add", "silence_after"),
    ],
)
def test_another_replica_finishes_what_a_killed_one_had_begun(crew: Crew, method: str, misfortune: str) -> None:
    victim, effect, key = caught_in(crew, method, misfortune, f"killed in {method} {misfortune}")
    dead = f"worker LIKE '%:{crew.running[victim].pid}:%'"
    crew.kill(victim)
    finished(crew, key)
    ((ended, goes_on),) = crew.rows(
        f"SELECT lease_until, (SELECT min(at) FROM taken WHERE id = '{effect}' AND NOT {dead} AND at > last.at)"
        f" FROM taken AS last WHERE id = '{effect}' AND {dead} ORDER BY at DESC LIMIT 1"
    )
    assert float(ended) <= float(goes_on) <= float(ended) + SWEEP, "another one has it when the lease ends"
    crew.launch(victim)
    once(crew)
    crew.ready(victim)


def test_a_frozen_replica_that_wakes_after_its_lease_records_nothing(crew: Crew) -> None:
    victim, _, key = caught_in(crew, "chat.postMessage", "silence_after", "frozen in the middle")
    crew.freeze(victim)
    finished(crew, key)
    events = f"SELECT seq, type, data, hash FROM events WHERE incident = {key[4:]} ORDER BY seq"
    effects = f"SELECT id, state, token, attempt, ended_at FROM effects WHERE incident = {key[4:]} ORDER BY pos"
    before, said = (crew.rows(events), crew.rows(effects)), crew.running[victim].output
    frozen = len(said)
    crew.thaw(victim)
    until(lambda: any("superseded" in line or "dropped" in line for line in said[frozen:]), "its waking")
    woke = time.monotonic()
    assert (crew.rows(events), crew.rows(effects)) == before
    until(lambda: not doubled(post.effect for post in Workspace(crew).posts()), "the end of what slipped out")
    assert time.monotonic() - woke < GONE_WITHIN
    once(crew)


def repeater(crew: Crew, effect: str) -> int:
    """The replica that says it has carried `effect` out."""

    def look() -> list[int]:
        return [n for n, process in crew.running.items() if any(done(line) for line in list(process.output))]

    def done(line: str) -> bool:
        told = json.loads(line) if line.startswith("{") else {}
        return (told.get("event"), told.get("effect"), told.get("outcome")) == ("effect", effect, "done")

    return until(lambda: look() or None, "who repeated it")[0]


def test_a_copy_is_removed_although_the_replica_that_repeated_was_killed_in_between(crew: Crew) -> None:
    key = crew.deliver(0, alert("Slips", "slips"))
    crew.quiet([])
    anna = crew.person()
    before = anna.calls()[-1]["n"]
    anna.control(latency_ms=ON_ITS_WAY)
    assert crew.run("incident", "update", key, "we know more")[0] == 0

    def under_way() -> list[dict[str, object]]:
        return [c for c in anna.calls() if c["n"] > before and "we know more" in str(c["args"].get("text"))]

    until(under_way, "the first attempt")
    anna.control(latency_ms=0)
    owed = until(
        lambda: crew.rows(f"SELECT effect FROM looks WHERE incident = {key[4:]} AND kind = 'tell'"),
        "the looks that the repeat owes",
    )
    effect = owed[0][0]
    victim = repeater(crew, effect)
    crew.kill(victim)
    assert doubled(post.effect for post in Workspace(crew).posts()) == {}, "the copy is still on its way"
    until(lambda: doubled(post.effect for post in Workspace(crew).posts()), "the copy")
    came = time.monotonic()
    until(lambda: not doubled(post.effect for post in Workspace(crew).posts()), "its end")
    assert time.monotonic() - came < GONE_WITHIN
    assert [post.effect for post in Workspace(crew).posts()].count(effect) == 1
    told = f"SELECT count(*) FROM records WHERE incident = {key[4:]} AND key LIKE 'copy:{effect}:%'"
    try:
        until(lambda: crew.rows(told) == [["1"]], "its removal on record")
    except AssertionError:
        crew.say_all()
        raise
    until(lambda: crew.rows("SELECT count(*) FROM looks") == [["0"]], "the end of the looks")
    crew.launch(victim)
    crew.ready(victim)


def test_one_alert_fifty_times_at_once_to_three_replicas_opens_one_incident(crew: Crew) -> None:
    many = [alert("Everywhere", "everywhere", receiver=f"sender {n % 5}") for n in range(50)]
    with ThreadPoolExecutor(50) as pool:
        told = list(pool.map(lambda one: crew.post(one[0] % 3, one[1]), enumerate(many)))
    assert {status for status, _ in told} == {202}
    assert len({answer["incident"] for _, answer in told}) == 1
    assert {answer["outcome"] for _, answer in told} <= {"opened", "unchanged"}
    key = told[0][1]["incident"]
    declared = crew.rows("SELECT incident FROM events WHERE type = 'declared' AND data LIKE '%everywhere%'")
    assert declared == [[key[4:]]]
    finished(crew, key)
    once(crew)


def test_two_people_who_change_the_severity_at_once_are_both_answered_truthfully(crew: Crew) -> None:
    key = crew.deliver(1, alert("Contested", "contested"))
    people = {"U0001": "2", "U0002": "3"}
    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            said = list(
                pool.map(
                    lambda one: str(
                        crew.person(one[0]).say("general", f"/incident {key} sev {one[1]} because so").get("text")
                    ),
                    people.items(),
                )
            )
        log = crew.rows(
            f"SELECT actor, data FROM events WHERE incident = {key[4:]} AND type = 'severity_changed' ORDER BY seq"
        )
        for answer, level in zip(said, people.values(), strict=True):
            assert f"SEV{level}" in answer, (said, log)
    assert len(log) >= 4
    for (_, earlier), (_, later) in pairwise(log):
        assert earlier != later
    assert crew.run("incident", "verify", key)[0] == 0


def test_what_stands_after_all_this_is_intact(crew: Crew) -> None:
    crew.quiet([])
    code, said = crew.run("incident", "verify")
    assert code == 0, said
    once(crew)
    room = crew.person().sees("incidents", "Everywhere")
    assert "INC-" in words_of(room)

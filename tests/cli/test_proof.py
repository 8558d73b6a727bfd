"""`tocsin incident verify` and `replay`: a line for each bad incident, the snapshot byte for byte, no traceback."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.cli import run
from bot.domain import commands as c
from bot.domain.events import Redacted
from bot.storage import schema
from tests.storage.house import BOB, open_house

Change = Callable[..., None]


async def write(url: str) -> None:
    """Three incidents, of which the second has erased words and the third is private."""
    async with open_house(url) as house:
        for number in (1, 2, 3):
            await house.open(f"Störung {number} 🚀", private=number == 3)
            await house.furnish(number)
            await house.observe(number, "m1", "Es ist die Datenbank")
            await house.act(number, c.AddNote("The deploy began"), BOB)
        await house.redact(2, Redacted(target=1))


@pytest.fixture
def change(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Change:
    """A shell on the database that the commands look at."""
    monkeypatch.setenv("TOCSIN_DATABASE_URL", database_url)
    asyncio.run(write(database_url))

    def shell(*statements: str) -> None:
        for one in statements:
            schema._run(database_url, lambda conn, one=one: conn.execute(text(one)))  # type: ignore[misc]

    return shell


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    """Return the exit status, the lines on stdout, and stderr."""
    code = run(["incident", *arguments])
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err


def test_a_sound_database_is_said_to_be_so(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["verify"], ["verify", "INC-2"], ["verify", "3"]):
        code, lines, wrong = said(capsys, *arguments)
        assert (code, wrong) == (0, "")
        assert lines == ["No faults: every hash, every body and every snapshot agrees with the log."]


def test_every_bad_incident_has_its_line_and_none_ends_the_report(
    change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    change(
        "UPDATE events SET actor = 'U666' WHERE incident = 1 AND seq = 2",
        "UPDATE incidents SET state = '{' WHERE number = 2",
        "DELETE FROM incidents WHERE number = 3",
    )
    code, lines, wrong = said(capsys, "verify")
    assert code == 1
    assert lines == [
        "INC-1: control entry 2: the row was changed: its hash does not fit",
        f"INC-2: snapshot entry {lines[1].split()[3][:-1]}: the snapshot is not what the events fold to",
        "INC-3: snapshot entry 0: the incident's row is missing",
    ]
    assert wrong == "tocsin: 3 faults; keep a copy of the database before you do anything else\n"
    for number, line in enumerate(lines, start=1):
        code, alone, wrong = said(capsys, "verify", str(number))
        assert (code, alone, wrong[:16]) == (1, [line], "tocsin: 1 fault;")


def test_what_is_no_text_or_no_number_on_sqlite_is_named_like_any_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its columns take anything; PostgreSQL's do not."""
    path = tmp_path / "tocsin.db"
    monkeypatch.setenv("TOCSIN_DATABASE_URL", f"sqlite:///{path}")
    schema.migrate(f"sqlite:///{path}")
    asyncio.run(write(f"sqlite:///{path}"))
    file = sqlite3.connect(path, isolation_level=None)
    for statement in (
        "UPDATE events SET data = CAST(x'ff' AS TEXT) || data WHERE incident = 1 AND seq = 2",
        "UPDATE events SET incident = '2x' WHERE incident = 2 AND seq = 3",
        "UPDATE contents SET body = CAST(body AS BLOB) WHERE id = (SELECT words FROM records WHERE incident = 3)",
    ):
        file.execute(statement)
    file.close()
    code, lines, _ = said(capsys, "verify")
    assert code == 1
    assert lines == [
        "INC-1: control entry 2: the row was changed: its hash does not fit",
        "INC-2: control entry 3: the row is missing",
        "INC-3: record entry 1: the words were changed: their digest does not fit",
        "control: rows of events belong to no incident",
    ]


def test_a_number_that_was_never_given_is_no_fault_but_a_refusal(
    change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("verify", "replay"):
        code, lines, wrong = said(capsys, verb, "INC-4")
        assert (code, lines) == (1, [])
        assert wrong == "tocsin: There is no incident INC-4. `list` shows the open ones.\n"


def test_replay_prints_the_snapshot_byte_for_byte(
    change: Change, database_url: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """No blank, no line more: it can be compared, and put in place."""
    rows = schema._run(
        database_url, lambda conn: conn.execute(text("SELECT number, state FROM incidents ORDER BY number")).all()
    )
    assert len(rows) == 3
    for number, state in rows:
        assert run(["incident", "replay", f"INC-{number}"]) == 0
        assert capfdbinary.readouterr().out == state.encode()


def test_replay_makes_good_a_snapshot_that_was_changed_or_is_gone(
    change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    _, (before,), _ = said(capsys, "replay", "1")
    change("UPDATE incidents SET state = '{}' WHERE number = 1")
    assert said(capsys, "replay", "1") == (0, [before], "")
    change("DELETE FROM incidents WHERE number = 1")
    assert said(capsys, "replay", "1") == (0, [before], "")


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE events SET data = '{' WHERE incident = 1 AND seq = 2", "the row was changed: its hash does not fit"),
        ("DELETE FROM events WHERE incident = 1 AND seq = 2", "the row is missing"),
        ("DELETE FROM events WHERE incident = 1 AND seq > 1", "the stream ends at 1, but its head says otherwise"),
    ],
)
def test_replay_of_a_bad_row_names_it_and_prints_nothing_else(
    change: Change, capsys: pytest.CaptureFixture[str], statement: str, what: str
) -> None:
    change(statement)
    code, lines, wrong = said(capsys, "replay", "1")
    assert (code, lines) == (1, [])
    assert wrong == f"tocsin: INC-1: control entry 2: {what}. Nothing was replayed; see: tocsin incident verify\n"

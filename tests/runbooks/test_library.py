"""The folder of runbooks: read again when it changes, never brought down by one bad file."""

import asyncio
import os
import threading
import time
from datetime import date
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.domain.policy import Policy, Runbooks, Service
from bot.domain.severity import Severity
from bot.usecases import library
from bot.usecases.library import RunbookLibrary
from tests.runbooks.pages import page

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "LOOK_EVERY", 0.0)


def write(path: Path, text: str, stamp: int = 0) -> None:
    path.write_text(text, encoding="utf-8")
    if stamp:
        os.utime(path, ns=(stamp, stamp))


def test_the_shipped_runbooks_are_in_order() -> None:
    books = RunbookLibrary(ROOT / "runbooks", Policy())
    newest = max(book.last_reviewed or date.min for book in books.all())
    assert [str(problem) for problem in books.lint(newest)] == []
    assert len(books.names()) >= 6


def test_a_bad_file_is_left_out_and_reported(tmp_path: Path) -> None:
    write(tmp_path / "good.md", page())
    write(tmp_path / "bad.md", "no front matter")
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe\x00")
    write(tmp_path / "README.md", "# not a runbook")
    books = RunbookLibrary(tmp_path)
    assert books.names() == ["good"]
    assert [problem.name for problem in books.problems()] == ["bad", "binary"]


def test_a_changed_new_or_removed_file_is_seen(tmp_path: Path) -> None:
    write(tmp_path / "a.md", page(title="One"), 1_000_000_000)
    books = RunbookLibrary(tmp_path)
    assert books.all()[0].title == "One"
    write(tmp_path / "a.md", page(title="Two"), 2_000_000_000)
    write(tmp_path / "b.md", page(title="Three"))
    assert [book.title for book in books.all()] == ["Two", "Three"]
    (tmp_path / "a.md").unlink()
    assert books.names() == ["b"]


def test_an_unchanged_folder_keeps_its_shelf(tmp_path: Path) -> None:
    write(tmp_path / "a.md", page())
    books = RunbookLibrary(tmp_path)
    assert books.shelf() is books.shelf()


async def test_the_look_at_the_disk_is_off_the_event_loop(tmp_path: Path) -> None:
    write(tmp_path / "a.md", page())
    assert (await RunbookLibrary(tmp_path).fresh()).names() == ["a"]


def test_a_missing_folder_has_no_runbooks_and_says_so(tmp_path: Path) -> None:
    books = RunbookLibrary(tmp_path / "none")
    assert books.names() == []
    assert "set runbooks.dir" in str(books.problems()[0])


def test_a_runbook_is_found_however_its_name_is_spelled(tmp_path: Path) -> None:
    write(tmp_path / "disk-full.md", page())
    books = RunbookLibrary(tmp_path)
    found = books.get("DiskFull")
    assert found is not None
    assert found.name == "disk-full"
    assert books.get("nothing") is None
    assert books.get("") is None


def test_the_policy_names_the_default_and_each_services_runbook(tmp_path: Path) -> None:
    write(tmp_path / "first.md", page())
    write(tmp_path / "mail.md", page())
    policy = Policy(runbooks=Runbooks(default="first"), services={"smtp": Service(runbook="mail")})
    shelf = RunbookLibrary(tmp_path, policy).shelf()
    assert (shelf.default, shelf.by_service) == ("first", {"smtp": "mail"})


async def test_a_silent_disk_keeps_nobody_from_declaring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They are as they were seen last; the first one waits a moment, the next ones do not. Then it answers again."""
    write(tmp_path / "a.md", page())
    books = RunbookLibrary(tmp_path)
    monkeypatch.setattr(library, "PATIENCE", 0.2)
    assert (await books.fresh()).names() == ["a"]
    silent, stamp = threading.Event(), library._stamp

    def wait(path: Path) -> tuple[int, int]:
        assert silent.wait(20)
        return stamp(path)

    monkeypatch.setattr(library, "_stamp", wait)
    write(tmp_path / "b.md", page())
    begun = time.monotonic()
    assert (await books.fresh()).names() == ["a"]
    waited = time.monotonic() - begun
    with capture_logs() as said:
        assert [(await books.fresh()).names() for _ in range(20)] == [["a"]] * 20
    assert said == [], "it was said by the one that waited"
    assert 0.2 <= waited < 5
    assert time.monotonic() - begun - waited < 0.2, "only one waits"
    silent.set()
    for _ in range(100):
        if (found := (await books.fresh()).names()) == ["a", "b"]:
            break
        await asyncio.sleep(0.05)
    assert found == ["a", "b"]


async def test_the_first_look_may_take_its_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process that has just started on a busy machine: the incident must get its runbook all the same."""
    write(tmp_path / "a.md", page())
    stamp = library._stamp
    monkeypatch.setattr(library, "PATIENCE", 0.01)
    monkeypatch.setattr(library, "_stamp", lambda path: (time.sleep(0.3), stamp(path))[1])
    books = RunbookLibrary(tmp_path)
    found = await asyncio.gather(*(books.fresh() for _ in range(5)))
    assert [shelf.names() for shelf in found] == [["a"]] * 5


async def test_a_disk_that_never_answered_means_no_runbook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "a.md", page())
    silent = threading.Event()
    monkeypatch.setattr(library, "AT_FIRST", 0.05)
    monkeypatch.setattr(library, "_stamp", lambda path: (silent.wait(20), (0, 0))[1])
    books = RunbookLibrary(tmp_path)
    shelf = await books.fresh()
    silent.set()
    books._thread.shutdown()
    assert shelf.match({"alertname": "DiskFull"}, {}, None, Severity.SEV1) == (None, "no runbook fits")


async def test_of_several_that_ask_at_once_one_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Markdown library's caches bear one thread: a second one saw half of them, and an alert got a 500."""
    monkeypatch.setattr(library, "LOOK_EVERY", 60.0)
    at_once, most = 0, 0
    read = library._read

    def slowly(path: Path, stamp: tuple[int, int]) -> object:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        threading.Event().wait(0.002)  # lets another thread in, if one may come
        found = read(path, stamp)
        at_once -= 1
        return found

    monkeypatch.setattr(library, "_read", slowly)
    shelves = library.RunbookLibrary(ROOT / "runbooks")
    found = await asyncio.gather(*(shelves.fresh() for _ in range(8)))
    assert most == 1
    assert all(shelf is found[0] for shelf in found)

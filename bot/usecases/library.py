"""The runbooks of a folder, read again when a file changed. A bad file is reported and left out; the rest serve."""

import asyncio
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import structlog

from bot.domain.policy import Policy
from bot.domain.runbook_file import Page, read_page
from bot.domain.runbook_lint import Problem, Surroundings, lint
from bot.domain.runbook_match import Shelf
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity

PATIENCE: Final = 0.5
"""Seconds for which somebody who declares waits for a look at the folder, should the disk be silent."""
AT_FIRST: Final = 10.0
"""Seconds, where they were never seen: an incident without its runbook is worse than one a few seconds later."""
LOOK_EVERY: Final = 2.0
"""Seconds between two looks at the folder. Nothing tells us of a change on every platform; a look costs some 50 µs."""
log = structlog.get_logger()

_Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _File:
    stamp: _Stamp
    page: Page | None
    problem: Problem | None


class RunbookLibrary:
    """The folder `runbooks.dir`. Missing folder: no runbooks, and a problem that says so."""

    def __init__(self, folder: Path, policy: Policy | None = None) -> None:
        self.folder = folder
        self._policy = policy or Policy()
        self._files: dict[str, _File] = {}
        self._shelf: Shelf | None = None
        self._nothing = Shelf({}, self._policy.runbooks.default)
        self._looked_at = float("-inf")
        self._looking = threading.Lock()
        # of its own: a silent name server may hold all the threads that everybody shares
        self._thread = ThreadPoolExecutor(1, "runbooks")
        self._look_under_way: tuple[asyncio.Future[Shelf], float] | None = None
        """And until when it is waited for."""

    # --- what is asked ------------------------------------------------------------------------------
    def shelf(self) -> Shelf:
        """The runbooks as they are now; looks at the folder at most every LOOK_EVERY seconds."""
        return self._known() or self._look()

    async def fresh(self) -> Shelf:
        """Like `shelf`, with the look at the disk off the event loop.

        A disk that is silent is not waited for: they are as they were seen last. Only the first look may take longer.
        """
        if (known := self._known()) is not None:
            return known
        if self._look_under_way is None or self._look_under_way[0].done():
            look = asyncio.get_running_loop().run_in_executor(self._thread, self._look)
            patience = AT_FIRST if self._shelf is None else PATIENCE
            self._look_under_way = (look, time.monotonic() + patience)
        look, until = self._look_under_way
        if (left := until - time.monotonic()) > 0:
            await asyncio.wait({look}, timeout=left)
            if not look.done():  # said by those who waited, not by each alert of a storm
                log.warning("runbooks_silent", folder=str(self.folder), mend="the disk of runbooks.dir does not answer")
        return look.result() if look.done() else self._shelf or self._nothing

    def get(self, name: str) -> Runbook | None:
        """The runbook called `name`, however it is spelled."""
        return self.shelf().get(name)

    def names(self) -> list[str]:
        """All names, sorted."""
        return self.shelf().names()

    def all(self) -> list[Runbook]:
        """All runbooks, by name."""
        return self.shelf().all()

    def match(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], service: str | None, severity: Severity
    ) -> tuple[Runbook | None, str]:
        """The runbook that fits best, and why."""
        return self.shelf().match(labels, annotations, service, severity)

    def problems(self) -> list[Problem]:
        """Files that could not be read at all."""
        self.shelf()
        found = [file.problem for file in self._files.values() if file.problem]
        if not self.folder.is_dir():
            found.append(Problem(self.folder.name, 0, f"there is no folder {self.folder}: set runbooks.dir"))
        return sorted(found)

    def lint(self, today: date) -> list[Problem]:
        """Everything that is wrong with the runbooks, unreadable files included."""
        self.reload()
        around = Surroundings(
            today=today,
            escalations=tuple(self._policy.escalations),
            services=tuple(self._policy.services),
            runbooks=tuple(self._files),
            exists=lambda path: (self.folder / path).is_file(),
        )
        pages = [file.page for file in self._files.values() if file.page]
        return sorted([*self.problems(), *lint(pages, around)])

    # --- the folder ---------------------------------------------------------------------------------
    def reload(self) -> Shelf:
        """Look at the folder, read what changed. Never raises.

        One thread at a time: the Markdown library's caches are filled while others would read them.
        """
        with self._looking:
            return self._reload()

    def _known(self) -> Shelf | None:
        """What was seen at the last look, if that is recent enough."""
        return self._shelf if time.monotonic() - self._looked_at < LOOK_EVERY else None

    def _look(self) -> Shelf:
        """Of several that come at once, one looks and the others take what it saw."""
        with self._looking:
            return self._known() or self._reload()

    def _reload(self) -> Shelf:
        before, files = self._files, {}
        for path in self._paths():
            stamp = _stamp(path)
            known = before.get(path.stem)
            files[path.stem] = known if known and known.stamp == stamp and stamp != _GONE else _read(path, stamp)
        if self._shelf is None or files != before:
            self._files = files
            books = {name: file.page.runbook for name, file in files.items() if file.page}
            by_service = {name: s.runbook for name, s in self._policy.services.items() if s.runbook}
            self._shelf = Shelf(books, self._policy.runbooks.default, by_service)
        self._looked_at = time.monotonic()
        return self._shelf

    def _paths(self) -> list[Path]:
        try:
            found = [p for p in self.folder.glob("*.md") if p.is_file() and not p.name.startswith(".")]
        except OSError as exc:
            log.warning("runbooks_unreadable", folder=str(self.folder), error=str(exc))
            return []
        return sorted(path for path in found if path.stem.casefold() != "readme")


_GONE: Final = (0, 0)


def _stamp(path: Path) -> _Stamp:
    try:
        stat = path.stat()
    except OSError:
        return _GONE
    return stat.st_mtime_ns, stat.st_size


def _read(path: Path, stamp: _Stamp) -> _File:
    try:
        return _File(stamp, read_page(path.read_text(encoding="utf-8"), path.stem), None)
    except (OSError, UnicodeDecodeError, ValueError) as exc:
        log.warning("runbook_skipped", file=path.name, reason=str(exc))
        return _File(stamp, None, Problem(path.stem, 1, str(exc)))

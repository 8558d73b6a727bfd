"""Fresh databases for tests: empty, or with today's schema copied from a template."""

import importlib
import itertools
import shutil
from pathlib import Path

from tests.support.postgres import Cluster

_numbers = itertools.count(1)
_TEMPLATE = "tocsin_template"


def migrate(url: str) -> None:
    """Bring the empty database at `url` to today's schema, with the migrations users run."""
    importlib.import_module("bot.storage.schema").migrate(url)


class Databases:
    """Hands out databases of one kind; what each was made from is prepared once a session."""

    def __init__(self, folder: Path, cluster: Cluster | None = None) -> None:
        self._folder = folder
        self._cluster = cluster
        self._template_ready = False

    def empty(self) -> str:
        """Return the address of a new, empty database."""
        name = f"t{next(_numbers)}"
        if self._cluster:
            return self._cluster.create(name)
        return f"sqlite:///{self._folder / name}.db"

    def migrated(self) -> str:
        """Return the address of a new database with today's schema."""
        self._prepare()
        name = f"t{next(_numbers)}"
        if self._cluster:
            return self._cluster.create(name, _TEMPLATE)
        shutil.copyfile(self._folder / f"{_TEMPLATE}.db", self._folder / f"{name}.db")
        return f"sqlite:///{self._folder / name}.db"

    def drop(self, url: str) -> None:
        """Remove a database that this object handed out."""
        name = url.rpartition("/")[2]
        if self._cluster:
            if self._cluster.running:
                self._cluster.drop(name)
            return
        for path in self._folder.glob(f"{name}*"):
            path.unlink()

    def _prepare(self) -> None:
        if self._template_ready:
            return
        if self._cluster:
            migrate(self._cluster.create(_TEMPLATE))
            # A template must have no session when it is copied.
            self._cluster.cut_sessions(_TEMPLATE)
        else:
            path = self._folder / f"{_TEMPLATE}.db"
            migrate(f"sqlite:///{path}")
            if path.with_name(path.name + "-wal").exists():
                raise RuntimeError("migrate() left the SQLite file open: its WAL is still there")
        self._template_ready = True

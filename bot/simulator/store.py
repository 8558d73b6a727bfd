"""The workspace's memory on disk: small JSON facts in SQLite, written before each answer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Store:
    """Facts by kind and key. `put` and `drop` wait for `commit`, which is one transaction."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing at NORMAL; only a power cut could.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS facts (kind TEXT, key TEXT, body TEXT NOT NULL,"
            " PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )
        self._waiting: dict[tuple[str, str], Json | None] = {}

    def load(self, kind: str) -> Iterator[tuple[str, Json]]:
        """Yield every fact of a kind in the order of its key."""
        rows = self._db.execute("SELECT key, body FROM facts WHERE kind = ? ORDER BY key", (kind,))
        for key, body in rows.fetchall():
            yield key, json.loads(body)

    def put(self, kind: str, key: str, body: Json) -> None:
        """Keep a fact; the newest of a key wins."""
        self._waiting[kind, key] = body

    def drop(self, kind: str, key: str) -> None:
        """Forget a fact."""
        self._waiting[kind, key] = None

    def commit(self) -> None:
        """Write all that waits, or nothing of it."""
        if not self._waiting:
            return
        self._db.execute("BEGIN IMMEDIATE")
        for (kind, key), body in self._waiting.items():
            if body is None:
                self._db.execute("DELETE FROM facts WHERE kind = ? AND key = ?", (kind, key))
            else:
                row = (kind, key, json.dumps(body, ensure_ascii=False))
                self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", row)
        self._db.execute("COMMIT")
        self._waiting.clear()

    def close(self) -> None:
        """Write what waits and let go of the file."""
        self.commit()
        self._db.close()

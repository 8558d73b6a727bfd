"""A PostgreSQL cluster of our own in a temporary folder: started, stopped, cut off by a test.

Synchronous, so that plain tests, fixtures and `asyncio.to_thread` can all use it.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support.programs import POSTGRES_MISSING, postgres_bin

START_TIMEOUT = 30.0  # seconds; a loaded two-core machine needs up to 5
STOP_TIMEOUT = 20.0  # seconds

# Odd on purpose: code that leans on the server's own time zone shows.
SERVER_ZONE = "Asia/Kathmandu"


class Cluster:
    """One server on 127.0.0.1 and a Unix socket; it keeps port and data over stop and start.

    `durable=True` leaves fsync on, for tests that cut the power. `options` are server settings.
    """

    def __init__(self, *, durable: bool = False, options: Sequence[str] = ()) -> None:
        found = postgres_bin()
        if found is None:
            raise FileNotFoundError(POSTGRES_MISSING)
        self._bin = found
        # initdb refuses root; Debian's package brings the user.
        self._user = "postgres" if os.geteuid() == 0 else None
        # A short path: a Unix socket's may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-", dir="/tmp"))
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.port = _free_port()
        self._server: subprocess.Popen[bytes] | None = None
        settings = [
            "max_connections=60",
            "shared_buffers=32MB",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
            f"timezone={SERVER_ZONE}",
            "log_timezone=UTC",
            "logging_collector=off",
        ]
        if not durable:
            settings += ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
        self._settings = [*settings, *options]
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        try:
            self._run(
                "initdb", "--pgdata", str(self.data), "--username=postgres", "--auth=trust",
                "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
            )  # fmt: skip
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The server's process id, while it runs."""
        return self._server.pid if self.running and self._server else None

    @property
    def running(self) -> bool:
        """Whether the server's process is there."""
        return self._server is not None and self._server.poll() is None

    def url(self, database: str = "postgres") -> str:
        """Return the address of `database` as TOCSIN_DATABASE_URL takes it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, and return when it answers. Raises RuntimeError with its log."""
        if self.running:
            return
        command = [str(self._bin / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        for setting in self._settings:
            command += ["-c", setting]
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                self._as_user(command, tied=True),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
        give_up = time.monotonic() + START_TIMEOUT
        while time.monotonic() < give_up and self.running:
            ready = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.05)
        self.stop_immediate()
        raise RuntimeError(f"PostgreSQL did not start:\n{self.tail()}")

    def stop(self) -> None:
        """Stop in order: sessions are ended, everything is on disk. Idempotent."""
        self._signal(signal.SIGINT)

    def stop_immediate(self) -> None:
        """Stop as a crash would: sessions are cut, the next start recovers. Idempotent."""
        self._signal(signal.SIGQUIT)

    def pause(self) -> None:
        """Freeze the server and its sessions: connections stay open and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._signal_all(signal.SIGCONT)

    def close(self) -> None:
        """Stop and remove the data."""
        if self.running:
            self.resume()
        self.stop_immediate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement, and return its rows as psql prints them without decoration."""
        done = self._run(
            "psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only",
            "--set=ON_ERROR_STOP=1", "--dbname", self.url(database), "--command", statement,
        )  # fmt: skip
        return done.stdout.strip()

    def create(self, name: str, template: str = "template1") -> str:
        """Create the database `name` as a copy of `template`; return its address."""
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop the database `name`, cutting whoever is still connected."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def cut_sessions(self, database: str) -> int:
        """End every session of `database`, as an administrator would; return how many."""
        return int(
            self.sql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
            )
        )

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of the server's log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _as_user(self, command: list[str], *, tied: bool = False) -> list[str]:
        prefix = []
        if shutil.which("setpriv"):
            if self._user:
                prefix += [f"--reuid={self._user}", f"--regid={self._user}", "--init-groups"]
            # Dies with us, even by SIGKILL. The kernel watches the thread, so only on the main one.
            if tied and threading.current_thread() is threading.main_thread():
                prefix += ["--pdeathsig", "QUIT"]
            return ["setpriv", *prefix, *command] if prefix else command
        return ["runuser", "-u", self._user, "--", *command] if self._user else command

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = self._as_user([str(self._bin / program), *arguments])
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=self.folder, check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} failed ({done.returncode}): {done.stderr.strip()}")
        return done

    def _signal(self, number: int) -> None:
        if self._server is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._server.send_signal(number)
        try:
            self._server.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None

    def _signal_all(self, number: int) -> None:
        """Signal the server and its children; they are one process group each, so by parent."""
        if not self.running or self._server is None:
            return
        parent = self._server.pid
        tasks = Path(f"/proc/{parent}/task/{parent}/children")
        children = [int(pid) for pid in tasks.read_text().split()] if tasks.exists() else []
        for pid in (parent, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

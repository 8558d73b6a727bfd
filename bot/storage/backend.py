"""What both databases offer: run a function on a plain connection, for writing or for reading."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Notice = Callable[[], None]


class Backend(Protocol):
    """A database that is open. Entered and left as an async context manager."""

    @property
    def file(self) -> Path | None:
        """The file that it lives in; None for a server, or a database in memory."""
        ...

    async def write(self, work: Callable[[Connection], T], *, announce: bool = True) -> T:
        """Run `work` in one transaction and commit. Raises Conflict or Unavailable.

        `work` may run again after a serialisation fault. `announce`: wake other processes after the commit.
        """
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection that cannot write. Raises Unavailable."""
        ...

    def watch(self, notice: Notice) -> None:
        """Call `notice` whenever another process has committed."""
        ...

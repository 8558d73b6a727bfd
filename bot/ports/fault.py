"""Where a test may kill the process. In production every boundary is silent."""

from collections.abc import Callable

Fault = Callable[[str], None]
"""Called with a boundary's name (`commit:before`, `commit:after`, `call:open_room:before`, `call:open_room:after`)."""


def no_fault(boundary: str) -> None:
    """The production fault port: nothing happens."""

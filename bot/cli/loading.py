"""Makes the imports of a start cheap. Nothing here is needed for anything to be right."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_COLLECTED_EVERY = 10_000
"""New objects between two collections of the youngest, in a server; Python's own 700 are less than one batch of alerts
makes, and nearly all of those go without being collected."""


@contextmanager
def loading(*, for_good: bool = False) -> Iterator[None]:
    """Import inside this. Measured on the demo: 1.5 s of processor time become 1.2 s.

    What modules make lives as long as the process, so collecting meanwhile finds nothing; in a server (`for_good`) no
    later collection walks it either. And structlog loads rich (50 modules, with pygments) for tracebacks that we do not
    let it print; it is content without. Pydantic would look through every package installed for plugins of its own.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # read when the first model is made
    modules: dict[str, Any] = sys.modules
    hides_rich = "rich" not in modules
    collects = gc.isenabled()
    gc.disable()
    if hides_rich:
        modules["rich"] = None  # importing it now raises ImportError: docs.python.org/3/reference/import.html
    try:
        yield
    finally:
        if hides_rich:
            del modules["rich"]
        if for_good:
            gc.freeze()
            gc.set_threshold(_COLLECTED_EVERY, 10, 10)
        if collects:
            gc.enable()

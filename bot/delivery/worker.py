"""Who a worker is, and whether it is still there: so that what a killed process held is not waited for.

A worker id is `<machine>:<process>:<chance>`. The machine part names this boot of this kernel and this namespace of
process numbers: a process number says nothing about a container beside us, or before the last boot. Of a worker
elsewhere we know nothing, and its lease has to end.
"""

import hashlib
import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_NUMBERS: Final = Path("/proc/self/ns/pid")


def worker_id() -> str:
    """Return a new id for a worker in this process."""
    return f"{_machine()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_gone(worker: str) -> bool:
    """True only if `worker` was a process here, and no process of its number is left."""
    machine, _, rest = worker.rpartition(":")[0].rpartition(":")
    if machine != _machine() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)  # signal 0 only asks whether it is there: kill(2)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _machine() -> str:
    """Return a name for the place in which process numbers mean the same."""
    known = [socket.gethostname()]
    with suppress(OSError):
        known += [_BOOT.read_text().strip(), str(_NUMBERS.readlink())]
    return f"{known[0]}/{hashlib.sha256('|'.join(known).encode()).hexdigest()[:12]}"

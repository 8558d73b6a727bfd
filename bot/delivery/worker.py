"""Who a worker is, and whether it is still there: so that what a killed process held is not waited for.

A worker id is `<machine>:<process>:<start>-<chance>`. The machine part names this boot of this kernel and this
namespace of process numbers: a process number says nothing about a container beside us, or before the last boot. The
time of its start tells a process from a later one of the same number: in a container that is restarted, number 1 is
number 1 again. Of a worker elsewhere we know nothing, and its lease has to end.
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
    return f"{_machine()}:{os.getpid()}:{_start(os.getpid())}-{secrets.token_hex(4)}"


def is_gone(worker: str) -> bool:
    """True only if `worker` was a process here, and that process is not left: none of its number, or a later one."""
    place, _, birth = worker.rpartition(":")
    machine, _, number = place.rpartition(":")
    if machine != _machine() or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)  # signal 0 only asks whether it is there: kill(2)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is there, and somebody else's
    except OverflowError:
        return False
    began, now = birth.rpartition("-")[0], _start(int(number))
    if not began:  # an older version noted no start; under our own number it is not us
        return int(number) == os.getpid()
    return bool(now) and now != began


def _start(number: int) -> str:
    """Return when process `number` began, in ticks since the boot; empty if that is not known.

    Field 22, counted from behind the name, which may hold anything: proc_pid_stat(5).
    """
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _machine() -> str:
    """Return a name for the place in which process numbers mean the same."""
    known = [socket.gethostname()]
    with suppress(OSError):
        known += [_BOOT.read_text().strip(), str(_NUMBERS.readlink())]
    return f"{known[0]}/{hashlib.sha256('|'.join(known).encode()).hexdigest()[:12]}"

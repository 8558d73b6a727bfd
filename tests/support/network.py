"""Keeps the tests on this machine: a connection to anywhere but loopback fails the test."""

import ipaddress
import sys
from typing import Any

attempts: list[str] = []
_EVENTS = {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}
_installed = False


class NetworkForbidden(RuntimeError):
    """A test reached for the network. Tests talk to 127.0.0.1 and ::1 only."""


def install() -> None:
    """Forbid it from now on, in this process. An audit hook cannot be taken off again."""
    global _installed  # noqa: PLW0603
    if not _installed:
        sys.addaudithook(_watch)
        _installed = True


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS:
        return
    address = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(address, str | bytes) and event in ("socket.connect", "socket.sendto"):
        return  # a Unix socket
    if _is_loopback(host):
        return
    attempts.append(f"{event} {address!r}")
    raise NetworkForbidden(f"{event} {address!r}: only loopback is allowed in tests")


def _is_loopback(host: object) -> bool:
    if host is None:
        return True
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    if name in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified

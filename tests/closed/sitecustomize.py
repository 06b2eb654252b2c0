"""Closes the network to a Python process but for loopback, and notes who tried.

The folder stands in PYTHONPATH while the tests run, so that every Python that a test starts is closed too.
"""

import ipaddress
import os
import socket
import sys
from pathlib import Path

LOG_VARIABLE = "CLOSED_NETWORK_LOG"
"""Names the file to which an attempt is written."""


class NetworkClosedError(OSError):
    """Something wanted to leave this computer."""


def is_here(host: object) -> bool:
    """Whether a host is this computer: a loopback address or name, its own name, or none."""
    if isinstance(host, bytes | bytearray):
        host = bytes(host).decode("ascii", "replace")
    if not isinstance(host, str) or host.lower() in {"", "localhost", "0.0.0.0", "::"}:  # noqa: S104
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host == socket.gethostname()
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse what leads away (an audit hook)."""
    if event in {"socket.connect", "socket.sendto"}:
        asked, address = arguments[0], arguments[1]
        if getattr(asked, "family", None) not in {socket.AF_INET, socket.AF_INET6}:
            return
        host = address[0] if isinstance(address, tuple) else address
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    if is_here(host):
        return
    told = f"{event} {host!r} by process {os.getpid()}: {' '.join(sys.argv[:3])}"
    log = os.environ.get(LOG_VARIABLE)
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{told}\n")
    raise NetworkClosedError(f"The network is closed in tests: {told}")


sys.addaudithook(watch)

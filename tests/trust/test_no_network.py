"""The network is closed while the tests run, in this process and in those that it starts: nothing of ours wants it.

`.ci/run` also runs the whole suite where the kernel has no other network than loopback.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.closed.sitecustomize import NetworkClosedError, is_here

ELSEWHERE = [("192.0.2.1", 80), ("2001:db8::1", 443, 0, 0), ("::ffff:192.0.2.1", 80, 0, 0)]


@pytest.mark.reaches_out
@pytest.mark.parametrize("address", ELSEWHERE)
def test_this_process_cannot_leave(address: tuple[object, ...], closed_network: Path) -> None:
    family = socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(family, kind) as asked, pytest.raises(NetworkClosedError):
            asked.connect(address)
    assert str(address[0]) in closed_network.read_text()


@pytest.mark.reaches_out
def test_no_name_is_looked_up() -> None:
    with pytest.raises(NetworkClosedError):
        socket.getaddrinfo("example.org", 80)
    with pytest.raises(NetworkClosedError):
        socket.gethostbyname("example.org")


@pytest.mark.reaches_out
def test_a_process_that_a_test_starts_cannot_leave_either(closed_network: Path) -> None:
    program = "import socket; socket.create_connection(('192.0.2.7', 80), 5)"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert "NetworkClosedError" in done.stderr
    assert "192.0.2.7" in closed_network.read_text()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "localhost", b"localhost", "", None]
)
def test_this_computer_is_open(host: object) -> None:
    assert is_here(host)


def test_a_program_reaches_itself() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        socket.create_connection(listener.getsockname()[:2], 5).close()


@pytest.mark.skipif(
    os.environ.get("CLOSED_BY_THE_KERNEL") != "1", reason="only .ci/run closes the kernel's network"
)
def test_the_kernel_has_nothing_but_loopback() -> None:
    assert [name for _number, name in socket.if_nameindex()] == ["lo"]

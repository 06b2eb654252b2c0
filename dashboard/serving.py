"""The servers: waitress for plain HTTP, on this computer or behind a proxy, and Hypercorn where a certificate is given.

waitress speaks no TLS. Hypercorn shakes hands off its loop: a client that connects and says nothing holds up nobody.
"""

import asyncio
import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from hypercorn.asyncio import serve
from hypercorn.config import Config
from waitress import wasyncore
from waitress.server import create_server

from dashboard.errors import AddressRefusedError, CertificateError, PortInUseError
from dashboard.forwarding import is_loopback
from dashboard.security import MAX_REQUEST_BYTES, Listening

_THREADS: Final = 8
_IN_MEMORY: Final = 256 * 1024 * 1024
_LOOK_SECONDS: Final = 1.0
_HANDSHAKE_SECONDS: Final = 10.0
_GOODBYE_SECONDS: Final = 1.0
_FORWARDED: Final = frozenset({"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"})

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Network:
    """How others than this computer reach the pages.

    Attributes:
        hosts: names under which they are asked for, without port.
        certificate: file of the certificate (PEM, with its chain), with which TLS is spoken here; needs `key`.
        key: file of its private key (PEM, not encrypted).
        proxy: numeric address of a proxy that speaks TLS in front of these pages; what it forwards is believed.
    """

    hosts: frozenset[str] = frozenset()
    certificate: Path | None = None
    key: Path | None = None
    proxy: str | None = None

    @property
    def used(self) -> bool:
        """Whether others are meant to reach the pages, also where they listen on loopback."""
        return bool(self.hosts or self.proxy)

    @property
    def proxied_here(self) -> bool:
        """Whether the proxy stands on this computer: then what comes from here may come from anywhere."""
        return is_loopback(self.proxy)


class Server(Protocol):
    """Serves an app from a thread of its own."""

    def start(self) -> None:
        """Begin."""
        ...

    def close(self) -> None:
        """Stop and give the port back. May be called twice."""
        ...


def check_network(where: Listening, network: Network) -> None:
    """See that what others send does not cross the network readable.

    Raises:
        AddressRefusedError: it would, or the proxy is no numeric address.
        CertificateError: the certificate or its key cannot be used.
    """
    if (network.certificate is None) != (network.key is None):
        raise CertificateError(
            "A certificate and its key belong together: give both, dashboard.certificate and dashboard.key."
        )
    if network.certificate is not None and network.proxy is not None:
        raise CertificateError(
            "Behind a proxy the proxy speaks TLS: give dashboard.proxy, or dashboard.certificate with dashboard.key."
        )
    if network.proxy is not None:
        try:
            plain = str(ipaddress.ip_address(network.proxy)) == network.proxy
        except ValueError:
            plain = False
        if not plain:
            raise AddressRefusedError(
                f"The proxy {network.proxy!r} is no address: give dashboard.proxy the one from which it asks, as a "
                "number such as 127.0.0.1."
            )
    if where.beyond and network.certificate is None and network.proxy is None:
        raise AddressRefusedError(
            f"Passwords and names would cross the network readable for everybody from {where.address}: give a "
            "certificate (dashboard.certificate and dashboard.key) or a proxy that has one (dashboard.proxy); "
            "docs/accounts.md says how. Or leave out --host: then only this computer is served."
        )
    _check_certificate(network)


def _check_certificate(network: Network) -> None:
    if network.certificate is None or network.key is None:
        return
    for file in (network.certificate, network.key):
        try:
            file.open("rb").close()
        except OSError as error:
            raise CertificateError(f"{file} cannot be read: {error.strerror}. Give a PEM file.") from error
    try:
        # an encrypted key would ask for its password at the terminal
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(network.certificate, network.key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise CertificateError(
            f"The certificate {network.certificate} and the key {network.key} do not go together: give PEM files of "
            "one pair, the key without a password."
        ) from error


def listen(where: Listening, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        PortInUseError: something else does, or it is no address of this computer.
    """
    listener = socket.socket(where.family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            # Windows lets a second program share a port unless told otherwise
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((where.address, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise PortInUseError(
            f"The dashboard cannot listen on {where.address} port {port} ({error.strerror or error}): another program "
            "uses it, perhaps a classpulse that is already running. Stop that one, or choose another with --port."
        ) from error
    return listener


class PlainServer:
    """Serves over plain HTTP.

    Args:
        app: the WSGI app.
        listener: from `listen`.
        proxy: whose X-Forwarded-* headers are believed; those of others are taken away. None believes nobody's.
    """

    def __init__(self, app: Wsgi, listener: socket.socket, proxy: str | None) -> None:
        # waitress says at WARNING that a request waits for a thread: no news to a teacher
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._map: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._map,
            sockets=[listener],
            threads=_THREADS,
            ident=None,
            max_request_body_size=MAX_REQUEST_BYTES,
            # waitress spools larger answers to files: a report names students and stays in memory
            inbuf_overflow=_IN_MEMORY,
            outbuf_overflow=_IN_MEMORY,
            # they stay, so that who comes through another proxy is known for it (`dashboard.forwarding`)
            clear_untrusted_proxy_headers=False,
            **(
                {}
                if proxy is None
                else {
                    "trusted_proxy": proxy,
                    "trusted_proxy_count": 1,
                    "trusted_proxy_headers": set(_FORWARDED),
                }
            ),
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving and give the port back. May be called twice."""
        # first those that answer: each wakes the loop when it is done, which must still be there
        self._server.task_dispatcher.shutdown(timeout=1)
        if self._thread.is_alive():
            self._stop.set()
            # the loop looks once a second, if what wakes it at once has been closed
            with suppress(OSError):
                self._server.trigger.pull_trigger()
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while self._map and not self._stop.is_set():
            wasyncore.loop(timeout=_LOOK_SECONDS, map=self._map, count=1)
        # here and in no other thread, or the loop would wait on handles that are gone
        wasyncore.close_all(self._map, ignore_all=True)


class TlsServer:
    """Serves over HTTPS.

    Args:
        app: the WSGI app.
        listener: from `listen`.
        network: with certificate and key, checked.
    """

    def __init__(self, app: Wsgi, listener: socket.socket, network: Network) -> None:
        self._app = _never_empty(app)
        self._config = Config()
        self._config.certfile, self._config.keyfile = str(network.certificate), str(network.key)
        self._config.ssl_handshake_timeout = _HANDSHAKE_SECONDS
        self._config.wsgi_max_body_size = MAX_REQUEST_BYTES
        self._config.include_server_header = False
        self._config.graceful_timeout = 1.0
        # refused handshakes are no news to a teacher
        self._config.errorlog = logging.getLogger("hypercorn.error")
        logging.getLogger("hypercorn.error").setLevel(logging.WARNING)
        self._config.bind = [f"fd://{listener.detach()}"]
        self._loop = _Loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving and give the port back. May be called twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=5)

    def _run(self) -> None:
        serving = serve(self._app, self._config, shutdown_trigger=self._stop.wait, mode="wsgi")
        # where a client is cut off in the midst of its request, so is Hypercorn's own end; the runner ends what is left
        with suppress(asyncio.CancelledError), asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(serving)


class _Loop(asyncio.SelectorEventLoop):
    """Waits for a client's goodbye no longer than `_GOODBYE_SECONDS`, instead of half a minute, and says nothing of one
    that does not come: how a client goes is no error of ours."""

    async def create_server(self, *given: Any, **named: Any) -> asyncio.Server:
        if named.get("ssl") is not None:
            named.setdefault("ssl_shutdown_timeout", _GOODBYE_SECONDS)
        return await super().create_server(*given, **named)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), OSError):
            super().call_exception_handler(context)


def _never_empty(app: Wsgi) -> Wsgi:
    """Hypercorn sends status and headers with the first part of the body: an answer without one gets an empty part."""

    def answered(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        parts = app(environ, start_response)
        return _Parts(parts)

    return answered


class _Parts:
    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Any:
        some = False
        for part in self._parts:
            some = True
            yield part
        if not some:
            yield b""

    def close(self) -> None:
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()

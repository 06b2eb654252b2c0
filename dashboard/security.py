"""What stands between the pages and the rest of the world, before anybody is asked who they are.

Every request must name a host that is ours (which defeats DNS rebinding, where a foreign name resolves to our
address) and, where it could change something, must come from a page of ours. Who asks is for `dashboard.door`.
"""

import ipaddress
import logging
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dash.exceptions import DependencyException, InvalidResourceError
from flask import Flask, Response, request

from dashboard.callback_bodies import fault_of
from dashboard.errors import AddressRefusedError
from dashboard.forwarding import forwarding_fault

_log = logging.getLogger(__name__)

_LOOPBACK_HOST: Final = re.compile(
    r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE | re.ASCII
)
_HOST: Final = re.compile(
    r"(?P<name>[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:\d{1,5})?", re.IGNORECASE | re.ASCII
)

MAX_REQUEST_BYTES: Final = 1_000_000
"""Nothing that a page sends comes near this: a cursor, a note, a filter, a class list."""

CALLBACK_PATH: Final = "/_dash-update-component"

_READS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Hosts:
    """Under which hosts the pages may be asked for; this computer's own names always.

    Attributes:
        names: further ones without port, in small letters, such as "class.school.example".
        addresses: numeric addresses that are listened on, "*" for all of this computer's: a page that was rebound is
            asked for by a name, so a number is never one.
    """

    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    def serve(self, host: str) -> bool:
        """Whether a Host header names one of them."""
        if _LOOPBACK_HOST.fullmatch(host):
            return True
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found["name"].lower()
        if name in self.names:
            return True
        try:
            number = str(ipaddress.ip_address(name.strip("[]")))
        except ValueError:
            return False
        return "*" in self.addresses or number in self.addresses


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the pages are served.

    Attributes:
        family: of the address.
        address: numeric.
        beyond: other computers can reach it.
    """

    family: socket.AddressFamily
    address: str
    beyond: bool

    @property
    def hosts(self) -> frozenset[str]:
        """Numbers by which it can be asked for, as `Hosts.addresses`."""
        if not self.beyond:
            return frozenset()
        everywhere = ipaddress.ip_address(self.address).is_unspecified
        return frozenset({"*" if everywhere else self.address})


def listening_at(host: str) -> Listening:
    """The address to listen on.

    Args:
        host: "localhost" or a numeric address.

    Raises:
        AddressRefusedError: it is not an address.
    """
    name = host.strip().strip("[]").lower()
    if name == "localhost":
        return Listening(socket.AF_INET, "127.0.0.1", beyond=False)
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if address is None or getattr(address, "ipv4_mapped", None) or getattr(address, "scope_id", None):
        raise AddressRefusedError(
            f"The dashboard cannot listen on {host!r}: leave out --host for this computer only, or give a numeric "
            "address of this computer such as 192.168.1.7, or 0.0.0.0 for all of them."
        )
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    return Listening(family, str(address), beyond=not address.is_loopback)


def refusal(
    host: str | None,
    origin: str | None,
    fetch_site: str | None,
    method: str,
    *,
    scheme: str = "http",
    hosts: Hosts | None = None,
) -> tuple[str, int] | None:
    """Why a request is turned away, with the HTTP status; None where it may pass.

    Args:
        host: the Host header.
        origin: the Origin header; browsers send it with everything that could change something.
        fetch_site: the Sec-Fetch-Site header.
        method: the HTTP method.
        scheme: over which it came, http or https.
        hosts: that are served; None for this computer's own names.
    """
    if host is None or not (hosts or Hosts()).serve(host):
        return "This address is not served here. Open the dashboard under the address that it told.", 421
    if origin is not None and origin.lower() != f"{scheme}://{host.lower()}":
        return "Another site may not use the dashboard.", 403
    if method not in _READS and (
        fetch_site not in {None, "same-origin"} or (origin is None and fetch_site is None)
    ):
        return "Only a page of the dashboard may do that.", 403
    return None


def protect(
    server: Flask,
    script_hashes: Callable[[], list[str]],
    hosts: Hosts | None = None,
    proxy: str | None = None,
) -> None:
    """Check every request and put the protecting headers on every answer.

    Args:
        server: the Flask server of the app.
        script_hashes: CSP sources of the inline scripts; asked once, with the first answer.
        hosts: that are served; None for this computer's own names.
        proxy: address of the proxy in front, None where there is none.
    """
    server.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    server.config["MAX_FORM_MEMORY_SIZE"] = MAX_REQUEST_BYTES
    policy: list[str] = []

    @server.before_request
    def turn_away() -> Response | None:
        passed_on = forwarding_fault(request.remote_addr, request.headers, proxy)
        # whether classpulse runs is told to whoever looks after this computer, who asks without the proxy
        if passed_on is not None and not (proxy and request.path == "/health"):
            _log.warning("a request was turned away: %s", passed_on)
            return said(passed_on, 403)
        refused = refusal(
            request.headers.get("Host"),
            request.headers.get("Origin"),
            request.headers.get("Sec-Fetch-Site"),
            request.method,
            scheme=request.scheme,
            hosts=hosts,
        )
        return None if refused is None else said(*refused)

    @server.after_request
    def add_headers(response: Response) -> Response:
        if not policy:
            policy.append(content_security_policy(script_hashes()))
        response.headers["Content-Security-Policy"] = policy[0]
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if (
            response.mimetype in {"text/html", "application/json"}
            or "Content-Disposition" in response.headers
        ):
            # names of students: not for the browser's disk
            response.headers["Cache-Control"] = "no-store"
        return response


def check_callbacks(server: Flask, callbacks: Callable[[], Mapping[str, Any]]) -> None:
    """Refuse what no page of ours would ask of Dash, with a sentence and no traceback.

    Args:
        server: the Flask server of the app.
        callbacks: `Dash.callback_map` as it is by then.
    """

    for unknown in (DependencyException, InvalidResourceError):
        server.register_error_handler(unknown, lambda _error: said("There is no such file.", 404))

    @server.before_request
    def refuse_malformed() -> Response | None:
        if request.path != CALLBACK_PATH or request.method != "POST":
            return None
        if not request.is_json:
            return said("A callback is asked for with JSON.", 400)
        fault = fault_of(request.get_data(), callbacks())
        if fault is None:
            return None
        _log.warning("a callback was asked for in a way that no page does: %s", fault)
        return said(fault, 400)


def said(text: str, status: int) -> Response:
    """An answer in plain text, so that nothing in it is taken for a page."""
    return Response(text, status, mimetype="text/plain")


def content_security_policy(script_hashes: list[str]) -> str:
    """Everything from this server, nothing from elsewhere. Mantine and Plotly write style attributes."""
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *script_hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )

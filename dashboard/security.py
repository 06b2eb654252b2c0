"""What stands between the page and the rest of the world.

The pages are for this computer alone: every request must name a loopback host (which defeats DNS rebinding, where a
foreign name resolves to 127.0.0.1) and, where the browser says which page asks, must come from our own.
"""

import ipaddress
import re
import socket
from collections.abc import Callable
from typing import Final

from flask import Flask, Response, request

from dashboard.errors import AddressRefusedError

_LOOPBACK_HOST: Final = re.compile(
    r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE | re.ASCII
)

MAX_REQUEST_BYTES: Final = 1_000_000
"""Nothing that a page sends comes near this: a cursor, a note, a filter."""


def require_loopback(host: str) -> tuple[socket.AddressFamily, str]:
    """The address family and numeric address to listen on.

    Args:
        host: "localhost" or a numeric loopback address.

    Raises:
        AddressRefusedError: other computers could reach it, or it is not an address.
    """
    name = host.strip().strip("[]").lower()
    if name == "localhost":
        return socket.AF_INET, "127.0.0.1"
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    # only what `refusal` then knows as ours: ::1 has further spellings (mapped, with a zone)
    if address is None or not _LOOPBACK_HOST.fullmatch(
        f"[{address}]" if address.version == 6 else str(address)
    ):
        raise AddressRefusedError(
            f"The dashboard listens on this computer only, and {host!r} is not a loopback address: it would show the "
            "class to the network without a login. Leave out --host, or use 127.0.0.1."
        )
    return (socket.AF_INET6 if address.version == 6 else socket.AF_INET), str(address)


def refusal(
    host: str | None, origin: str | None, fetch_site: str | None, method: str
) -> tuple[str, int] | None:
    """Why a request is turned away, with the HTTP status; None where it may pass.

    Args:
        host: the Host header.
        origin: the Origin header; browsers send it with everything that could change something.
        fetch_site: the Sec-Fetch-Site header.
        method: the HTTP method.
    """
    if host is None or not _LOOPBACK_HOST.fullmatch(host):
        return "This address is not served here. Open the dashboard at http://127.0.0.1 with its port.", 421
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        return "Another site may not use the dashboard.", 403
    if fetch_site in {"cross-site", "same-site"} and method not in {"GET", "HEAD"}:
        return "Another site may not use the dashboard.", 403
    return None


def protect(server: Flask, script_hashes: Callable[[], list[str]]) -> None:
    """Check every request and put the protecting headers on every answer.

    Args:
        server: the Flask server of the app.
        script_hashes: CSP sources of the inline scripts; asked once, with the first answer.
    """
    server.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    policy: list[str] = []

    @server.before_request
    def turn_away() -> tuple[str, int, dict[str, str]] | None:
        refused = refusal(
            request.headers.get("Host"),
            request.headers.get("Origin"),
            request.headers.get("Sec-Fetch-Site"),
            request.method,
        )
        return None if refused is None else (*refused, {"Content-Type": "text/plain; charset=utf-8"})

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

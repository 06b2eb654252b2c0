"""Whether a request comes from this computer itself, or was passed on by a proxy that serves others.

What may be done on this computer only (come by a one-time link, see the picture of the screen, be served without TLS)
must not fall to everybody because a proxy stands in front: it asks from this computer too.
"""

import ipaddress
from collections.abc import Mapping
from typing import Final

from werkzeug.datastructures import Headers

_TELL: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")
"""Headers by which a proxy says that it passes something on."""


def is_loopback(address: str | None) -> bool:
    """Whether an address is one by which only this computer reaches itself."""
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def is_from_here(address: str | None, headers: Mapping[str, str] | Headers) -> bool:
    """Whether a request comes from this computer and through no proxy.

    Args:
        address: where it comes from.
        headers: of the request.
    """
    return is_loopback(address) and not any(name in headers for name in _TELL)


def forwarding_fault(
    address: str | None, headers: Mapping[str, str] | Headers, proxy: str | None
) -> str | None:
    """Why a request is turned away for the proxy that it came through, or may have come through.

    Args:
        address: where it comes from, as far as the proxy's word is taken for it.
        headers: of the request.
        proxy: address of the proxy that the settings name; None where they name none.
    """
    if proxy is None:
        if is_loopback(address) and any(name in headers for name in _TELL):
            return "A proxy passed this on that the settings do not name: give dashboard.proxy (docs/accounts.md)."
        return None
    if address == proxy and "X-Forwarded-For" not in headers:
        return (
            "The proxy does not say for whom it asks: let it send X-Forwarded-For, X-Forwarded-Proto and "
            "X-Forwarded-Host (docs/accounts.md)."
        )
    return None

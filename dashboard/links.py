"""One-time links: whoever runs classpulse lets their own browser in without a password.

A link is signed with the secret of this installation, so `classpulse link` can make one while the pages are served; the
database remembers that it was used.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import Engine

from storage.logins import use_link

PATH: Final = "/enter"

LIFETIME: Final = timedelta(hours=1)
"""After which a link is good no more."""


def signer(secret: bytes, purpose: str) -> URLSafeTimedSerializer:
    """What signs for one purpose with the secret of this installation (HMAC-SHA-256)."""
    return URLSafeTimedSerializer(
        secret,
        salt=f"classpulse {purpose}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )


def new_link(secret: bytes, url: str, page: str = "/") -> str:
    """A link that opens the pages at `url` once, within `LIFETIME`, and leads to one of them."""
    key = str(signer(secret, "link").dumps(secrets.token_urlsafe(16)))
    return f"{url}{PATH}?{urlencode({'key': key, 'to': page} if page != '/' else {'key': key})}"


def spend(engine: Engine, secret: bytes, key: str, now: datetime) -> bool:
    """Use a link up: whether it is one of ours, is not too old, and was not used before.

    Args:
        engine: from `storage.database.open_database`, migrated.
        secret: of this installation.
        key: what stands in the link.
        now: aware UTC.
    """
    try:
        nonce = signer(secret, "link").loads(key, max_age=int(LIFETIME.total_seconds()))
    except BadData:
        return False
    return isinstance(nonce, str) and use_link(engine, nonce, now, LIFETIME)

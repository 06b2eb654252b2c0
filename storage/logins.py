"""Who is logged in: browsers that were let in, and one-time links that were used.

A browser holds a random token, the database its SHA-256: who reads the database cannot become anybody.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from storage.accounts import Account, read_account
from storage.database import reading, write_engine, writing
from storage.schema import LoginTable, UsedLinkTable

LONGEST: Final = timedelta(hours=12)
"""After this long a browser has to log in again, whatever it does."""

IDLE: Final = timedelta(hours=2)
"""After this long without a request too; an open page asks all the time."""

_NOTED_EVERY: Final = timedelta(minutes=1)
"""A request writes only where the last one that wrote is this long ago."""


@dataclass(frozen=True, slots=True)
class Login:
    """A browser that was let in.

    Attributes:
        key: by which the database knows it.
        account: whose; None where it came by a one-time link, which whoever runs classpulse has.
    """

    key: str
    account: Account | None


def open_login(engine: Engine, account_id: int | None, now: datetime) -> str:
    """Let a browser in and return its token; logins that ran out are forgotten.

    Args:
        engine: from `storage.database.open_database`, migrated.
        account_id: whose; None for who came by a one-time link.
        now: aware UTC, the clock on the wall.
    """
    token = secrets.token_urlsafe(32)
    with writing(engine) as connection:
        connection.execute(
            delete(LoginTable).where(
                (LoginTable.made_at <= now - LONGEST) | (LoginTable.seen_at <= now - IDLE)
            )
        )
        connection.execute(
            insert(LoginTable).values(token=_key(token), account_id=account_id, made_at=now, seen_at=now)
        )
    return token


def find_login(engine: Engine, token: str, now: datetime) -> Login | None:
    """Who holds the token; None where nobody does, any more.

    Args:
        engine: from `storage.database.open_database`, migrated.
        token: as the browser sends it.
        now: aware UTC, the clock on the wall.
    """
    key = _key(token)
    with reading(engine) as connection:
        row = connection.execute(
            select(LoginTable.account_id, LoginTable.seen_at).where(
                LoginTable.token == key, LoginTable.made_at > now - LONGEST, LoginTable.seen_at > now - IDLE
            )
        ).one_or_none()
        if row is None:
            return None
        account = None if row.account_id is None else read_account(connection, row.account_id)
    if row.account_id is not None and account is None:
        return None
    if now - row.seen_at > _NOTED_EVERY:
        with writing(engine) as connection:
            connection.execute(update(LoginTable).where(LoginTable.token == key).values(seen_at=now))
    return Login(key, account)


def close_login(engine: Engine, key: str) -> None:
    """Let one browser out; what it holds is worth nothing from now on."""
    with writing(engine) as connection:
        connection.execute(delete(LoginTable).where(LoginTable.token == key))


def close_logins(engine: Engine, account_id: int | None) -> None:
    """Let every browser of an account out; None: every one that came by a one-time link."""
    of_account = (
        LoginTable.account_id.is_(None) if account_id is None else LoginTable.account_id == account_id
    )
    with writing(engine) as connection:
        connection.execute(delete(LoginTable).where(of_account))


def use_link(engine: Engine, nonce: str, now: datetime, lifetime: timedelta) -> bool:
    """Use a one-time link up; False where somebody was first.

    Args:
        engine: from `storage.database.open_database`, migrated.
        nonce: what is random in the link.
        now: aware UTC, the clock on the wall.
        lifetime: after which no link is good any more, used or not.
    """
    try:
        with write_engine(engine).begin() as connection:
            connection.execute(delete(UsedLinkTable).where(UsedLinkTable.used_at < now - 2 * lifetime))
            connection.execute(insert(UsedLinkTable).values(nonce=nonce, used_at=now))
    except IntegrityError:
        return False
    return True


def _key(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

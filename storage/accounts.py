"""Accounts: who may open the pages with a password, as what, and which classes a teacher may see.

Passwords come in hashed (`dashboard.passwords`); what is changed here ends the logins that stood on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from engagement.errors import InvalidRecordError
from engagement.names import clean_name
from storage.audit import AuditAction, write_audit
from storage.database import reading, writing
from storage.errors import AccountExistsError, UnknownAccountError
from storage.schema import (
    AccountClassTable,
    AccountTable,
    ClassListTable,
    LoginTable,
    Role,
    SessionTable,
)
from storage.students import written_class

__all__ = [
    "Account",
    "Role",
    "accounts",
    "add_account",
    "compared",
    "find_account",
    "has_accounts",
    "is_last_admin",
    "password_hash",
    "remove_account",
    "set_classes",
    "set_password",
    "set_role",
]

_TAKEN: Final = frozenset({"command line", "page", "settings", "this computer", "unknown account"})
"""Names by which the audit log calls those who have no account, besides the commands of classpulse."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account.

    Attributes:
        id: never given to another account, even if this one is removed.
        name: cleaned; two accounts differ in more than capitals.
        role: what it may.
        classes: the names of the classes that a teacher may see, in order; an admin may see all.
        made_at: aware UTC.
        password_at: when the password was set last, aware UTC.
    """

    id: int
    name: str
    role: Role
    classes: tuple[str, ...]
    made_at: datetime
    password_at: datetime


def accounts(engine: Engine) -> list[Account]:
    """All accounts, by name."""
    with reading(engine) as connection:
        rows = connection.execute(select(*_COLUMNS).order_by(AccountTable.key)).all()
        return [_account(connection, row) for row in rows]


def has_accounts(engine: Engine) -> bool:
    """Whether anybody could log in."""
    with reading(engine) as connection:
        return connection.scalar(select(AccountTable.id).limit(1)) is not None


def find_account(engine: Engine, name: str) -> Account:
    """The account of that name, whatever its capitals.

    Raises:
        UnknownAccountError: there is none.
    """
    with reading(engine) as connection:
        return _find(connection, name)


def is_last_admin(engine: Engine, name: str) -> bool:
    """Whether the account of that name is an admin's and no other one is.

    Raises:
        UnknownAccountError: there is none of that name.
    """
    with reading(engine) as connection:
        found = _find(connection, name)
        admins = select(func.count()).select_from(AccountTable).where(AccountTable.role == str(Role.ADMIN))
        return found.role is Role.ADMIN and connection.scalar(admins) == 1


def password_hash(engine: Engine, name: str) -> tuple[int, str] | None:
    """Number and hashed password of the account of that name, as somebody typed it; None where there is none."""
    with reading(engine) as connection:
        row = connection.execute(
            select(AccountTable.id, AccountTable.password).where(AccountTable.key == compared(name))
        ).one_or_none()
    return None if row is None else (row.id, row.password)


def add_account(
    engine: Engine, name: str, role: Role, password: str, classes: Iterable[str], *, actor: str
) -> Account:
    """Make an account.

    Args:
        engine: from `storage.database.open_database`, migrated.
        name: as typed; it is cleaned.
        role: what it may.
        password: hashed.
        classes: that a teacher may see; they need not be there yet.
        actor: who does it, for the audit log.

    Raises:
        InvalidRecordError: nothing is left of a name once it is cleaned, or classes are given for an admin.
        AccountExistsError: there is one of that name.
    """
    cleaned = clean_name(name)
    if cleaned is None:
        raise InvalidRecordError("An account needs a name of at least one visible letter: type another one.")
    if compared(cleaned) in _TAKEN or compared(cleaned).startswith("classpulse"):
        raise InvalidRecordError(f"The audit log calls others {cleaned!r}: type another name.")
    now = datetime.now(UTC)
    with writing(engine) as connection:
        if (
            connection.scalar(select(AccountTable.id).where(AccountTable.key == compared(cleaned)))
            is not None
        ):
            raise AccountExistsError(
                f'There is an account "{cleaned}" already: choose another name, or change that one.'
            )
        number = connection.execute(
            insert(AccountTable)
            .values(
                name=cleaned,
                key=compared(cleaned),
                role=str(role),
                password=password,
                made_at=now,
                password_at=now,
            )
            .returning(AccountTable.id)
        ).scalar_one()
        _give(connection, number, role, classes)
        write_audit(connection, AuditAction.ACCOUNT_MADE, actor, number, role=str(role))
        return _find(connection, cleaned)


def remove_account(engine: Engine, name: str, *, actor: str) -> Account:
    """Remove an account, with its logins, and return it as it stood.

    Raises:
        UnknownAccountError: there is none of that name.
    """
    with writing(engine) as connection:
        found = _find(connection, name)
        connection.execute(delete(AccountTable).where(AccountTable.id == found.id))
        write_audit(connection, AuditAction.ACCOUNT_REMOVED, actor, found.id)
    return found


def set_password(engine: Engine, name: str, password: str, *, actor: str, keep: str | None = None) -> None:
    """Give an account another password; every browser that was let in with the old one is out.

    Args:
        engine: from `storage.database.open_database`, migrated.
        name: of the account.
        password: hashed.
        actor: who does it.
        keep: the login (`storage.logins`) of whoever changes their own password, which goes on.

    Raises:
        UnknownAccountError: there is none of that name.
    """
    with writing(engine) as connection:
        found = _find(connection, name)
        connection.execute(
            update(AccountTable)
            .where(AccountTable.id == found.id)
            .values(password=password, password_at=datetime.now(UTC))
        )
        gone = delete(LoginTable).where(LoginTable.account_id == found.id)
        connection.execute(gone if keep is None else gone.where(LoginTable.token != keep))
        write_audit(connection, AuditAction.ACCOUNT_CHANGED, actor, found.id, changed="password")


def set_role(engine: Engine, name: str, role: Role, *, actor: str) -> None:
    """Let an account do more or less; it holds from the next request on. An admin's list of classes is let go.

    Raises:
        UnknownAccountError: there is none of that name.
    """
    with writing(engine) as connection:
        found = _find(connection, name)
        connection.execute(update(AccountTable).where(AccountTable.id == found.id).values(role=str(role)))
        if role is Role.ADMIN:
            connection.execute(delete(AccountClassTable).where(AccountClassTable.account_id == found.id))
        write_audit(connection, AuditAction.ACCOUNT_CHANGED, actor, found.id, changed="role", role=str(role))


def set_classes(engine: Engine, name: str, classes: Iterable[str], *, actor: str) -> None:
    """Let a teacher see these classes and no others; it holds from the next request on.

    Raises:
        UnknownAccountError: there is none of that name.
        InvalidRecordError: nothing is left of a name once it is cleaned, or the account is an admin's.
    """
    with writing(engine) as connection:
        found = _find(connection, name)
        connection.execute(delete(AccountClassTable).where(AccountClassTable.account_id == found.id))
        count = _give(connection, found.id, found.role, classes)
        write_audit(
            connection, AuditAction.ACCOUNT_CHANGED, actor, found.id, changed="classes", classes=count
        )


_COLUMNS = (
    AccountTable.id,
    AccountTable.name,
    AccountTable.role,
    AccountTable.made_at,
    AccountTable.password_at,
)


def compared(name: str) -> str:
    """The name as it is compared: cleaned, whatever its capitals; empty where nothing is left."""
    return (clean_name(name) or "").casefold()


def _find(connection: Connection, name: str) -> Account:
    row = connection.execute(select(*_COLUMNS).where(AccountTable.key == compared(name))).one_or_none()
    if row is None:
        raise UnknownAccountError(
            f'There is no account "{clean_name(name) or ""}": `classpulse accounts list` lists those there are.'
        )
    return _account(connection, row)


def read_account(connection: Connection, number: int) -> Account | None:
    """An account by its number, within a transaction; None where it was removed."""
    row = connection.execute(select(*_COLUMNS).where(AccountTable.id == number)).one_or_none()
    return None if row is None else _account(connection, row)


def _account(connection: Connection, row: Any) -> Account:
    classes = connection.scalars(
        select(AccountClassTable.class_name)
        .where(AccountClassTable.account_id == row.id)
        .order_by(func.lower(AccountClassTable.class_name), AccountClassTable.class_name)
    )
    return Account(row.id, row.name, Role(row.role), tuple(classes), row.made_at, row.password_at)


def _give(connection: Connection, number: int, role: Role, classes: Iterable[str]) -> int:
    names = list(classes)
    if names and role is Role.ADMIN:
        raise InvalidRecordError(
            "An admin sees every class: give no classes, or make it a teacher's account."
        )
    there = {*connection.scalars(select(ClassListTable.name)), *connection.scalars(select(SessionTable.name))}
    cleaned = {name: clean_name(name) or "" for name in names}
    # of two classes that differ by capitals each is its own; where there is only one, it is meant
    wanted = sorted(
        {one if one in there else written_class(connection, name) for name, one in cleaned.items()}
    )
    if wanted:
        connection.execute(
            insert(AccountClassTable), [{"account_id": number, "class_name": name} for name in wanted]
        )
    return len(wanted)

"""The audit log: who may be read and how, and what left the database. It holds numbers, never names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, select

from storage.database import reading, writing
from storage.schema import AuditAction, AuditTable
from storage.scope import current_scope

__all__ = [
    "THIS_COMPUTER",
    "AuditAction",
    "AuditEntry",
    "audit",
    "audit_change",
    "audit_entries",
    "write_audit",
]


_ENTRY = (
    AuditTable.id,
    AuditTable.at,
    AuditTable.actor,
    AuditTable.action,
    AuditTable.subject,
    AuditTable.detail,
    AuditTable.account_id,
)


THIS_COMPUTER: Final = "this computer"
"""The actor where nobody says who it is: whoever sits at it."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log.

    Attributes:
        id: 1, 2, ...; a gap means that somebody took a line out.
        at: aware UTC, the clock on the wall.
        actor: who did it: an account, or the door it came through, such as `command line`.
        action: what was done.
        subject: number of the session or student; None where it is about neither.
        detail: the rest, JSON types, such as the mode that was chosen.
        account_id: number of the account that did it; None where none did. A name may come again, a number does not.
    """

    id: int
    at: datetime
    actor: str
    action: AuditAction
    subject: int | None
    detail: Mapping[str, Any]
    account_id: int | None = None


def audit(
    engine: Engine, action: AuditAction, actor: str, subject: int | None = None, **detail: object
) -> None:
    """Add a line, in a transaction of its own.

    Args:
        engine: from `storage.database.open_database`, migrated.
        action, actor, subject: as in `AuditEntry`.
        detail: JSON types; no names.
    """
    with writing(engine) as connection:
        write_audit(connection, action, actor, subject, **detail)


def audit_change(engine: Engine, action: AuditAction, actor: str, **detail: object) -> None:
    """Add a line, unless the last one of this action says the same."""
    with writing(engine) as connection:
        last = connection.scalar(
            select(AuditTable.detail)
            .where(AuditTable.action == str(action))
            .order_by(AuditTable.id.desc())
            .limit(1)
        )
        if last != detail:
            write_audit(connection, action, actor, None, **detail)


def write_audit(
    connection: Connection, action: AuditAction, actor: str, subject: int | None = None, **detail: object
) -> None:
    """As `audit`, in the transaction of what it tells of, so that neither is there without the other.

    Where an account asks, the line says which, whatever door it came through.
    """
    scope = current_scope()
    connection.execute(
        insert(AuditTable).values(
            at=datetime.now(UTC),
            actor=scope.actor if scope else actor,
            action=str(action),
            subject=subject,
            detail=detail,
            account_id=scope.account_id if scope else None,
        )
    )


def audit_entries(engine: Engine, most: int | None = None) -> list[AuditEntry]:
    """The log, newest first, at most `most` lines of it."""
    query = select(*_ENTRY).order_by(AuditTable.id.desc())
    with reading(engine) as connection:
        rows = connection.execute(query if most is None else query.limit(most)).mappings().all()
    return [AuditEntry(**{**row, "action": AuditAction(row["action"])}) for row in rows]

"""The audit log: one line per act, in order, with or without what it tells of."""

import pytest
from sqlalchemy import Engine, delete

from storage.audit import AuditAction, audit, audit_entries, write_audit
from storage.database import writing
from storage.errors import RowRefusedError
from storage.schema import AuditTable


def test_lines_come_newest_first(engine: Engine) -> None:
    audit(engine, AuditAction.PLACE_TOLD, "command line", place="elsewhere", setting="school")
    audit(engine, AuditAction.SESSION_STARTED, "page", 7, mode="individual", class_agreed=True)
    newest, first = audit_entries(engine)
    assert (newest.action, newest.actor, newest.subject) == (AuditAction.SESSION_STARTED, "page", 7)
    assert newest.detail == {"mode": "individual", "class_agreed": True}
    assert first.subject is None
    assert newest.at >= first.at
    assert newest.at.utcoffset() is not None
    assert [entry.id for entry in audit_entries(engine, most=1)] == [newest.id]


def test_a_line_goes_with_what_it_tells_of(engine: Engine) -> None:
    def erase_and_break() -> None:
        with writing(engine) as connection:
            write_audit(connection, AuditAction.SESSION_ERASED, "command line", 3)
            raise RuntimeError("broke")

    with pytest.raises(RuntimeError, match="broke"):
        erase_and_break()
    assert audit_entries(engine) == []


def test_a_line_that_was_taken_out_leaves_a_gap(engine: Engine) -> None:
    for subject in (1, 2):
        audit(engine, AuditAction.SESSION_ERASED, "page", subject)
    last = audit_entries(engine)[0].id
    with writing(engine) as connection:
        connection.execute(delete(AuditTable).where(AuditTable.id == last))
    audit(engine, AuditAction.SESSION_ERASED, "page", 3)
    assert audit_entries(engine)[0].id == last + 1


def test_an_actor_is_somebody(engine: Engine) -> None:
    with pytest.raises(RowRefusedError):
        audit(engine, AuditAction.SESSION_ERASED, "", 1)

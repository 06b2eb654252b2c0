"""What the commands do with sessions that were kept: report, list, erase, keep, and the audit log."""

import json
from collections.abc import Callable
from typing import Any

from classpulse.database import existing_database, is_nothing_kept
from classpulse.options import ACTOR
from classpulse.settings import Settings


def report(chosen: Settings, session: str, report_format: str) -> bytes:
    """The report of a session in one of `dashboard.exports.FORMATS`.

    Raises:
        NoDatabaseError: there is no database.
        UnknownSessionError: there is no such session.
        ExportError: it cannot be printed on this computer.
    """
    from dashboard.exports import export_session
    from storage import queries

    with existing_database(chosen) as engine:
        session_id = queries.find_session(engine, session).id
        return export_session(engine, session_id, report_format, actor=ACTOR)


def sessions(chosen: Settings) -> list[dict[str, Any]]:
    """The sessions, newest first, as JSON types.

    Raises:
        NoDatabaseError: the settings name a database that is not there.
    """
    from storage import queries

    if is_nothing_kept(chosen):
        return []
    columns = [
        "id",
        "name",
        "mode",
        "source",
        "started_at",
        "ended_at",
        "intervals",
        "most_tiles",
        "coverage",
    ]
    with existing_database(chosen) as engine:
        rows = queries.sessions(engine)[columns]
    return list(json.loads(rows.to_json(orient="records", date_format="iso", date_unit="s")))


def erase(chosen: Settings, session: str, *, confirm: Callable[[str], bool]) -> str:
    """Erase one session once `confirm` has agreed to a sentence that says which; what was done, in words.

    Raises:
        NoDatabaseError: there is no database.
        UnknownSessionError: there is no such session.
    """
    from storage import queries
    from storage.retention import erase_session

    with existing_database(chosen) as engine:
        row = queries.find_session(engine, session)
        which = f"session {row.id} ({row.name}, {row.started_at.astimezone():%Y-%m-%d %H:%M})"
        if not confirm(f"Erase {which} with all its readings and notes?"):
            return "Nothing was erased."
        erase_session(engine, row.id, actor=ACTOR)
    return f"Erased {which}."


def keep(chosen: Settings, session: str, *, kept: bool) -> str:
    """Spare one session from being erased after its time, or no longer; what was done, in words.

    Raises:
        NoDatabaseError: there is no database.
        UnknownSessionError: there is no such session.
    """
    from storage import queries
    from storage.retention import set_kept

    with existing_database(chosen) as engine:
        row = queries.find_session(engine, session)
        set_kept(engine, row.id, kept=kept, actor=ACTOR)
    which = f"Session {row.id} ({row.name}, {row.started_at.astimezone():%Y-%m-%d %H:%M})"
    if kept:
        return f"{which} is kept until you erase it."
    return f"{which} is erased {chosen.storage.keep_days} days after it was made."


def audit_log(chosen: Settings, most: int) -> list[dict[str, Any]]:
    """The newest lines of the audit log, the newest first, as JSON types.

    Raises:
        NoDatabaseError: the settings name a database that is not there.
    """
    from storage.audit import audit_entries

    if is_nothing_kept(chosen):
        return []
    with existing_database(chosen) as engine:
        entries = audit_entries(engine, most)
    return [
        {
            "id": entry.id,
            "at": entry.at.isoformat(timespec="seconds"),
            "actor": entry.actor,
            "action": str(entry.action),
            "subject": entry.subject,
            "detail": dict(entry.detail),
            "account_id": entry.account_id,
        }
        for entry in entries
    ]

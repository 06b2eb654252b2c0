"""The teacher's notes and topics on the timeline of a session."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, delete, func, insert, select, update

from engagement.errors import InvalidRecordError
from engagement.records import NoteKind
from storage.database import reading, writing
from storage.errors import UnknownNoteError, UnknownSessionError
from storage.schema import MAX_NOTE_LENGTH, NoteTable, SessionTable

_UNWANTED: Final = frozenset({"Cc", "Cf", "Cs"})
_JOINERS: Final = "\u200c\u200d"  # Persian words and many emoji are joined by them
_KEPT: Final = frozenset(_JOINERS + "\n")
_LINE_ENDS: Final = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Note:
    """One note as it is stored.

    Attributes:
        session_id: of its session.
        at: aware UTC, the moment on the session's timeline.
        text: cleaned.
        kind: free text, or a topic that begins.
        edited_at: when its text was changed last, aware UTC by the clock on the wall; None where it never was.
    """

    session_id: int
    at: datetime
    text: str
    kind: NoteKind = NoteKind.NOTE
    edited_at: datetime | None = None


def add_note(engine: Engine, session_id: int, at: datetime, text: str, kind: NoteKind = NoteKind.NOTE) -> int:
    """Store a note and return its id; a session that has ended takes notes too.

    Args:
        engine: from `storage.database.open_database`, migrated.
        session_id: the session.
        at: aware UTC, the moment on the session's timeline.
        text: as typed; cleaned by `clean_text`.
        kind: free text, or a topic that begins.

    Raises:
        UnknownSessionError: there is no such session.
        InvalidRecordError: nothing is left of the text once it is cleaned, or it is too long.
    """
    return restore_note(engine, Note(session_id, at, clean_text(text), kind))


def restore_note(engine: Engine, note: Note) -> int:
    """Store a note as it stands, for who takes a deletion back, and return its new id.

    Raises:
        UnknownSessionError: its session is gone.
    """
    with writing(engine) as connection:
        known = connection.scalar(select(SessionTable.id).where(SessionTable.id == note.session_id))
        if known is None:
            raise UnknownSessionError(
                f"There is no session {note.session_id} to note anything on: `classpulse sessions` lists those there "
                "are."
            )
        values = {name: getattr(note, name) for name in ("session_id", "at", "text", "edited_at")}
        return connection.execute(
            insert(NoteTable).values(**values, kind=str(note.kind)).returning(NoteTable.id)
        ).scalar_one()


def edit_note(engine: Engine, note_id: int, text: str, at: datetime) -> None:
    """Change the text of a note; its place on the timeline stays. The same text again changes nothing.

    Args:
        engine: from `storage.database.open_database`, migrated.
        note_id: as in `queries.notes`.
        text: as typed; cleaned by `clean_text`.
        at: aware UTC, the clock on the wall.

    Raises:
        UnknownNoteError: there is no such note any more.
        InvalidRecordError: nothing is left of the text once it is cleaned, or it is too long.
    """
    cleaned = clean_text(text)
    with writing(engine) as connection:
        before = connection.scalar(select(NoteTable.text).where(NoteTable.id == note_id))
        if before is None:
            raise _gone()
        if before != cleaned:
            connection.execute(
                update(NoteTable).where(NoteTable.id == note_id).values(text=cleaned, edited_at=at)
            )


def delete_note(engine: Engine, note_id: int) -> Note:
    """Remove a note and return it as it stood, so that `restore_note` can take it back.

    Raises:
        UnknownNoteError: there is no such note any more.
    """
    columns = (NoteTable.session_id, NoteTable.at, NoteTable.text, NoteTable.kind, NoteTable.edited_at)
    with writing(engine) as connection:
        row = connection.execute(
            delete(NoteTable).where(NoteTable.id == note_id).returning(*columns)
        ).one_or_none()
    if row is None:
        raise _gone()
    return Note(row.session_id, row.at, row.text, NoteKind(row.kind), row.edited_at)


def recent_topics(engine: Engine, without: Collection[str], most: int) -> list[str]:
    """The teacher's own last topics over all sessions, the latest used first.

    Args:
        engine: from `storage.database.open_database`, migrated.
        without: topics that are offered anyway.
        most: how many.
    """
    query = (
        select(NoteTable.text)
        .where(NoteTable.kind == str(NoteKind.TOPIC), NoteTable.text.not_in(without))
        .group_by(NoteTable.text)
        .order_by(func.max(NoteTable.id).desc())
        .limit(most)
    )
    with reading(engine) as connection:
        return list(connection.scalars(query))


def _gone() -> UnknownNoteError:
    return UnknownNoteError(
        "This note is no longer there: it was deleted in another window. Reload the page."
    )


def clean_text(text: str) -> str:
    """The text in NFC without control and direction characters; line ends become one kind.

    Raises:
        InvalidRecordError: nothing is left, or more than `MAX_NOTE_LENGTH` characters are.
    """
    lines = _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text.replace("\t", " ")))
    kept = "".join(c for c in lines if c in _KEPT or unicodedata.category(c) not in _UNWANTED).strip()
    if not kept.strip(_JOINERS + " \n"):
        raise InvalidRecordError("A note needs some text: type what happened.")
    if len(kept) > MAX_NOTE_LENGTH:
        raise InvalidRecordError(
            f"A note holds up to {MAX_NOTE_LENGTH} characters, this one has {len(kept)}: shorten it or make two."
        )
    return kept

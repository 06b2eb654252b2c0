"""The teacher's notes on the timeline of a session."""

import re
import unicodedata
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, insert, select

from engagement.errors import InvalidRecordError
from storage.database import writing
from storage.errors import UnknownSessionError
from storage.schema import MAX_NOTE_LENGTH, NoteTable, SessionTable

_UNWANTED: Final = frozenset({"Cc", "Cf", "Cs"})
_JOINERS: Final = "\u200c\u200d"  # Persian words and many emoji are joined by them
_KEPT: Final = frozenset(_JOINERS + "\n")
_LINE_ENDS: Final = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def add_note(engine: Engine, session_id: int, at: datetime, text: str) -> int:
    """Store a note and return its id; a session that has ended takes notes too.

    Args:
        engine: from `storage.database.open_database`, migrated.
        session_id: the session.
        at: aware UTC, the moment on the session's timeline.
        text: as typed; cleaned by `clean_text`.

    Raises:
        UnknownSessionError: there is no such session.
        InvalidRecordError: nothing is left of the text once it is cleaned, or it is too long.
    """
    cleaned = clean_text(text)
    with writing(engine) as connection:
        if connection.scalar(select(SessionTable.id).where(SessionTable.id == session_id)) is None:
            raise UnknownSessionError(
                f"There is no session {session_id} to note anything on: `classpulse sessions` lists those there are."
            )
        return connection.execute(
            insert(NoteTable).values(session_id=session_id, at=at, text=cleaned).returning(NoteTable.id)
        ).scalar_one()


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

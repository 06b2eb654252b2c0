"""Notes on the timeline."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from engagement.errors import InvalidRecordError
from storage import queries
from storage.errors import UnknownNoteError, UnknownSessionError
from storage.notes import add_note, clean_text, delete_note, edit_note
from storage.recorder import Recorder

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def test_notes_come_in_the_order_of_their_time_and_can_be_changed(engine: Engine, session_id: int) -> None:
    later = add_note(engine, session_id, START + timedelta(minutes=5), "Group work")
    Recorder(engine).close_session(session_id, START + timedelta(minutes=6))
    earlier = add_note(engine, session_id, START, "Quiz")
    assert queries.notes(engine, session_id)["text"].tolist() == ["Quiz", "Group work"]
    edit_note(engine, earlier, "  Short quiz  ")
    delete_note(engine, later)
    assert queries.notes(engine, session_id)[["id", "text"]].values.tolist() == [[earlier, "Short quiz"]]
    with pytest.raises(UnknownNoteError, match=f"no note {later} any more"):
        edit_note(engine, later, "too late")
    with pytest.raises(UnknownNoteError):
        delete_note(engine, later)
    with pytest.raises(UnknownSessionError, match="no session 99"):
        add_note(engine, 99, START, "lost")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\u202eevil\u2066 \x00\x1b[31m\ud800", "evil [31m"),
        ("می\u200cخواهم 👩\u200d🏫", "می\u200cخواهم 👩\u200d🏫"),
        ("=SUM(A1) <b>&amp;", "=SUM(A1) <b>&amp;"),
        ("e\u0301", "é"),
        ("x" * 2000 + " ", "x" * 2000),
    ],
)
def test_text_is_kept_as_typed_but_for_what_cannot_be_seen(
    engine: Engine, session_id: int, typed: str, kept: str
) -> None:
    add_note(engine, session_id, START, typed)
    assert queries.notes(engine, session_id)["text"].tolist() == [kept]


@pytest.mark.parametrize("typed", ["", " \n\t", "\u202e\x00", "\u200d", "x" * 2001])
def test_a_note_without_text_or_with_too_much_is_refused(typed: str) -> None:
    with pytest.raises(InvalidRecordError, match=r"needs some text|up to 2000 characters, this one has 2001"):
        clean_text(typed)

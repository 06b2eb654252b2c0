"""Notes on the timeline."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from engagement.errors import InvalidRecordError
from engagement.records import NoteKind
from storage import queries
from storage.errors import UnknownNoteError, UnknownSessionError
from storage.notes import add_note, clean_text, delete_note, edit_note, recent_topics, restore_note
from storage.recorder import Recorder

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def test_notes_come_in_the_order_of_their_time_and_after_the_end(engine: Engine, session_id: int) -> None:
    later = add_note(engine, session_id, START + timedelta(minutes=5), "Group work")
    Recorder(engine).close_session(session_id, START + timedelta(minutes=6))
    earlier = add_note(engine, session_id, START, "Quiz")
    kept = queries.notes(engine, session_id)
    assert kept[["id", "text"]].values.tolist() == [[earlier, "Quiz"], [later, "Group work"]]
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


def test_an_edit_changes_the_text_alone_and_says_when(engine: Engine, session_id: int) -> None:
    note = add_note(engine, session_id, START, "Quizz")
    later = START + timedelta(hours=1)
    edit_note(engine, note, "Quizz ", later)
    assert queries.notes(engine, session_id)["edited_at"].isna().all()  # the same text is no edit
    edit_note(engine, note, "Quiz\u202e", later)
    row = queries.notes(engine, session_id).iloc[0]
    assert (row["id"], row["text"], row["kind"]) == (note, "Quiz", "note")
    assert row["at"].to_pydatetime() == START
    assert row["edited_at"].to_pydatetime() == later
    with pytest.raises(InvalidRecordError, match="needs some text"):
        edit_note(engine, note, " ", later)
    with pytest.raises(UnknownNoteError, match="no longer there"):
        edit_note(engine, note + 1, "lost", later)


def test_a_deleted_note_can_be_put_back_as_it_was(engine: Engine, session_id: int) -> None:
    note = add_note(engine, session_id, START, "Group work", NoteKind.TOPIC)
    edit_note(engine, note, "Group work, tables 1 to 4", START + timedelta(minutes=2))
    before = queries.notes(engine, session_id).drop(columns="id").to_dict("records")
    gone = delete_note(engine, note)
    assert queries.notes(engine, session_id).empty
    with pytest.raises(UnknownNoteError):
        delete_note(engine, note)
    restore_note(engine, gone)
    assert queries.notes(engine, session_id).drop(columns="id").to_dict("records") == before


def test_own_topics_come_back_the_latest_first_and_once(engine: Engine, session_id: int) -> None:
    for minute, topic in enumerate(("Vectors", "Break", "Proofs", "Vectors", "Graphs")):
        add_note(engine, session_id, START + timedelta(minutes=minute), topic, NoteKind.TOPIC)
    add_note(engine, session_id, START, "a plain note")
    assert recent_topics(engine, {"Break"}, 9) == ["Graphs", "Vectors", "Proofs"]
    assert recent_topics(engine, {"Break"}, 2) == ["Graphs", "Vectors"]

"""The CHECKs: no other door can break an invariant of the records."""

import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Table, delete, insert, text, update

from engagement.records import IntervalRecord
from storage.database import writing
from storage.errors import NaiveDatetimeError, RowRefusedError
from storage.recorder import NewSession, Recorder
from storage.schema import (
    EpisodeTable,
    HeartbeatTable,
    IntervalTable,
    NoteTable,
    ReadingTable,
    SeatTable,
    SessionTable,
)

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

BROKEN: list[tuple[type[Any], dict[str, Any]]] = [
    (SessionTable, {"name": ""}),
    (SessionTable, {"name": "x" * 65}),
    (SessionTable, {"mode": "secret"}),
    (SessionTable, {"interval": 0}),
    (SessionTable, {"source": ""}),
    (SessionTable, {"source": "x" * 201}),
    (SessionTable, {"ended_at": datetime(2020, 1, 1, tzinfo=UTC)}),
    (SeatTable, {"number": 0}),
    (SeatTable, {"name": ""}),
    (SeatTable, {"name": "x" * 65}),
    (IntervalTable, {"seconds": 0}),
    (IntervalTable, {"not_observed": "covered"}),
    (IntervalTable, {"not_observed": "asleep", "tiles": 0, "faces": 0, "faces_read": 0}),
    (IntervalTable, {"tiles": 4}),
    (IntervalTable, {"faces": 4}),
    (IntervalTable, {"faces_read": 2}),
    (IntervalTable, {"n_seen": 2}),
    (IntervalTable, {"n_seen": 4, "n_no_face": -3}),
    (IntervalTable, {"happy": None}),
    (IntervalTable, {"happy": 2}),
    (IntervalTable, {"happy": 2, "sad": -1}),
    (IntervalTable, {"valence": None}),
    (IntervalTable, {"mood_faces": None}),
    (IntervalTable, {"valence": 0.9}),
    (IntervalTable, {"low": -1.5}),
    (IntervalTable, {"high": 1.5}),
    (IntervalTable, {"arousal": 1.5}),
    (IntervalTable, {"facing": 1.01}),
    (IntervalTable, {"dropped": -1}),
    (IntervalTable, {"processing_ms": -1}),
    (IntervalTable, {"session_id": 99}),
    (ReadingTable, {"seat": 0}),
    (ReadingTable, {"position": -1}),
    (ReadingTable, {"state": "bored"}),
    (ReadingTable, {"happy": 0.71, "angry": None}),
    (ReadingTable, {"happy": 0.8}),
    (ReadingTable, {"happy": 1.1, "angry": -0.35}),
    (ReadingTable, {"state": "turned_away"}),
    (ReadingTable, {"quality": 1.1}),
    (EpisodeTable, {"rule": "worst"}),
    (EpisodeTable, {"seat": -1}),
    (EpisodeTable, {"ended_at": datetime(2020, 1, 1, tzinfo=UTC)}),
    (NoteTable, {"text": ""}),
    (NoteTable, {"text": "x" * 2001}),
    (HeartbeatTable, {"stage": None}),
]


@pytest.fixture
def filled(engine: Engine, session_id: int, record: Callable[..., IntervalRecord]) -> Engine:
    """One row in every table."""
    Recorder(engine).commit(record(session_id))
    with writing(engine) as connection:
        connection.execute(delete(ReadingTable).where(ReadingTable.seat > 1))
        connection.execute(delete(SeatTable).where(SeatTable.number > 1))
        connection.execute(delete(EpisodeTable).where(EpisodeTable.seat > 0))
        connection.execute(insert(NoteTable).values(session_id=session_id, at=START, text="Quiz"))
    return engine


def test_every_broken_row_is_refused(filled: Engine) -> None:
    accepted = []
    for table, changes in BROKEN:
        try:
            with writing(filled) as connection:
                connection.execute(update(table).values(**changes))
        except RowRefusedError:
            continue
        accepted.append((table.__tablename__, changes))
    assert accepted == []


def test_the_rows_are_sound_before_they_are_broken(filled: Engine) -> None:
    """Each table's row can be changed to itself, so a refusal above is due to the change."""
    for table in {table for table, _ in BROKEN}:
        with writing(filled) as connection:
            row = connection.execute(table.__table__.select()).mappings().one()
            connection.execute(update(table).values(**row))


def test_every_check_is_broken_by_some_row() -> None:
    checked: dict[str, int] = {}
    for mapper in SessionTable.registry.mappers:
        table = mapper.local_table
        assert isinstance(table, Table)
        checked[table.name] = sum(1 for c in table.constraints if c.__visit_name__ == "check_constraint")
    for name, checks in checked.items():
        assert sum(1 for table, _ in BROKEN if table.__tablename__ == name) >= checks, name


def test_a_refused_row_is_told_without_what_is_in_it(
    postgres_engine: Engine, new_session: Callable[..., NewSession]
) -> None:
    """The server quotes the whole row in its second line."""
    session_id = Recorder(postgres_engine).open_session(new_session())
    row = {"session_id": session_id, "number": 0, "name": "Ada", "fingerprint": "", "first_seen_at": START}
    with (
        pytest.raises(RowRefusedError, match='"ck_seats_number"') as caught,
        writing(postgres_engine) as connection,
    ):
        connection.execute(insert(SeatTable).values(**row))
    told = "".join(traceback.format_exception(caught.value))
    assert "Ada" not in str(caught.value)
    assert "Failing row" not in told


def test_two_open_sessions_of_one_name_cannot_be(filled: Engine) -> None:
    with filled.connect() as connection:
        row = dict(connection.execute(SessionTable.__table__.select()).mappings().one())
    del row["id"]
    with pytest.raises(RowRefusedError), writing(filled) as connection:
        connection.execute(insert(SessionTable).values(**row))
    with writing(filled) as connection:
        connection.execute(insert(SessionTable).values(**{**row, "ended_at": row["started_at"]}))


def test_a_time_without_its_zone_is_refused(filled: Engine) -> None:
    with pytest.raises(NaiveDatetimeError, match="must carry its zone"), writing(filled) as connection:
        connection.execute(update(NoteTable).values(at=datetime(2026, 3, 2)))  # noqa: DTZ001


def test_what_belongs_to_a_session_goes_with_it(filled: Engine) -> None:
    with writing(filled) as connection:
        connection.execute(delete(SessionTable))
        # the log tells by number that there was a session, and stays
        assert connection.scalar(text("SELECT count(*) FROM audit_log")) == 1
        for mapper in SessionTable.registry.mappers:
            name = mapper.local_table.description
            if name == "audit_log":
                continue
            assert connection.scalar(text(f"SELECT count(*) FROM {name}")) == 0, name  # noqa: S608

"""What is erased is found in no byte that classpulse wrote."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from engagement.records import IntervalRecord, Seat
from storage import queries
from storage.database import open_database
from storage.errors import DatabaseLockedError, SessionBusyError, UnknownSessionError
from storage.migrate import migrate, script_folder
from storage.notes import add_note
from storage.recorder import NewSession, Recorder

MakeSession = Callable[..., NewSession]
MakeRecord = Callable[..., IntervalRecord]

SECRETS = ("Wilhelmina", "fingerprint-of-hers", "She left early", "Confidential lesson")


def fill(engine: Engine, new_session: MakeSession, record: MakeRecord) -> int:
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session(name=SECRETS[3]))
    others = record(session_id).seats[1:]
    for index in range(30):
        recorder.commit(record(session_id, index, seats=(Seat(1, SECRETS[0], SECRETS[1]), *others)))
    add_note(engine, session_id, new_session().started_at, SECRETS[2])
    return session_id


def found(folder: Path) -> set[tuple[str, str]]:
    return {
        (secret, path.name)
        for path in folder.iterdir()
        for secret in SECRETS
        if secret.encode() in path.read_bytes() or secret.encode("utf-16-le") in path.read_bytes()
    }


def test_an_erased_session_is_in_no_byte_of_the_folder(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord, tmp_path: Path
) -> None:
    folder = Path(str(sqlite_engine.url.database)).parent
    recorder = Recorder(sqlite_engine)
    kept = recorder.open_session(new_session(name="Kept"))
    recorder.commit(record(kept))
    session_id = fill(sqlite_engine, new_session, record)
    recorder.close_session(session_id, new_session().started_at + timedelta(minutes=1))
    scripts = tmp_path / "scripts"
    shutil.copytree(script_folder(), scripts)
    (scripts / "versions" / "9999_later.py").write_text(
        'revision = "9999"\ndown_revision = "0002"\nbranch_labels = depends_on = None\n\n\ndef upgrade():\n    pass\n'
    )
    assert migrate(sqlite_engine, scripts) is not None
    names = {name for _, name in found(folder)}
    assert any("backup" in name for name in names)
    assert len({secret for secret, _ in found(folder)}) == len(SECRETS)

    queries.erase_session(sqlite_engine, session_id)

    assert found(folder) == set()
    assert len(queries.readings_since(sqlite_engine, kept)) == 3
    assert len(queries.readings_since(sqlite_engine, session_id)) == 0


def test_the_number_of_an_erased_session_is_never_given_again(
    engine: Engine, new_session: MakeSession
) -> None:
    recorder = Recorder(engine)
    first = recorder.open_session(new_session())
    recorder.close_session(first, new_session().started_at)
    queries.erase_session(engine, first)
    assert recorder.open_session(new_session()) > first
    with pytest.raises(UnknownSessionError, match=f"no session {first}"):
        queries.erase_session(engine, first)


def test_a_session_that_runs_is_not_erased(engine: Engine, session_id: int) -> None:
    with pytest.raises(SessionBusyError, match="still open, held by classpulse watch"):
        queries.erase_session(engine, session_id)
    assert queries.find_session(engine, "last").id == session_id


def test_a_reader_that_keeps_the_log_from_being_emptied_is_told(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = fill(sqlite_engine, new_session, record)
    Recorder(sqlite_engine).close_session(session_id, new_session().started_at)
    monkeypatch.setattr("storage.database.BUSY_SECONDS", 0.2)
    impatient = open_database(f"sqlite:///{sqlite_engine.url.database}")
    with sqlite_engine.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM readings").scalar()
        with pytest.raises(DatabaseLockedError, match="was erased, but another program reads"):
            queries.erase_session(impatient, session_id)
    impatient.dispose()
    assert queries.sessions(sqlite_engine).empty

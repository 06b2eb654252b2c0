"""A database that cannot be used says so in one sentence that tells what to do."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from engagement.records import IntervalRecord
from storage import queries
from storage.database import default_url, open_database, reading, writing
from storage.errors import (
    DatabaseDamagedError,
    DatabaseLockedError,
    DatabaseReadOnlyError,
    DatabaseUnreachableError,
    DatabaseUrlError,
    DiskFullError,
    MissingDriverError,
    NotADatabaseError,
    StorageError,
)
from storage.migrate import alembic_config, migrate
from storage.recorder import NewSession, Recorder

MakeSession = Callable[..., NewSession]
MakeRecord = Callable[..., IntervalRecord]


def test_connections_keep_what_is_committed_and_forget_what_is_erased(sqlite_engine: Engine) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 10_000,
    }
    with sqlite_engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
    assert found == expected


def test_only_their_teacher_can_read_what_is_kept(sqlite_engine: Engine, new_session: MakeSession) -> None:
    Recorder(sqlite_engine).open_session(new_session())
    folder = Path(str(sqlite_engine.url.database)).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert files == dict.fromkeys(("classpulse.db", "classpulse.db-shm", "classpulse.db-wal"), 0o600)


LOOKS = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
print(database.execute("SELECT count(*) FROM sessions").fetchone()[0])
database.close()
"""


def sessions_seen_by_another_program(path: str) -> int:
    told = subprocess.run([sys.executable, "-c", LOOKS, path], capture_output=True, text=True, check=True)
    return int(told.stdout)


def test_opening_it_once_more_parts_nobody_from_the_log_that_others_read(
    sqlite_engine: Engine, new_session: MakeSession
) -> None:
    path, url = str(sqlite_engine.url.database), sqlite_engine.url.render_as_string()
    migrate(sqlite_engine)
    with sqlite_engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM sessions"))
        # as the look before a class does, in the program that serves the pages
        open_database(url).dispose()
        assert sessions_seen_by_another_program(path) == 0
        Recorder(sqlite_engine).open_session(new_session())
        assert sessions_seen_by_another_program(path) == 1
        assert Path(f"{path}-wal").exists()


def test_a_link_to_a_file_that_is_not_there_yet_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    open_database(f"sqlite:///{tmp_path / 'link.db'}").dispose()
    assert stat.S_IMODE((tmp_path / "real.db").stat().st_mode) == 0o600


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseReadOnlyError, match="directory"):
        open_database(f"sqlite:///{tmp_path}")


def test_a_folder_with_odd_letters_is_a_folder(tmp_path: Path) -> None:
    engine = open_database(default_url(tmp_path / "Schüler & co? #1 100%"))
    migrate(engine)
    engine.dispose()
    assert (tmp_path / "Schüler & co? #1 100%" / "classpulse.db").stat().st_size > 0


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("data/classpulse.db", r"cannot be read: write sqlite:///PATH or postgresql://"),
        ("", r"cannot be read"),
        ("postgresql://host:port/x", r"cannot be read"),
        ("mysql://u:secret@host/x", r"SQLite or PostgreSQL, not in mysql"),
        ("sqlite://", r"in memory cannot be shared"),
        ("sqlite:///:memory:", r"in memory cannot be shared"),
        ("sqlite:///file:x?mode=memory&uri=true", r"takes no options"),
        ("sqlite:////tmp/\x00x", r"holds a NUL"),
    ],
)
def test_a_bad_url_is_told(url: str, message: str) -> None:
    with pytest.raises(DatabaseUrlError, match=message) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingDriverError, match=r"pip install -r requirements/postgres\.txt"):
        open_database("postgresql://teacher@localhost/school")


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 not a database at all" * 200)
    before = path.read_bytes()
    engine = open_database(f"sqlite:///{path}")
    with pytest.raises(
        NotADatabaseError, match=r"holiday\.jpg is not a classpulse database: move that file away"
    ):
        migrate(engine)
    engine.dispose()
    assert path.read_bytes() == before


def test_a_damaged_database_is_told(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    recorder = Recorder(sqlite_engine)
    session_id = recorder.open_session(new_session())
    for index in range(60):
        recorder.commit(record(session_id, index))
    path = Path(str(sqlite_engine.url.database))
    sqlite_engine.dispose()  # the last connection empties the log into the file
    with path.open("r+b") as file:
        for page in range(4, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)
    engine = open_database(f"sqlite:///{path}")
    with pytest.raises(DatabaseDamagedError, match="is damaged: move it away, put back a backup"):
        queries.readings_since(engine, session_id)
    engine.dispose()


def test_a_database_that_another_program_holds_is_told(
    sqlite_engine: Engine, new_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    holder = sqlite3.connect(str(sqlite_engine.url.database), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLockedError, match="close what else uses it"):
        Recorder(sqlite_engine).open_session(new_session())
    holder.execute("ROLLBACK")
    holder.close()
    assert Recorder(sqlite_engine).open_session(new_session()) == 1


def test_a_server_row_that_another_program_holds_is_told(
    postgres_engine: Engine, new_session: MakeSession
) -> None:
    recorder = Recorder(postgres_engine)
    session_id = recorder.open_session(new_session())
    with postgres_engine.begin() as holder:
        holder.execute(text("SELECT * FROM sessions FOR UPDATE"))
        with postgres_engine.connect() as other:
            other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(DatabaseLockedError, match="close what else uses it"):
                other.execute(text("SELECT * FROM sessions FOR UPDATE"))
    recorder.close_session(session_id, new_session().started_at)


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("postgresql://teacher:secret@127.0.0.1:9/school", "127.0.0.1:9/school"),
        ("postgresql://teacher:secret@/school?host=/nowhere", "nowhere"),
    ],
)
def test_a_server_that_does_not_answer_is_told_without_the_password(url: str, names: str) -> None:
    engine = open_database(url)
    with pytest.raises(DatabaseUnreachableError, match="check that the server runs") as caught:
        migrate(engine)
    engine.dispose()
    assert names in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_database_name_that_the_server_does_not_know_is_told(postgres_url: str) -> None:
    engine = open_database(postgres_url.replace("/postgres?", "/absent?"))
    with pytest.raises(DatabaseUnreachableError, match='database "absent" does not exist'):
        migrate(engine)
    engine.dispose()


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseReadOnlyError, match="cannot be opened for writing"):
        open_database(default_url(tmp_path / "file" / "data"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB, and a way to make it read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here ({mounted.stderr.strip()})")
    yield folder
    # lazily: a test that failed may still hold the database
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(
    recorder: Recorder, session_id: int, record: MakeRecord, most: int = 20_000
) -> tuple[list[int], StorageError]:
    """Commit until an error comes; what was reported committed, and the error."""
    committed: list[int] = []
    for index in range(most):
        try:
            committed.append(recorder.commit(record(session_id, index)))
        except StorageError as error:
            return committed, error
    pytest.fail(f"{most} intervals fitted")


def test_a_full_disk_is_told_and_what_was_committed_is_there(
    small_disk: Path, new_session: MakeSession, record: MakeRecord
) -> None:
    engine = open_database(default_url(small_disk))
    migrate(engine)
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session())
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 200_000))

    committed, error = fill(recorder, session_id, record)
    assert isinstance(error, DiskFullError), error
    assert "is full: make room on it" in str(error)
    assert len(committed) > 0
    assert queries.intervals_since(engine, session_id)["id"].tolist() == committed

    ballast.unlink()
    committed.append(recorder.commit(record(session_id, 30_000)))
    engine.dispose()
    engine = open_database(default_url(small_disk))
    assert queries.intervals_since(engine, session_id)["id"].tolist() == committed
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()


def test_a_database_at_its_largest_says_that_it_is_full(
    sqlite_engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    """The same answer of SQLite where no file system can be mounted."""
    recorder = Recorder(sqlite_engine)
    session_id = recorder.open_session(new_session())
    with sqlite_engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")
    committed, error = fill(recorder, session_id, record)
    assert isinstance(error, DiskFullError), error
    assert queries.intervals_since(sqlite_engine, session_id)["id"].tolist() == committed


def test_a_disk_too_full_for_a_new_database_is_told(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 8192))
    engine = open_database(default_url(small_disk))
    with pytest.raises(DiskFullError, match="is full: make room"):
        migrate(engine)
    engine.dispose()


def test_a_backup_that_does_not_fit_stops_the_upgrade(small_disk: Path, new_session: MakeSession) -> None:
    engine = open_database(default_url(small_disk))
    migrate(engine)
    Recorder(engine).open_session(new_session())
    (small_disk / "ballast").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 40_000))
    scripts = small_disk.parent / "scripts"
    shutil.copytree(Path(__file__).resolve().parents[2] / "alembic", scripts)
    head = ScriptDirectory.from_config(alembic_config(scripts)).get_current_head()
    (scripts / "versions" / "9999_later.py").write_text(
        f'revision = "9999"\ndown_revision = "{head}"\nbranch_labels = depends_on = None\n\n\n'
        "def upgrade():\n    pass\n"
    )
    with pytest.raises(DiskFullError, match="is full: make room"):
        migrate(engine, scripts)
    assert list(small_disk.glob("*.backup-*")) == []
    assert queries.find_session(engine, "last").name == "Physics 3B"
    engine.dispose()


def test_a_read_only_disk_is_told(small_disk: Path) -> None:
    engine = open_database(default_url(small_disk))
    migrate(engine)
    engine.dispose()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(DatabaseReadOnlyError, match="give yourself the right to write"):
        open_database(default_url(small_disk))


def test_readers_never_wait_for_the_writer_and_see_whole_intervals(
    engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session())
    done = threading.Event()
    seen: list[int] = []
    torn: list[int] = []
    failed: list[BaseException] = []

    def read() -> None:
        try:
            last = 0
            while not (finished := done.is_set()) or last < 40:
                readings = queries.readings_since(engine, session_id)
                per_interval = readings.groupby("interval_id").size()
                torn.extend(per_interval[per_interval != 3].tolist())
                last = len(per_interval)
                seen.append(last)
                if finished:
                    break
        except BaseException as error:  # noqa: BLE001 - a thread's error has to reach the test
            failed.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for index in range(40):
        recorder.commit(record(session_id, index))
    done.set()
    for reader in readers:
        reader.join(60)
    assert failed == []
    assert torn == []
    assert seen[-1] == 40


def test_several_writers_take_turns(engine: Engine, new_session: MakeSession, record: MakeRecord) -> None:
    recorder = Recorder(engine)
    ids = [recorder.open_session(new_session(name=f"Room {n}")) for n in range(3)]
    failed: list[BaseException] = []

    def write(session_id: int) -> None:
        try:
            for index in range(15):
                recorder.commit(record(session_id, index))
        except BaseException as error:  # noqa: BLE001 - a thread's error has to reach the test
            failed.append(error)

    writers = [threading.Thread(target=write, args=(session_id,)) for session_id in ids]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert failed == []
    assert [len(queries.intervals_since(engine, session_id)) for session_id in ids] == [15, 15, 15]


def test_names_reach_no_error_text(sqlite_engine: Engine, new_session: MakeSession) -> None:
    recorder = Recorder(sqlite_engine)
    with (
        pytest.raises(StorageError, match="no such table: absent") as caught,
        writing(sqlite_engine) as connection,
    ):
        connection.execute(text("INSERT INTO absent VALUES (:name)"), {"name": "Ada Lovelace"})
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "Ada" not in str(chain)
        chain = chain.__cause__ or chain.__context__
    assert recorder.open_session(new_session()) == 1

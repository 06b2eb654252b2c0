"""Migrations: up from nothing, from an older version with a backup, never down, never two at once."""

import shutil
import sqlite3
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from engagement.records import IntervalRecord
from storage import queries
from storage.audit import AuditAction, audit, audit_entries
from storage.database import default_url, open_database, write_engine, writing
from storage.errors import (
    DatabaseDamagedError,
    ForeignDatabaseError,
    NewerDatabaseError,
    RowRefusedError,
    UnknownNoteError,
)
from storage.history import past_intervals
from storage.migrate import alembic_config, backups, migrate, script_folder
from storage.notes import add_note, delete_note, edit_note
from storage.recorder import NewSession, Recorder
from storage.retention import erase_session
from storage.schema import Base

REPOSITORY = Path(__file__).resolve().parents[2]

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sessions", recreate="{recreate}") as table:
        table.add_column(sa.Column("room", sa.Text(), nullable=False, server_default="12"))
{more}
"""


@pytest.fixture
def newer_scripts(tmp_path: Path) -> Callable[..., Path]:
    """The migrations of a later version: ours and one more, which rebuilds a table that others refer to."""

    def make(recreate: str = "always", more: str = "") -> Path:
        folder = tmp_path / "100% newer"
        shutil.copytree(script_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
        head = ScriptDirectory.from_config(alembic_config(script_folder())).get_current_head()
        migration = NEXT.format(head=head, recreate=recreate, more=more)
        (folder / "versions" / "9999_later.py").write_text(migration)
        return folder

    return make


@pytest.fixture
def as_of(engine: Engine, tmp_path: Path) -> Callable[[str], Engine]:
    """The engine with an empty database as an older version made it."""

    def make(last: str) -> Engine:
        def newer(_folder: str, names: list[str]) -> set[str]:
            return {name for name in names if name[:4].isdigit() and name[:4] > last}

        folder = tmp_path / f"scripts of {last}"
        shutil.copytree(script_folder(), folder, ignore=newer)
        with writing(engine) as connection:
            Base.metadata.drop_all(connection)
            connection.exec_driver_sql("DROP TABLE alembic_version")
        migrate(engine, folder)
        assert revision(engine) == last
        return engine

    return make


def revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrations_make_exactly_the_checks_of_the_code(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Autogenerate does not compare CHECKs, clustering or id rules, so this does."""
    straight = open_database(default_url(tmp_path / "straight"))
    Base.metadata.create_all(straight)

    def described(engine: Engine) -> dict[str, Any]:
        found = inspect(engine)
        tables = {name: found.get_check_constraints(name) for name in Base.metadata.tables}
        with engine.connect() as connection:
            statements = dict(connection.exec_driver_sql("SELECT name, sql FROM sqlite_master").fetchall())
        return {
            name: (
                sorted((check["name"], check["sqltext"]) for check in checks),
                [option for option in ("WITHOUT ROWID", "AUTOINCREMENT") if option in statements[name]],
            )
            for name, checks in tables.items()
        } | {"open": statements["uq_sessions_open_name"]}

    migrated, created = described(sqlite_engine), described(straight)
    straight.dispose()
    assert migrated == created
    assert migrated["readings"][1] == ["WITHOUT ROWID"]
    assert len(migrated["intervals"][0]) == 15


def test_a_database_that_is_up_to_date_is_left_alone(engine: Engine) -> None:
    assert migrate(engine) is None
    assert backups(engine) == []


def test_an_older_database_is_copied_and_then_upgraded_with_all_its_rows(
    sqlite_engine: Engine,
    new_session: Callable[..., NewSession],
    record: Callable[..., IntervalRecord],
    newer_scripts: Callable[..., Path],
) -> None:
    recorder = Recorder(sqlite_engine)
    session_id = recorder.open_session(new_session())
    recorder.commit(record(session_id))
    before = revision(sqlite_engine)

    copy = migrate(sqlite_engine, newer_scripts())

    assert revision(sqlite_engine) == "9999"
    with sqlite_engine.connect() as connection:
        assert connection.scalar(text("SELECT room FROM sessions")) == "12"
        assert (
            connection.scalar(text("SELECT count(*) FROM readings")) == 3
        )  # the rebuilt table took none along
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    assert copy is not None
    assert backups(sqlite_engine) == [copy]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    kept = open_database(f"sqlite:///{copy}")
    assert revision(kept) == before
    assert queries.find_session(kept, "last").name == "Physics 3B"
    assert len(queries.readings_since(kept, session_id)) == 3
    kept.dispose()


def test_an_older_server_is_upgraded_in_place(
    postgres_engine: Engine, new_session: Callable[..., NewSession], newer_scripts: Callable[..., Path]
) -> None:
    Recorder(postgres_engine).open_session(new_session())
    assert migrate(postgres_engine, newer_scripts("auto")) is None
    with postgres_engine.connect() as connection:
        assert connection.scalar(text("SELECT room FROM sessions")) == "12"


def test_the_lines_of_the_log_are_given_to_the_accounts_that_wrote_them(
    as_of: Callable[[str], Engine],
) -> None:
    engine = as_of("0006")
    with writing(engine) as connection:
        # the first Ada was removed before the second was made
        connection.exec_driver_sql(
            "INSERT INTO accounts (id, name, key, role, password, made_at, password_at) VALUES "
            "(5, 'Ada', 'ada', 'teacher', 'hash', '2026-03-02 10:00:00.000000', '2026-03-02 10:00:00.000000')"
        )
        line = text(
            "INSERT INTO audit_log (at, actor, action, subject, detail) "
            "VALUES (:at, :actor, 'session_erased', 1, '{}')"
        )
        for at, actor in (
            ("09:59:59.999999", "Ada"),
            ("10:00:00.000000", "Ada"),
            ("11:00:00.000000", "page"),
        ):
            connection.execute(line, {"at": f"2026-03-02 {at}", "actor": actor})
    migrate(engine)
    assert [entry.account_id for entry in reversed(audit_entries(engine))] == [None, 5, None]


@pytest.mark.parametrize("last", ["0004", "0007"])
def test_a_log_that_learns_words_keeps_its_lines_and_their_numbers(
    as_of: Callable[[str], Engine], last: str
) -> None:
    engine = as_of(last)
    line = text(
        "INSERT INTO audit_log (at, actor, action, subject, detail) "
        "VALUES ('2026-03-02 10:00:00.000000', 'page', :action, 1, '{\"days\": 3}')"
    )
    with writing(engine) as connection:
        for action in ("session_erased", "session_kept", "session_kept"):
            connection.execute(line, {"action": action})
        connection.execute(text("DELETE FROM audit_log WHERE id = 3"))
    migrate(engine)
    audit(engine, AuditAction.PICTURE_READ, "command line", mode="aggregate")
    entries = [(one.id, str(one.action), dict(one.detail)) for one in audit_entries(engine)]
    # a number that was given is never given again
    assert entries == [
        (4, "picture_read", {"mode": "aggregate"}),
        (2, "session_kept", {"days": 3}),
        (1, "session_erased", {"days": 3}),
    ]
    with pytest.raises(RowRefusedError), writing(engine) as connection:
        connection.execute(line, {"action": "something_else"})


def test_the_number_of_a_deleted_note_is_never_given_again(
    as_of: Callable[[str], Engine], new_session: Callable[..., NewSession]
) -> None:
    engine = as_of("0008")
    recorder, session_id = Recorder(engine), 1
    at = new_session().started_at
    # as the program of then wrote it
    session = text(
        "INSERT INTO sessions (name, mode, interval, source, started_at, opened_at, agent_name, agent_host, agent_pid) "
        "VALUES ('Physics', 'individual', 2.0, 'window', :at, :at, 'watch', 'here', 1)"
    )
    note = text("INSERT INTO notes (session_id, at, text, kind) VALUES (1, :at, :text, 'note') RETURNING id")
    with writing(engine) as connection:
        then = at if engine.dialect.name == "postgresql" else f"{at:%F %T.%f}"
        connection.execute(session, {"at": then})
        kept, deleted = (connection.scalar(note, {"at": then, "text": one}) for one in ("kept", "deleted"))
    migrate(engine)
    delete_note(engine, deleted)
    with pytest.raises(UnknownNoteError):
        edit_note(engine, deleted, "in a page that was left open", at)
    later = add_note(engine, session_id, at, "later")
    assert later > deleted > kept
    with pytest.raises(UnknownNoteError):
        edit_note(engine, deleted, "in a page that was left open", at)
    recorder.close_session(session_id, at)
    erase_session(engine, session_id, actor="page")
    with engine.connect() as connection:  # the notes still go with their session
        assert connection.scalar(text("SELECT count(*) FROM notes")) == 0
        names = [index["name"] for index in inspect(connection).get_indexes("notes")]
    assert names == ["ix_notes_session_id"]


def test_readings_of_before_are_kept_and_how_they_were_made_is_not_known(
    engine: Engine,
    session_id: int,
    record: Callable[..., IntervalRecord],
) -> None:
    Recorder(engine).commit(record(session_id), {1: 1_772_445_600_000})
    assert next(past_intervals(engine, session_id)).calibrations == {1: 1_772_445_600_000}
    config = alembic_config(script_folder())
    with write_engine(engine).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0012")
    assert "calibration" not in {column["name"] for column in inspect(engine).get_columns("readings")}
    migrate(engine)
    (past,) = past_intervals(engine, session_id)
    assert past.readings is not None
    assert len(past.readings) == 3
    assert past.calibrations == {1: None}


def test_an_upgrade_that_fails_changes_nothing(
    engine: Engine, new_session: Callable[..., NewSession], newer_scripts: Callable[..., Path]
) -> None:
    Recorder(engine).open_session(new_session())
    before = revision(engine)
    with pytest.raises(RuntimeError, match="half way"):
        migrate(engine, newer_scripts("auto", '    raise RuntimeError("half way")'))
    assert revision(engine) == before
    assert "room" not in {column["name"] for column in inspect(engine).get_columns("sessions")}
    assert queries.find_session(engine, "last").name == "Physics 3B"


def test_rows_that_belong_to_nothing_stop_an_upgrade(
    sqlite_engine: Engine, newer_scripts: Callable[..., Path], tmp_path: Path
) -> None:
    raw = sqlite3.connect(tmp_path / "data" / "classpulse.db")
    raw.execute("INSERT INTO notes (session_id, at, text) VALUES (7, '2026-03-02 10:00:00.000000', 'lost')")
    raw.commit()
    raw.close()
    with pytest.raises(DatabaseDamagedError, match="1 rows that belong to nothing"):
        migrate(sqlite_engine, newer_scripts())
    assert revision(sqlite_engine) != "9999"


def test_a_newer_database_is_refused_and_left_as_it_is(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'f00dfeed'"))
    with pytest.raises(
        NewerDatabaseError, match=r"made by a newer classpulse .*f00dfeed.*install the newest"
    ):
        migrate(engine)
    assert revision(engine) == "f00dfeed"
    assert backups(engine) == []


def test_the_tables_of_another_program_are_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE sessions (cookie TEXT)")
    raw.commit()
    raw.close()
    engine = open_database(f"sqlite:///{path}")
    with pytest.raises(ForeignDatabaseError, match=r"tables of another program \(sessions\)"):
        migrate(engine)
    assert inspect(engine).get_table_names() == ["sessions"]
    engine.dispose()


START_AT_ONCE = """
import sys
from storage.database import open_database
from storage.migrate import migrate
engine = open_database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate(engine)
engine.dispose()
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_start_at_once_do_not_collide(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """`classpulse start` is two of them, and a fresh database has to be made by one."""
    if kind == "sqlite":
        url = default_url(tmp_path / "data")
    else:
        made: Engine = request.getfixturevalue("postgres_engine")
        with made.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        url = made.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START_AT_ONCE, url],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("now\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    engine = open_database(url)
    assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    assert migrate(engine) is None
    engine.dispose()


def test_alembic_on_the_command_line_finds_the_migrations(tmp_path: Path) -> None:
    url = default_url(tmp_path)

    def alembic(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )

    done = alembic("-x", f"database={url}", "upgrade", "head")
    assert done.returncode == 0, done.stderr
    engine = open_database(url)
    assert migrate(engine) is None
    engine.dispose()
    unnamed = alembic("upgrade", "head")
    assert unnamed.returncode != 0
    assert "Name the database: alembic -x database=" in unnamed.stderr


def test_the_wheel_carries_the_migrations_where_they_are_looked_for(tmp_path: Path) -> None:
    """What hatchling is told to put under `storage/` is what an installed classpulse reads."""
    pyproject = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    included = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["alembic"] == "storage/migrations"
    installed = tmp_path / "site"
    shutil.copytree(
        REPOSITORY / "storage", installed / "storage", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(REPOSITORY / "engagement", installed / "engagement")
    shutil.copytree(REPOSITORY / "alembic", installed / "storage" / "migrations")
    program = (
        "import sys; from storage.database import open_database; from storage.migrate import migrate, script_folder\n"
        "engine = open_database(sys.argv[1]); migrate(engine); engine.dispose(); print(script_folder())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, default_url(tmp_path / "data")],
        cwd=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == installed / "storage" / "migrations"


def test_the_folder_of_migrations_never_hides_the_alembic_package() -> None:
    assert not (REPOSITORY / "alembic" / "__init__.py").exists()

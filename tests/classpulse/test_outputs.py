"""What the commands print and write."""

import os
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from classpulse.cli import app
from engagement.records import Mode
from storage import students
from storage.database import open_database, writing
from storage.migrate import migrate
from storage.recorder import NewSession, Recorder
from storage.schema import AuditAction, AuditTable

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database with a session and a student, and a shell that lets everybody read what it writes."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    url = f"sqlite:///{tmp_path / 'class.db'}"
    monkeypatch.setenv("CLASSPULSE_STORAGE__DATABASE", url)
    engine = open_database(url)
    migrate(engine)
    session = Recorder(engine).open_session(NewSession("9b", Mode.PARTICIPATION, 2.0, "x", NOW, "test", 1))
    Recorder(engine).close_session(session, NOW)
    students.add_student(engine, "9b", "Ada")
    with writing(engine) as connection:
        connection.execute(
            insert(AuditTable).values(
                at=NOW,
                actor="\x1b[2J\u202eeve\u2028il",
                action=str(AuditAction.SESSION_KEPT),
                detail={"note": "\x1b]0;gone\x07\x9b31m"},
            )
        )
    engine.dispose()
    before = os.umask(0)
    yield url
    os.umask(before)


def test_no_character_that_a_terminal_obeys_is_printed(url: str) -> None:
    shown = CliRunner().invoke(app, ["audit"])
    assert shown.exit_code == 0
    assert "[2Jeve il" in shown.stdout
    assert {one for one in shown.stdout if not one.isprintable()} == {"\n"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps rights elsewhere")
@pytest.mark.parametrize(
    "command", [("report", "last", "--format", "csv"), ("report", "last"), ("students", "export", "1")]
)
def test_what_is_written_is_for_this_user_alone(url: str, tmp_path: Path, command: tuple[str, ...]) -> None:
    out = tmp_path / "out"
    assert CliRunner().invoke(app, [*command, "--out", str(out)]).exit_code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    written = len(out.read_bytes())
    # one that was shared stays so, and nothing of what it held is left
    out.write_bytes(bytes(10 * written))
    out.chmod(0o644)
    assert CliRunner().invoke(app, [*command, "--out", str(out)]).exit_code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o644
    assert 0 < len(out.read_bytes()) < 2 * written

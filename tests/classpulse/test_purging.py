"""Retention while classpulse runs."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from classpulse import past_sessions, settings
from classpulse.purging import purged
from engagement.records import Mode
from storage import queries
from storage.database import open_database, writing
from storage.migrate import migrate
from storage.recorder import NewSession, Recorder
from storage.schema import SessionTable


def test_what_is_too_old_goes_at_the_start_and_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSPULSE_STORAGE__DATABASE", f"sqlite:///{tmp_path / 'class.db'}")
    chosen = settings.load()
    assert chosen.storage.keep_days == 30
    engine = open_database(chosen.database_url)
    migrate(engine)
    now = datetime.now(UTC)
    made = []
    for name in ("first", "second", "kept"):
        made.append(
            Recorder(engine).open_session(NewSession(name, Mode.PARTICIPATION, 2.0, "x", now, "test", 1))
        )
        Recorder(engine).close_session(made[-1], now)

    def age(session_id: int) -> None:
        with writing(engine) as connection:
            connection.execute(
                update(SessionTable)
                .where(SessionTable.id == session_id)
                .values(opened_at=now - timedelta(days=30))
            )

    assert past_sessions.keep(chosen, "kept", kept=True).endswith("is kept until you erase it.")
    age(made[0])
    age(made[2])
    with purged(engine, 30, every=0.05):
        assert sorted(queries.sessions(engine)["id"]) == made[1:]
        age(made[1])
        deadline = time.monotonic() + 60
        while len(queries.sessions(engine)) > 1:
            assert time.monotonic() < deadline, "nothing was erased while it ran"
            time.sleep(0.05)
    assert queries.sessions(engine)["kept"].tolist() == [True]
    lines = past_sessions.audit_log(chosen, 3)
    assert [line["action"] for line in lines] == ["session_purged", "session_purged", "session_kept"]
    assert lines[2]["actor"] == "command line"
    assert past_sessions.keep(chosen, "kept", kept=False).endswith("is erased 30 days after it was made.")
    engine.dispose()

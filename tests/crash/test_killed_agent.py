"""An agent that is killed in the middle of its work has lost nothing that it reported committed."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from engagement.records import Mode
from storage import queries
from storage.database import default_url, open_database
from storage.errors import SessionBusyError
from storage.migrate import migrate
from storage.recorder import NewSession, Recorder

REPOSITORY = Path(__file__).resolve().parents[2]
AGENT = Path(__file__).with_name("committing_agent.py")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    """A fresh SQLite file."""
    engine = open_database(default_url(tmp_path / "data"))
    migrate(engine)
    yield engine
    engine.dispose()


def start_agent(engine: Engine) -> subprocess.Popen[str]:
    url = engine.url.render_as_string(hide_password=False)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(
        [sys.executable, str(AGENT), url], stdout=subprocess.PIPE, text=True, env=environment
    )


def kill_after(agent: subprocess.Popen[str], commits: int) -> list[str]:
    """Let the agent report some commits, kill it at once, and give every line that it got out."""
    assert agent.stdout is not None
    lines = []
    try:
        for line in agent.stdout:
            lines.append(line.strip())
            if len(lines) > commits:
                break
    finally:
        agent.send_signal(signal.SIGKILL)
        lines += [line.strip() for line in agent.stdout if line.endswith("\n")]
        agent.stdout.close()
        assert agent.wait(60) == -signal.SIGKILL
    return lines


@pytest.mark.parametrize("commits", [1, 7, 40])
def test_every_interval_reported_committed_is_there_after_a_kill(database: Engine, commits: int) -> None:
    lines = kill_after(start_agent(database), commits)
    session_id = int(lines[0].split()[1])
    reported = [int(line.split()[1]) for line in lines[1:]]
    assert len(reported) >= commits

    raw = sqlite3.connect(str(database.url.database))
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()
    stored = queries.intervals_since(database, session_id)
    # at most one more, committed and not yet said
    assert stored["id"].tolist()[: len(reported)] == reported
    assert len(stored) - len(reported) in {0, 1}
    readings = queries.readings_since(database, session_id)
    assert (readings.groupby("interval_id").size() == 25).all()
    assert len(readings) == 25 * len(stored)

    assert Recorder(database).close_abandoned() == [session_id]
    row = queries.find_session(database, "Crash")
    assert row.ended_at == stored["started_at"].iloc[-1] + timedelta(seconds=2)
    assert queries.episodes(database, session_id, open_only=True).empty


def test_the_next_agent_is_refused_while_the_first_lives_and_takes_over_when_it_is_dead(
    database: Engine,
) -> None:
    now = datetime.now(UTC)
    new = NewSession("Crash", Mode.INDIVIDUAL, 2.0, "demo", now, "classpulse watch", os.getpid())
    recorder = Recorder(database)
    agent = start_agent(database)
    try:
        assert agent.stdout is not None
        first = int(agent.stdout.readline().split()[1])
        with pytest.raises(SessionBusyError, match=rf"committing agent \(process {agent.pid} on "):
            recorder.open_session(new)
        assert recorder.close_abandoned() == []
    finally:
        kill_after(agent, 1)
    second = recorder.open_session(new)
    assert second != first
    closed = queries.find_session(database, str(first))
    assert closed.ended_at is not None
    last = queries.intervals_since(database, first)["started_at"].iloc[-1]
    assert closed.ended_at == last + timedelta(seconds=2)

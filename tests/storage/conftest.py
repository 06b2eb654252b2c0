"""A fresh database of each kind, and records to put into it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, text

from engagement.emotion import EXPRESSIONS
from engagement.records import Episode, IntervalRecord, Mode, Mood, Reading, Rule, Seat, State
from storage.database import default_url, open_database
from storage.migrate import migrate
from storage.recorder import NewSession, Recorder

START = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty, migrated SQLite file."""
    engine = open_database(default_url(tmp_path / "data"))
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL cluster of our own that listens on a socket in a folder of the test only."""
    initdb = shutil.which("initdb") or next(
        iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None
    )
    if initdb is None:
        pytest.skip("no PostgreSQL server on this machine (initdb is absent)")
    bin_folder = Path(initdb).resolve().parent
    # the path of a socket may have some 100 characters only, which pytest's folders exceed
    base = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    prefix: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        prefix = ["runuser", "-u", "postgres", "--"]
        if (
            shutil.which("runuser") is None
            or subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode
        ):
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres to run it as")
        shutil.chown(base, "postgres")
    data = base / "data"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}

    def run(*command: str) -> None:
        done = subprocess.run(
            [*prefix, *command], capture_output=True, text=True, cwd=base, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr

    try:
        run(
            str(bin_folder / "initdb"),
            "-D",
            str(data),
            "-U",
            "teacher",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        )
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={base} -c fsync=off -c timezone=Asia/Kolkata"
        )
        log = str(base / "log")
        run(str(bin_folder / "pg_ctl"), "-D", str(data), "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql://teacher@/postgres?host={base}"
        finally:
            run(str(bin_folder / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    """An empty, migrated PostgreSQL database."""
    engine = open_database(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An empty, migrated database of each kind."""
    found: Engine = request.getfixturevalue(
        {"sqlite": "sqlite_engine", "postgresql": "postgres_engine"}[request.param]
    )
    return found


@pytest.fixture
def new_session() -> Callable[..., NewSession]:
    """A session about to start, with whatever the test changes."""

    def make(**changes: Any) -> NewSession:
        values: dict[str, Any] = {
            "name": "Physics 3B",
            "mode": Mode.INDIVIDUAL,
            "interval": 2.0,
            "source": 'window "Zoom Meeting"',
            "started_at": START,
            "agent_name": "classpulse watch",
            "pid": os.getpid(),
        }
        return NewSession(**{**values, **changes})

    return make


@pytest.fixture
def session_id(engine: Engine, new_session: Callable[..., NewSession]) -> int:
    """An open session in `individual` mode."""
    return Recorder(engine).open_session(new_session())


def make_probabilities(expression: str, share: float = 0.7) -> np.ndarray:
    rest = (1 - share) / (len(EXPRESSIONS) - 1)
    return np.array([share if e == expression else rest for e in EXPRESSIONS], dtype=np.float32)


def make_record(session_id: int, index: int = 0, **changes: Any) -> IntervalRecord:
    """Interval `index` of a class of three: one happy, one turned away, one camera off."""
    at = START + timedelta(seconds=2 * index)
    values: dict[str, Any] = {
        "session_id": session_id,
        "started_at": at,
        "seconds": 2.0,
        "tiles": 3,
        "faces": 2,
        "faces_read": 1,
        "states": {State.SEEN: 1, State.TURNED_AWAY: 1, State.CAMERA_OFF: 1},
        "expressions": {"happy": 1},
        "mood": Mood(0.25, 0.5, -0.125, 0.75, 1),
        "facing": 0.5,
        "readings": (
            Reading(1, 0, State.SEEN, make_probabilities("happy"), 3.5, -2.0, 0.9),
            Reading(2, 1, State.TURNED_AWAY, None, 48.0, 1.0, 0.4),
            Reading(3, 2, State.CAMERA_OFF, None, None, None, 0.0),
        ),
        "seats": (Seat(1, "Ada", "a1"), Seat(2, "王小明", "b2"), Seat(3, None, "")),
        "episodes": (
            Episode(Rule.CAMERA_OFF, 3, f"Camera off for {index} min", START, None, {"minutes": index}),
            Episode(Rule.CLASS_DIP, None, "The class changed at 10:00", START, at, {"share": 0.4}),
        ),
        "dropped": index % 2,
        "processing_ms": 41.5,
    }
    return IntervalRecord(**{**values, **changes})


@pytest.fixture
def record() -> Callable[..., IntervalRecord]:
    """Makes the record of an interval of a class of three."""
    return make_record

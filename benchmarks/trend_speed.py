"""How long Trends takes over a year of lessons of one class: 205 sessions with 49 seats, 10 million readings.

python -m benchmarks.trend_speed [--sessions 205] [--database FILE]
"""

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert, select, text

from engagement.emotion import EXPRESSIONS
from engagement.records import Mode
from storage.database import default_url, open_database, writing
from storage.migrate import migrate
from storage.schema import STATE_COLUMNS, IntervalTable, ReadingTable, SessionTable
from storage.trend_queries import class_sessions, classes, lesson_minutes

SEATS = 49
SECONDS = 2.0
PER_SESSION = 1000
"""Intervals: 205 lessons of 33 minutes make 10 million readings."""
START = datetime(2025, 9, 1, 8, 0, tzinfo=UTC)


def fill(engine: Engine, sessions: int) -> None:
    for lesson in range(sessions):
        start = START + timedelta(days=lesson)
        with writing(engine) as connection:
            session_id = connection.execute(
                insert(SessionTable)
                .values(
                    name="Physics 9b", mode=str(Mode.INDIVIDUAL), interval=SECONDS, source="window", started_at=start,
                    ended_at=start + timedelta(seconds=SECONDS * PER_SESSION), opened_at=start, agent_name="benchmark",
                    agent_host="here", agent_pid=1,
                )
                .returning(SessionTable.id)
            ).scalar_one()  # fmt: skip
            connection.execute(
                insert(IntervalTable), [interval(session_id, start, step) for step in range(PER_SESSION)]
            )
            connection.execute(
                text(
                    "WITH RECURSIVE places(p) AS (SELECT 1 UNION ALL SELECT p + 1 FROM places WHERE p < :seats) "
                    "INSERT INTO readings (interval_id, seat, position, state, quality) "
                    "SELECT intervals.id, p, p - 1, 'unreadable', 0.5 FROM intervals CROSS JOIN places "
                    "WHERE session_id = :session ORDER BY intervals.id, p"
                ),
                {"seats": SEATS, "session": session_id},
            )


def interval(session_id: int, start: datetime, step: int) -> dict[str, Any]:
    mood = 0.2 * math.sin(step / 90)
    return {
        "session_id": session_id,
        "started_at": start + timedelta(seconds=SECONDS * step),
        "seconds": SECONDS,
        "grid": True,
        "tiles": SEATS,
        "faces": 40,
        "faces_read": 35,
        **dict.fromkeys(STATE_COLUMNS, 0),
        "n_seen": 40,
        "n_camera_off": SEATS - 40,
        **dict.fromkeys(EXPRESSIONS, 5),
        "valence": mood,
        "arousal": 0.1,
        "low": mood - 0.05,
        "high": mood + 0.05,
        "mood_faces": 35,
        "facing": 0.9,
        "dropped": 0,
        "processing_ms": 200.0,
    }


def timed(what: str, work: Callable[[], object], repeats: int = 5) -> None:
    took = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        took.append((time.perf_counter() - begin) * 1000)
    print(f"{what:<28} first {took[0]:7.1f} ms   median {statistics.median(took):7.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=205)
    parser.add_argument("--database", type=Path, help="a file that is kept and used again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{given.database}" if given.database else default_url(Path(folder))
        engine = open_database(url)
        migrate(engine)
        if not classes(engine):
            fill(engine, given.sessions)
        with engine.connect() as connection:
            counts = [
                connection.scalar(select(func.count()).select_from(table))
                for table in (IntervalTable, ReadingTable)
            ]
        print(f"{counts[0]} intervals, {counts[1]} readings")
        timed("classes", lambda: classes(engine))
        timed("one class over its sessions", lambda: class_sessions(engine, "Physics 9b"))
        sessions = class_sessions(engine, "Physics 9b")
        timed("one lesson against ten", lambda: lesson_minutes(engine, sessions[-1].id))
        engine.dispose()


if __name__ == "__main__":
    main()

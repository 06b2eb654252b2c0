"""A class over its sessions, as the database sums it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from engagement.records import IntervalRecord, Mode, Mood, NotObservedReason
from storage.recorder import NewSession, Recorder
from storage.trend_queries import LONGEST_LESSON, class_sessions, classes, lesson_minutes

START = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)

Make = Callable[..., IntervalRecord]


@pytest.fixture
def keep(engine: Engine, new_session: Callable[..., NewSession], record: Make) -> Callable[..., int]:
    """Keeps a session of so many intervals, each changed by `change(index)`."""

    def make(
        days: float = 0,
        intervals: int = 3,
        change: Callable[[int], dict[str, Any]] = lambda index: {},
        ended: bool = True,
        **session: Any,
    ) -> int:
        recorder, start = Recorder(engine), START + timedelta(days=days)
        number = recorder.open_session(new_session(started_at=start, **session))
        for index in range(intervals):
            at = start + timedelta(seconds=2 * index)
            values = {"started_at": at, "episodes": (), "mood": Mood(0.25, 0.5, 0.0, 0.5, 6)}
            recorder.commit(record(number, index, **values | change(index)))
        if ended:
            recorder.close_session(number, start + timedelta(seconds=2 * intervals))
        return number

    return make


def test_classes_come_by_their_newest_session(engine: Engine, keep: Callable[..., int]) -> None:
    assert classes(engine) == ()
    keep(1)
    keep(9, name="Chemistry")
    keep(4)
    found = classes(engine)
    assert [(row.name, row.sessions) for row in found] == [("Chemistry", 1), ("Physics 3B", 2)]
    assert found[1].last_at == START + timedelta(days=4)


def test_a_session_in_figures(engine: Engine, keep: Callable[..., int]) -> None:
    blind = {
        "not_observed": NotObservedReason.COVERED, "tiles": 0, "faces": 0, "faces_read": 0, "states": {},
        "expressions": None, "mood": None, "facing": None, "readings": (), "seconds": 8.0,
    }  # fmt: skip
    moods = [Mood(0.1, 0.5, 0.0, 0.2, 6), Mood(0.4, 0.5, 0.2, 0.6, 6), Mood(-0.9, 0.5, -1.0, 1.0, 4)]

    def change(index: int) -> dict[str, Any]:
        if index == 3:
            return blind
        return {"mood": moods[index], "seconds": [1.0, 3.0, 2.0][index], "facing": [0.5, 1.0, None][index]}

    number = keep(intervals=4, change=change)
    (found,) = class_sessions(engine, "Physics 3B")
    assert (found.id, found.mode, found.runs, found.most_tiles) == (number, Mode.INDIVIDUAL, False, 3)
    assert (found.started_at, found.length) == (START, 8.0)
    assert (found.observed, found.not_observed, found.mood_seconds) == (6.0, 8.0, 4.0)
    # weighted by time; what four faces say is left out
    assert found.mood == pytest.approx((0.1 * 1 + 0.4 * 3) / 4)
    assert (found.low, found.high) == pytest.approx((0.6 / 4, 2.0 / 4))
    assert found.facing == pytest.approx((0.5 * 1 + 1.0 * 3) / 4)
    assert found.coverage == pytest.approx(1 / 3)


def test_sessions_come_in_order_of_their_start_also_running_and_empty_ones(
    engine: Engine, keep: Callable[..., int]
) -> None:
    late, early, empty = keep(5), keep(1), keep(3, intervals=0)
    running = keep(7, intervals=2, ended=False)
    other = keep(2, name="Chemistry")
    found = class_sessions(engine, "Physics 3B")
    assert [session.id for session in found] == [early, empty, late, running]
    assert other not in {session.id for session in found}
    assert (found[3].runs, found[3].length) == (True, 4.0)
    assert (found[1].observed, found[1].coverage, found[1].mood, found[1].most_tiles) == (0, None, None, 0)
    assert class_sessions(engine, "Nobody's") == ()


def test_minutes_count_from_the_start_of_each_lesson(engine: Engine, keep: Callable[..., int]) -> None:
    def moods(value: float) -> Callable[[int], dict[str, Any]]:
        return lambda index: {"mood": Mood(value if index < 30 else -value, 0.5, -0.45, 0.5, 6)}

    first, second = keep(1, 45, moods(0.2)), keep(2, 31, moods(0.4))
    rows = lesson_minutes(engine, second)
    assert [(row.session, row.minute) for row in rows] == [(first, 0), (first, 1), (second, 0), (second, 1)]
    assert [row.mood for row in rows] == pytest.approx([0.2, -0.2, 0.4, -0.4])
    assert rows[0].coverage == pytest.approx(1 / 3)
    assert rows[0].facing == pytest.approx(0.5)


def test_minutes_are_the_same_on_both_databases(engine: Engine, keep: Callable[..., int]) -> None:
    """Whatever the fraction of the second at which a lesson and its intervals began."""
    late = keep(1 + 0.6 / 86_400, intervals=31, change=lambda index: {"facing": 1.0 if index < 30 else 0.0})
    assert [(row.minute, row.facing) for row in lesson_minutes(engine, late)] == [(0, 1.0), (1, 0.0)]
    even = keep(
        2,
        intervals=2,
        change=lambda index: {
            "started_at": START + timedelta(days=2, seconds=59.7 + index), "facing": 1.0 - index
        },
    )  # fmt: skip
    own = [(row.minute, row.facing) for row in lesson_minutes(engine, even) if row.session == even]
    assert own == [(0, 1.0), (1, 0.0)]


def test_only_the_sessions_before_it_and_no_more_than_ten(engine: Engine, keep: Callable[..., int]) -> None:
    made = [keep(day, 1) for day in range(13)]
    keep(3.5, 1, name="Chemistry")
    assert sorted({row.session for row in lesson_minutes(engine, made[11])}) == made[1:12]
    assert {row.session for row in lesson_minutes(engine, made[0])} == {made[0]}
    assert lesson_minutes(engine, 99) == ()


def test_too_few_faces_and_participation_leave_a_minute_without_mood(
    engine: Engine, keep: Callable[..., int]
) -> None:
    few = keep(1, 2, lambda index: {"mood": Mood(0.25, 0.5, -1, 1, 4)})
    silent = keep(2, 2, lambda index: {"mood": None, "expressions": None, "faces_read": 0, "readings": ()})
    rows = {row.session: row for row in lesson_minutes(engine, silent)}
    assert (rows[few].mood, rows[few].low, rows[silent].mood) == (None, None, None)
    assert rows[silent].coverage is not None
    assert [session.mood for session in class_sessions(engine, "Physics 3B")] == [None, None]


def test_a_lesson_left_running_is_compared_over_its_first_hours(
    engine: Engine, keep: Callable[..., int]
) -> None:
    minutes = [0, LONGEST_LESSON - 1, LONGEST_LESSON, 3000]
    number = keep(
        intervals=4, change=lambda index: {"started_at": START + timedelta(minutes=minutes[index], seconds=1)}
    )
    assert [row.minute for row in lesson_minutes(engine, number)] == [0, LONGEST_LESSON - 1]


def test_the_rows_per_seat_are_never_touched(engine: Engine, keep: Callable[..., int]) -> None:
    number = keep()
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    classes(engine)
    class_sessions(engine, "Physics 3B")
    lesson_minutes(engine, number)
    queries = [statement for statement in asked if "SELECT" in statement.upper()]
    assert len(queries) >= 3
    assert not [statement for statement in queries if "readings" in statement or "seats" in statement]

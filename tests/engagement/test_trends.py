"""A class over its sessions: when a session may have a mood, and when a lesson is called different."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engagement.records import Mode
from engagement.trends import Measure, MinuteFigures, MoodGap, SessionFigures, compare

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SESSION = SessionFigures(
    id=1,
    mode=Mode.INDIVIDUAL,
    started_at=START,
    ended_at=START + timedelta(minutes=45),
    runs=False,
    observed=2700,
    not_observed=0,
    most_tiles=27,
    coverage=0.85,
    facing=0.9,
    mood_seconds=2600,
    mood=0.1,
    low=0.05,
    high=0.15,
)


def test_a_session_that_was_read_has_its_mood() -> None:
    assert (SESSION.mood_gap, SESSION.told_mood, SESSION.length) == (None, 0.1, 2700)


@pytest.mark.parametrize(
    ("changes", "gap"),
    [
        # a stray row must not tell what the mode forbids
        ({"mode": Mode.PARTICIPATION}, MoodGap.MODE),
        ({"observed": 0, "mood_seconds": 0, "mood": None}, MoodGap.NOT_OBSERVED),
        ({"observed": 5, "mood_seconds": 5}, MoodGap.SHORT),
        ({"observed": 179, "mood_seconds": 179}, MoodGap.SHORT),
        ({"mood_seconds": 0, "mood": None, "mode": Mode.AGGREGATE}, MoodGap.FEW),
        ({"mood_seconds": 1349}, MoodGap.FEW),
        ({"mood_seconds": 1351}, None),
        ({"observed": 200, "mood_seconds": 179}, MoodGap.FEW),
        ({"coverage": 0.19}, MoodGap.SEATS),
        ({"coverage": 0.2}, None),
        ({"coverage": None}, MoodGap.SEATS),
    ],
)
def test_a_mood_needs_time_and_faces(changes: dict[str, object], gap: MoodGap | None) -> None:
    session = replace(SESSION, **changes)  # type: ignore[arg-type]
    assert session.mood_gap is gap
    assert (session.told_mood is None) == (gap is not None)


def line(
    session: int, moods: list[float | None], half_band: float = 0.05, share: float = 0.8
) -> list[MinuteFigures]:
    return [
        MinuteFigures(
            session,
            minute,
            coverage=share,
            facing=share,
            mood=mood,
            low=None if mood is None else mood - half_band,
            high=None if mood is None else mood + half_band,
        )
        for minute, mood in enumerate(moods)
    ]


def test_a_lesson_lies_over_the_middle_half_of_those_before() -> None:
    earlier = [row for session in range(1, 6) for row in line(session, [session / 10] * 8)]
    found = compare([*earlier, *line(9, [0.1] * 6)], 9, Measure.MOOD)
    assert (found.earlier, found.is_half, len(found.values)) == (5, True, 6)
    assert (found.low[0], found.middle[0], found.high[0]) == pytest.approx((0.2, 0.3, 0.4))
    assert (found.below, found.above) == (((0, 5),), ())


def test_few_earlier_lessons_give_their_range_and_none_gives_no_band() -> None:
    two = compare([*line(1, [0.1] * 5), *line(2, [0.3] * 5), *line(3, [0.2] * 5)], 3, Measure.MOOD)
    assert (two.earlier, two.is_half) == (2, False)
    assert (two.low[4], two.high[4]) == (0.1, 0.3)
    assert (two.below, two.above) == ((), ())
    alone = compare(line(3, [0.2] * 5), 3, Measure.MOOD)
    assert (alone.earlier, alone.low, alone.above) == (0, (None,) * 5, ())


def test_the_band_ends_where_too_few_of_many_lasted() -> None:
    lengths = (10, 10, 6, 4, 4)
    earlier = [row for session, minutes in enumerate(lengths) for row in line(session, [0.0] * minutes)]
    found = compare([*earlier, *line(9, [0.0] * 10)], 9, Measure.MOOD)
    assert [value is not None for value in found.low] == [True] * 6 + [False] * 4


def test_an_unsure_mood_is_not_called_different() -> None:
    earlier = [row for session in range(5) for row in line(session, [0.2] * 6)]
    sure = compare([*earlier, *line(9, [0.0] * 6, half_band=0.05)], 9, Measure.MOOD)
    unsure = compare([*earlier, *line(9, [0.0] * 6, half_band=0.25)], 9, Measure.MOOD)
    assert (sure.below, unsure.below) == (((0, 5),), ())


def test_two_minutes_are_no_stretch_and_a_gap_breaks_one() -> None:
    earlier = [row for session in range(5) for row in line(session, [0.2] * 9)]
    low, usual = 0.0, 0.2
    short = compare([*earlier, *line(9, [usual, low, low, usual])], 9, Measure.MOOD)
    assert short.below == ()
    broken = compare([*earlier, *line(9, [low, low, None, low, low, low, usual])], 9, Measure.MOOD)
    assert broken.below == ((3, 5),)
    assert broken.values[2] is None


def test_a_share_must_differ_clearly() -> None:
    earlier = [row for session in range(5) for row in line(session, [0.0] * 5, share=0.9)]
    near = compare([*earlier, *line(9, [0.0] * 5, share=0.81)], 9, Measure.FACING)
    far = compare([*earlier, *line(9, [0.0] * 5, share=0.7)], 9, Measure.COVERAGE)
    assert (near.below, far.below) == ((), ((0, 4),))


def test_sessions_without_a_figure_do_not_count_as_earlier() -> None:
    found = compare([*line(1, [None] * 5), *line(2, [0.1] * 5), *line(3, [0.1] * 5)], 3, Measure.MOOD)
    assert found.earlier == 1


def test_a_lesson_that_was_never_read_has_no_values() -> None:
    found = compare([*line(1, [0.1] * 5), *line(2, [None] * 3)], 2, Measure.MOOD)
    assert found.values == (None,) * 3
    assert compare([], 2, Measure.MOOD).values == ()

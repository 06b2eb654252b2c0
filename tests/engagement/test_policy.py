"""What each mode lets through."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from engagement.errors import InvalidRecordError
from engagement.policy import Policy
from engagement.records import Episode, IntervalRecord, Mode, Mood, Reading, Rule, Seat, State

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NEUTRAL = np.eye(7, dtype=np.float32)[6]


def record(faces_read: int = 5) -> IntervalRecord:
    readings = tuple(
        Reading(number, number - 1, State.SEEN, NEUTRAL, 1.0, 2.0, 0.9) for number in range(1, faces_read + 1)
    )
    refused = Reading(faces_read + 1, faces_read, State.OPTED_OUT, None, 12.0, 3.0, 0.4)
    return IntervalRecord(
        session_id=1,
        started_at=START,
        seconds=2.0,
        tiles=faces_read + 1,
        faces=faces_read,
        faces_read=faces_read,
        states={State.SEEN: faces_read, State.OPTED_OUT: 1},
        expressions={"neutral": faces_read},
        mood=Mood(0.0, 0.0, -0.1, 0.1, faces_read),
        facing=1.0,
        readings=(*readings, refused),
        seats=tuple(Seat(number, f"Name {number}", f"f{number}") for number in range(1, faces_read + 2)),
        episodes=(
            Episode(Rule.ABSENT, 1, "No face for 1 min", START, None, {}),
            Episode(Rule.CLASS_DIP, None, "The class changed at 09:00", START, None, {}),
        ),
    )


def test_individual_keeps_all_but_the_pose_of_those_who_refused() -> None:
    before = record()
    after = Policy(Mode.INDIVIDUAL).apply(before)
    assert after.readings[:-1] == before.readings[:-1]
    assert after.readings[-1] == Reading(6, 5, State.OPTED_OUT, None, None, None, 0.0)
    assert (after.seats, after.episodes, after.mood) == (before.seats, before.episodes, before.mood)


def test_aggregate_keeps_no_row_per_seat() -> None:
    after = Policy(Mode.AGGREGATE).apply(record())
    assert (after.readings, after.seats) == ((), ())
    assert [episode.rule for episode in after.episodes] == [Rule.CLASS_DIP]
    assert after.mood is not None
    assert after.expressions == {"neutral": 5}
    assert after.states == record().states


def test_aggregate_hides_groups_that_are_too_small() -> None:
    after = Policy(Mode.AGGREGATE).apply(record(4))
    assert (after.mood, after.expressions) == (None, None)
    assert after.faces_read == 4
    assert Policy(Mode.AGGREGATE, minimum_group=4).apply(record(4)).mood is not None


@pytest.mark.parametrize("mode", [Mode.AGGREGATE, Mode.PARTICIPATION])
def test_no_share_of_one_person_passes_for_that_of_a_class(mode: Mode) -> None:
    assert Policy(mode).apply(record(4)).facing is None
    five = record(5)
    assert Policy(mode).apply(five).facing == 1.0
    turned = record(2)
    away = replace(
        turned,
        states={State.SEEN: 1, State.TURNED_AWAY: 1, State.OPTED_OUT: 1},
        faces_read=0,
        expressions=None,
    )
    assert Policy(mode).apply(replace(away, mood=None)).states == {
        State.SEEN: 2, State.TURNED_AWAY: 0, State.OPTED_OUT: 1
    }  # fmt: skip
    assert Policy(Mode.INDIVIDUAL).apply(replace(away, mood=None)).states[State.TURNED_AWAY] == 1
    unposed = tuple(replace(reading, yaw=None, pitch=None) for reading in five.readings[:4])
    assert Policy(mode).apply(replace(five, readings=(*unposed, *five.readings[4:]))).facing is None
    assert Policy(Mode.INDIVIDUAL).apply(record(4)).facing == 1.0


def test_participation_lets_no_expression_through() -> None:
    after = Policy(Mode.PARTICIPATION).apply(record())
    assert (after.mood, after.expressions, after.readings, after.seats, after.episodes) == (
        None,
        None,
        (),
        (),
        (),
    )
    assert (after.tiles, after.faces, after.facing) == (6, 5, 1.0)


@pytest.mark.parametrize("mode", list(Mode))
def test_applying_twice_changes_nothing(mode: Mode) -> None:
    policy = Policy(mode)
    once = policy.apply(record())
    assert policy.apply(once) == once


def test_refuses_an_empty_group() -> None:
    with pytest.raises(InvalidRecordError, match="minimum_group"):
        Policy(Mode.AGGREGATE, minimum_group=0)

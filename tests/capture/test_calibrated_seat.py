"""A seat that is calibrated while its class is read: from the next look on, in individual mode, and nobody else's."""

import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Self, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine

from capture.agent import Agent, AgentSettings
from capture.classroom import Classroom
from capture.frame import Frame
from capture.gallery import find_tiles
from engagement.attention import AttentionTracker
from engagement.calibration import apply_bias
from engagement.consent import ClassRoll
from engagement.emotion import EXPRESSIONS
from engagement.records import Episode, IntervalRecord, Label, Mode, Tile
from inference.reader import Reader, ReaderResult, load_reader
from storage import queries, students
from storage.calibrations import keep_bias
from storage.recorder import Recorder

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BIAS = np.array([0, 0, 0, -0.8, 0, 0, 0.8], np.float32)


class Still:
    """A class of nine that does not move, four looks long."""

    name = "script"
    live = False

    def __init__(self) -> None:
        with Classroom(seats=9, width=1280, height=720) as classroom:
            self.image = classroom.draw(3.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def frame_count(self, interval: float) -> int | None:
        return 4

    def frames(self, interval: float) -> Iterator[Frame]:
        for index in range(4):
            yield Frame(self.image, START + timedelta(seconds=interval * index), index)


@pytest.mark.parametrize("mode", [Mode.INDIVIDUAL, Mode.AGGREGATE])
def test_a_bias_is_taken_up_at_the_next_look(
    engine: Engine, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[list[int]] = []

    class Tracker(AttentionTracker):
        def forget_usual(self, seats: Collection[int], at: datetime) -> tuple[Episode, ...]:
            forgotten.append(list(seats))
            return super().forget_usual(seats, at)

    monkeypatch.setattr("capture.agent.AttentionTracker", Tracker)
    records: list[IntervalRecord] = []
    reader = load_reader()
    source = Still()
    first = reader.read(source.image, find_tiles(source.image)).readings
    name = next(one.label.name for one in first if one.probabilities is not None and one.label.name)
    assert name is not None
    student = students.add_student(engine, "Physics", name)

    def on_interval(record: IntervalRecord) -> None:
        records.append(record)
        if len(records) == 2:
            keep_bias(engine, student, BIAS, START)

    settings = AgentSettings("Physics", 2.0, mode, None, "test", 1, agreed=True)
    result = Agent(source, lambda: reader, Recorder(engine), settings, on_interval).run(threading.Event())
    assert result.intervals == 4
    if mode is Mode.AGGREGATE:
        # nothing is kept of one seat there, and nothing done to it
        assert len({tuple((record.expressions or {}).values()) for record in records}) == 1
        return
    (seat,) = [seat for seat in records[0].seats if seat.student_id == student]
    # for the seat that is read in another way from there on
    assert forgotten == [[seat.number]]
    read = queries.readings_since(engine, result.session_id)
    calibrated = queries.seats(engine, result.session_id).set_index("seat")["calibrated"]
    assert [number for number, it_is in calibrated.items() if it_is] == [seat.number]
    by_seat = {number: rows[list(EXPRESSIONS)].to_numpy(np.float32) for number, rows in read.groupby("seat")}
    mine = by_seat.pop(seat.number)
    assert mine[0] == pytest.approx(mine[1], abs=1e-6)
    assert mine[2] == pytest.approx(apply_bias(mine[1], BIAS), abs=1e-4)
    assert mine[3] == pytest.approx(mine[2], abs=1e-6)
    for rows in by_seat.values():
        assert np.allclose(rows, rows[0], atol=1e-6, equal_nan=True)


class Hidden:
    """A reader that reads no name from the third look on, as under a toolbar."""

    def __init__(self, inner: Reader) -> None:
        self._inner, self._looks = inner, 0

    def read(
        self, image: NDArray[np.uint8], tiles: Sequence[Tile], roll: ClassRoll | None = None
    ) -> ReaderResult:
        self._looks += 1
        shown = roll or ClassRoll()
        result = self._inner.read(image, tiles, shown if self._looks < 3 else ClassRoll())
        if self._looks < 3:
            return result
        hidden = tuple(replace(one, label=Label("", None)) for one in result.readings)
        return replace(result, readings=hidden)


def test_a_seat_keeps_its_bias_while_its_name_is_hidden(engine: Engine) -> None:
    reader, source = load_reader(), Still()
    first = reader.read(source.image, find_tiles(source.image)).readings
    name = next(one.label.name for one in first if one.probabilities is not None and one.label.name)
    assert name is not None
    student = students.add_student(engine, "Physics", name)
    keep_bias(engine, student, BIAS, START)
    settings = AgentSettings("Physics", 2.0, Mode.INDIVIDUAL, None, "test", 1, agreed=True)
    records: list[IntervalRecord] = []
    hidden = cast("Reader", Hidden(reader))
    Agent(source, lambda: hidden, Recorder(engine), settings, records.append).run(threading.Event())
    (seat,) = [seat.number for seat in records[0].seats if seat.student_id == student]
    mine = [one.probabilities for record in records for one in record.readings if one.seat == seat]
    assert len(mine) == 4
    assert all(rows == pytest.approx(mine[0], abs=1e-4) for rows in mine)

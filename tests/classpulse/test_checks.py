"""What the doctor says of a picture: grid, faces, names and time."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from capture.classroom import Classroom
from capture.frame import Frame
from classpulse.checks import judge_reading, read_picture
from engagement.records import Box, Face, Label, State, Tile, TileReading
from inference.reader import ReaderResult


class Recorded:
    """A reader that gives what a test says, for any tiles."""

    def __init__(self, *readings: TileReading) -> None:
        self.readings = readings

    def read(self, image: np.ndarray, tiles: Sequence[Tile]) -> ReaderResult:
        return ReaderResult(self.readings, bool(tiles), {})


def reading(name: str | None, state: State) -> TileReading:
    face = Face(Box(4, 4, 20, 20), np.zeros((5, 2), np.float32), 0.9) if state is State.SEEN else None
    on = state is not State.CAMERA_OFF
    return TileReading(Tile(Box(0, 0, 80, 45), None, on), Label("f", name), state, face, None, None, 0.5)


@pytest.fixture(scope="module")
def gallery() -> Frame:
    with Classroom(seats=6, width=960, height=540) as classroom:
        return Frame(classroom.draw(3.0), datetime(2026, 3, 2, tzinfo=UTC), 0)


def check(frame: Frame, *readings: TileReading, **changes: Any) -> dict[str, dict[str, str]]:
    values: dict[str, Any] = {"interval": 2.0, "names": True} | changes
    read = read_picture(frame, Recorded(*readings))  # type: ignore[arg-type]
    lines = judge_reading(read, **values)
    # as a page or a script would have it
    return {line.name: asdict(line) for line in lines}


def test_a_class_that_can_be_read(gallery: Frame) -> None:
    seen, off = reading("Ada", State.SEEN), reading("Ben", State.CAMERA_OFF)
    found = check(gallery, seen, seen, reading(None, State.NO_FACE), off, interval=60.0)
    assert {name: line["state"] for name, line in found.items()} == {
        "grid": "ok", "faces": "ok", "names": "ok", "time per frame": "ok",
    }  # fmt: skip
    assert found["grid"]["found"] == "6 tiles"
    assert found["faces"]["found"] == "2 of 3 cameras show one"
    assert found["names"]["found"] == "3 of 4 read"
    assert "ms for one frame every 60 s" in found["time per frame"]["found"]


def test_what_is_missing_comes_with_what_to_do(gallery: Frame) -> None:
    flat = Frame(np.full((540, 960, 3), 90, np.uint8), gallery.taken_at, 0)
    found = check(flat, reading(None, State.NO_FACE), interval=1e-6)
    assert {line["state"] for line in found.values()} == {"warn"}
    assert "gallery view" in found["grid"]["advice"]
    assert "Always display participant names" in found["names"]["advice"]
    assert "--interval" in found["time per frame"]["advice"]
    assert found["faces"]["found"] == "0 of 1 cameras show one"


def test_names_are_not_missed_where_none_may_be_read(gallery: Frame) -> None:
    assert check(gallery, reading(None, State.SEEN), names=False)["names"]["state"] == "ok"

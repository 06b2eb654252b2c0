"""What the doctor says of a picture: grid, faces, names and time."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine

from capture.classroom import Classroom
from capture.doctor import Check
from capture.frame import Frame
from classpulse.checks import Examination, judge_reading, read_picture, roll_before_class
from classpulse.settings import Settings
from engagement.consent import ClassRoll, Look
from engagement.records import Box, Consent, Face, Label, State, Tile, TileReading
from inference.names import LabelReader
from inference.quality import QualityGate
from inference.reader import Reader, ReaderResult
from storage import students
from storage.errors import DatabaseUnreachableError


class Recorded:
    """A reader that gives what a test says, for any tiles."""

    def __init__(self, *readings: TileReading) -> None:
        self.readings = readings

    def read(self, image: np.ndarray, tiles: Sequence[Tile], roll: ClassRoll) -> ReaderResult:
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
    read = read_picture(frame, Recorded(*readings), ClassRoll())  # type: ignore[arg-type]
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
    names = check(gallery, reading(None, State.SEEN), names=False)["names"]
    assert (names["state"], names["found"]) == ("ok", "not read in participation mode")
    names = check(gallery, reading(None, State.SEEN), names=False, needed=True)["names"]
    assert (names["state"], names["found"]) == ("ok", "read only to know whose tile to leave out")


def test_who_may_not_be_looked_at_is_told_and_is_no_camera_without_a_face(gallery: Frame) -> None:
    out = reading(None, State.OPTED_OUT)
    found = check(gallery, reading("Ada", State.SEEN), out, out)["faces"]
    assert found["found"] == "1 of 1 cameras show one, 2 more may not be looked at by the class list"
    assert found["state"] == "ok"
    nobody = check(gallery, out, out)["faces"]
    assert nobody["state"] == "warn"
    assert "whose name cannot be read: let the meeting show names" in nobody["advice"]


class Unasked:
    """A detector that may not be shown anything."""

    def detect(self, _image: np.ndarray) -> list[Face]:
        raise AssertionError("a face was looked for")


def examined(tmp_path: Path, frame: Frame, read_roll: Callable[[], ClassRoll]) -> dict[str, Check]:
    """The lines of a doctor who looks at one picture, by name."""
    picture = tmp_path / "gallery.png"
    Image.fromarray(frame.image).save(picture)
    chosen = Settings.model_validate({
        "capture": {"source": str(picture)},
        "storage": {"database": f"sqlite:///{tmp_path / 'class.db'}"},
    })  # fmt: skip
    reader = Reader(Unasked(), None, LabelReader(budget=None), QualityGate(), keep_names=False)
    checks = Examination(chosen, lambda _chosen: reader, read_roll, served=True).checks()
    return {check.name: check for check in checks}


def test_the_look_before_a_class_leaves_out_who_refused(tmp_path: Path, gallery: Frame) -> None:
    with Classroom(seats=6, width=960, height=540) as classroom:
        names = [truth.name for truth in classroom.truth(3.0)]
    everybody = [(number, name, Consent.REFUSED) for number, name in enumerate(names)]
    found = examined(tmp_path, gallery, lambda: ClassRoll(everybody))
    assert "6 more may not be looked at" in found["faces"].found
    assert found["names"].found == "read only to know whose tile to leave out"


def test_where_the_class_list_cannot_be_read_nobody_is_looked_at(tmp_path: Path, gallery: Frame) -> None:
    def away() -> ClassRoll:
        raise DatabaseUnreachableError("The database does not answer: try again.")

    found = examined(tmp_path, gallery, away)["faces"]
    assert (found.state, found.advice) == ("fail", "The database does not answer: try again.")


def test_who_refused_in_any_class_is_left_out_before_a_class(engine: Engine) -> None:
    ada = students.add_student(engine, "9a", "Ada Okafor")
    ben = students.add_student(engine, "9b", "Ben Carver")
    students.add_student(engine, "9b", "Grace Lee")
    assert not roll_before_class(engine, "Chess").needs_names
    students.set_consent(engine, ada, Consent.REFUSED, None, None)
    labels = [Label(name, name) for name in ("Ada Okafor", "Ben Carver", "Grace Lee")]
    for name in ("9a", "9A", "9b", "Chess"):
        assert roll_before_class(engine, name).looks(labels) == (Look.OPTED_OUT, Look.READ, Look.READ)
    students.set_consent(engine, ben, Consent.AGREED, None, None)
    students.update_class_list(engine, "9b", only_agreed=True)
    for name in ("9b", "Chess"):
        assert roll_before_class(engine, name).looks(labels) == (Look.OPTED_OUT, Look.READ, Look.OPTED_OUT)
    assert roll_before_class(engine, "9a").looks(labels) == (Look.OPTED_OUT, Look.READ, Look.READ)

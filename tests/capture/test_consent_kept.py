"""From the class list to what is kept: real tiles, labels and storage; the detector only notes what it is shown."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Self

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine

from capture.agent import Agent, AgentSettings
from capture.errors import AgentError
from capture.frame import Frame
from engagement.records import Consent, Face, Mode
from inference.names import LabelReader
from inference.quality import QualityGate
from inference.reader import Reader
from storage import queries, students
from storage.recorder import Recorder
from tests.capture.synthetic_gallery import Look, compose_gallery, drawn_pictures

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = ("Ada Okafor (Host, me)", "Ben Carver", "Chiara Conti", "Dmitri Sokolov", "Grace Lee", "Hugo Martin")
RED = (250, 10, 10)


class Meeting:
    """A recording of a gallery in which some pictures hold something red; they change places in the middle."""

    name = "script"
    live = False

    def __init__(self, red: tuple[str, ...]) -> None:
        self.red = red

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def frame_count(self, interval: float) -> int | None:
        return 4

    def frames(self, interval: float) -> Iterator[Frame]:
        for index in range(4):
            names = NAMES if index < 2 else NAMES[::-1]
            pictures = drawn_pictures(6, seed=index)
            for place, name in enumerate(names):
                if name in self.red:
                    pictures[place][60:120, 130:190] = RED
            gallery = compose_gallery(pictures, names, Look(size=(1280, 720)))
            yield Frame(gallery.image, START + timedelta(seconds=2 * index), index)


class Watched:
    """A detector that finds nothing and notes whether it saw red."""

    yaw_gain = 1.0

    def __init__(self) -> None:
        self.runs = 0
        self.saw_red = False

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        self.runs += 1
        self.saw_red |= bool((np.abs(image.astype(int) - RED).max(axis=2) < 40).any())
        return []


def watch(engine: Engine, red: tuple[str, ...], mode: Mode = Mode.INDIVIDUAL) -> tuple[int, Watched]:
    detector = Watched()
    keep_names = mode is not Mode.PARTICIPATION
    reader = Reader(detector, None, LabelReader(budget=None), QualityGate(), keep_names=keep_names)
    settings = AgentSettings("Physics", 2.0, mode, None, "test", 1)
    result = Agent(Meeting(red), lambda: reader, Recorder(engine), settings).run(threading.Event())
    assert result.intervals == 4
    # each frame twice: it finds nobody, and large tiles are then looked at from nearer
    assert detector.runs == 8
    return result.session_id, detector


def test_nothing_is_looked_for_on_who_refused_and_nothing_kept_but_that(engine: Engine) -> None:
    ben = students.add_student(engine, "Physics", "Carver, Ben")
    grace = students.add_student(engine, "Physics", "Grace Lee")
    students.set_consent(engine, ben, Consent.REFUSED, "letter", START)
    session_id, detector = watch(engine, red=("Ben Carver", NAMES[0]))
    assert not detector.saw_red
    intervals = queries.intervals_since(engine, session_id)
    assert intervals["tiles"].tolist() == [5] * 4  # the teacher's own is none
    assert intervals["n_opted_out"].tolist() == [1] * 4
    with engine.connect() as connection:
        seats = connection.exec_driver_sql("SELECT name, student_id FROM seats ORDER BY name").all()
        kept = connection.exec_driver_sql(
            "SELECT DISTINCT state, yaw, pitch, quality, angry FROM readings JOIN seats ON seat = number "
            "WHERE student_id = ?",
            (ben,),
        ).all()
    assert [tuple(seat) for seat in seats] == [
        ("Ben Carver", ben),
        ("Chiara Conti", None),
        ("Dmitri Sokolov", None),
        ("Grace Lee", grace),
        ("Hugo Martin", None),
    ]
    assert [tuple(row) for row in kept] == [("opted_out", None, None, 0.0, None)]


@pytest.mark.parametrize("mode", list(Mode))
def test_with_only_those_who_agreed_nobody_else_is_looked_at(engine: Engine, mode: Mode) -> None:
    grace = students.add_student(engine, "Physics", "Grace Lee")
    students.add_student(engine, "Physics", "Ben Carver")
    students.set_consent(engine, grace, Consent.AGREED, None, None)
    students.update_class_list(engine, "Physics", only_agreed=True)
    everybody_else = tuple(name for name in NAMES if name != "Grace Lee")
    session_id, detector = watch(engine, red=everybody_else, mode=mode)
    assert not detector.saw_red
    intervals = queries.intervals_since(engine, session_id)
    assert intervals["n_opted_out"].tolist() == [4] * 4
    assert intervals["n_no_face"].tolist() == [1] * 4


def test_a_class_called_almost_so_is_not_read_without_its_list(engine: Engine) -> None:
    students.add_student(engine, "physics", "Grace Lee")
    with pytest.raises(AgentError, match='"Physics" has no list of students, but "physics" has one'):
        watch(engine, red=())
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sessions").scalar_one() == 0


def test_without_a_list_everybody_is_looked_at_but_the_teacher(engine: Engine) -> None:
    _, detector = watch(engine, red=(NAMES[0],))
    assert not detector.saw_red
    _, detector = watch(engine, red=("Ben Carver",))
    assert detector.saw_red

"""A class whose participants typed what harms, read through a recogniser that gives exactly that."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine

from capture.agent import Agent, AgentSettings
from capture.frame import Frame
from engagement.emotion import EXPRESSIONS
from engagement.records import Box, Consent, Face, Mode
from inference.names import LabelReader
from inference.quality import QualityGate
from inference.reader import Reader
from inference.recognition import Recognised
from storage import students
from storage.notes import add_note
from storage.recorder import Recorder
from tests.capture.synthetic_gallery import NAMES, Look, compose_gallery, drawn_pictures

TYPED: Final = (
    "<img src=x onerror=alert(1)>",
    "</script><script>window.hacked=2</script>",
    "javascript:alert(3)",
    '<a href="javascript:alert(4)">Ada</a>',
    "[Ada](javascript:alert(5))",
    '=HYPERLINK("http://evil.example/x","Ada")',
    "+1 555",
    "-2+3",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\tTab first",
    "\rReturn first",
    "Right\u202eto left",
    "Zero\u200bwidth\ufeff",
    "x" * 10_000,
    "Nul\x00in it",
    "Ada 😀🏽",
    "%{x} ${7*7} {{7*7}} <%= 7 %>",
    "' OR 1=1; DROP TABLE seats;--",
)

CLASS: Final = '<b onmouseover=alert(6)>9b</b> =1+1 "quoted"'
NOTE: Final = "=cmd|' /C calc'!A0 <script>window.hacked=7</script> http://evil.example/note"
START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FRAMES: Final = 12
_LAST: Final = ("Adams", "Brook", "Cruz", "Doyle", "Evans", "Frost", "Grant", "Hayes")


LANDMARKS: Final = np.array([[16, 19], [34, 19], [25, 29], [18, 38], [32, 38]])
"""Of a head that looks ahead, in a box of 50 pixels."""


class Typed:
    """Stands for the recogniser: the next label that it is shown holds the next of what was typed."""

    def __init__(self, *_arguments: object) -> None:
        self._left = iter(TYPED)

    def read(self, _line: object) -> Recognised:
        return Recognised(next(self._left, "Somebody"), 0.99)


class Heads:
    """A detector that sees a face in the middle of each tile of a mosaic, until everybody leaves."""

    yaw_gain = 1.0

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.frames = 0

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        self.frames += 1
        if self.frames > FRAMES // 3:
            return []
        found, (height, width) = [], image.shape[:2]
        for top in range(20, height - 60, 40):
            for left in range(20, width - 60, 40):
                landmarks = (LANDMARKS + np.array([left, top])).astype(np.float32)
                found.append(Face(Box(left, top, 50, 50), landmarks, 0.9))
        return found


class Calm:
    """A classifier to which everybody looks alike."""

    size = 48

    def classify(self, crops: NDArray[np.uint8], heights: Sequence[float]) -> NDArray[np.float32]:
        assert len(heights) == len(crops)
        row = [0.9 if expression == "neutral" else 0.1 / 6 for expression in EXPRESSIONS]
        return np.array([row] * len(crops), dtype=np.float32)


class Lesson:
    """A recording of a gallery, a frame every 20 seconds."""

    name = '<iframe src="http://evil.example/window">'
    live = False

    def __init__(self, started_at: datetime) -> None:
        self._started_at = started_at

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def frame_count(self, interval: float) -> int | None:
        return FRAMES

    def frames(self, interval: float) -> Iterator[Frame]:
        names = [f"{NAMES[n % len(NAMES)].split()[0]} {_LAST[n % len(_LAST)]}" for n in range(len(TYPED))]
        gallery = compose_gallery(drawn_pictures(len(TYPED), seed=5), names, Look(size=(1920, 1080)))
        for index in range(FRAMES):
            yield Frame(gallery.image.copy(), self._started_at + timedelta(seconds=interval * index), index)


def read_class(engine: Engine, patch: pytest.MonkeyPatch, start: datetime = START) -> int:
    """Read the lesson into a database, with a class list, consents and a note of the same kind; the session."""
    patch.setattr("inference.names.TextRecognizer", Typed)
    classifier: Any = Calm()
    reader = Reader(Heads(), classifier, LabelReader(budget=None), QualityGate(min_height=1))
    settings = AgentSettings(CLASS, 20.0, Mode.INDIVIDUAL, None, "test", 1)
    result = Agent(Lesson(start), lambda: reader, Recorder(engine), settings).run(threading.Event())
    add_note(engine, result.session_id, start + timedelta(seconds=30), NOTE)
    rows = [students.NewStudent(name, Consent.AGREED) for name in TYPED]
    students.import_students(engine, CLASS, rows, source=TYPED[0], at=start)
    return result.session_id

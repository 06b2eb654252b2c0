"""Controls for tests of the pages: they stand as a test says, and note what they are asked for."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from dashboard.controls import (
    Choices,
    Findings,
    Phase,
    Picture,
    PictureReading,
    RunStatus,
    Told,
    View,
    Wanted,
)
from engagement.intervals import observed
from engagement.mood import MoodTracker
from engagement.policy import Policy
from engagement.records import Box, Face, HeadPose, Label, Mode, State, Tile, TileReading
from engagement.seating import Seating

SURE = np.array([0.02, 0.02, 0.02, 0.8, 0.04, 0.04, 0.06], np.float32)


def a_picture_read(mode: Mode = Mode.INDIVIDUAL, names: tuple[str, ...] = ("Ada", "Ben")) -> PictureReading:
    """A row of tiles whose faces are happy, and behind them one who opted out."""
    readings = [
        TileReading(
            Tile(Box(10 + 200 * place, 10, 190, 107), Box(10 + 200 * place, 97, 80, 20), camera_on=True),
            Label(name, name),
            State.SEEN,
            Face(Box(60 + 200 * place, 30, 50, 60), np.zeros((5, 2), np.float32), 0.9),
            None if mode is Mode.PARTICIPATION else SURE,
            HeadPose(12.0, -2.0, 0.0),
            0.875,
        )
        for place, name in enumerate(names)
    ]
    readings.append(
        TileReading(
            Tile(Box(10 + 200 * len(names), 10, 190, 107), None, camera_on=True),
            Label("", "Carla"),
            State.OPTED_OUT,
            None,
            None,
            None,
            0.0,
        )
    )
    at = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    seated, seats = Seating().assign(readings)
    record = replace(observed(0, at, 2.0, seated, MoodTracker(), grid=True), seats=seats)
    each = mode is Mode.INDIVIDUAL
    return PictureReading(
        mode,
        20 + 200 * len(readings),
        127,
        tuple(one if each else replace(one, probabilities=None, pose=None) for one in readings),
        Policy(mode).apply(record),
        {"total": 87.4},
    )


class Hands:
    """Implements `dashboard.controls.Controls` without a screen or an agent.

    Args:
        status: how it stands with the class.
        own: whether the class is one that these controls started.
        told: where the class is.
        choices: what is on the screen.
        findings: of the look that the page asks for.
        view: the last frame.
    """

    def __init__(
        self,
        status: RunStatus | None = None,
        *,
        own: bool = True,
        told: Told | None = None,
        choices: Choices | None = None,
        findings: Findings | None = None,
        view: View | None = None,
    ) -> None:
        self._status, self._own, self._told = status or RunStatus(Phase.IDLE), own, told
        self._choices, self._findings, self._view = choices or Choices(()), findings, view
        self.stopped = 0
        self.given: list[Picture] = []

    def suggestion(self) -> Wanted:
        return Wanted("Class", Mode.AGGREGATE, 2.0, "window")

    def told(self) -> Told | None:
        return self._told

    def tell(self, told: Told) -> None:
        raise NotImplementedError

    def choices(self) -> Choices:
        return self._choices

    def look(self, wanted: Wanted) -> int:
        return 1

    def findings(self) -> Findings | None:
        return self._findings

    def start(self, wanted: Wanted) -> None:
        raise NotImplementedError

    def stop(self) -> bool:
        self.stopped += 1
        return self._own

    def status(self) -> RunStatus:
        return self._status

    def view(self, *, blurred: bool) -> View | None:
        return self._view

    def read_picture(self, picture: Picture) -> PictureReading:
        self.given.append(picture)
        return a_picture_read(picture.mode)

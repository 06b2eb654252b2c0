"""A face that stands still is not read; one that moves is read again at once."""

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from capture.classroom import Classroom
from capture.standing_still import CAMERA_OFF_AFTER, STILL_AFTER, StillTracker
from engagement.errors import InvalidRecordError
from engagement.records import Box, Face, HeadPose, Label, Reading, State, Tile, TileReading
from tests.capture.synthetic_gallery import drawn_pictures, fill

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HAPPY = np.array([0.02, 0.02, 0.02, 0.8, 0.02, 0.02, 0.1], np.float32)
PHOTO, OTHER = drawn_pictures(2, seed=1)
PLACE = Box(20, 10, 320, 180)


class Class:
    """One tile after another is shown to a tracker; time passes by itself."""

    def __init__(self, interval: float = 2.0) -> None:
        self.tracker = StillTracker()
        self.interval = timedelta(seconds=interval)
        self.at = START

    def look(
        self,
        picture: NDArray[np.uint8],
        box: Box = PLACE,
        found: tuple[int, int] = (0, 0),
        *,
        state: State = State.SEEN,
        all_still: bool = False,
    ) -> Reading:
        """What is made of seat 3, whose tile shows the picture; `found` is how far off the detector's box is."""
        image = np.zeros((box.bottom + 20, box.right + 20, 3), np.uint8)
        image[box.top : box.bottom, box.left : box.right] = fill(picture, box.width, box.height)
        size = box.height // 2
        face = Face(
            Box(box.left + box.width // 3 + found[0], box.top + box.height // 4 + found[1], size, size),
            np.zeros((5, 2), np.float32),
            0.9,
        )
        tile = TileReading(
            Tile(box, None, True), Label("f", "Ada"), state, face, None, HeadPose(4, 2, 0), 0.9
        )
        seen = HAPPY if state is State.SEEN else None
        reading = Reading(3, 0, state, seen, 4.0, 2.0, 0.9)
        (read,) = self.tracker.update(image, [tile], [reading], self.at, all_still=all_still)
        self.at += self.interval
        return read

    def states(self, picture: NDArray[np.uint8], seconds: float) -> list[State]:
        """Over so many seconds of one picture."""
        return [self.look(picture).state for _ in range(int(seconds / self.interval.total_seconds()))]


def grain(seed: int) -> NDArray[np.uint8]:
    """The photo with a mouth that moves and a camera's grain."""
    picture = PHOTO.astype(np.int16) + np.random.default_rng(seed).normal(0, 2, PHOTO.shape)
    moved = np.clip(picture, 0, 255).astype(np.uint8)
    cv2.circle(moved, (150 + seed % 5, 90), 9, (120, 40, 50), -1)
    return moved


def test_a_photo_is_unreadable_after_some_seconds_and_a_camera_that_is_off_after_a_minute() -> None:
    states = Class().states(PHOTO, 80)
    before, minute = int(STILL_AFTER.total_seconds() / 2), int(CAMERA_OFF_AFTER.total_seconds() / 2)
    assert states[:before] == [State.SEEN] * before
    assert states[before:minute] == [State.UNREADABLE] * (minute - before)
    assert set(states[minute:]) == {State.CAMERA_OFF}


def test_nothing_that_was_read_on_a_photo_is_left() -> None:
    here = Class()
    here.states(PHOTO, 14)
    still = here.look(PHOTO)
    assert (still.probabilities, still.yaw, still.pitch, still.quality) == (None, None, None, 0.0)
    assert still.seat == 3


@pytest.mark.parametrize("state", [State.TURNED_AWAY, State.UNREADABLE])
def test_a_photo_in_profile_is_nobody_who_turned_away(state: State) -> None:
    here = Class()
    for _ in range(40):
        read = here.look(PHOTO, state=state)
    assert read.state is State.CAMERA_OFF


def test_a_student_is_seen_again_with_the_first_look_that_differs() -> None:
    here = Class()
    assert here.states(PHOTO, 30)[-1] is State.UNREADABLE
    assert here.look(grain(1)).state is State.SEEN
    assert here.look(grain(1)).state is State.SEEN


def test_a_connection_that_stutters_loses_nobody() -> None:
    here = Class()
    states = []
    for second in range(20):
        states += here.states(grain(second), 8)
    assert set(states) == {State.SEEN}


def test_slow_movement_adds_up() -> None:
    here = Class()
    # a pixel in 4 s, which from one look to the next is within what a recording may do to a photo
    states = [here.look(np.roll(PHOTO, step // 2, axis=1)).state for step in range(60)]
    assert set(states) == {State.SEEN}


def test_a_photo_stands_still_again_at_once_when_what_lay_over_it_is_gone() -> None:
    here = Class()
    here.states(PHOTO, 70)
    assert here.look(OTHER).state is State.SEEN
    assert here.look(PHOTO).state is State.CAMERA_OFF


def test_a_photo_stays_one_where_its_tile_moves_and_changes_its_size() -> None:
    here = Class()
    here.states(PHOTO, 70)
    for box in (Box(400, 250, 320, 180), Box(400, 250, 240, 135), Box(10, 10, 480, 270)):
        assert here.look(PHOTO, box).state is State.CAMERA_OFF
        assert here.look(PHOTO, box).state is State.CAMERA_OFF
    # and somebody else who comes is seen
    assert here.look(OTHER, Box(400, 250, 240, 135)).state is State.SEEN


def test_a_box_that_the_detector_finds_elsewhere_is_no_movement() -> None:
    here = Class()
    for look in range(12):
        read = here.look(PHOTO, found=(look % 4, look % 3))
    assert read.state is State.UNREADABLE


def test_a_photo_in_a_recording_stands_still_though_it_is_compressed_anew() -> None:
    here = Class()
    for look in range(12):
        data = cv2.imencode(".jpg", PHOTO, [cv2.IMWRITE_JPEG_QUALITY, 60 + look % 3])[1]
        read = here.look(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8))
    assert read.state is State.UNREADABLE


def test_where_the_whole_window_stands_still_nothing_is_said_of_a_seat() -> None:
    here = Class()
    # the first two looks at a still window cannot know that it is
    states = [here.look(PHOTO, all_still=look >= 2).state for look in range(20)]
    assert set(states) == {State.SEEN}


def test_two_looks_an_hour_apart_may_be_alike_by_chance() -> None:
    here = Class(interval=60.0)
    assert [here.look(PHOTO).state for _ in range(4)] == [State.SEEN] * 3 + [State.CAMERA_OFF]


def test_a_dark_picture_tells_nothing() -> None:
    assert set(Class().states((PHOTO * 0.02).astype(np.uint8), 90)) == {State.SEEN}


def test_time_is_utc() -> None:
    with pytest.raises(InvalidRecordError, match="UTC"):
        StillTracker().update(PHOTO, [], [], datetime(2026, 3, 2))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize("interval", [0.5, 2.0])
def test_nobody_of_the_synthetic_class_stands_still(interval: float) -> None:
    classroom = Classroom(16, 1280, 720, seed=4)
    tracker = StillTracker()
    judged = 0
    for look in range(int(16 / interval)):
        seconds = 20 + look * interval
        image = classroom.draw(seconds)
        tiles, readings = [], []
        for place, seat in enumerate(classroom.truth(seconds)):
            if seat.state is not State.SEEN:
                continue
            box = seat.box
            high = box.height // 2
            face = Box(box.left + (box.width - high) // 2, box.top + box.height // 5, high, high)
            found = Face(face, np.zeros((5, 2), np.float32), 0.9)
            label = Label("f", seat.name)
            tiles.append(TileReading(Tile(box, None, True), label, seat.state, found, None, None, 0.9))
            number = 1 + sum(map(ord, seat.name))
            readings.append(Reading(number, place, seat.state, None, None, None, 0.9))
        after = tracker.update(image, tiles, readings, START + timedelta(seconds=seconds))
        judged += len(after)
        assert {reading.state for reading in after} == {State.SEEN}
    assert judged > 10 * 16 / interval

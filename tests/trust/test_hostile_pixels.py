"""Pixels that somebody else made: ten thousand frames of every kind that no camera gives."""

import time
from collections.abc import Iterator, Sequence

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from capture.gallery import find_tiles
from capture.liveness import is_black
from classpulse.annotate import annotate
from classpulse.thumbnail import thumbnail
from engagement.emotion import EXPRESSIONS
from engagement.errors import ClasspulseError
from engagement.records import Box, Face, State, Tile
from inference.quality import QualityGate
from inference.reader import Reader, load_reader

FRAMES = 10_000
WITH_GRID = 500
WITH_MODELS = 100
SLOWEST_SECONDS = 10.0
"""Of processor time, for one frame."""

Picture = NDArray[np.uint8]


def noise(random: np.random.Generator, height: int, width: int) -> Picture:
    return random.integers(0, 256, (height, width, 3), dtype=np.uint8)


def flat(random: np.random.Generator, height: int, width: int) -> Picture:
    return np.full((height, width, 3), random.integers(0, 256, 3), dtype=np.uint8)


def stripes(random: np.random.Generator, height: int, width: int) -> Picture:
    image = flat(random, height, width)
    image[:: random.integers(1, 9)] = random.integers(0, 256, 3)
    image[:, :: random.integers(1, 9)] = random.integers(0, 256, 3)
    return image


def slope(random: np.random.Generator, height: int, width: int) -> Picture:
    ramp = np.linspace(0, random.integers(1, 256), width, dtype=np.uint8)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (height, width, 3)))


def salted(random: np.random.Generator, height: int, width: int) -> Picture:
    image = flat(random, height, width)
    image[random.random((height, width)) < 0.05] = 255
    return image


KINDS = (noise, flat, stripes, slope, salted)


def frames(count: int, smallest: int, largest: int) -> Iterator[tuple[np.random.Generator, Picture]]:
    random = np.random.default_rng(10)
    for index in range(count):
        height, width = (int(side) for side in random.integers(smallest, largest, 2))
        yield random, KINDS[index % len(KINDS)](random, height, width)


def tiles_in(random: np.random.Generator, image: Picture) -> list[Tile]:
    """Some tiles inside the frame, as small as one pixel, over one another, with and without a label."""
    height, width = image.shape[:2]
    made = []
    for _ in range(int(random.integers(0, 7))):
        left, top = int(random.integers(0, width)), int(random.integers(0, height))
        box = Box(
            left, top, int(random.integers(1, width - left + 1)), int(random.integers(1, height - top + 1))
        )
        made.append(Tile(box, box if random.random() < 0.5 else None, camera_on=bool(random.random() < 0.8)))
    return made


SANE = np.array([[0.32, 0.38], [0.68, 0.38], [0.5, 0.58], [0.36, 0.76], [0.64, 0.76]])
"""Eyes, nose and corners of the mouth in a box of side 1."""


class Wild:
    """A detector gone wild: faces over the edge, of one pixel, landmarks anywhere or on one spot; some are sane."""

    yaw_gain = 1.0

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random

    def detect(self, image: Picture) -> list[Face]:
        random, (height, width) = self._random, image.shape[:2]
        found = []
        if random.random() < 0.5 and min(height, width) > 20:
            side = int(random.integers(20, min(height, width) + 1))
            box = Box(
                int(random.integers(0, width - side + 1)),
                int(random.integers(0, height - side + 1)),
                side,
                side,
            )
            landmarks = (SANE * side + [box.left, box.top] + random.normal(0, 0.5, (5, 2))).astype(np.float32)
            found.append(Face(box, landmarks, 0.95))
        for _ in range(int(random.integers(0, 5))):
            left, top = (int(place) for place in random.integers(-50, max(height, width) + 50, 2))
            box = Box(left, top, int(random.integers(1, 300)), int(random.integers(1, 300)))
            spread = float(random.choice([0.0, 1.0, 40.0, 1e6]))
            landmarks = (random.normal(0, 1, (5, 2)) * spread + [left, top]).astype(np.float32)
            found.append(Face(box, landmarks, float(random.random())))
        return found


class Guess:
    """A classifier that is always quite sure."""

    size = 48

    def classify(self, crops: NDArray[np.uint8], heights: Sequence[float]) -> NDArray[np.float32]:
        assert len(heights) == len(crops)
        assert crops.dtype == np.uint8
        assert np.isfinite(crops).all()
        rows = np.full((len(crops), len(EXPRESSIONS)), 0.05, np.float32)
        rows[:, 3] = 0.7
        return rows


@pytest.mark.timeout(900)
def test_ten_thousand_frames_break_nothing_and_leave_nothing() -> None:
    random = np.random.default_rng(4)
    gate = QualityGate(min_height=1)
    reader = Reader(Wild(random), Guess(), None, gate)  # type: ignore[arg-type]
    process = psutil.Process()
    count, seen, start, slowest = 0, 0, 0, 0.0
    for chance, image in frames(FRAMES, 1, 96):
        before, began = image.copy() if count % 50 == 0 else None, time.process_time()
        result = reader.read(image, tiles_in(chance, image))
        slowest = max(slowest, time.process_time() - began)
        for reading in result.readings:
            assert isinstance(reading.state, State)
            assert 0.0 <= reading.quality <= 1.0
            assert reading.pose is None or np.isfinite([reading.pose.yaw, reading.pose.pitch]).all()
        seen += sum(reading.state is State.SEEN for reading in result.readings)
        is_black(image)
        if before is not None:
            annotate(image, result.readings, blurred=count % 100 == 0, expressions=True)
            assert np.array_equal(image, before), "a frame is read, never written"
        count += 1
        if count == FRAMES // 10:
            start = process.memory_info().rss
    assert count == FRAMES
    assert seen > FRAMES / 100, "the classifier was hardly reached"
    assert slowest < SLOWEST_SECONDS
    assert process.memory_info().rss - start < 100 * 1024**2


@pytest.mark.timeout(900)
def test_no_frame_breaks_the_search_for_a_grid() -> None:
    count, slowest = 0, 0.0
    for _random, image in frames(WITH_GRID, 1, 100):
        began = time.process_time()
        tiles = find_tiles(image)
        height, width = image.shape[:2]
        assert all(tile.box.left >= 0 and tile.box.right <= width for tile in tiles)
        assert all(tile.box.top >= 0 and tile.box.bottom <= height for tile in tiles)
        if count % 20 == 0:
            assert thumbnail(image, tiles).startswith(b"\x89PNG")
        slowest = max(slowest, time.process_time() - began)
        count += 1
    assert count == WITH_GRID
    assert slowest < SLOWEST_SECONDS


@pytest.mark.timeout(900)
def test_the_real_models_answer_whatever_they_are_shown() -> None:
    reader = load_reader()
    count = 0
    for chance, image in frames(WITH_MODELS, 1, 240):
        try:
            result = reader.read(image, tiles_in(chance, image))
        except ClasspulseError as error:
            pytest.fail(f"{image.shape}: {error}")
        for reading in result.readings:
            assert reading.probabilities is None or abs(float(reading.probabilities.sum()) - 1) < 1e-3
            assert reading.label.name is None or reading.label.name.isprintable()
        count += 1
    assert count == WITH_MODELS

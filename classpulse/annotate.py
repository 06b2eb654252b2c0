"""What the live view shows of a frame: the tiles that were read, and as what."""

import time
from collections.abc import Sequence
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from classpulse.shared_view import SharedView
from classpulse.thumbnail import BLOCKS_PER_TILE
from dashboard.controls import View, ViewTile
from engagement.consent import ClassRoll
from engagement.emotion import EXPRESSIONS
from engagement.records import Box, IntervalRecord, State, Tile, TileReading
from inference.reader import Reader, ReaderResult

WIDTH: Final = 1280
"""Most pixels of the picture from left to right."""

_JPEG_QUALITY: Final = 75


class LiveView:
    """What the pages may see of a class while an agent reads it: its last frame, while they look.

    Args:
        memory: that the pages look into.
        expressions: whether expressions per face may be shown (individual mode).
    """

    def __init__(self, memory: SharedView, *, expressions: bool) -> None:
        self._memory = memory
        self._expressions = expressions

    def of(self, reader: Reader) -> Reader:
        """A reader that leaves what it has read to whoever looks, and otherwise does what this one does."""
        # the agent asks a reader for nothing but `read`
        return cast("Reader", _WatchedReader(reader, self))

    def show(self, image: NDArray[np.uint8], readings: Sequence[TileReading]) -> None:
        """Put a frame in the place of the one before, where somebody looks."""
        if self._memory.is_asked():
            blurred = self._memory.blurred
            self._memory.write(annotate(image, readings, blurred=blurred, expressions=self._expressions))

    def on_stage(self, _stage: object) -> None:
        """Wipe the last frame once nobody looks any more: in a pause no other comes."""
        self._memory.is_asked()

    def on_interval(self, record: IntervalRecord) -> None:
        """Wipe the last frame where nothing was observed, as in a pause."""
        if record.not_observed is not None:
            self._memory.wipe()


class _WatchedReader:
    def __init__(self, reader: Reader, view: LiveView) -> None:
        self._reader = reader
        self._view = view

    def read(
        self, image: NDArray[np.uint8], tiles: Sequence[Tile], roll: ClassRoll | None = None
    ) -> ReaderResult:
        result = self._reader.read(image, tiles, roll)
        self._view.show(image, result.readings)
        return result


def annotate(
    image: NDArray[np.uint8], readings: Sequence[TileReading], *, blurred: bool, expressions: bool
) -> View:
    """The tiles that were read, on black: whoever opted out, and whatever else the window shows, is not on it.

    Args:
        image: uint8 (H, W, 3), RGB; it is not changed.
        readings: of its tiles.
        blurred: whether the tiles are made so coarse that nobody is known.
        expressions: whether expressions per face may be shown.
    """
    import cv2

    height, width = image.shape[:2]
    shown = np.zeros_like(image)
    # last, because the tiles beside it may reach into that of who opted out
    for reading in sorted(readings, key=lambda one: one.state is State.OPTED_OUT):
        box = reading.tile.box.clipped(width, height)
        rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
        if reading.state is State.OPTED_OUT:
            shown[rows, columns] = 0
        else:
            # others than the seat's own face may be in a tile: all of it is blurred
            shown[rows, columns] = _coarse(image[rows, columns]) if blurred else image[rows, columns]
    if width > WIDTH:
        size = WIDTH, max(1, round(height * WIDTH / width))
        shown = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.uint8)
    _done, data = cv2.imencode(".jpg", shown[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return View(
        at=time.time(),
        picture=data.tobytes(),
        width=shown.shape[1],
        height=shown.shape[0],
        tiles=tuple(_tile(reading, width, height, expressions=expressions) for reading in readings),
    )


def _tile(reading: TileReading, width: int, height: int, *, expressions: bool) -> ViewTile:
    probabilities = reading.probabilities if expressions else None
    return ViewTile(
        place=_shares(reading.tile.box, width, height),
        face=None if reading.face is None else _shares(reading.face.box, width, height),
        name=reading.label.name if expressions else None,
        state=str(reading.state),
        expression=None if probabilities is None else EXPRESSIONS[int(probabilities.argmax())],
    )


def _shares(box: Box, width: int, height: int) -> tuple[float, float, float, float]:
    """Left, top, width and height as shares of the picture."""
    return box.left / width, box.top / height, box.width / width, box.height / height


def _coarse(part: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    height, width = part.shape[:2]
    rows = max(1, round(BLOCKS_PER_TILE * height / width))
    blocks = cv2.resize(part, (BLOCKS_PER_TILE, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)

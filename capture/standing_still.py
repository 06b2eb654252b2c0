"""Tells a face that stands still, which is a profile photo or a frozen video, from a student of now."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engagement.records import Box, Reading, State, TileReading, check_utc

STILL_AFTER: Final = timedelta(seconds=12)
"""People blink every 3 to 6 s, and breathe: a face that has not changed for so long is not that of now. A connection
that stutters for some seconds loses nobody."""
FEWEST_LOOKS: Final = 4
"""In so many looks it must have been the same: at an interval of a minute two may be so by chance."""
CAMERA_OFF_AFTER: Final = timedelta(seconds=60)
"""Up to here it may be a video that froze, of which nothing can be said; no meeting program shows one for longer."""

_CELLS: Final = 12
_CHANGED: Final = 4
"""Grey levels by more than which one of the 12 x 12 parts of a face must differ. Those of a photo differ by 0 in a
grab, by up to 4 in a recording; those of the synthetic class by 5 in 99 of 100 pairs of looks 2 s apart."""
_FEATURELESS: Final = 16
"""Grey levels of contrast below which a picture is dark or covered, and its standing still tells nothing."""
_SAME_TILE: Final = 0.9
"""IoU from which a tile is where it was; its edges may be found a pixel off."""
_SAME_FACE: Final = 0.5
_ALIKE: Final = 0.95
"""Correlation from which a tile that moved or has another size shows the same picture still: pixels are no measure
where all of them are drawn anew."""


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """A face as it was first seen: small, grey, and only in memory."""

    tile: Box
    face: Box
    parts: NDArray[np.int16]
    since: datetime
    looks: int = 1


@dataclass(slots=True)
class _Seat:
    now: _Picture
    still: _Picture | None = field(default=None)  # the last one that was said to stand still


class StillTracker:
    """Follows each seat's face, wherever its tile moves, and takes away what was read on one that stands still.

    A face is compared with what it was when it began to stand still, so that slow movement adds up. It is read again
    with the first look in which it differs; where only something was drawn over a photo, such as buttons under the
    mouse, it stands still again as soon as it is back.
    """

    def __init__(self) -> None:
        self._seats: dict[int, _Seat] = {}

    def update(
        self,
        image: NDArray[np.uint8],
        tiles: Sequence[TileReading],
        readings: Sequence[Reading],
        at: datetime,
        *,
        all_still: bool = False,
    ) -> tuple[Reading, ...]:
        """The readings of one look; a face that stands still is `unreadable`, and its camera is off after a minute.

        Args:
            image: uint8 (H, W, 3) RGB.
            tiles, readings: one per tile, in the same order.
            at: aware UTC time of the look.
            all_still: the whole picture has not changed, which is a matter of the window and says nothing about a seat.

        Raises:
            InvalidRecordError: `at` is not in UTC.
        """
        check_utc("StillTracker.update at", at)
        return tuple(
            self._judged(image, tile, reading, at, count=not all_still)
            for tile, reading in zip(tiles, readings, strict=True)
        )

    def _judged(
        self, image: NDArray[np.uint8], tile: TileReading, reading: Reading, at: datetime, *, count: bool
    ) -> Reading:
        if tile.face is None:
            return reading
        before = self._seats.get(reading.seat)
        now = None if before is None else _continued(image, tile.tile.box, tile.face.box, before, count=count)
        if now is None:
            now = _Picture(tile.tile.box, tile.face.box, _parts(image, tile.face.box), at)
        lasted = at - now.since
        is_still = (
            lasted >= STILL_AFTER and now.looks >= FEWEST_LOOKS and int(np.ptp(now.parts)) >= _FEATURELESS
        )
        self._seats[reading.seat] = _Seat(now, now if is_still else before.still if before else None)
        if not is_still:
            return reading
        state = State.CAMERA_OFF if lasted >= CAMERA_OFF_AFTER else State.UNREADABLE
        return replace(reading, state=state, probabilities=None, yaw=None, pitch=None, quality=0.0)


def _continued(
    image: NDArray[np.uint8], tile: Box, face: Box, seat: _Seat, *, count: bool
) -> _Picture | None:
    """Which of the pictures known of a seat its tile shows still, as of this look; None where it is another."""
    for picture in (seat.now, seat.still):
        if picture is None:
            continue
        if tile.iou(picture.tile) < _SAME_TILE:
            parts = _parts(image, face)
            if _correlation(parts, picture.parts) >= _ALIKE:
                return replace(picture, tile=tile, face=face, parts=parts)
        # where it was, to the pixel, whatever the detector says now
        elif face.iou(picture.face) >= _SAME_FACE and _unchanged(_parts(image, picture.face), picture.parts):
            return replace(picture, looks=picture.looks + count)
    return None


def _unchanged(one: NDArray[np.int16], other: NDArray[np.int16]) -> bool:
    return bool(np.abs(one - other).max() <= _CHANGED)


def _parts(image: NDArray[np.uint8], face: Box) -> NDArray[np.int16]:
    """The face in 12 x 12 grey parts."""
    box = face.clipped(image.shape[1], image.shape[0])
    grey = cv2.cvtColor(image[box.top : box.bottom, box.left : box.right], cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA), np.int16)


def _correlation(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    first, second = one - one.mean(), other - other.mean()
    size = float(np.sqrt((first * first).sum() * (second * second).sum()))
    return float((first * second).sum()) / size if size > 0 else 0.0

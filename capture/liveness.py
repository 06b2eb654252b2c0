"""Looking at something live: one picture per look, whether it is black, and for how long it has stood still."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.errors import InvalidSourceError
from capture.frame import Frame, NotObserved
from engagement.records import NotObservedReason, WindowChange

# A grab that the system refuses or a switched-off screen is pure black; video compression lifts it by a few steps.
# The dark theme of meeting programs starts at 0x1a.
BLACK_LEVEL = 10
BLACK_SHARE = 0.999
#: Seconds. A camera adds noise to every frame, so a picture with a camera on that is bit-identical for longer shows
#: that nothing is being drawn. Names alone on cards may stand as they are for a whole lesson.
FROZEN_AFTER: Final = 30.0
# At an interval of a minute two equal pictures may be chance.
_FEWEST_EQUAL: Final = 3


@dataclass(frozen=True, slots=True)
class Look:
    """What a live source shows at one moment.

    Attributes:
        image: uint8 (H, W, 3), RGB, real pixels.
        scale, followed: as in `Frame`.
    """

    image: NDArray[np.uint8]
    scale: float = 1.0
    followed: WindowChange | None = None


def live_frames(look: Callable[[], Look | NotObservedReason]) -> Iterator[Frame | NotObserved]:
    """One look each time the caller asks: a picture with how long it has stood still, or why there is none."""
    stillness = Stillness()
    for index in count():
        taken_at = datetime.now(UTC)
        seen = look()
        if isinstance(seen, Look) and is_black(seen.image):
            seen = NotObservedReason.BLACK
        if isinstance(seen, Look):
            unchanged = stillness.measure(seen.image, time.monotonic())
            yield Frame(seen.image, taken_at, index, seen.scale, unchanged, seen.followed)
        else:
            stillness.forget()
            yield NotObserved(seen, taken_at, index)


def is_black(image: NDArray[np.uint8]) -> bool:
    """Whether 99.9 % of the values of a uint8 (H, W, 3) picture are at most 10 of 255."""
    return bool(np.count_nonzero(image > BLACK_LEVEL) <= image.size * (1 - BLACK_SHARE))


def check_interval(interval: float) -> None:
    """Raise InvalidSourceError unless `interval` is a finite number of seconds above 0."""
    if not (np.isfinite(interval) and interval > 0):
        raise InvalidSourceError(
            f"The interval between frames must be above 0 seconds, got {interval}: give one such as --interval 2."
        )


class Stillness:
    """Measures how long a live picture has been bit-identical."""

    def __init__(self) -> None:
        self._image: NDArray[np.uint8] | None = None
        self._since = 0.0
        self._count = 0

    def measure(self, image: NDArray[np.uint8], now: float) -> float:
        """Take the next picture and give the seconds since the first equal one; 0 until three in a row are equal.

        Args:
            image: uint8 (H, W, 3); kept until the next call, so it must not be written to.
            now: monotonic time of the grab in seconds.
        """
        if self._image is None or not np.array_equal(self._image, image):
            self._image, self._since, self._count = image, now, 1
            return 0.0
        self._count += 1
        return now - self._since if self._count >= _FEWEST_EQUAL else 0.0

    def forget(self) -> None:
        """Start anew, after an interval in which there was no picture."""
        self._image = None

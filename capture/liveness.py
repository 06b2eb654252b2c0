"""Whether a picture is worth reading: black and frozen pictures are told apart from a class that sits still."""

import numpy as np
from numpy.typing import NDArray

from capture.errors import InvalidSourceError

# A grab that the system refuses or a switched-off screen is pure black; video compression lifts it by a few steps.
# The dark theme of meeting programs starts at 0x1a.
BLACK_LEVEL = 10
BLACK_SHARE = 0.999
# A camera adds noise to every frame, so bit-identical pictures for this long mean that nothing is being drawn.
FROZEN_AFTER = 30.0
FROZEN_FRAMES = 3


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
    """Tells when a live picture has been bit-identical for too long.

    Attributes:
        seconds: how long it may stay identical.
    """

    def __init__(self, seconds: float = FROZEN_AFTER) -> None:
        self.seconds = seconds
        self._image: NDArray[np.uint8] | None = None
        self._since = 0.0
        self._count = 0

    def is_frozen(self, image: NDArray[np.uint8], now: float) -> bool:
        """Take the next picture and say whether it has stood still for more than `seconds` and 3 frames.

        Args:
            image: uint8 (H, W, 3); kept until the next call, so it must not be written to.
            now: monotonic time of the grab in seconds.
        """
        if self._image is None or not np.array_equal(self._image, image):
            self._image, self._since, self._count = image, now, 1
            return False
        self._count += 1
        return self._count >= FROZEN_FRAMES and now - self._since > self.seconds

    def forget(self) -> None:
        """Start anew, after an interval in which there was no picture."""
        self._image = None

"""A frame and where frames come from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from engagement.errors import InvalidRecordError
from engagement.records import NotObservedReason, WindowChange, check_utc


@dataclass(frozen=True, slots=True)
class Frame:
    """One grab of the gallery, in memory only.

    Attributes:
        image: uint8 (height, width, 3), RGB, real (not nominal) pixels.
        taken_at: aware UTC time at which it was grabbed (live) or stands in the recording.
        index: 0, 1, ... within its source; counts every interval, also those not observed.
        scale: real pixels per nominal (logical) pixel of the display; 1.0 where it does not apply.
        unchanged_seconds: how long a live picture has been bit-identical, 0.0 or more; 0.0 for recordings. Whether
            that means frozen depends on what it shows: see `capture.liveness.FROZEN_AFTER`.
        followed: how the window changed since the frame before; None where it did not, or there is no window.
    """

    image: NDArray[np.uint8]
    taken_at: datetime
    index: int
    scale: float = 1.0
    unchanged_seconds: float = 0.0
    followed: WindowChange | None = None

    def __post_init__(self) -> None:
        check_utc("Frame.taken_at", self.taken_at)
        if (
            self.image.ndim != 3
            or self.image.shape[2] != 3
            or self.image.dtype != np.uint8
            or 0 in self.image.shape
        ):
            raise InvalidRecordError(
                f"Frame.image must be uint8 (height, width, 3) RGB, got {self.image.dtype} {self.image.shape}."
            )

    @property
    def width(self) -> int:
        """In real pixels."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """In real pixels."""
        return int(self.image.shape[0])


@dataclass(frozen=True, slots=True)
class NotObserved:
    """An interval for which the source had no picture to give.

    Attributes:
        reason: why.
        taken_at: aware UTC.
        index: as in `Frame`.
    """

    reason: NotObservedReason
    taken_at: datetime
    index: int


@runtime_checkable
class FrameSource(Protocol):
    """A source of frames: a context manager that opens on enter and releases everything on exit (idempotent)."""

    @property
    def name(self) -> str:
        """What the user reads, such as `window "Zoom Meeting"` or `lesson.mp4`."""
        ...

    @property
    def live(self) -> bool:
        """True where time passes by itself: each `next()` grabs at that moment and the caller paces.

        False for recordings: `frames` steps through media time as fast as the caller pulls.
        """
        ...

    def frame_count(self, interval: float) -> int | None:
        """How many frames `frames(interval)` will give, for a progress bar; None where unknown or endless."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...

    def frames(self, interval: float) -> Iterator[Frame | NotObserved]:
        """One frame (or the reason for none) per interval.

        Args:
            interval: seconds between frames, above 0. Recordings advance their media time by it; a still image
                gives one frame.

        Raises:
            capture.errors.SourceError: the source cannot give frames at all (missing, corrupt, no permission).
        """
        ...


@runtime_checkable
class Recording(FrameSource, Protocol):
    """A source that can be read on from where it was left."""

    def frames_from(self, index: int, interval: float) -> Iterator[Frame | NotObserved]:
        """As `frames`, from number `index` (0 is the first) on; the same frames under the same numbers and times."""
        ...

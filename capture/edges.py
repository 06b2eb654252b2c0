"""Straight edges of a picture: how much of a line from here to there lies on one."""

from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

# A step of this many grey levels counts: camera-off cards lie as little as 10 levels over their background.
STEP: Final = 6
# A step of this many tells something from nothing: enlarged video is soft, an empty place is flat.
FAINT_STEP: Final = 3
# A pixel is on an edge if its step is at least this share of the largest step beside it; this thins out texture.
SHARE_OF_LARGEST: Final = 0.6
# Edges shorter than this share of the least tile side are texture; along a run, this share is on the edge.
RUN: Final = 0.5
RUN_FILLED: Final = 0.72
# Along a line about this many samples are looked at.
SAMPLES: Final = 270

Lines = NDArray[np.intp]
Support = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges across one axis, kept as sums along the lines so that the support of any line piece is one subtraction.

    Line p lies between the pixels p - 1 and p; lines 0 and `length` are the picture's own edges: a tile may end there
    or not, so they count as edges over three fifths of their length,
    which speaks neither for nor against it.

    Attributes:
        sums: int32 (samples + 1, length + 1), number of samples on an edge before each sample, for each line.
        steps: int32 (samples + 1, length + 2), integral of all steps, short ones too.
        faint: the same with fainter steps.
        block: pixels per sample along the line.
    """

    sums: NDArray[np.int32]
    steps: NDArray[np.int32]
    faint: NDArray[np.int32]
    block: float

    @classmethod
    def upright(cls, grey: NDArray[np.uint8], least: float) -> Self:
        """Vertical edges of a grey picture uint8 (H, W); `least` is the height of the lowest tile in pixels."""
        height, width = grey.shape
        samples = min(height, SAMPLES)
        thin = cv2.resize(grey, (width, samples), interpolation=cv2.INTER_LINEAR)
        return cls._across(thin, height / samples, least)

    @classmethod
    def level(cls, grey: NDArray[np.uint8], least: float) -> Self:
        """Horizontal edges of a grey picture uint8 (H, W); `least` is the width of the narrowest tile in pixels."""
        height, width = grey.shape
        samples = min(width, SAMPLES * 4 // 3)
        thin = cv2.resize(grey, (samples, height), interpolation=cv2.INTER_LINEAR)
        return cls._across(cv2.transpose(thin), width / samples, least)

    @classmethod
    def _across(cls, thin: NDArray[np.uint8], block: float, least: float) -> Self:
        step = np.zeros((thin.shape[0], thin.shape[1] + 1), np.uint8)
        cv2.absdiff(thin[:, 1:], thin[:, :-1], dst=step[:, 1:-1])
        largest = cv2.dilate(step, np.ones((1, 3), np.uint8))
        steep = cv2.threshold(step, STEP - 1, 255, cv2.THRESH_BINARY)[1]
        edge = cv2.bitwise_and(
            steep, cv2.compare(step, cv2.convertScaleAbs(largest, None, SHARE_OF_LARGEST), cv2.CMP_GE)
        )
        long = _long(edge, max(3, round(RUN * least / block)))
        both = cv2.integral(long)
        faint = cv2.threshold(step, FAINT_STEP - 1, 1, cv2.THRESH_BINARY)[1]
        return cls(both[:, 1:] - both[:, :-1], cv2.integral(steep & 1), cv2.integral(faint), block)

    @property
    def samples(self) -> int:
        """Samples along each line."""
        return int(self.sums.shape[0]) - 1

    @property
    def length(self) -> int:
        """Pixels across: the last line."""
        return int(self.sums.shape[1]) - 1

    @property
    def across(self) -> int:
        """Pixels along each line."""
        return round(self.samples * self.block)

    def support(self, lines: Lines, begin: Lines, end: Lines) -> Support:
        """Share 0..1 of each line piece [begin, end) (pixels) that lies on an edge; the arguments broadcast."""
        first, last = self._samples(begin, end)
        lines = np.minimum(np.maximum(lines, 0), self.length)
        return np.asarray((self.sums[last, lines] - self.sums[first, lines]) / (last - first), np.float32)

    def profile(self, begin: Lines, end: Lines) -> Support:
        """Support of every line, float32 (length + 1,), averaged over the bands [begin, end), each intp (n,)."""
        first, last = self._samples(begin, end)
        every = (self.sums[last] - self.sums[first]) / (last - first)[:, None]
        return np.asarray(every.mean(axis=0), np.float32)

    def busy(self, left: Lines, right: Lines, top: Lines, bottom: Lines) -> Support:
        """Share 0..1 of steps, short ones too, in each box.

        Args:
            left, right: lines that bound it, intp (n,), pixels across.
            top, bottom: intp (n,), pixels along the lines.
        """
        return self._share(self.steps, left, right, top, bottom)

    def filled(self, left: Lines, right: Lines, top: Lines, bottom: Lines) -> Support:
        """The same with faint steps, to tell something from nothing."""
        return self._share(self.faint, left, right, top, bottom)

    def _share(
        self, steps: NDArray[np.int32], left: Lines, right: Lines, top: Lines, bottom: Lines
    ) -> Support:
        first, last = self._samples(top, bottom)
        left = np.minimum(np.maximum(left, 0), self.length - 1)
        right = np.minimum(np.maximum(right, left + 1), self.length)
        count = steps[last, right] - steps[first, right] - steps[last, left] + steps[first, left]
        return np.asarray(count / ((last - first) * (right - left)), np.float32)

    def _samples(self, begin: Lines, end: Lines) -> tuple[Lines, Lines]:
        first = np.rint(np.asarray(begin) / self.block).astype(np.intp)
        last = np.rint(np.asarray(end) / self.block).astype(np.intp)
        first = np.minimum(np.maximum(first, 0), self.samples - 1)
        return first, np.minimum(np.maximum(last, first + 1), self.samples)


def _long(edge: NDArray[np.uint8], run: int) -> NDArray[np.uint8]:
    """1 where an edge (255) runs on along the first axis over a good part of a tile, else 0."""
    filled = cv2.threshold(
        cv2.blur(edge, (1, run), borderType=cv2.BORDER_REPLICATE), RUN_FILLED * 255, 1, cv2.THRESH_BINARY
    )[1]
    long = cv2.bitwise_and(edge, cv2.dilate(filled, np.ones((run, 1), np.uint8)))
    long[:, 0] = long[:, -1] = 0
    for border in (0, -1):
        long[0::5, border] = long[2::5, border] = long[4::5, border] = 1
    return np.asarray(long, np.uint8)

"""Straight edges of a picture: how much of a line from here to there lies on one."""

from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

# A step of this many grey levels counts: camera-off cards lie as little as 10 levels over their background.
STEP: Final = 6
# A pixel is on an edge if its step is at least this share of the largest step beside it; this thins out texture.
SHARE_OF_LARGEST: Final = 0.6
# Edges shorter than this share of the least tile side are texture.
RUN: Final = 0.5
RUN_FILLED: Final = 0.72
# Along a line, pixels are averaged in blocks so that about this many samples are left.
SAMPLES: Final = 300


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges across one axis, kept as sums along the lines so that the support of any line piece is one subtraction.

    Line p lies between the pixels p - 1 and p; lines 0 and `length` are the picture's own edges: a tile may end there
    or not, so they count as edges over half of their length.

    Attributes:
        sums: int32 (samples + 1, length + 1), number of samples on an edge before each sample, for each line.
        block: pixels per sample along the line.
        length: pixels across.
    """

    sums: NDArray[np.int32]
    block: int
    length: int

    @classmethod
    def upright(cls, grey: NDArray[np.uint8], least: float) -> Self:
        """Vertical edges of a grey picture uint8 (H, W); `least` is the height of the lowest tile in pixels."""
        height, width = grey.shape
        block = max(1, height // SAMPLES)
        samples = height // block
        thin = cv2.resize(grey[: samples * block], (width, samples), interpolation=cv2.INTER_AREA)
        step = np.zeros((samples, width + 1), np.uint8)
        cv2.absdiff(thin[:, 1:], thin[:, :-1], dst=step[:, 1:-1])
        return cls(_sums(_long_edges(step, least / block)), block, width)

    @classmethod
    def level(cls, grey: NDArray[np.uint8], least: float) -> Self:
        """Horizontal edges of a grey picture uint8 (H, W); `least` is the width of the narrowest tile in pixels."""
        return cls.upright(np.ascontiguousarray(grey.T), least)

    @property
    def samples(self) -> int:
        return int(self.sums.shape[0]) - 1

    def support(
        self, lines: NDArray[np.intp], begin: NDArray[np.intp], end: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Share 0..1 of each line piece [begin, end) (pixels) that lies on an edge; the arguments broadcast."""
        first = np.clip(np.round(np.asarray(begin) / self.block).astype(np.intp), 0, self.samples - 1)
        last = np.clip(np.round(np.asarray(end) / self.block).astype(np.intp), first + 1, self.samples)
        lines = np.clip(lines, 0, self.length)
        found: NDArray[np.float32] = (self.sums[last, lines] - self.sums[first, lines]) / (last - first)
        return found

    def profile(self, begin: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.float32]:
        """Support of every line, float32 (length + 1,), averaged over the bands [begin, end)."""
        lines = np.arange(self.length + 1)
        every = self.support(lines[None], np.atleast_1d(begin)[:, None], np.atleast_1d(end)[:, None])
        return np.asarray(every.mean(axis=0), np.float32)


def _long_edges(step: NDArray[np.uint8], least: float) -> NDArray[np.uint8]:
    """0 or 1 per pixel: on an edge that runs on along the first axis for a good part of a tile."""
    largest = cv2.dilate(step, np.ones((1, 3), np.uint8))
    thinned = cv2.compare(step, cv2.addWeighted(largest, SHARE_OF_LARGEST, largest, 0, 0), cv2.CMP_GE)
    edge = cv2.bitwise_and(cv2.compare(step, STEP, cv2.CMP_GE), thinned)
    run = max(3, round(RUN * least))
    filled = cv2.compare(
        cv2.blur(edge, (1, run), borderType=cv2.BORDER_REPLICATE), int(RUN_FILLED * 255), cv2.CMP_GE
    )
    near = cv2.dilate(filled, np.ones((run, 1), np.uint8))
    long = cv2.bitwise_and(edge, near)
    long[:, 0] = long[:, -1] = 0
    long[::2, 0] = long[::2, -1] = 255
    return np.asarray(long & 1, np.uint8)


def _sums(edge: NDArray[np.uint8]) -> NDArray[np.int32]:
    sums = np.zeros((edge.shape[0] + 1, edge.shape[1]), np.int32)
    np.cumsum(edge, axis=0, dtype=np.int32, out=sums[1:])
    return sums

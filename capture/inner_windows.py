"""Windows within the picture: where a whole screen is grabbed, or a browser's bars lie above the meeting.

The edges of windows and bars are longer than those of a few tiles, and regular among themselves, so that the rows of
such tiles are not tried. Within the right window they are the longest.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.edges import Edges, Support
from engagement.records import Box

# Least width and height of a window, as shares of the picture's.
LEAST_SIDE: Final = 0.4
# Share of a window's side that is on an edge; the picture's own edge is one.
SIDE: Final = 0.9
# The same of one side: behind it the desktop may have the window's colour for a stretch.
FAINTEST_SIDE: Final = 0.7
# Lines that are tried in each direction, strongest first.
LINES: Final = 14
# Windows that are looked into, largest first; one that differs by less than this share of the picture is the same.
MOST: Final = 4
SAME: Final = 0.03


def inner_windows(grey: NDArray[np.uint8]) -> Iterator[Box]:
    """Rectangles of long straight edges in a grey picture uint8 (H, W), largest first."""
    height, width = grey.shape
    upright = Edges.upright(grey, LEAST_SIDE * height)
    level = Edges.level(grey, LEAST_SIDE * width)
    columns = _lines(upright.profile(np.array([0]), np.array([height])))
    rows = _lines(level.profile(np.array([0]), np.array([width])))
    across = [(a, b) for a, b in combinations(columns, 2) if b - a >= LEAST_SIDE * width]
    down = [(a, b) for a, b in combinations(rows, 2) if b - a >= LEAST_SIDE * height]
    if not (across and down):
        return
    left, right = np.repeat(np.array(across), len(down), axis=0).T
    top, bottom = np.tile(np.array(down), (len(across), 1)).T
    sides = (
        _side(upright, left, top, bottom),
        _side(upright, right, top, bottom),
        _side(level, top, left, right),
        _side(level, bottom, left, right),
    )
    least, second = np.sort(sides, axis=0)[:2]
    framed = (second >= SIDE) & (least >= FAINTEST_SIDE)
    found = [
        (int(x0), int(y0), int(x1), int(y1))
        for x0, y0, x1, y1 in np.stack([left, top, right, bottom], axis=1)[framed]
    ]
    found.sort(key=lambda each: (each[0] - each[2]) * (each[3] - each[1]))
    seen = [(0, 0, width, height)]
    for each in found:
        if any(_is_same(each, other, width, height) for other in seen):
            continue
        seen.append(each)
        yield Box(each[0], each[1], each[2] - each[0], each[3] - each[1])
        if len(seen) > MOST:
            return


def _lines(profile: Support) -> list[int]:
    """The strongest lines that no stronger one is right beside, and the picture's own edges."""
    inner = profile[1:-1]
    found = np.flatnonzero((inner >= profile[:-2]) & (inner > profile[2:]) & (inner >= LEAST_SIDE * SIDE)) + 1
    strong = found[np.argsort(-profile[found], kind="stable")[:LINES]]
    return sorted({0, *(int(line) for line in strong), profile.size - 1})


def _side(
    edges: Edges, lines: NDArray[np.intp], begin: NDArray[np.intp], end: NDArray[np.intp]
) -> NDArray[np.float32]:
    # one pixel away counts as well
    support = edges.support(lines + np.array([[-1], [0], [1]]), begin, end).max(axis=0)
    return np.where((lines == 0) | (lines == edges.length), np.float32(1), support)


def _is_same(one: tuple[int, ...], other: tuple[int, ...], width: int, height: int) -> bool:
    return all(
        abs(a - b) < SAME * size
        for a, b, size in zip(one, other, (width, height, width, height), strict=True)
    )

"""Videos that all stand between bars of the window's colour: their own edges are seen, those of their tiles are not.

A grid that is fitted to such edges holds the bar at one side of each video and lacks that at the other, or cuts the
window into equal parts. The distances from one video to the next are right all the same, and so is the gap between
rows: with them each tile has its place around its video, if that gives it the shape of a video.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.chains import Lines
from capture.grid import Fitter, Grid, Row

# Both bars of a video together, as a share of the distance from tile to tile, that are seen as such.
NARROWEST: Final = 0.08
# Videos of one size stand in equal distances to so many pixels, and to that share of a tile's width, but for some dark
# rooms.
SAME: Final = 3
SAME_SHARE: Final = 0.01
ALIKE: Final = 0.75
# Grey levels within a bar, which compression leaves a little uneven, and the share of a line that may be others.
FLAT: Final = 12
STRAY: Final = 0.05
# Fewer rooms may all be dark at one side.
FEWEST: Final = 4
# Part of a tile's height, from its top, in which no name lies, and pixels at a side that may be of an edge.
ABOVE_NAMES: Final = 0.7
EDGE: Final = 3


def around_videos(grey: NDArray[np.uint8], grid: Grid, fitter: Fitter) -> Grid | None:
    """The tiles around the videos of a grid that does not hold both bars of each; None where it is no such grid.

    Args:
        grey: the picture, uint8 (H, W).
        grid: of two rows or more.
        fitter: of the picture.
    """
    rows = grid.rows
    if len(rows) < 2 or grid.support.size < FEWEST:
        return None
    ground = _ground(grey, rows)
    videos = _videos(grey, rows, ground)
    if (videos[:, 1] > videos[:, 0]).mean() < ALIKE:
        # the class is in the dark
        return None
    left, right, top, bottom = videos.T
    ends = np.cumsum([row.left.size for row in rows])[:-1]
    wide = int(np.median(right - left))
    # in each row as most of its videos have it
    steps = np.concatenate([np.diff(part) for part in np.split(left, ends)])
    step = int(np.median(steps)) if steps.size else 0
    tops, bottoms = ([int(np.median(part)) for part in np.split(side, ends)] for side in (top, bottom))
    high = int(np.median(np.subtract(bottoms, tops)))
    down = np.diff(tops)
    tile = step - (int(np.median(down)) - high)
    first = [
        int(np.median(part - step * np.arange(part.size))) - (tile - wide) // 2
        for part in np.split(left, ends)
    ]
    places = [
        (start + step * np.arange(row.left.size), start + step * np.arange(row.left.size) + tile, y, y + high)
        for start, y, row in zip(first, tops, rows, strict=True)
    ]
    begin = np.concatenate([place[0] for place in places])
    margins = np.stack([left - begin, begin + tile - right])
    same = min(SAME, max(1, round(SAME_SHARE * tile)))
    alike = (np.abs(margins - (tile - wide) / 2) <= same).all(axis=0)
    even = np.abs(down - np.median(down)).max() <= same
    if min(high, tile) <= 0 or tile - wide < NARROWEST * tile or alike.mean() < ALIKE or not even:
        return None
    if not _is_gap(grey, ground, [y + high for y in tops[:-1]], tops[1:], int(left.min()), int(right.max())):
        return None
    around = Grid(tuple(fitter.rows(places)))
    return around if around.usual and not _is_same(around, grid) else None


def _is_gap(
    grey: NDArray[np.uint8], ground: float, begin: list[int], end: list[int], left: int, right: int
) -> bool:
    """Whether there is something between the rows, every line of it of the bars' grey: a plain background has another
    than the gap."""
    gaps = [grey[a:b, left:right] for a, b in zip(begin, end, strict=True)]
    return all(gap.size > 0 and bool((np.abs(np.median(gap, axis=1) - ground) <= FLAT).all()) for gap in gaps)


def _is_same(one: Grid, other: Grid) -> bool:
    """Whether the tiles of two grids of as many are in the same places."""
    return all(
        max(np.abs(a.left - b.left).max(), np.abs(a.right - b.right).max(), abs(a.top - b.top)) <= SAME
        for a, b in zip(one.rows, other.rows, strict=True)
    )


def _tiles(grey: NDArray[np.uint8], rows: tuple[Row, ...]) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """The left, the top and the pixels of each tile."""
    height, width = grey.shape
    for row in rows:
        top = max(0, row.top)
        for begin, end in zip(row.left.clip(0, width - 1), row.right.clip(max=width), strict=True):
            yield int(begin), top, grey[top : min(height, row.bottom), begin:end]


def _ground(grey: NDArray[np.uint8], rows: tuple[Row, ...]) -> float:
    """The grey of the bars: those of all videos have one, their other sides have many."""
    sides = np.array(
        [[np.median(tile[:, side]) for side in (EDGE, -1 - EDGE)] for *_, tile in _tiles(grey, rows)]
    )
    usual = np.median(sides, axis=0)
    return float(usual[int(np.argmax((np.abs(sides - usual) <= FLAT).sum(axis=0)))])


def _videos(grey: NDArray[np.uint8], rows: tuple[Row, ...], ground: float) -> Lines:
    """Where in each tile something is that has not the bars' grey: left, right, top and bottom, intp (n, 4); a place
    without width where there is nothing."""
    places = []
    for x, y, tile in _tiles(grey, rows):
        other = np.abs(tile - ground) > FLAT
        filled = np.flatnonzero(other[: round(ABOVE_NAMES * len(tile))].mean(axis=0) > STRAY)
        # a grid that is a pixel to the side has one of the next video
        across = [
            run for run in np.split(filled, np.flatnonzero(np.diff(filled) > EDGE) + 1) if run.size > EDGE
        ]
        begin, end = (int(across[0][0]), int(across[-1][-1]) + 1) if across else (0, 0)
        down = np.flatnonzero(other[:, begin:end].mean(axis=1) > STRAY) if across else np.empty(0, np.intp)
        if down.size:
            places.append((x + begin, x + end, y + int(down[0]), y + int(down[-1]) + 1))
        else:
            places.append((x, x, y, y))
    return np.array(places, np.intp)

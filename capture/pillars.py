"""Videos that all stand between bars of the window's colour: their own edges are seen, those of their tiles are not.

A grid that is fitted to such edges holds the bar at one side of each video and lacks that at the other, or cuts the
window into equal parts. The distances from one video to the next are right all the same, and so is the gap between
rows: with them each tile has its place around its video, if that gives it the shape of a video.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
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
# Share of the picture that bars and gaps fill where no other lines than those of the videos are seen, and the least
# width of a video over its height.
GROUND: Final = 0.3
LEAST_SHAPE: Final = 0.4
# One pixel of so many, across and down, tells of the commonest grey.
SPARSE: Final = 4
# Pixels, and share of the picture's width, between rows of such tiles.
WIDEST_GAP: Final = 12
WIDEST_GAP_SHARE: Final = 1 / 160
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
    around = _around(grey, ground, np.split(videos, np.cumsum([row.left.size for row in rows])[:-1]), fitter)
    return None if around is None or _is_same(around, grid) else around


def lone_videos(grey: NDArray[np.uint8], least_height: float) -> list[Lines] | None:
    """Pictures that stand in rows of one height on a ground of one grey, which fills much of the picture: where most of
    a tile is bars, no grid is seen. None where there are no two rows of them.

    Args:
        grey: the picture, uint8 (H, W).
        least_height: of a video, pixels.

    Returns:
        Of each row, from the top, left, right, top and bottom of each, intp (n, 4).
    """
    ground = _commonest(grey)
    if ground is None:
        return None
    other = np.asarray(cv2.bitwise_not(cv2.inRange(grey, ground - FLAT, ground + FLAT)), np.uint8)
    spans = [
        (top, bottom) for top, bottom in _runs(_share(other, 1) > STRAY, 0) if bottom - top >= least_height
    ]
    high = float(np.median([bottom - top for top, bottom in spans])) if spans else 0.0
    rows = []
    for top, bottom in spans:
        above = other[top : top + round(ABOVE_NAMES * (bottom - top))]
        across = [
            (left, right, top, bottom)
            for left, right in _runs(_share(above, 0) > STRAY, EDGE)
            if right - left >= LEAST_SHAPE * high
        ]
        if across and abs(bottom - top - high) <= SAME:
            rows.append(np.array(across, np.intp))
    return rows if len(rows) > 1 and sum(map(len, rows)) >= FEWEST else None


def around_lone(grey: NDArray[np.uint8], videos: Sequence[Lines], fitter: Fitter) -> Grid | None:
    """The tiles around `lone_videos`; None where they are no videos between bars."""
    ground = _commonest(grey)
    around = None if ground is None else _around(grey, ground, videos, fitter)
    if around is None:
        return None
    gap = around.rows[1].top - around.rows[0].bottom
    # pictures on a page stand farther apart
    return around if gap <= max(WIDEST_GAP, WIDEST_GAP_SHARE * grey.shape[1]) else None


def _around(grey: NDArray[np.uint8], ground: float, videos: Sequence[Lines], fitter: Fitter) -> Grid | None:
    """The tiles around videos that stand between bars of the grey `ground`, row by row as `_videos` gives them."""
    left, right, top, bottom = np.concatenate(videos).T
    ends = np.cumsum([len(row) for row in videos])[:-1]
    wide = int(np.median(right - left))
    # in each row as most of its videos have it
    steps = np.concatenate([np.diff(part) for part in np.split(left, ends)])
    step = int(np.median(steps)) if steps.size else 0
    tops, bottoms = ([int(np.median(part)) for part in np.split(side, ends)] for side in (top, bottom))
    high = int(np.median(np.subtract(bottoms, tops)))
    down = np.diff(tops)
    tile = step - (int(np.median(down)) - high)
    if min(high, wide, tile, step) <= 0:
        return None
    # a video that is dark leaves a hole in its row
    numbers = [np.rint((part - part[0]) / step).astype(np.intp) for part in np.split(left, ends)]
    first = [
        int(np.median(part - step * number)) - (tile - wide) // 2
        for part, number in zip(np.split(left, ends), numbers, strict=True)
    ]
    counts = [int(number[-1]) + 1 for number in numbers]
    # rows above the last are full: one that is dark at an end is as long as the longest
    longest = int(np.argmax(counts))
    for row in range(len(counts) - 1):
        before, off = divmod(first[row] - first[longest] + SAME, step)
        if off <= 2 * SAME and 0 <= before <= counts[longest] - counts[row]:
            first[row] -= before * step
            numbers[row] = numbers[row] + before
            counts[row] = counts[longest]
    whole = [start + step * np.arange(count) for start, count in zip(first, counts, strict=True)]
    places = [(begin, begin + tile, y, y + high) for begin, y in zip(whole, tops, strict=True)]
    begin = np.concatenate([row[number] for row, number in zip(whole, numbers, strict=True)])
    margins = np.stack([left - begin, begin + tile - right])
    same = min(SAME, max(1, round(SAME_SHARE * tile)))
    alike = (np.abs(margins - (tile - wide) / 2) <= same).all(axis=0)
    even = np.abs(down - np.median(down)).max() <= same
    if tile - wide < NARROWEST * tile or alike.mean() < ALIKE or not even:
        return None
    if not _is_gap(grey, ground, [y + high for y in tops[:-1]], tops[1:], int(left.min()), int(right.max())):
        return None
    around = Grid(tuple(fitter.rows(places)))
    return around if around.usual else None


def _commonest(grey: NDArray[np.uint8]) -> float | None:
    """The grey that fills most of a picture; None where none does."""
    some = grey[::SPARSE, ::SPARSE]
    near = np.convolve(np.bincount(some.ravel(), minlength=256), np.ones(2 * EDGE + 1, np.intp), "same")
    common = int(near.argmax())
    return float(common) if near[common] >= GROUND * some.size else None


def _share(mask: NDArray[np.uint8], axis: int) -> NDArray[np.float32]:
    """What share of each line of a mask, 0 or 255, along `axis` is set."""
    # several times as fast as NumPy's mean, in every frame
    return np.asarray(cv2.reduce(mask, axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() / 255, np.float32)


def _runs(filled: NDArray[np.bool_], reach: int) -> list[tuple[int, int]]:
    """Begin and end of the stretches that are filled, over holes of no more than `reach`."""
    places = np.flatnonzero(filled)
    parts = np.split(places, np.flatnonzero(np.diff(places) > reach + 1) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts if part.size]


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

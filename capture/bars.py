"""Rows that were found with the empty space up to a title bar, or down to a toolbar."""

from typing import Final

import numpy as np

from capture.candidate import LITTLE, SAME_HEIGHT
from capture.grid import BESIDE, LEAST_FILLED, USUAL_ASPECTS, Fitter, Grid

# The lowest row is no lower than this share of the others.
LOWEST: Final = 0.85


def within_bars(grid: Grid, fitter: Fitter) -> Grid:
    """A grid without the empty space up to a title bar or down to a toolbar, if its first and last row are as high as
    the others without it, or one row or two have the shape of a video; any other grid as it is."""
    if len(grid.rows) > 2:
        return _as_high_as_others(grid, fitter)
    if len(grid.rows) == 2:
        return _as_high_as_videos(grid, fitter)
    if grid.usual:
        return grid
    [row] = grid.rows
    line = fitter.cut((row.left, row.right, row.top, row.bottom))
    if line is None:
        return grid
    parts = fitter.rows([(row.left, row.right, line, row.bottom), (row.left, row.right, row.top, line)])
    return next((part for part in map(Grid, zip(parts, strict=True)) if part.usual), grid)


def between_bars(grid: Grid, fitter: Fitter) -> Grid | None:
    """Two rows without the empty space above and below them, up to a title bar and down to a toolbar, that was taken
    for a part of them; None where there is none.
    """
    if len(grid.rows) != 2:
        return None
    first, second = grid.rows
    top = fitter.cut((first.left, first.right, first.top, first.bottom))
    bottom = fitter.cut((second.left, second.right, second.top, second.bottom))
    if top is None or bottom is None or abs((first.bottom - top) - (bottom - second.top)) > SAME_HEIGHT:
        return None
    return Grid(
        tuple(
            fitter.rows(
                [
                    (first.left, first.right, top, first.bottom),
                    (second.left, second.right, second.top, bottom),
                ]
            )
        )
    )


def _as_high_as_others(grid: Grid, fitter: Fitter) -> Grid:
    """Rows as high as the lowest of them, from where they begin or to where they end, where edges are there too."""
    high = [row.bottom - row.top for row in grid.rows]
    least = min(high)
    if least < LOWEST * grid.height:
        least = round(grid.height)
    lower = fitter.rows(
        [
            (row.left, row.right, *place)
            for row in grid.rows
            for place in ((row.top, row.top + least), (row.bottom - least, row.bottom))
        ]
    )
    rows = []
    for whole, parts in zip(grid.rows, zip(lower[::2], lower[1::2], strict=True), strict=True):
        best = max(parts, key=lambda row: float(row.support.mean()))
        there = float(best.support.mean()) >= float(whole.support.mean()) - LITTLE
        rows.append(best if there and whole.bottom - whole.top > least + SAME_HEIGHT else whole)
    return Grid(tuple(rows))


def _as_high_as_videos(grid: Grid, fitter: Fitter) -> Grid:
    first, second = grid.rows
    across = [int(np.median(row.left[1:] - row.right[:-1])) for row in grid.rows if row.left.size > 1]
    lower = [
        Grid(
            tuple(
                fitter.rows(
                    [
                        (first.left, first.right, first.bottom - high, first.bottom),
                        (second.left, second.right, first.bottom + gap, first.bottom + gap + high),
                    ]
                )
            )
        )
        for high in (round(grid.width / aspect) for aspect in USUAL_ASPECTS)
        for gap in (second.top - first.bottom, *across)
        if high < grid.height
    ]
    best = max(lower, key=lambda one: float(one.support.mean()), default=grid)
    if not grid.usual and float(best.support.mean()) >= float(grid.support.mean()) - LITTLE:
        return best
    return best if _are_bands(grid, best, fitter) else grid


def _are_bands(grid: Grid, lower: Grid, fitter: Fitter) -> bool:
    """Whether what two rows have more than lower ones is as high above as below, and there is nothing in it: videos of
    the window's colour show no upper edge."""
    top, bottom = lower.rows[0].top, lower.rows[1].bottom
    first, second = grid.rows
    if abs((top - first.top) - (second.bottom - bottom)) > SAME_HEIGHT:
        return False
    begin, end = np.array([first.top, bottom]) + BESIDE, np.array([top, second.bottom]) - BESIDE
    if (end <= begin).any():
        return False
    left = np.array([first.left[0], second.left[0]]) + BESIDE
    right = np.array([first.right[-1], second.right[-1]]) - BESIDE
    return bool((fitter.upright.filled(left, right, begin, end) < LEAST_FILLED).all())

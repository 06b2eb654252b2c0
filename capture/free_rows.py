"""Rows of tiles that share no columns: stretched last rows, rows of uneven length, videos of their own width.

Each row of a regular run is cut into tiles by itself: of all intervals between its vertical edges, those side by side
are taken for whose outlines most speaks.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from capture.chains import Chain, Lines, Profile, peaks, settled, widest_gap
from capture.grid import Fitter, Grid, Row

# Support of a vertical edge of one row that may bound a tile, and of a tile's whole outline.
NEEDED_SIDE: Final = 0.4
NEEDED_TILE: Final = 0.62
# Width over height, from a portrait phone to two people who share a wide window.
ASPECTS: Final = (0.5, 4.0)
# Tiles of one row overlap by no more pixels than this.
OVERLAP: Final = 2
# More intervals of one row than this are texture.
MOST_INTERVALS: Final = 500


def free_grids(fitter: Fitter, chains: Iterable[Chain]) -> Iterator[Grid]:
    """For each run of rows, the grid whose rows are cut by themselves, if every row holds tiles."""
    width = fitter.upright.length
    for chain in chains:
        whole = np.array([0]), np.array([width])
        begin, end = chain.begin, chain.end
        if begin.size > 1:
            begin, end = settled(fitter.level.profile(*whole), begin, end)
        rows = [_cut(fitter, int(top), int(bottom)) for top, bottom in zip(begin, end, strict=True)]
        held = [row for row in rows if row is not None]
        if held and len(held) >= len(rows) - 1:
            yield Grid(tuple(held))


def _cut(fitter: Fitter, top: int, bottom: int) -> Row | None:
    """The tiles of the row between two lines; None where there are none."""
    height = bottom - top
    if height < fitter.least_height:
        return None
    profile = fitter.upright.profile(np.array([top]), np.array([bottom]))
    at = peaks(profile, NEEDED_SIDE)
    wide = at[None] - at[:, None]
    least = max(fitter.least_width, ASPECTS[0] * height)
    first, second = np.nonzero((wide >= least) & (wide <= ASPECTS[1] * height))
    if not 0 < first.size <= MOST_INTERVALS:
        return None
    [row] = fitter.rows([(at[first], at[second], top, bottom)])
    good = np.flatnonzero((row.support >= NEEDED_TILE) & (row.gains > 0))
    chosen = _side_by_side(row.left[good], row.right[good], row.gains[good], widest_gap(height))
    if not chosen.size:
        return None
    [row] = fitter.rows([(row.left[good][chosen], row.right[good][chosen], top, bottom)])
    return row


def _side_by_side(left: Lines, right: Lines, gains: Profile, gap: float) -> Lines:
    """Indices of the intervals, each beginning where the one before ends, with the greatest sum of gains."""
    if not left.size:
        return np.array([], np.intp)
    order = np.argsort(right, kind="stable")
    left, right, total = left[order], right[order], gains[order].astype(np.float64)
    before = np.full(left.size, -1)
    for i in range(left.size):
        apart = left[i] - right[:i]
        joined = np.where((apart >= -OVERLAP) & (apart <= gap), total[:i], 0.0)
        if i and joined.max() > 0:
            before[i] = int(joined.argmax())
            total[i] += joined[before[i]]
    chosen = [int(total.argmax())]
    while before[chosen[-1]] >= 0:
        chosen.append(int(before[chosen[-1]]))
    return np.asarray(order[chosen[::-1]], np.intp)

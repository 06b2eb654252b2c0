"""Rows of tiles that share no columns: stretched last rows, rows of uneven length, videos of their own width.

Each row of a regular run is cut into tiles by itself: of all intervals between its vertical edges, those side by side
are taken for whose outlines most speaks.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from capture.chains import SLACK, Chain, Lines, Profile, peaks, settled, widest_gap
from capture.grid import Fitter, Grid, Row

# Support of a vertical edge of one row that may bound a tile, and of a tile's whole outline.
NEEDED_SIDE: Final = 0.4
NEEDED_TILE: Final = 0.62
# Width over height, from a portrait phone to two people who share a wide window.
ASPECTS: Final = (0.5, 4.0)
# A portrait video may be so much narrower than the narrowest tile of a gallery of equal ones.
NARROWEST: Final = 0.5
# Tiles of one row overlap by no more pixels than this.
OVERLAP: Final = 2
# More intervals of one row than this are texture.
MOST_INTERVALS: Final = 500


def free_grids(fitter: Fitter, chains: Iterable[Chain]) -> Iterator[Grid]:
    """For each run of rows, the grids whose rows are cut by themselves, if every row holds tiles: with tiles as wide as
    those of any grid, and with narrow ones among them."""
    width = fitter.upright.length
    for chain in chains:
        whole = np.array([0]), np.array([width])
        begin, end = chain.begin, chain.end
        if begin.size > 1:
            begin, end = settled(fitter.level.profile(*whole), begin, end)
        high = float((end - begin).min())
        for narrowest in (1.0, NARROWEST):
            least = narrowest * fitter.least_width
            if narrowest < 1 and ASPECTS[0] * high >= fitter.least_width:
                break
            rows = [
                _cut(fitter, int(top), int(bottom), least) for top, bottom in zip(begin, end, strict=True)
            ]
            held = [row for row in rows if row is not None]
            if held and len(held) >= len(rows) - 1:
                yield Grid(tuple(held))


def with_shared_columns(fitter: Fitter, rows: Sequence[Row]) -> Grid | None:
    """All rows with the columns that more than half of them share, where edges do not speak against it; else None."""
    alike = [[other for other in rows if _has_same_columns(row, other)] for row in rows]
    most = max(alike, key=len)
    if not len(rows) / 2 < len(most) < len(rows):
        return None
    full = most[0]
    every = fitter.rows([(full.left, full.right, row.top, row.bottom) for row in rows])
    return Grid(tuple(every)) if all(float(row.worth.sum()) > 0 for row in every) else None


def _has_same_columns(one: Row, other: Row) -> bool:
    if one.left.size != other.left.size:
        return False
    slack = np.maximum(OVERLAP, SLACK * (one.right - one.left))
    return bool(((np.abs(one.left - other.left) <= slack) & (np.abs(one.right - other.right) <= slack)).all())


def _cut(fitter: Fitter, top: int, bottom: int, narrowest: float) -> Row | None:
    """The tiles of the row between two lines; None where there are none."""
    height = bottom - top
    if height < fitter.least_height:
        return None
    profile = fitter.upright.profile(np.array([top]), np.array([bottom]))
    at = peaks(profile, NEEDED_SIDE)
    wide = at[None] - at[:, None]
    least = max(narrowest, ASPECTS[0] * height)
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

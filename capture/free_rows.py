"""Rows of tiles that share no columns: stretched last rows, rows of uneven length, videos of their own width.

Each row of a regular run is cut into tiles by itself: of all intervals between its vertical edges, those side by side
are taken for whose outlines most speaks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.chains import SLACK, Chain, Lines, peaks, settled, widest_gap
from capture.grid import CLEAR, LEAST_FILLED, Fitter, Grid, Row

# Support of a vertical edge of one row that may bound a tile, and of a tile's whole outline.
NEEDED_SIDE: Final = 0.4
NEEDED_TILE: Final = 0.62
# Width over height, from a portrait phone to two people who share a wide window.
ASPECTS: Final = (0.5, 4.0)
# A portrait video may be so much narrower than the narrowest tile of a gallery of equal ones.
NARROWEST: Final = 0.5
# Share of the sides where two tiles touch that have another edge near them, if there are gaps.
GAPPED: Final = 0.25
# Tiles of one row overlap by no more pixels than this.
OVERLAP: Final = 2
# More intervals of one row than this are texture.
MOST_INTERVALS: Final = 500
# More that edges speak for than this are not looked at one by one.
MOST_WANTED: Final = 100

Wanted = Callable[[int, int, int, int], bool]
"""Whether a place may be a tile, by its left, right, top and bottom."""


def free_grids(fitter: Fitter, chains: Iterable[Chain], wanted: Wanted | None = None) -> Iterator[Grid]:
    """For each run of rows, the grids whose rows are cut by themselves, if every row holds tiles: with tiles as wide as
    those of any grid, and with narrow ones among them.

    Args:
        fitter: of the picture.
        chains: runs of rows.
        wanted: only such tiles are taken, which touch; None for any.
    """
    for begin, end in settled_runs(fitter, chains):
        high = float((end - begin).min())
        for narrowest in (1.0, NARROWEST):
            least = narrowest * fitter.least_width
            if narrowest < 1 and ASPECTS[0] * high >= fitter.least_width:
                break
            rows = [
                _cut(fitter, int(top), int(bottom), least, wanted)
                for top, bottom in zip(begin, end, strict=True)
            ]
            held = [row for row in rows if row is not None]
            if held and len(held) >= len(rows) - 1:
                yield Grid(tuple(held))


def settled_runs(fitter: Fitter, chains: Iterable[Chain]) -> Iterator[tuple[Lines, Lines]]:
    """Where the rows of each run begin and end: as all gaps alike have it, and where that moves an outer edge, as to a
    bar above or below, as they were found too."""
    profile = fitter.level.profile(np.array([0]), np.array([fitter.upright.length]))
    known: set[tuple[int, ...]] = set()
    for chain in chains:
        runs = [(chain.begin, chain.end)]
        if chain.begin.size > 1:
            runs.insert(0, settled(profile, chain.begin, chain.end))
        for begin, end in runs:
            key = tuple(int(line) // OVERLAP for line in (begin[0], end[-1], *begin[1:]))
            if key not in known:
                known.add(key)
                yield begin, end


def has_gaps(fitter: Fitter, rows: Sequence[Row]) -> bool:
    """Whether there are gaps, or bars, in tiles that touch: many of them have, near the side that they share, another
    clear edge from top to bottom, or nothing before it."""
    beside: list[bool] = []
    for row in rows:
        sides, top, bottom = row.right[:-1], np.array(row.top), np.array(row.bottom)
        far = round(widest_gap(row.bottom - row.top))
        near = np.concatenate([np.arange(-far, -OVERLAP), np.arange(OVERLAP + 1, far + 1)])[:, None]
        lines = sides + near
        inside = (lines > 0) & (lines < fitter.upright.length)
        clear = ((fitter.upright.support(lines, top, bottom) >= CLEAR) & inside).any(axis=0)
        strip = sides - far // 2, sides - OVERLAP, top + np.zeros_like(sides), bottom + np.zeros_like(sides)
        beside += (clear | (fitter.upright.filled(*strip) < LEAST_FILLED)).tolist()
    return sum(beside) > GAPPED * len(beside)


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


def _cut(fitter: Fitter, top: int, bottom: int, narrowest: float, wanted: Wanted | None) -> Row | None:
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
    row = row.part(np.flatnonzero((row.support >= NEEDED_TILE) & (row.gains > 0)))
    row = row.part(np.flatnonzero(~_reaches_out(fitter, row)))
    if wanted is None:
        return _side_by_side(row, widest_gap(height))
    if row.left.size > MOST_WANTED:
        return None
    seen = [wanted(int(a), int(b), top, bottom) for a, b in zip(row.left, row.right, strict=True)]
    return _side_by_side(row.part(np.flatnonzero(seen)), OVERLAP)


def _reaches_out(fitter: Fitter, row: Row) -> NDArray[np.bool_]:
    """Which tiles reach over nothing to the picture's edge, though others have the same other side and end before that:
    bool (n,)."""
    left, right = row.left, row.right
    width = fitter.upright.length
    out = np.zeros(left.size, np.bool_)
    for same, near, far in (
        (left[:, None] == left, right, np.where(right >= width, width, -1)),
        (right[:, None] == right, width - left, np.where(left <= 0, width, -1)),
    ):
        longer, shorter = np.nonzero(same & (far[:, None] > near + OVERLAP))
        if not longer.size:
            continue
        begin = np.where(right[longer] > right[shorter], right[shorter], left[longer])
        end = np.where(right[longer] > right[shorter], right[longer], left[shorter])
        size = np.full(longer.size, row.top + OVERLAP), np.full(longer.size, row.bottom - OVERLAP)
        empty = fitter.upright.filled(begin + OVERLAP, end - OVERLAP, *size) < LEAST_FILLED
        out[longer[empty]] = True
    return out


def _side_by_side(row: Row, gap: float) -> Row | None:
    """Those tiles, each beginning where the one before ends, that have the greatest sum of gains; None for none."""
    if not row.left.size:
        return None
    row = row.part(np.argsort(row.right, kind="stable"))
    left, right, total = row.left, row.right, row.gains.astype(np.float64)
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
    return row.part(np.array(chosen[::-1], np.intp))

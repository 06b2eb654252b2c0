"""The grid of a gallery, fitted as a whole: rows from the horizontal edges, columns from the vertical ones.

Equal tiles at equal distances leave edges at regular places. `chains` finds regular runs of intervals in a profile of
edges (one dimension); `fit` pairs rows with columns and judges them tile by tile (two dimensions), then looks for a
last row that is not full.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.edges import Edges

MOST_IN_LINE: Final = 12
MOST_TILES: Final = 49
# Lines of a profile that are looked at, strongest first; and pairs of them that may be a first interval.
PEAKS: Final = 32
PAIRS: Final = 400
# Support that a tile's side needs to speak for a grid; less speaks against it.
NEEDED: Final = 0.5
# Support of a column's edges, averaged over the rows.
NEEDED_COLUMN: Final = 0.33
# Support of a row's edges, as shares of the longest edges of the picture: large galleries first, then strips.
NEEDED_ROWS: Final = (0.5, 0.25, 0.12)
# Width over height of a tile, from portrait phones to very wide windows.
ASPECTS: Final = (0.7, 2.6)
# Tiles and gaps may be this much off the regular place (rounding, browsers that stretch a column).
SLACK: Final = 0.03

# Share of steps in a box below which there is nothing in it, not even a name.
LEAST_BUSY: Final = 0.0015
# What a side is worth of which nothing is seen in a calm place.
FORGIVEN: Final = 0.05
# Full grids that are followed to the end.
CANDIDATES: Final = 3

Lines = NDArray[np.intp]
Profile = NDArray[np.float32]
# intp (n, 4): left, right, top, bottom
Boxes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Chain:
    """A run of equal intervals: `begin` and `end` intp (n,), `score` of its edges."""

    begin: Lines
    end: Lines
    score: float


@dataclass(frozen=True, slots=True)
class Row:
    """Tiles of one row: `left`, `right` intp (n,) and the common `top` and `bottom`, pixels; `sides` float32 (n, 4)
    is the support of left, right, top and bottom, 0..1.
    """

    left: Lines
    right: Lines
    top: int
    bottom: int
    sides: NDArray[np.float32]

    @property
    def support(self) -> NDArray[np.float32]:
        """Of each tile, float32 (n,), 0..1."""
        return np.asarray(self.sides.mean(axis=1), np.float32)

    @property
    def gains(self) -> NDArray[np.float32]:
        """Of each tile, float32 (n,): pixels of its outline on an edge, less the share needed."""
        lengths = np.stack(
            [np.full(self.left.size, self.bottom - self.top)] * 2 + [self.right - self.left] * 2, axis=1
        )
        return np.asarray(((self.sides - NEEDED) * lengths).sum(axis=1), np.float32)

    @property
    def score(self) -> float:
        return float(self.gains.sum())


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of tiles from top to bottom."""

    rows: tuple[Row, ...]

    @property
    def score(self) -> float:
        """How much speaks for it; above 0 where edges support it."""
        return sum(row.score for row in self.rows)

    @property
    def support(self) -> NDArray[np.float32]:
        """Of each tile, float32 (n,), 0..1."""
        return np.concatenate([row.support for row in self.rows])

    @property
    def width(self) -> float:
        """Of a tile, pixels (median)."""
        return float(np.median(np.concatenate([row.right - row.left for row in self.rows])))

    @property
    def height(self) -> float:
        """Of a tile, pixels (median)."""
        return float(np.median([row.bottom - row.top for row in self.rows]))


def peaks(profile: Profile, least: float) -> Lines:
    """The strongest local maxima of a profile, in order, its two ends always among them."""
    inner = profile[1:-1]
    top = (inner >= profile[:-2]) & (inner > profile[2:]) & (inner >= least)
    found = np.flatnonzero(top) + 1
    if found.size > PEAKS:
        found = found[np.argsort(-profile[found], kind="stable")[:PEAKS]]
    return np.asarray(np.unique(np.concatenate(([0], found, [profile.size - 1]))), np.intp)


def chains(
    profile: Profile, sizes: tuple[float, float], widest_gap: float, needed: float, count: int
) -> list[Chain]:
    """Regular runs of equal intervals between the peaks of a profile, best first.

    Args:
        profile: float32 (length + 1,), support of each line.
        sizes: smallest and largest size of an interval, pixels.
        widest_gap: largest distance of two intervals, pixels.
        needed: support which an edge needs to speak for a chain.
        count: how many chains are wanted.
    """
    at = peaks(profile, needed / 3)
    distance = at[None] - at[:, None]
    first, second = np.nonzero((distance >= sizes[0]) & (distance <= sizes[1]))
    if first.size > PAIRS:
        strong = np.argsort(-(profile[at[first]] + profile[at[second]]), kind="stable")[:PAIRS]
        first, second = first[strong], second[strong]
    which, following = np.nonzero(((distance >= 0) & (distance <= widest_gap))[second])
    begin, end, gap = at[first][which], at[second][which], distance[second[which], following]
    if begin.size == 0:
        return []
    size = end - begin
    slack = np.maximum(2.0, size * SLACK)
    begins, ends = [begin], [end]
    total = profile[begin] + profile[end] - 2 * needed
    best, length = total.copy(), np.ones(begin.size, np.intp)
    for n in range(2, MOST_IN_LINE + 1):
        left = _snap(profile, at, ends[-1] + gap, slack)
        right = _snap(profile, at, left + size, slack)
        inside = ends[-1] + gap + size <= profile.size - 1 + slack
        if not inside.any():
            break
        total = np.where(inside, total + profile[left] + profile[right] - 2 * needed, -np.inf)
        begins.append(left)
        ends.append(right)
        better = total > best
        best, length = np.where(better, total, best), np.where(better, n, length)
    found: list[Chain] = []
    seen: set[tuple[int, ...]] = set()
    for i in np.argsort(-best, kind="stable"):
        n = int(length[i])
        key = (n, int(begin[i]) // 4, int(end[i]) // 4, int(ends[n - 1][i]) // 4)
        if key not in seen:
            seen.add(key)
            found.append(
                Chain(
                    np.array([b[i] for b in begins[:n]]), np.array([e[i] for e in ends[:n]]), float(best[i])
                )
            )
        if len(found) == count:
            break
    return found


def _snap(profile: Profile, at: Lines, wanted: Lines, slack: NDArray[np.float64]) -> Lines:
    """The place wanted, or a peak near it if that is stronger."""
    after = np.clip(np.searchsorted(at, wanted), 1, at.size - 1)
    best = np.clip(wanted, 0, profile.size - 1)
    value = profile[best].astype(np.float64)
    for place in (at[after - 1], at[after]):
        off = np.abs(place - wanted)
        worth = np.where(off <= slack, profile[place] - 0.25 * off / slack, -1.0)
        best, value = np.where(worth > value, place, best), np.maximum(worth, value)
    return np.asarray(best, np.intp)


@dataclass(frozen=True, slots=True)
class Fitter:
    """Fits a grid to the edges of one picture.

    Attributes:
        upright, level: its vertical and horizontal edges.
        least_width, least_height: of a tile, pixels.
    """

    upright: Edges
    level: Edges
    least_width: float
    least_height: float

    def fit(self) -> Grid | None:
        """The grid with the best score, or None if nothing looks like one."""
        profile = self.level.profile(np.array([0]), np.array([self.upright.length]))
        longest = float(np.sort(profile[1:-1])[-4:].mean())
        for share in NEEDED_ROWS:
            grids = [
                self._grown(self._settled(grid))
                for grid in self._candidates(profile, max(share * longest, 0.04))
            ]
            if grids:
                best = max(grids, key=lambda grid: grid.score)
                if best.score > 0:
                    return best
        return None

    def sides(self, boxes: Boxes) -> NDArray[np.float32]:
        """Support of the left, right, top and bottom of boxes, float32 (n, 4), each at most one pixel away.

        A box without anything in it has no support: lines around it belong to its neighbours.
        """
        left, right, top, bottom = boxes.T
        near = np.array([-1, 0, 1])
        upright = self.upright.support(boxes[:, :2, None] + near, top[:, None, None], bottom[:, None, None])
        level = self.level.support(boxes[:, 2:, None] + near, left[:, None, None], right[:, None, None])
        sides = np.concatenate([upright.max(axis=2), level.max(axis=2)], axis=1)
        x, y = (right - left) // 32 + 2, (bottom - top) // 32 + 2
        sides[self.upright.busy(left + x, right - x, top + y, bottom - y) < LEAST_BUSY] = 0.0
        return sides

    def rows(self, rows: Sequence[tuple[Lines, Lines, int, int]]) -> list[Row]:
        """Rows given by left, right, top and bottom with the support of their tiles."""
        boxes = np.concatenate(
            [
                np.stack([left, right, np.full(left.size, top), np.full(left.size, bottom)], axis=1)
                for left, right, top, bottom in rows
            ]
        )
        ends = np.cumsum([left.size for left, *_ in rows])[:-1]
        return [
            Row(left, right, top, bottom, sides)
            for (left, right, top, bottom), sides in zip(rows, np.split(self.sides(boxes), ends), strict=True)
        ]

    def _candidates(self, profile: Profile, needed: float) -> list[Grid]:
        """The best full grids, best first: rows from the profile, columns from what lies between the rows' edges."""
        height = self.level.length
        crossings: list[tuple[Chain, Chain]] = []
        for rows in chains(profile, (self.least_height, height), _widest_gap(height / 4), needed, 6):
            size = float(np.median(rows.end - rows.begin))
            sizes = max(self.least_width, ASPECTS[0] * size), ASPECTS[1] * size
            # the last row may be shifted by half a tile
            for full in {rows.begin.size, max(1, rows.begin.size - 1)}:
                across = self.upright.profile(rows.begin[:full], rows.end[:full])
                crossings += [
                    (rows, columns) for columns in chains(across, sizes, _widest_gap(size), NEEDED_COLUMN, 2)
                ]
        if not crossings:
            return []
        found = iter(
            self.rows(
                [
                    (columns.begin, columns.end, int(top), int(bottom))
                    for rows, columns in crossings
                    for top, bottom in zip(rows.begin, rows.end, strict=True)
                ]
            )
        )
        grids = [Grid(_trimmed([next(found) for _ in rows.begin])) for rows, _ in crossings]
        grids = sorted((grid for grid in grids if grid.rows), key=lambda grid: -grid.score)
        return grids[:CANDIDATES]

    def _settled(self, grid: Grid) -> Grid:
        """The grid with both edges of every gap where the whole picture says, instead of either one for both."""
        top, bottom = np.array([row.top for row in grid.rows]), np.array([row.bottom for row in grid.rows])
        left, right = grid.rows[0].left, grid.rows[0].right
        for _ in range(2):
            left, right = settled(self.upright.profile(top, bottom), left, right)
            top, bottom = settled(self.level.profile(left, right), top, bottom)
        return Grid(
            tuple(self.rows([(left, right, int(t), int(b)) for t, b in zip(top, bottom, strict=True)]))
        )

    def _grown(self, grid: Grid) -> Grid:
        """The grid with the rows and columns beside it whose tiles are there but show few edges, and with its last
        row as it is: full, or fewer tiles in its middle or at its left.
        """
        rows = list(grid.rows)
        last = rows.pop() if len(rows) > 1 else None
        if len(rows) > 1:
            rows = self._with_columns(rows)
        rows = self._with_rows(rows, last)
        return Grid(tuple(rows))

    def _with_columns(self, rows: list[Row]) -> list[Row]:
        for outwards in (-1, 1):
            while rows[0].left.size < MOST_IN_LINE:
                left, right = rows[0].left, rows[0].right
                pitch = int(left[1] - left[0]) if left.size > 1 else int(right[0] - left[0])
                edge = 0 if outwards < 0 else -1
                begin, end = (
                    left[edge : edge + 1 or None] + outwards * pitch,
                    right[edge : edge + 1 or None] + outwards * pitch,
                )
                if begin[0] < -1 or end[0] > self.upright.length + 1:
                    break
                column = self.rows([(begin, end, row.top, row.bottom) for row in rows])
                if min(float(self.worth(row).min()) for row in column) <= 0:
                    break
                order = (column, rows) if outwards < 0 else (rows, column)
                rows = [
                    Row(
                        np.append(a.left, b.left),
                        np.append(a.right, b.right),
                        a.top,
                        a.bottom,
                        np.concatenate([a.sides, b.sides]),
                    )
                    for a, b in zip(*order, strict=True)
                ]
        return rows

    def _with_rows(self, rows: list[Row], last: Row | None) -> list[Row]:
        first = rows[0]
        height = round(float(np.median([row.bottom - row.top for row in rows])))
        across = first.left[1:] - first.right[:-1]
        if last is not None:
            gap = last.top - rows[-1].bottom
        else:
            gap = int(across.mean()) if across.size else 0
        while (top := rows[0].top - gap - height) >= -1 and len(rows) < MOST_IN_LINE:
            [above] = self.rows([(first.left, first.right, top, top + height)])
            if (self.worth(above) > 0).mean() < 0.75 or above.support.max() < NEEDED:
                break
            rows.insert(0, above)
        while len(rows) < MOST_IN_LINE:
            if last is None:
                top = self._near(rows[-1].bottom + gap, first)
                bottom = self._near(top + height, first)
            else:
                top, bottom = last.top, last.bottom
            if bottom > self.level.length:
                break
            below = self._best_row(first, top, bottom)
            if last is None and (float(self.worth(below).sum()) <= 0 or below.support.max() < NEEDED):
                break
            last = None
            rows.append(below)
            if below.left.size < first.left.size:
                break
        return rows

    def worth(self, row: Row) -> NDArray[np.float32]:
        """Gains of each tile, float32 (n,), if a side of which nothing is seen is forgiven.

        Where a room has the colour of the gap, the tile's side lies in a calm place; a side that runs through a
        picture does not. A box without anything in it is worth less than nothing.
        """
        left, right = row.left, row.right
        top, bottom = np.full(left.size, row.top), np.full(left.size, row.bottom)
        x, y = (right - left) // 32 + 2, (row.bottom - row.top) // 32 + 2
        inside = self.upright.busy(left + x, right - x, top + y, bottom - y)
        restless = 3 * np.stack(
            [
                self.upright.busy(left - 1, left + 2, top, bottom),
                self.upright.busy(right - 1, right + 2, top, bottom),
                self.level.busy(top - 1, top + 2, left, right),
                self.level.busy(bottom - 1, bottom + 2, left, right),
            ],
            axis=1,
        )
        value = row.sides - NEEDED * np.clip(restless, row.sides, 1) + FORGIVEN
        lengths = np.stack([bottom - top] * 2 + [right - left] * 2, axis=1)
        gains = (value * lengths).sum(axis=1)
        return np.asarray(np.where(inside < LEAST_BUSY, -NEEDED * lengths.sum(axis=1), gains), np.float32)

    def _near(self, line: int, row: Row) -> int:
        """The line near a horizontal one that has the most support in the middle of the row."""
        centre, half = int(row.left[0] + row.right[-1]) // 2, int(row.right[0] - row.left[0]) // 2
        reach = max(2, int((row.bottom - row.top) * SLACK))
        lines = np.arange(line - reach, line + reach + 1)
        support = self.level.support(lines, np.array(centre - half), np.array(centre + half))
        support = np.where((lines >= 0) & (lines <= self.level.length), support, 0)
        return int(lines[(support - 0.1 * np.abs(lines - line) / reach).argmax()])

    def _best_row(self, full: Row, top: int, bottom: int) -> Row:
        """The row between top and bottom: as many tiles of the full row's size as edges speak for."""
        count = full.left.size
        options = [(full.left, full.right, top, bottom)]
        width = int(np.median(full.right - full.left))
        gap = round(float((full.left[1:] - full.right[:-1]).mean())) if count > 1 else 0
        middle = (int(full.left[0]) + int(full.right[-1])) / 2
        for here in range(1, count):
            left = round(middle - (here * width + (here - 1) * gap) / 2) + np.arange(here) * (width + gap)
            options += [(left + off, left + width + off, top, bottom) for off in (-2, 0, 2)]
            options.append((full.left[:here], full.right[:here], top, bottom))
        profile = self.upright.profile(np.array([top]), np.array([bottom]))
        for own in chains(profile, (width * 0.75, width * 2.0), _widest_gap(width), 0.5, 1):
            centred = abs((int(own.begin[0]) + int(own.end[-1])) / 2 - middle) < SLACK * width
            if centred and own.begin.size < count:
                options.append((own.begin, own.end, top, bottom))
                *regular, own_row = self.rows(options)
                best = max(regular, key=lambda row: float(self.worth(row).sum()))
                return own_row if own_row.score > best.score + 0.3 * count * width else best
        return max(self.rows(options), key=lambda row: float(self.worth(row).sum()))


def _trimmed(rows: list[Row]) -> tuple[Row, ...]:
    """Rows of the same columns without the outer rows and columns for which too little speaks."""
    gains = np.array([row.gains for row in rows])
    keep_rows, keep_columns = _core(gains.sum(axis=1)), _core(gains.sum(axis=0))
    return tuple(
        Row(row.left[keep_columns], row.right[keep_columns], row.top, row.bottom, row.sides[keep_columns])
        for row in rows[keep_rows]
        if row.left[keep_columns].size
    )


def _core(gains: NDArray[np.float32]) -> slice:
    good = np.flatnonzero(gains > 0)
    return slice(int(good[0]), int(good[-1]) + 1) if good.size else slice(0, 0)


def _widest_gap(size: float) -> float:
    return max(12.0, 0.05 * size)


def settled(profile: Profile, begin: Lines, end: Lines) -> tuple[Lines, Lines]:
    """Begin and end of each interval so that all gaps are the same and as many strong lines as possible are used.

    Args:
        profile: float32 (length + 1,), support of each line.
        begin, end: intp (n,), intervals which may begin or end at the wrong side of a gap.
    """
    size = float(np.median(end - begin))
    widest = int(_widest_gap(size))
    slack = max(2, int(size * SLACK))
    limit = profile.size - 1
    if begin.size > 1:
        reach = widest + slack
        centre = (end[:-1] + begin[1:]) // 2
        lines = centre[:, None] + np.arange(-reach, reach + 1)
        gaps = np.arange(widest + 1)
        other = lines[..., None] + gaps
        here, there = profile[np.clip(lines, 0, limit)], profile[np.clip(other, 0, limit)]
        both = here[..., None] + there
        both[..., 0] *= 0.65  # one line that serves for two edges
        both -= 0.2 * np.abs(lines[..., None] + gaps / 2 - centre[:, None, None]) / reach
        gap = int(both.max(axis=1).sum(axis=0).argmax())
        at = lines[np.arange(centre.size), both[..., gap].argmax(axis=1)]
        end, begin = np.append(at, end[-1]), np.append(begin[0], at + gap)
        inner = end[1:-1] - begin[1:-1]
        if inner.size:
            size = float(np.median(inner))
    first = _strongest(profile, int(end[0]) - round(size), slack)
    last = _strongest(profile, int(begin[-1]) + round(size), slack)
    return np.append(first, begin[1:]), np.append(end[:-1], last)


def _strongest(profile: Profile, at: int, slack: int) -> int:
    lines = np.arange(max(0, at - slack), min(profile.size - 1, at + slack) + 1)
    if lines.size == 0:
        return int(np.clip(at, 0, profile.size - 1))
    return int(lines[(profile[lines] - 0.3 * np.abs(lines - at) / slack).argmax()])

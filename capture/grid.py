"""The grid of a gallery, fitted as a whole: rows from the horizontal edges, columns from the vertical ones.

Equal tiles at equal distances leave edges at regular places. `Fitter` pairs the regular runs of rows with those of
columns, judges each pair tile by tile, settles on which side of each gap a tile ends, and grows the best grids over
tiles that show few edges and over a last row that is not full.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from capture.chains import MOST_IN_LINE, SLACK, Chain, Lines, chains, settled, widest_gap
from capture.edges import Edges

MOST_TILES: Final = 49
# Support that a tile's side needs to speak for a grid; less speaks against it. Squares are compared: half an edge is
# far less than half the evidence, as it may be another's.
NEEDED: Final = 0.6
# Support of a column's edges, averaged over the rows.
NEEDED_COLUMN: Final = 0.33
# Support of a row's edges, as shares of the longest edges of the picture: large galleries first, then strips.
NEEDED_ROWS: Final = (0.5, 0.25, 0.12)
LEAST_NEEDED_ROW: Final = 0.04
# Runs of rows and of columns that are paired, and full grids that are followed to the end.
ROW_CHAINS: Final = 6
COLUMN_CHAINS: Final = 4
CANDIDATES: Final = 5
# Support of the tiles of a grid besides which no other needs to be followed.
BEYOND_DOUBT: Final = 0.88
# A last row may have tiles of another size (Meet): support of their edges, and of the tiles, against that of tiles of
# the common size.
NEEDED_OWN: Final = 0.65
CLEAR: Final = 0.85
UNCLEAR: Final = 0.65
# Width over height of a tile, from portrait phones to very wide windows; those of videos count a little more.
ASPECTS: Final = (0.7, 2.6)
USUAL_ASPECTS: Final = (16 / 9, 4 / 3)
USUAL_WITHIN: Final = 0.03
USUAL_BONUS: Final = 1.1
# Share of faint steps in a box below which there is nothing in it, not even a name.
LEAST_FILLED: Final = 0.0004
# What a side is worth of which nothing is seen in a calm place, and the share of a row's tiles that must be worth
# something for a row to be added above the others.
FORGIVEN: Final = 0.05
LEAST_WORTH: Final = 0.75
# A line with this support through all tiles of a row cuts them: they are a toolbar, or cells of a finer grid.
CUTS: Final = 0.75
# Pixels around a tile that may be its border.
BESIDE: Final = 4

# Part of the picture's height below which a toolbar may lie over tiles.
TOOLBARS_FROM: Final = 0.94

Float = NDArray[np.float32]
# left and right of tiles, and the top and bottom that they share
Place = tuple[Lines, Lines, int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """Tiles of one row.

    Attributes:
        left, right: intp (n,), pixels.
        top, bottom: pixels, shared by the tiles.
        support: float32 (n,), share 0..1 of each tile's outline that lies on edges, mean of the four sides.
        gains: float32 (n,), pixels of each outline on edges, less what is needed.
        worth: float32 (n,), the same if a side of which nothing is seen is forgiven: where a room has the colour of
            the gap, the side lies in a calm place, and a side that runs through a picture does not.
    """

    left: Lines
    right: Lines
    top: int
    bottom: int
    support: Float
    gains: Float
    worth: Float

    def part(self, columns: slice | NDArray[np.intp]) -> Self:
        """The row with these tiles only."""
        return type(self)(
            self.left[columns],
            self.right[columns],
            self.top,
            self.bottom,
            self.support[columns],
            self.gains[columns],
            self.worth[columns],
        )


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of tiles from top to bottom."""

    rows: tuple[Row, ...]

    @property
    def width(self) -> float:
        """Of a tile, pixels (median)."""
        return float(np.median(np.concatenate([row.right - row.left for row in self.rows])))

    @property
    def height(self) -> float:
        """Of a tile, pixels (median)."""
        return float(np.median([row.bottom - row.top for row in self.rows]))

    @property
    def usual(self) -> bool:
        """Whether the tiles have the shape of a video, 16:9 or 4:3."""
        first = self.rows[0]
        aspect = float((first.right - first.left).mean()) / (first.bottom - first.top)
        return any(abs(aspect / usual - 1) < USUAL_WITHIN for usual in USUAL_ASPECTS)

    @property
    def spread(self) -> int:
        """By how many pixels the widths of tiles differ."""
        return int(np.ptp(np.concatenate([row.right - row.left for row in self.rows])))

    @property
    def even(self) -> bool:
        """Whether all tiles have the same size and the shape of a video, and no side of theirs runs through one."""
        heights = np.ptp([row.bottom - row.top for row in self.rows])
        same = self.spread <= SLACK * self.width and heights <= SLACK * self.height
        return self.usual and bool(same) and min(float(row.worth.min()) for row in self.rows) > 0

    @property
    def support(self) -> Float:
        """Of each tile, float32 (n,), 0..1."""
        return np.concatenate([row.support for row in self.rows])

    @property
    def gain(self) -> float:
        """How much speaks for it; above 0 where edges support it."""
        return sum(float(row.gains.sum()) for row in self.rows)

    @property
    def score(self) -> float:
        """The same, and a little more for tiles in the shape of a video."""
        return self.gain * (USUAL_BONUS if self.usual else 1.0)


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

    def grids(self) -> Iterator[Grid]:
        """Grids for which edges speak, those of long rows before those of short ones, otherwise best first."""
        for share in NEEDED_ROWS:
            grown = []
            for grid in self._full_grids(self.row_chains(share)):
                grown.append(self.grown(grid))
                if float(grown[-1].support.mean()) >= BEYOND_DOUBT:
                    break
            yield from sorted((grid for grid in grown if grid.score > 0), key=lambda grid: -grid.score)

    def rows(self, places: Sequence[Place]) -> list[Row]:
        """The rows at these places, judged.

        A tile without anything in it has no support: lines around it belong to its neighbours.
        """
        counts = [left.size for left, *_ in places]
        left = np.concatenate([left for left, *_ in places])
        right = np.concatenate([right for _, right, *_ in places])
        top = np.repeat([top for *_, top, _ in places], counts)
        bottom = np.repeat([bottom for *_, bottom in places], counts)
        width, height = right - left, bottom - top

        # one pixel away counts as well
        near = np.array([[-1], [0], [1]])
        uprights = self.upright.support(
            np.concatenate([left, right]) + near, np.tile(top, 2), np.tile(bottom, 2)
        )
        levels = self.level.support(np.concatenate([top, bottom]) + near, np.tile(left, 2), np.tile(right, 2))
        sides = np.concatenate([uprights.max(axis=0), levels.max(axis=0)]).reshape(4, -1)
        inset_x, inset_y = width // 32 + 2, height // 32 + 2
        inside = self.upright.filled(left + inset_x, right - inset_x, top + inset_y, bottom - inset_y)
        sides[:, inside < LEAST_FILLED] = 0.0

        restless = np.stack(
            [
                self.upright.busy(left - 1, left + 2, top, bottom),
                self.upright.busy(right - 1, right + 2, top, bottom),
                self.level.busy(top - 1, top + 2, left, right),
                self.level.busy(bottom - 1, bottom + 2, left, right),
            ]
        )
        needed = NEEDED**2 * np.minimum(np.maximum(3 * restless, sides), 1) - FORGIVEN
        needed[:, inside < LEAST_FILLED] = NEEDED**2
        lengths = np.stack([height, height, width, width])
        gains = ((sides**2 - NEEDED**2) * lengths).sum(axis=0)
        worth = ((sides**2 - needed) * lengths).sum(axis=0)
        support = sides.mean(axis=0)

        rows, begin = [], 0
        for place, count in zip(places, counts, strict=True):
            here = slice(begin, begin + count)
            rows.append(Row(*place, support[here], gains[here], worth[here]))
            begin += count
        return rows

    def row_chains(
        self, share: float, slack_share: float = SLACK, most_gap: float | None = None
    ) -> list[Chain]:
        """Regular runs of rows between lines that have this share of the support of the longest, best first."""
        profile = self.level.profile(np.array([0]), np.array([self.upright.length]))
        longest = float(np.sort(profile[1:-1])[-4:].mean())
        height = self.level.length
        return chains(
            profile,
            (self.least_height, height),
            widest_gap(height / 4) if most_gap is None else most_gap,
            max(share * longest, LEAST_NEEDED_ROW),
            ROW_CHAINS,
            slack_share,
        )

    def _full_grids(self, row_chains: Sequence[Chain]) -> Iterator[Grid]:
        """The best full grids, settled, best first: columns from between the rows' edges."""
        pairs: list[tuple[Chain, Chain]] = []
        for rows in row_chains:
            size = float(np.median(rows.end - rows.begin))
            sizes = max(self.least_width, ASPECTS[0] * size), ASPECTS[1] * size
            # the last row may be shifted by half a tile
            count = rows.begin.size
            for used in {max(1, count - 1), count} if count < 3 else {count - 1}:
                across = self.upright.profile(rows.begin[:used], rows.end[:used])
                pairs += [
                    (rows, columns)
                    for columns in chains(across, sizes, widest_gap(size), NEEDED_COLUMN, COLUMN_CHAINS)
                ]
        if not pairs:
            return
        found = iter(
            self.rows(
                [
                    (columns.begin, columns.end, int(top), int(bottom))
                    for rows, columns in pairs
                    for top, bottom in zip(rows.begin, rows.end, strict=True)
                ]
            )
        )
        kept = (_trimmed([next(found) for _ in rows.begin]) for rows, _ in pairs)
        grids = sorted((Grid(rows) for rows in kept if rows), key=lambda grid: -grid.score)
        # the best of each number of rows and columns: some gain more than others when they grow
        kinds: dict[tuple[int, int], Grid] = {}
        for grid in grids:
            kinds.setdefault((len(grid.rows), grid.rows[0].left.size), grid)
        for grid in list(kinds.values())[:CANDIDATES]:
            yield self._settled(grid)

    def _settled(self, grid: Grid) -> Grid:
        """The grid with both edges of every gap where the whole picture says, instead of either one for both."""
        top, bottom = np.array([row.top for row in grid.rows]), np.array([row.bottom for row in grid.rows])
        left, right = grid.rows[0].left, grid.rows[0].right
        for _ in range(2):
            left, right = settled(self.upright.profile(top, bottom), left, right)
            width = float(np.median(right - left))
            usual = [width / aspect for aspect in USUAL_ASPECTS]
            top, bottom = settled(self.level.profile(left, right), top, bottom, usual)
        return Grid(
            tuple(self.rows([(left, right, int(t), int(b)) for t, b in zip(top, bottom, strict=True)]))
        )

    def grown(self, grid: Grid) -> Grid:
        """The grid with the rows and columns beside it whose tiles are there but show few edges, and with its last
        row as it is: full, or fewer tiles in its middle or at its left.
        """
        rows = self._with_columns(list(grid.rows))
        last = rows.pop() if len(rows) > 1 else None
        return Grid(tuple(self._with_rows_below(self._with_rows_above(rows), last)))

    def _with_columns(self, rows: list[Row]) -> list[Row]:
        for side, outwards in ((slice(0, 1), -1), (slice(-1, None), 1)):
            while rows[0].left.size < MOST_IN_LINE:
                left, right = rows[0].left, rows[0].right
                pitch = outwards * int(left[1] - left[0] if left.size > 1 else right[0] - left[0])
                begin, end = left[side] + pitch, right[side] + pitch
                if begin[0] < -1 or end[0] > self.upright.length + 1:
                    break
                column = self.rows([(begin, end, row.top, row.bottom) for row in rows])
                # the last row may be shorter
                sure = column[: max(1, len(column) - 1)]
                if min(float(row.worth[0]) for row in sure) <= 0 or self._is_panel(column):
                    break
                if max(float(row.support[0]) for row in column) < NEEDED:
                    break
                left = np.concatenate((begin, left) if outwards < 0 else (left, begin))
                right = np.concatenate((end, right) if outwards < 0 else (right, end))
                rows = self.rows([(left, right, row.top, row.bottom) for row in rows])
        return rows

    def _with_rows_above(self, rows: list[Row]) -> list[Row]:
        pitch, height = _pitch(rows), rows[0].bottom - rows[0].top
        while len(rows) < MOST_IN_LINE and (top := rows[0].top - pitch) >= -1:
            [above] = self.rows([(rows[0].left, rows[0].right, top, top + height)])
            if (above.worth > 0).mean() < LEAST_WORTH or above.support.max() < NEEDED:
                break
            rows = [above, *rows]
        return rows

    def _with_rows_below(self, rows: list[Row], last: Row | None) -> list[Row]:
        first = rows[0]
        gap, height = _pitch(rows) - (first.bottom - first.top), first.bottom - first.top
        rows = list(rows)
        if last is not None:
            gap = last.top - rows[-1].bottom
            last = self._best_row(first, last.top, last.bottom)
            if not self._is_row(last):
                return rows
            rows.append(last)
        while len(rows) < MOST_IN_LINE and rows[-1].left.size == first.left.size:
            top = self._near(rows[-1].bottom + gap, first)
            bottom = self._near(top + height, first)
            if bottom > self.level.length:
                break
            below = self._best_row(first, top, bottom)
            if not self._is_row(below):
                break
            rows.append(below)
        return rows

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
        width = int(np.median(full.right - full.left))
        gap = round(float((full.left[1:] - full.right[:-1]).mean())) if count > 1 else 0
        middle = (int(full.left[0]) + int(full.right[-1])) / 2
        places: list[Place] = [(full.left, full.right, top, bottom)]
        for here in range(1, count):
            left = round(middle - (here * width + (here - 1) * gap) / 2) + np.arange(here) * (width + gap)
            places += [(left + off, left + width + off, top, bottom) for off in (-2, 0, 2)]
            places.append((full.left[:here], full.right[:here], top, bottom))
        # a toolbar over the row is as busy as tiles
        cut = self.cut(places[0])
        seen = self.rows([(left, right, top, bottom if cut is None else cut) for left, right, *_ in places])
        [best] = self.rows([places[int(np.argmax([self._presence(row) for row in seen]))]])
        if best.support.mean() < UNCLEAR:
            profile = self.upright.profile(np.array([top]), np.array([bottom]))
            for own in chains(profile, (width * 0.75, width * 2.0), widest_gap(width), NEEDED_OWN, 1):
                [row] = self.rows([(own.begin, own.end, top, bottom)])
                centred = abs((int(own.begin[0]) + int(own.end[-1])) / 2 - middle) < SLACK * width
                if centred and own.begin.size < count and row.support.min() >= CLEAR:
                    return row
        return best

    def _presence(self, row: Row) -> float:
        """Worth of the tiles of a row. At the bottom of the window, those that show something in their lower part only
        count as absent: these are icons of a toolbar that lies over the window.
        """
        if row.bottom < TOOLBARS_FROM * self.level.length:
            return float(row.worth.sum())
        size = row.left.size
        top, bottom = np.full(size, row.top + 2), np.full(size, row.bottom - (row.bottom - row.top) // 4)
        absent = self.upright.filled(row.left + 2, row.right - 2, top, bottom) < LEAST_FILLED
        outline = 2 * (row.right - row.left + row.bottom - row.top)
        return float(np.where(absent & (row.support < NEEDED), -(NEEDED**2) * outline, row.worth).sum())

    def _is_row(self, row: Row) -> bool:
        """Whether a row below others is one: not a toolbar, but perhaps tiles that reach out above a toolbar."""
        if float(row.worth.sum()) <= 0 or row.support.max() < NEEDED:
            return False
        cut = self.cut((row.left, row.right, row.top, row.bottom))
        if cut is None:
            return True
        [above] = self.rows([(row.left, row.right, row.top, cut)])
        return float(above.worth.sum()) > 0

    def cut(self, place: Place) -> int | None:
        """The line that runs through all tiles of a row well inside them, as the upper edge of a toolbar does."""
        left, right, top, bottom = place
        inset = (bottom - top) // 10
        across = self.level.profile(left, right)[top + inset : bottom - inset]
        return top + inset + int(across.argmax()) if across.max() >= CUTS else None

    def margins(self, place: Place, reach: int | None = None) -> tuple[Lines, Lines, Lines, Lines]:
        """Left, right, top and bottom of what lies beside a row, each intp (n,) with n up to 2: from the picture's left
        edge to the row and from the row to the right edge, or to `reach` pixels from it; without what is no wider than
        the border of a tile."""
        left, right, top, bottom = place
        width = self.upright.length
        end = width if reach is None else min(width, int(right[-1]) + reach - BESIDE)
        begin, finish = np.array([0, right[-1] + BESIDE]), np.array([left[0] - BESIDE, end])
        wide = finish > begin
        begin, finish = begin[wide], finish[wide]
        return begin, finish, np.full(begin.size, top + BESIDE), np.full(begin.size, bottom - BESIDE)

    def _is_panel(self, column: Sequence[Row]) -> bool:
        """Whether a line runs through a whole column, as the edge of a chat panel does."""
        begin, end = int(column[0].left[0]), int(column[0].right[0])
        inset = (end - begin) // 10
        top, bottom = np.array([row.top for row in column]), np.array([row.bottom for row in column])
        return bool(self.upright.profile(top, bottom)[begin + inset : end - inset].max() >= CUTS)


def _pitch(rows: Sequence[Row]) -> int:
    """From the top of one row to that of the next; where there is one only, with the gap of its columns."""
    if len(rows) > 1:
        return rows[1].top - rows[0].top
    across = rows[0].left[1:] - rows[0].right[:-1]
    return rows[0].bottom - rows[0].top + (int(across.mean()) if across.size else 0)


def _trimmed(rows: list[Row]) -> tuple[Row, ...]:
    """Rows of the same columns without the outer rows and columns for which too little speaks."""
    gains = np.array([row.gains for row in rows])
    # the last row may be shifted by half a tile
    columns = _core(gains[: max(1, len(rows) - 1)].sum(axis=0))
    return tuple(row.part(columns) for row in rows[_core(gains.sum(axis=1))] if row.left[columns].size)


def _core(gains: Float) -> slice:
    good = np.flatnonzero(gains > 0)
    return slice(int(good[0]), int(good[-1]) + 1) if good.size else slice(0, 0)

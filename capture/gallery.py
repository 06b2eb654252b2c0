"""From a picture of the meeting window to its tiles."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.cards import Content, is_large_video
from capture.chains import SLACK
from capture.edges import Edges
from capture.evidence import Evidence, is_alone
from capture.free_rows import free_grids
from capture.grid import CUTS, MOST_TILES, NEEDED_ROWS, Fitter, Grid
from capture.growth import with_named_neighbours
from capture.strips import is_strip, large_beside, strips
from engagement.records import Box, Tile

# The narrowest tile, in pixels and as a share of the picture's width; its height is half of that.
LEAST_WIDTH: Final = 64
LEAST_WIDTH_SHARE: Final = 1 / 18
# Mean support of the tiles' sides below which a grid is not believed, and by how much it must exceed that of the
# other lines through the tiles.
LEAST_SUPPORT: Final = 0.55
LEAST_CONTRAST: Final = 0.35
# At least this share of the tiles must have edges nearly all around, which chance does not give.
STRONG: Final = 0.75
LEAST_STRONG: Final = 0.4
# Runs of rows that are cut by themselves, how much their heights may differ if they touch, and the support of such
# tiles.
FREE_CHAINS: Final = 3
ROW_SLACK_WITHOUT_GAP: Final = 0.14
LEAST_SUPPORT_FREE: Final = 0.75
# There is room for more tiles where a place beside the grid has this share of a tile's size, and something in it where
# this share of it are steps.
ROOM: Final = 0.9
BUSY: Final = 0.01
# Rows of one height differ by no more pixels.
SAME_HEIGHT: Final = 3
# Tiles this near to each other touch.
TOUCHING: Final = 1
# So few that touch may be several in one each.
FEW_TOUCHING: Final = 12
# An edge with this support is no part of a picture.
SURE: Final = 0.9
# Balance of named and unnamed among them, as a share of all.
LEAST_BALANCE_FREE: Final = 0.4
# Support that is enough where nearly all tiles bear a name.
LEAST_SUPPORT_CLEAR: Final = 0.5
# So few tiles must have the shape of a video and clear edges; windows side by side have not.
FEW: Final = 3
LEAST_SUPPORT_FEW: Final = 0.72
# Lines lower than this in a tile may be the upper edges of the labels.
LABELS_FROM: Final = 0.75
# The name label is drawn at a size of its own: within this share of small and of large tiles.
LABEL_SHARE_SMALL: Final = 0.24
LABEL_SHARE_LARGE: Final = 0.12
LABEL_HEIGHT: Final = 30
LABEL_WIDTH_SHARE: Final = 0.85


def find_tiles(image: NDArray[np.uint8]) -> list[Tile]:
    """The tiles of the gallery, row by row from the top left; empty where no grid is seen.

    Args:
        image: uint8 (H, W, 3), RGB.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    least = max(LEAST_WIDTH, LEAST_WIDTH_SHARE * width)
    if max(width, height) < least or min(width, height) < least / 2:
        return []
    upright, level = Edges.upright(grey, least / 2), Edges.level(grey, least)
    fitter = Fitter(upright, level, least_width=least, least_height=least / 2)
    best = _first(grey, fitter)
    if best is None or (best.shown.names and not best.shown.clear) or not _is_complete(best.grid, fitter):
        others = [*_free(grey, fitter)]
        if best is not None and (lower := _between_bars(best.grid, fitter)) is not None:
            others.append(_Seen.of(grey, lower))
        if best is None or is_strip(best.grid) or not best.shown.names:
            others += _strips(grey, fitter)
        best = max((seen for seen in (best, *others) if seen is not None), key=_Seen.balance, default=None)
    if best is None:
        return []
    if best.shown.names:
        best = best.grown(grey, fitter)
        if is_strip(best.grid):
            best = best.with_large(grey, fitter)
    return best.tiles()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A grid, its boxes within the picture, and what they show."""

    grid: Grid
    boxes: tuple[Box, ...]
    shown: Evidence

    @classmethod
    def of(cls, grey: NDArray[np.uint8], grid: Grid) -> Self:
        height, width = grey.shape
        boxes = tuple(
            Box(int(left), row.top, int(right - left), row.bottom - row.top).clipped(width, height)
            for row in grid.rows
            for left, right in zip(row.left, row.right, strict=True)
        )
        return cls(grid, boxes, Evidence.of(grey, boxes))

    def balance(self) -> int:
        """How many tiles bear a name, less those that bear none."""
        return self.shown.balance

    def joined(self, grey: NDArray[np.uint8], fitter: Fitter) -> Self:
        """With tiles that bear no name, and touch one at their left that does, made one with it: there was an edge in
        the picture. An edge from top to bottom is one only if both make a tile of the common width."""
        rows, at = [], 0
        width = self.grid.width
        for row in self.grid.rows:
            named = self.shown.named[at : at + row.left.size]
            at += row.left.size
            near = row.left + np.array([[-1], [0], [1]])
            sure = fitter.upright.support(near, np.array(row.top), np.array(row.bottom)).max(axis=0) >= SURE
            together = np.append(0, row.right[1:] - row.left[:-1])
            sure &= np.abs(together - width) > SLACK * width
            begins = [
                i == 0
                or named[i]
                or not named[i - 1]
                or bool(sure[i])
                or row.left[i] - row.right[i - 1] > TOUCHING
                for i in range(row.left.size)
            ]
            first = np.flatnonzero(begins)
            rows.append(
                (row.left[first], row.right[np.append(first[1:], row.left.size) - 1], row.top, row.bottom)
            )
        if sum(left.size for left, *_ in rows) == len(self.boxes):
            return self
        return type(self).of(grey, Grid(tuple(fitter.rows(rows))))

    def grown(self, grey: NDArray[np.uint8], fitter: Fitter) -> Self:
        """With the rows and columns beside it that bear names."""
        grid = with_named_neighbours(grey, fitter, self.grid)
        return self if grid is self.grid or grid.support.size > MOST_TILES else type(self).of(grey, grid)

    def with_large(self, grey: NDArray[np.uint8], fitter: Fitter) -> Self:
        """With the one large video beside a strip, if there is one."""
        large = large_beside(fitter, self.grid)
        if large is None:
            return self
        seen = type(self).of(grey, Grid((large,)))
        box = seen.boxes[0]
        if not is_large_video(grey[box.top : box.bottom, box.left : box.right]):
            return self
        return replace(
            self,
            boxes=(*self.boxes, *seen.boxes),
            shown=self.shown + seen.shown,
        )

    def tiles(self) -> list[Tile]:
        return [
            Tile(box, label_strip(box), camera_on=what is not Content.CARD)
            for box, what in zip(self.boxes, self.shown.contents, strict=True)
        ]


def _first(grey: NDArray[np.uint8], fitter: Fitter) -> _Seen | None:
    """The first grid of equal tiles that shows a meeting."""
    known: set[tuple[int, ...]] = set()
    for grid in fitter.grids():
        key = tuple(int(line) for row in grid.rows for line in (*row.left, row.top, row.bottom))
        if key in known:
            continue
        known.add(key)
        if not 1 < grid.support.size <= MOST_TILES or not _has_sizes(grid, fitter):
            continue
        stands_out = _stands_out(grid, fitter)
        if not stands_out and (grid.support.mean() < LEAST_SUPPORT_CLEAR or _has_cells(grid, fitter)):
            continue
        seen = _Seen.of(grey, grid)
        if seen.shown.clear:
            return seen
        if stands_out and (
            seen.shown.names or (seen.shown.cameras and grid.usual and is_alone(grey, seen.boxes))
        ):
            return seen
    return None


def _free(grey: NDArray[np.uint8], fitter: Fitter) -> Iterator[_Seen]:
    """Grids whose rows are cut by themselves and bear names."""
    runs = fitter.row_chains(NEEDED_ROWS[0])[:FREE_CHAINS]
    runs += fitter.row_chains(NEEDED_ROWS[0], ROW_SLACK_WITHOUT_GAP, TOUCHING)[:FREE_CHAINS]
    for grid in free_grids(fitter, runs):
        if grid.support.mean() >= LEAST_SUPPORT_FREE and _stands_out(grid, fitter, any_shape=True):
            seen = _Seen.of(grey, grid).joined(grey, fitter)
            if seen.shown.names and seen.shown.balance >= LEAST_BALANCE_FREE * len(seen.boxes):
                yield seen


def _strips(grey: NDArray[np.uint8], fitter: Fitter) -> Iterator[_Seen]:
    """Strips of thumbnails that bear names."""
    for grid in strips(fitter):
        if _stands_out(grid, fitter):
            seen = _Seen.of(grey, grid)
            if seen.shown.names:
                yield seen


def _between_bars(grid: Grid, fitter: Fitter) -> Grid | None:
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


def _is_complete(grid: Grid, fitter: Fitter) -> bool:
    """Whether nothing is doubtful about these tiles, and there is no room for more where there is something."""
    if any(row.support.mean() < STRONG for row in grid.rows):
        return False
    touching = any((row.left[1:] - row.right[:-1] <= TOUCHING).any() for row in grid.rows)
    if touching and grid.support.size <= FEW_TOUCHING:
        return False
    width, height = fitter.upright.length, fitter.level.length
    top, bottom = grid.rows[0].top, grid.rows[-1].bottom
    left = min(int(row.left[0]) for row in grid.rows)
    right = max(int(row.right[-1]) for row in grid.rows)
    wide, high = ROOM * grid.width, ROOM * grid.height
    beside = [
        (np.array([x0]), np.array([x1]), np.array([y0]), np.array([y1]))
        for x0, x1, y0, y1, enough in (
            (0, width, 0, top, top >= high),
            (0, width, bottom, height, height - bottom >= high),
            (0, left, top, bottom, left >= wide),
            (right, width, top, bottom, width - right >= wide),
        )
        if enough
    ]
    return all(float(fitter.upright.busy(*place)[0]) < BUSY for place in beside)


def label_strip(box: Box) -> Box:
    """The strip at the bottom left of a tile in which its name label lies."""
    high = min(LABEL_SHARE_SMALL * box.height, LABEL_HEIGHT)
    height = max(1, round(max(LABEL_SHARE_LARGE * box.height, high)))
    return Box(box.left, box.bottom - height, max(1, round(LABEL_WIDTH_SHARE * box.width)), height)


def _has_sizes(grid: Grid, fitter: Fitter) -> bool:
    """Whether no tile of a grid, whose lines were moved to where edges are, has been lost on the way."""
    return all(
        row.bottom - row.top >= fitter.least_height / 2
        and (row.right - row.left).min() >= fitter.least_width / 2
        for row in grid.rows
    )


def _has_cells(grid: Grid, fitter: Fitter) -> bool:
    """Whether a line through all rows, above their labels, cuts the tiles into cells."""
    across = _across(grid, fitter)
    return float(across[: round(LABELS_FROM * across.size)].max()) >= CUTS


def _across(grid: Grid, fitter: Fitter) -> NDArray[np.float32]:
    """Support of the horizontal lines well inside the tiles of the full rows, averaged over the rows."""
    size = grid.rows[0].left.size
    rows = [row for row in grid.rows if row.left.size == size]
    return np.asarray(
        np.mean(
            [_inner(fitter.level.profile(row.left, row.right), row.top, row.bottom) for row in rows], axis=0
        ),
        np.float32,
    )


def _stands_out(grid: Grid, fitter: Fitter, *, any_shape: bool = False) -> bool:
    """Whether the lines of the grid have more support than other lines through its tiles; a few tiles must have the
    shape of a video too, or any shape if their names are looked at."""
    support = grid.support
    few = support.size <= FEW
    if not 1 < support.size <= MOST_TILES or (few and not any_shape and not grid.usual):
        return False
    if not _has_sizes(grid, fitter):
        return False
    if float(support.mean()) < (LEAST_SUPPORT_FEW if few else LEAST_SUPPORT):
        return False
    if float((support >= STRONG).mean()) < LEAST_STRONG:
        return False
    full = grid.rows[0]
    rows = [row for row in grid.rows if row.left.size == full.left.size]
    top, bottom = np.array([row.top for row in rows]), np.array([row.bottom for row in rows])
    columns = fitter.upright.profile(top, bottom)
    along = np.mean(
        [_inner(columns, int(left), int(right)) for left, right in zip(full.left, full.right, strict=True)],
        axis=0,
    )
    inside = (float(_across(grid, fitter).mean()) + float(along.mean())) / 2
    return not _has_cells(grid, fitter) and float(support.mean()) - inside >= LEAST_CONTRAST


def _inner(profile: NDArray[np.float32], begin: int, end: int) -> NDArray[np.float32]:
    """Support of the lines well inside an interval, resampled to 48 places (the strongest near each)."""
    size = end - begin
    inner = profile[begin + size // 8 : end - size // 8]
    places = np.linspace(0, inner.size, 49).astype(np.intp)
    return np.asarray(np.maximum.reduceat(inner, np.minimum(places[:-1], inner.size - 1)), np.float32)

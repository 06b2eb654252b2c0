"""From a picture of the meeting window to its tiles."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.cards import Content, is_large_video
from capture.centred import centred_grids
from capture.chains import SLACK, Chain, widest_gap
from capture.edges import FAINT_STEP, Edges
from capture.evidence import Evidence, is_alone, is_named, nearly_all_named
from capture.free_rows import OVERLAP, free_grids, has_gaps, with_shared_columns
from capture.grid import (
    BEYOND_DOUBT,
    CUTS,
    LEAST_FILLED,
    MOST_TILES,
    NEEDED,
    NEEDED_ROWS,
    USUAL_ASPECTS,
    Fitter,
    Grid,
    Place,
    Row,
)
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
# What the support of a grid's tiles is worth beside their names, for each tile.
SUPPORT_WEIGHT: Final = 0.25
# What a share of tiles of another width speaks against it, in terms of support.
UNEVEN: Final = 2.0
# Mean support of the tiles of a row that are beyond doubt there, and overlap of two rows that are one.
SURE_ROW: Final = 0.85
SAME_ROW: Final = 0.9
# Tiles in the shape of a video, or as high as others, may have less support by so much; the lowest row is no lower than
# this share of the others.
LITTLE: Final = 0.03
LOWEST: Final = 0.85
# Share of the area of tiles without names that others cover which are there instead.
LEAST_AREA: Final = 0.5
# Pixels around a tile that may be its border.
BESIDE: Final = 4
# Share of a tile that lies in another which holds it.
WITHIN: Final = 0.9
# More parts than this for each tile are tiles.
MOST_CUT_UP: Final = 1.5
# Tiles of one grid differ in width by a larger share than this only where they are stretched, or in doubt.
OWN_WIDTH: Final = 0.15
# Where tiles of the best grid differ by more than this share of their width, and a grid of tiles alike bears as many
# names, the former follows what is in the tiles.
OTHER_WIDTHS: Final = 0.1
# Gaps of columns and of rows are mostly the same, to so many pixels.
SAME_GAP: Final = 5
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
LEAST_SUPPORT_CENTRED: Final = 0.35
# So many do not bear a name each by chance: less is enough.
MANY: Final = 4
LEAST_SUPPORT_CENTRED_MANY: Final = 0.2
LEAST_TILES: Final = 2
# Mean support of a row or a column at the edge of a grid, of one tile and of more, where no more than this share bears
# a name.
LEAST_EDGE_OF_ONE: Final = 0.7
LEAST_EDGE: Final = 0.5
NAMED_AT_EDGE: Final = 0.25
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
    if best is None or not best.leaves_no_doubt or not _is_complete(best.grid, fitter):
        best = _best(grey, fitter, best)
    if best is None:
        return []
    best = best.pruned(grey)
    if best.shown.names:
        best = best.grown(grey, fitter)
        if is_strip(best.grid):
            best = best.with_large(grey, fitter)
    return best.tiles()


def _best(grey: NDArray[np.uint8], fitter: Fitter, first: "_Seen | None") -> "_Seen | None":
    """The grid for which most speaks, where the first one leaves a doubt, or there is none."""
    least = LEAST_TILES if first is None else max(LEAST_TILES, first.shown.balance - 1)
    weight = SUPPORT_WEIGHT * (FEW if first is None else len(first.boxes))
    others = [*_centred(grey, fitter, least)]
    free = _free(grey, fitter, least)
    others += free if first is None else (seen.with_rows_of(first, grey, fitter) for seen in free)
    if first is not None and (lower := _between_bars(first.grid, fitter)) is not None:
        others.append(_Seen.of(grey, lower))
    if first is None or is_strip(first.grid) or not first.shown.clear:
        others += _strips(grey, fitter)
    every = others
    if first is not None:
        every = [first, *(seen for seen in others if seen.may_replace(first, grey))]
    best = max(every, key=lambda seen: seen.worth(weight), default=None)
    if best is None or not (best.shown.all_named or (best.shown.clear and best.grid.even)):
        named: Iterable[_Seen] = _named(grey, fitter, 1 if best is None else sum(best.shown.named) + 1)
        if first is not None:
            named = (seen for seen in named if seen.may_replace(first, grey))
        best = max(named, key=lambda seen: seen.worth(weight), default=best)
    if best is None or best.grid.spread <= OTHER_WIDTHS * best.grid.width:
        return best
    found = best
    return max(
        (seen for seen in every if seen.is_rather_than(found, grey)),
        key=lambda seen: (float(seen.grid.support.mean()) >= SURE_ROW, seen.worth(weight)),
        default=found,
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """A grid, its boxes within the picture, and what they show."""

    grid: Grid
    boxes: tuple[Box, ...]
    shown: Evidence

    @classmethod
    def of(cls, grey: NDArray[np.uint8], grid: Grid) -> Self:
        boxes = _boxes(grey, grid)
        return cls(grid, boxes, Evidence.of(grey, boxes))

    @property
    def leaves_no_doubt(self) -> bool:
        """Whether nearly all tiles bear a name, or most do and edges are beyond doubt all around tiles alike: some
        names are hidden, or not told from what is behind them."""
        sure = self.grid.even and float(self.grid.support.mean()) >= BEYOND_DOUBT
        return self.shown.clear or (self.shown.names and sure)

    def worth(self, weight: float) -> float:
        """How many tiles bear a name, less those that bear none, and a little for outlines and equal tiles."""
        wide = np.concatenate([row.right - row.left for row in self.grid.rows])
        other = np.abs(wide - np.median(wide)) > OWN_WIDTH * float(np.median(wide))
        if all((row.left[1:] - row.right[:-1] <= OVERLAP).all() for row in self.grid.rows):
            # videos of their own width touch, and what is beyond doubt of them is no bar
            other &= self.grid.support < SURE
        uneven = float(other.mean())
        return self.shown.balance + weight * (float(self.grid.support.mean()) - UNEVEN * uneven)

    def is_part_of(self, other: Self) -> bool:
        """Whether these are some of the tiles of another grid, and edges speak for the rest of these too."""
        if len(self.boxes) >= len(other.boxes):
            return False
        ours = [any(box.iou(there) >= SAME_ROW for there in self.boxes) for box in other.boxes]
        rest = other.grid.support[~np.array(ours)]
        return sum(ours) == len(self.boxes) and float(rest.mean()) >= NEEDED

    def may_replace(self, first: Self, grey: NDArray[np.uint8]) -> bool:
        """Whether these may be what is there, and not the first grid that was believed. That was believed without names
        where it is in the middle of a window by itself: a few names in a part of that are chance."""
        if self.is_part_of(first) or self.contradicts(first, grey):
            return False
        sure = float(self.grid.support.mean()) >= max(SURE, float(first.grid.support.mean()) + LITTLE)
        large = _area(self.boxes) >= LEAST_AREA * _area(first.boxes)
        return first.shown.names or (self.shown.clear and (large or sure))

    def contradicts(self, other: Self, grey: NDArray[np.uint8]) -> bool:
        """Whether hardly an edge speaks for these tiles, and they leave out something of a grid with clear edges, or
        cut through most of its tiles where that stands alone in the middle of the window, as they do not: videos
        between bars do not stand so."""
        if float(self.grid.support.mean()) >= LEAST_SUPPORT or float(other.grid.support.mean()) < STRONG:
            return False
        if other.shown.names and not _is_nothing_beside(grey, self.boxes, other.boxes):
            return True
        whole = [max(_share_within(there, box) for box in self.boxes) >= WITHIN for there in other.boxes]
        cut = sum(whole) < len(whole) / 2
        return cut and is_alone(grey, other.boxes) and not is_alone(grey, self.boxes)

    def is_rather_than(self, other: Self, grey: NDArray[np.uint8]) -> bool:
        """Whether these equal tiles are what is there, and tiles of another grid, of several widths, follow what is in
        them: videos between bars in the gap's colour have other edges than their tiles, beside which there is nothing;
        where edges are clear, what is in a tile may look like two with a name each, or like one without."""
        if not self.grid.even:
            return False
        if float(self.grid.support.mean()) >= SURE_ROW and (
            len(self.boxes) > FEW_TOUCHING or _are_within(other.boxes, self.boxes)
        ):
            as_good = len(self.boxes) >= len(other.boxes) or self.shown.clear
            return self.shown.names and (as_good or self.shown.balance >= other.shown.balance - FEW)
        return (
            self.shown.clear
            and self.shown.balance >= other.shown.balance
            and _is_nothing_beside(grey, self.boxes, other.boxes)
        )

    def joined(self, grey: NDArray[np.uint8], fitter: Fitter) -> Self:
        """With tiles that bear no name, and touch one at their left that does, made one with it: there was an edge in
        the picture. An edge from top to bottom is one only if they make a tile of the width that others have."""
        rows, at = [], 0
        widths = np.array([box.width for box in self.boxes])
        common = (
            float(np.median(widths[list(self.shown.named)])) if any(self.shown.named) else self.grid.width
        )
        for row in self.grid.rows:
            named = np.array(self.shown.named[at : at + row.left.size])
            at += row.left.size
            near = row.left + np.array([[-1], [0], [1]])
            sure = fitter.upright.support(near, np.array(row.top), np.array(row.bottom)).max(axis=0) >= SURE
            apart = np.append(SAME_HEIGHT, row.left[1:] - row.right[:-1]) > TOUCHING
            begins = apart | sure
            begins[1:] |= named[1:] | ~named[:-1]
            usual = np.append((row.right - row.left)[named], common)
            for i in np.flatnonzero(named):
                ends = i + 1
                while ends < named.size and not named[ends] and not apart[ends]:
                    together = row.right[ends] - row.left[i]
                    if (np.abs(together - usual) <= SLACK * usual).any():
                        begins[i + 1 : ends + 1] = False
                    ends += 1
            first = np.flatnonzero(begins)
            rows.append(
                (row.left[first], row.right[np.append(first[1:], row.left.size) - 1], row.top, row.bottom)
            )
        if sum(left.size for left, *_ in rows) == len(self.boxes):
            return self
        return type(self).of(grey, Grid(tuple(fitter.rows(rows))))

    def with_rows_of(self, other: Self, grey: NDArray[np.uint8], fitter: Fitter) -> Self:
        """With the rows that `other` has too, beyond doubt, and in fewer tiles: what cuts these is in the pictures."""
        rows: list[Place] = []
        for row in self.grid.rows:
            whole = next((there for there in other.grid.rows if _is_cut_up(there, row)), None)
            if whole is None:
                rows.append((row.left, row.right, row.top, row.bottom))
                continue
            near = widest_gap(row.bottom - row.top)
            first, last = int(whole.left[0]), int(whole.right[-1])
            before = (row.right <= first + SAME_HEIGHT) & (row.right >= first - near)
            after = (row.left >= last - SAME_HEIGHT) & (row.left <= last + near)
            rows.append(
                (
                    np.concatenate([row.left[before], whole.left, row.left[after]]),
                    np.concatenate([row.right[before], whole.right, row.right[after]]),
                    whole.top,
                    whole.bottom,
                )
            )
        return type(self).of(grey, Grid(tuple(fitter.rows(rows))))

    def pruned(self, grey: NDArray[np.uint8]) -> Self:
        """Without places at the ends of its rows in which there is nothing, and without a row or a column at its edge
        that has little of an outline and hardly a name, if nearly all other tiles bear one: there a page or a bar lies
        beside the tiles."""
        counts = np.cumsum([row.left.size for row in self.grid.rows])[:-1]
        shown = np.split((self.grid.support > 0) | np.array(self.shown.named), counts)
        rows = [row.part(_between(there)) for row, there in zip(self.grid.rows, shown, strict=True)]
        kept = tuple(row for row in rows if row.left.size)
        best = self
        if LEAST_TILES <= sum(row.left.size for row in kept) < len(self.boxes):
            best = type(self).of(grey, Grid(kept))
        while (smaller := next(best._without_an_edge(grey), None)) is not None:
            best = smaller
        return best

    def _without_an_edge(self, grey: NDArray[np.uint8]) -> Iterator[Self]:
        rows = self.grid.rows
        row_of = np.concatenate([np.full(row.left.size, index) for index, row in enumerate(rows)])
        named = np.array(
            [
                named and what is not Content.DRAWING
                for named, what in zip(self.shown.named, self.shown.contents, strict=True)
            ]
        )
        edges = [row_of == index for index in ((len(rows) - 1, 0) if len(rows) > 1 else ())]
        if min(row.left.size for row in rows) == max(row.left.size for row in rows) > 1:
            column_of = np.concatenate([np.arange(row.left.size) for row in rows])
            edges += [column_of == column for column in (0, rows[0].left.size - 1)]
        for edge in edges:
            support = float(self.grid.support[edge].mean())
            alone = int(edge.sum()) == 1
            if (~edge).sum() < LEAST_TILES or support >= (LEAST_EDGE_OF_ONE if alone else LEAST_EDGE):
                continue
            if named[edge].mean() > NAMED_AT_EDGE or float(self.grid.support[~edge].mean()) < STRONG:
                continue
            kept = (
                row.part(np.flatnonzero(~edge[row_of == index]))
                for index, row in enumerate(rows)
                if not edge[row_of == index].all()
            )
            rest = type(self).of(grey, Grid(tuple(kept)))
            if rest.shown.clear:
                yield rest

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


def _between(there: NDArray[np.bool_]) -> slice:
    """From the first to the last that is there."""
    found = np.flatnonzero(there)
    return slice(int(found[0]), int(found[-1]) + 1) if found.size else slice(0, 0)


def _is_nothing_beside(grey: NDArray[np.uint8], boxes: Sequence[Box], others: Sequence[Box]) -> bool:
    """Whether what other boxes hold beside these is flat."""
    beside = np.zeros(grey.shape, np.uint8)
    for each, shown, grown in ((others, 1, -BESIDE), (boxes, 0, BESIDE)):
        for box in each:
            rows = slice(max(0, box.top - grown), max(0, box.bottom + grown))
            beside[rows, max(0, box.left - grown) : max(0, box.right + grown)] = shown
    steps = cv2.absdiff(grey[:, 1:], grey[:, :-1])[beside[:, 1:] > 0] >= FAINT_STEP
    return not steps.size or float(steps.mean()) < BUSY


def _area(boxes: Sequence[Box]) -> int:
    return sum(box.width * box.height for box in boxes)


def _are_within(boxes: Sequence[Box], others: Sequence[Box]) -> bool:
    """Whether each box lies in one of others."""
    return all(max(_share_within(box, other) for other in others) >= WITHIN for box in boxes)


def _share_within(one: Box, other: Box) -> float:
    """How much of one box lies in another, 0..1."""
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0, across) * max(0, down) / (one.width * one.height)


def _boxes(grey: NDArray[np.uint8], grid: Grid) -> tuple[Box, ...]:
    height, width = grey.shape
    return tuple(
        Box(int(left), row.top, int(right - left), row.bottom - row.top).clipped(width, height)
        for row in grid.rows
        for left, right in zip(row.left, row.right, strict=True)
    )


def _first(grey: NDArray[np.uint8], fitter: Fitter) -> _Seen | None:
    """The first grid of equal tiles that shows a meeting."""
    known: set[tuple[int, ...]] = set()
    for fitted in fitter.grids():
        grid = fitted
        key = tuple(int(line) for row in grid.rows for line in (*row.left, row.top, row.bottom))
        if key in known:
            continue
        known.add(key)
        if not 1 < grid.support.size <= MOST_TILES or not _has_sizes(grid, fitter):
            continue
        grid = _within_bars(fitted, fitter)
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


def _centred(grey: NDArray[np.uint8], fitter: Fitter, least: int) -> Iterator[_Seen]:
    """Grids of so many tiles in the middle of the window: nearly all bear a name, and edges speak against none."""
    for grid in centred_grids(fitter):
        count = grid.support.size
        needed = LEAST_SUPPORT_CENTRED if count < MANY else LEAST_SUPPORT_CENTRED_MANY
        if not least <= count <= MOST_TILES or float(grid.support.mean()) < needed:
            continue
        if min(float(row.worth.min()) for row in grid.rows) <= 0 or not _has_sizes(grid, fitter):
            continue
        faint = float(grid.support.mean()) < LEAST_SUPPORT
        if faint and not all(_has_calm_margins(row, fitter) for row in grid.rows):
            continue
        if nearly_all_named(grey, _boxes(grey, grid)):
            seen = _Seen.of(grey, grid)
            if seen.shown.clear:
                yield seen


def _free_runs(fitter: Fitter) -> list[Chain]:
    runs = fitter.row_chains(NEEDED_ROWS[0])[:FREE_CHAINS]
    return runs + fitter.row_chains(NEEDED_ROWS[0], ROW_SLACK_WITHOUT_GAP, TOUCHING)[:FREE_CHAINS]


def _free(grey: NDArray[np.uint8], fitter: Fitter, least: int) -> Iterator[_Seen]:
    """Grids of so many tiles whose rows are cut by themselves and bear names."""
    for seen in _believed(grey, fitter, free_grids(fitter, _free_runs(fitter)), least):
        joined = seen.joined(grey, fitter)
        shared = with_shared_columns(fitter, joined.grid.rows)
        for one in [joined] if shared is None else [joined, _Seen.of(grey, shared)]:
            if one.shown.names and one.shown.balance >= LEAST_BALANCE_FREE * len(one.boxes):
                yield one


def _named(grey: NDArray[np.uint8], fitter: Fitter, least: int) -> Iterator[_Seen]:
    """Grids of so many tiles that touch and bear a name each: the place beside a short row has edges too, but none."""

    def wanted(left: int, right: int, top: int, bottom: int) -> bool:
        return is_named(grey[top:bottom, left:right])

    for seen in _believed(grey, fitter, free_grids(fitter, _free_runs(fitter), wanted), least):
        rows = seen.grid.rows
        if (
            seen.shown.clear
            and not has_gaps(fitter, rows)
            and all(_is_alone_there(row, fitter) for row in rows)
        ):
            yield seen


def _has_calm_margins(row: Row, fitter: Fitter) -> bool:
    """Whether there is nothing at the left of a row, and as far at its right: farther there may be a panel."""
    margin = int(row.left[0])
    left = np.array([0, row.right[-1] + BESIDE])
    right = np.array([margin - BESIDE, row.right[-1] + margin - BESIDE])
    if margin <= 2 * BESIDE:
        return True
    top, bottom = np.full(2, row.top + BESIDE), np.full(2, row.bottom - BESIDE)
    return bool((fitter.upright.busy(left, right, top, bottom) < BUSY).all())


def _is_alone_there(row: Row, fitter: Fitter) -> bool:
    """Whether there is nothing at the left and right of a row."""
    left = np.array([0, min(row.right[-1] + BESIDE, fitter.upright.length)])
    right = np.array([max(0, row.left[0] - BESIDE), fitter.upright.length])
    top, bottom = np.full(2, row.top + BESIDE), np.full(2, row.bottom - BESIDE)
    return bool((fitter.upright.busy(left, right, top, bottom) < BUSY).all())


def _believed(grey: NDArray[np.uint8], fitter: Fitter, grids: Iterable[Grid], least: int) -> Iterator[_Seen]:
    """Those of so many tiles for which edges speak clearly, each once."""
    known: set[tuple[Box, ...]] = set()
    for grid in grids:
        boxes = _boxes(grey, grid)
        if boxes in known or len(boxes) < least:
            continue
        known.add(boxes)
        if grid.support.mean() >= LEAST_SUPPORT_FREE and _stands_out(grid, fitter, any_shape=True):
            yield _Seen.of(grey, grid)


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


def _within_bars(grid: Grid, fitter: Fitter) -> Grid:
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


def _is_complete(grid: Grid, fitter: Fitter) -> bool:
    """Whether nothing is doubtful about these tiles, and there is no room for more where there is something."""
    alike = grid.even and grid.support.size > FEW_TOUCHING and float(grid.support.mean()) >= SURE_ROW
    if any(row.support.mean() < (NEEDED if alike else STRONG) for row in grid.rows):
        return False
    if any((np.abs(row.right - row.left - grid.width) > OWN_WIDTH * grid.width).any() for row in grid.rows):
        return False
    touching = any((row.left[1:] - row.right[:-1] <= TOUCHING).any() for row in grid.rows)
    if touching and grid.support.size <= FEW_TOUCHING:
        return False
    if len(grid.rows) > 1 and grid.rows[0].left.size > 1:
        across = float(np.median(grid.rows[0].left[1:] - grid.rows[0].right[:-1]))
        down = float(np.median([below.top - above.bottom for above, below in pairwise(grid.rows)]))
        if abs(across - down) > SAME_GAP:
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
    for row in grid.rows:
        # rows of several lengths: beside the short ones, above a bar that may lie over them
        y0, y1 = np.array([row.top]), np.array([(row.top + row.bottom) // 2])
        for x0, x1 in ((left, int(row.left[0])), (int(row.right[-1]), right)):
            if x1 - x0 >= wide:
                beside.append((np.array([x0]), np.array([x1]), y0, y1))
    return all(float(fitter.upright.busy(*place)[0]) < BUSY for place in beside)


def _is_cut_up(whole: Row, parts: Row) -> bool:
    """Whether one row has the same edges as another, whose tiles are beyond doubt there, and more between them."""
    high = min(whole.bottom, parts.bottom) - max(whole.top, parts.top)
    if high < SAME_ROW * (max(whole.bottom, parts.bottom) - min(whole.top, parts.top)):
        return False
    if whole.left.size < 2 or float(whole.support.mean()) < SURE_ROW:
        return False
    near = widest_gap(high)
    inside = (parts.right > whole.left[0] + near) & (parts.left < whole.right[-1] - near)
    return whole.left.size < int(inside.sum()) <= MOST_CUT_UP * whole.left.size and all(
        bool((np.abs(edges[:, None] - others) <= near).any(axis=1).all())
        for edges, others in ((whole.left, parts.left), (whole.right, parts.right))
    )


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

"""A grid that may be the gallery: what it shows, and whether it is there rather than another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.cards import Content, is_large_video
from capture.chains import SLACK, widest_gap
from capture.contrast import FEW, LEAST_SUPPORT, STRONG
from capture.edges import FAINT_STEP
from capture.evidence import Evidence, is_alone
from capture.free_rows import OVERLAP
from capture.grid import BESIDE, BEYOND_DOUBT, MOST_TILES, NEEDED, Fitter, Grid, Place, Row
from capture.growth import with_named_neighbours
from capture.strips import large_beside
from engagement.records import Box

# There is something in a place where this share of it are steps.
BUSY: Final = 0.01
# Rows of one height differ by no more pixels.
SAME_HEIGHT: Final = 3
# What a share of tiles of another width speaks against it, in terms of support.
UNEVEN: Final = 2.0
# Mean support of the tiles of a row that are beyond doubt there, and overlap of two rows that are one.
SURE_ROW: Final = 0.85
SAME_ROW: Final = 0.9
# Overlap of two tiles that are one: of a tiny one the gap beside it is a tenth.
SAME_TILE: Final = 0.8
# A difference in support that is none.
LITTLE: Final = 0.03
# Share of the area of tiles without names that others cover which are there instead.
LEAST_AREA: Final = 0.5
# Share of a tile that lies in another which holds it.
WITHIN: Final = 0.9
# More parts than this for each tile are tiles.
MOST_CUT_UP: Final = 1.5
# Tiles of one grid differ in width by a larger share than this only where they are stretched, or in doubt.
OWN_WIDTH: Final = 0.15
# A grid farther from the middle than this share of the picture's width is not in it.
OFF_MIDDLE: Final = 0.01
# Tiles this near to each other touch.
TOUCHING: Final = 1
# So few that touch may be several in one each.
FEW_TOUCHING: Final = 12
# An edge with this support is no part of a picture.
SURE: Final = 0.9
# One tile is no grid.
LEAST_TILES: Final = 2
# Mean support of a row or a column at the edge of a grid, of one tile and of more, where no more than this share bears
# a name.
LEAST_EDGE_OF_ONE: Final = 0.7
LEAST_EDGE: Final = 0.5
NAMED_AT_EDGE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Candidate:
    """A grid, its boxes within the picture, and what they show."""

    grid: Grid
    boxes: tuple[Box, ...]
    shown: Evidence

    @classmethod
    def of(cls, grey: NDArray[np.uint8], grid: Grid) -> Self:
        """What a grey picture uint8 (H, W) shows at the places of a grid."""
        boxes = boxes_of(grey, grid)
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
        ours = [any(box.iou(there) >= SAME_TILE for there in self.boxes) for box in other.boxes]
        rest = other.grid.support[~np.array(ours)]
        return sum(ours) == len(self.boxes) and float(rest.mean()) >= NEEDED

    def may_replace(self, first: Self, grey: NDArray[np.uint8]) -> bool:
        """Whether these may be what is there, and not the first grid that was believed. That was believed without names
        where it is in the middle of a window by itself: a few names in a part of that are chance, and so they are in a
        part of tiles beyond doubt, many of whose names are too small to be seen."""
        if self.is_part_of(first) or self.contradicts(first, grey):
            return False
        large = _area(self.boxes) >= LEAST_AREA * _area(first.boxes)
        if first.leaves_no_doubt and not large:
            return False
        sure = float(self.grid.support.mean()) >= max(SURE, float(first.grid.support.mean()) + LITTLE)
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
        if self.shown.all_named and len(self.boxes) > FEW_TOUCHING and _are_within(other.boxes, self.boxes):
            # all that the other has more are parts of these
            return True
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

    def is_middle_of(self, other: Self, width: int) -> bool:
        """Whether these are as many tiles in as many rows as those of another grid, bear as many names, and stand in
        the middle of a picture so many pixels wide, while the others stand beside it and hardly have edges: a bar in
        the gap's colour at the left of each video was found as if it were at its right."""
        if len(self.boxes) != len(other.boxes) or len(self.grid.rows) != len(other.grid.rows):
            return False
        if float(other.grid.support.mean()) >= STRONG or self.shown.balance < other.shown.balance:
            return False
        return self._off_middle(width) <= SAME_HEIGHT < other._off_middle(width) - OFF_MIDDLE * width

    def _off_middle(self, width: int) -> float:
        left, right = min(box.left for box in self.boxes), max(box.right for box in self.boxes)
        return abs(left + right - width) / 2

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


def boxes_of(grey: NDArray[np.uint8], grid: Grid) -> tuple[Box, ...]:
    """The tiles of a grid, row by row, as far as they lie within a grey picture uint8 (H, W)."""
    height, width = grey.shape
    return tuple(
        Box(int(left), row.top, int(right - left), row.bottom - row.top).clipped(width, height)
        for row in grid.rows
        for left, right in zip(row.left, row.right, strict=True)
    )

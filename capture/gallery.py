"""From a picture of the meeting window to its tiles."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.bars import within_bars
from capture.candidate import BUSY, FEW_TOUCHING, OWN_WIDTH, SAME_TILE, SURE_ROW, TOUCHING, Candidate
from capture.cards import Content
from capture.choice import best_of_all, is_without_names
from capture.contrast import STRONG, has_cells, has_sizes, stands_out
from capture.edges import Edges
from capture.grid import BESIDE, MOST_TILES, NEEDED, Fitter, Grid
from capture.inner_windows import inner_windows
from capture.panel import panel_edges
from capture.pillars import around_lone, around_videos, lone_videos
from capture.profile_photo import shows_profile_photo
from capture.strips import is_strip
from engagement.records import Box, Tile

# The narrowest tile, in pixels and as a share of the picture's width; its height is half of that.
LEAST_WIDTH: Final = 64
LEAST_WIDTH_SHARE: Final = 1 / 18
# There is room for more tiles where a place beside the grid has this share of a tile's size, and something in it.
ROOM: Final = 0.9
# Gaps of columns and of rows are mostly the same, to so many pixels.
SAME_GAP: Final = 5
# Tiles alike within a window are believed rather than others if they bear this share of their names.
AS_MANY: Final = 0.75
# Widths of such tiles differ by no larger share.
NEARLY_ALIKE: Final = 0.1
# They fill at least this share of it: a few captioned pictures on a page do not.
FILLED: Final = 0.25
# Support that is enough where nearly all tiles bear a name.
LEAST_SUPPORT_CLEAR: Final = 0.5
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
    best = _beside_panel(grey)
    boxes: Sequence[Box] = () if best is None else best.boxes
    if best is None or (best.shown.names and not (best.leaves_no_doubt and best.grid.even)):
        beyond_doubt = best is not None and best.leaves_no_doubt
        for window in inner_windows(grey):
            if beyond_doubt and sum(_is_in(box, window) for box in boxes) < AS_MANY * len(boxes):
                continue
            within = _beside_panel(grey[window.top : window.bottom, window.left : window.right])
            if within is None:
                continue
            found = [
                replace(box, left=box.left + window.left, top=box.top + window.top) for box in within.boxes
            ]
            if beyond_doubt and len(found) == len(boxes) and _are_all_in(found, boxes):
                # no line from outside has made them
                break
            if (
                _fills(within, window)
                and _is_there_instead(within, best)
                and not (len(found) < len(boxes) and _are_all_in(found, boxes))
            ):
                best, boxes = within, found
    lone = _lone_videos(grey)
    if lone is not None and len(lone.boxes) >= len(boxes):
        # where the videos are says more than names that other tiles may cut
        best, boxes = lone, lone.boxes
    if best is None:
        return []
    return [
        Tile(box, label_strip(box), camera_on=what is not Content.CARD and not _is_photo(image, box))
        for box, what in zip(boxes, best.shown.contents, strict=True)
    ]


def _is_photo(image: NDArray[np.uint8], box: Box) -> bool:
    return shows_profile_photo(image[box.top : box.bottom, box.left : box.right])


def _is_there_instead(within: Candidate, best: Candidate | None) -> bool:
    """Whether what was found within a window is there, and not what was found in the whole picture: lines of other
    windows and of bars make tiles of several sizes of what are tiles alike."""
    # where each tile bears a name, one may have been found with the gap beside it
    alike = within.shown.all_named and within.grid.spread <= NEARLY_ALIKE * within.grid.width
    if not (within.leaves_no_doubt and (within.grid.even or (best is not None and alike))):
        return False
    if best is None or within.shown.balance > best.shown.balance:
        return True
    surer = float(within.grid.support.mean()) >= float(best.grid.support.mean())
    return not best.grid.even and surer and within.shown.balance >= AS_MANY * best.shown.balance


def _fills(within: Candidate, window: Box) -> bool:
    return sum(box.area for box in within.boxes) >= FILLED * window.area


def _is_in(box: Box, window: Box) -> bool:
    x, y = box.centre
    return window.left <= x < window.right and window.top <= y < window.bottom


def _are_all_in(boxes: Sequence[Box], others: Sequence[Box]) -> bool:
    """Whether others hold all of these. Where they hold more, those that the picture's edge cuts have no names."""
    return all(max(box.iou(other) for other in others) >= SAME_TILE for box in boxes)


def _beside_panel(grey: NDArray[np.uint8]) -> Candidate | None:
    """What is there in a grey picture uint8 (H, W), or in what a panel at its right leaves."""
    best = _best(grey)
    # a panel beside the tiles may be taken for more of them; and where names are switched off, a gallery is known by
    # the middle in which it stands, of what the panel leaves
    for end in panel_edges(grey):
        if best is None or _is_beyond(best, end):
            within = _best(grey[:, :end])
            if within is not None and (best is None or within.shown.names):
                best = within
    return best


def _lone_videos(grey: NDArray[np.uint8]) -> Candidate | None:
    """The tiles around videos that stand alone in a grey picture uint8 (H, W), if they bear names."""
    rows = lone_videos(grey, _least_width(grey) / 2)
    grid = None if rows is None else around_lone(grey, rows, _fitter(grey))
    if grid is None or grid.support.size > MOST_TILES:
        return None
    seen = Candidate.of(grey, grid)
    return seen if seen.shown.names or seen.shown.labelled else None


def _least_width(grey: NDArray[np.uint8]) -> float:
    """Of a tile, in pixels; its height is half of that."""
    return max(float(LEAST_WIDTH), LEAST_WIDTH_SHARE * int(grey.shape[1]))


def _fitter(grey: NDArray[np.uint8]) -> Fitter:
    least = _least_width(grey)
    upright, level = Edges.upright(grey, least / 2), Edges.level(grey, least)
    return Fitter(upright, level, least_width=least, least_height=least / 2)


def _best(grey: NDArray[np.uint8]) -> Candidate | None:
    """What is there in a grey picture uint8 (H, W)."""
    height, width = grey.shape
    least = _least_width(grey)
    if max(width, height) < least or min(width, height) < least / 2:
        return None
    fitter = _fitter(grey)
    best = _first(grey, fitter)
    if best is None or not best.leaves_no_doubt or not _is_complete(best.grid, fitter):
        best = best_of_all(grey, fitter, best)
    if best is None:
        return None
    around = around_videos(grey, best.grid, fitter)
    if around is not None:
        seen = Candidate.of(grey, around)
        best = seen if seen.shown.balance >= AS_MANY * best.shown.balance else best
    best = best.pruned(grey)
    if best.shown.names:
        best = best.grown(grey, fitter)
        if is_strip(best.grid):
            best = best.with_large(grey, fitter)
    return best


def _is_beyond(best: Candidate, end: int) -> bool:
    """Whether some tiles reach into a panel that begins at `end`, and do not all bear names."""
    beyond = [
        named for box, named in zip(best.boxes, best.shown.named, strict=True) if box.right > end + BESIDE
    ]
    return not all(beyond)


def _first(grey: NDArray[np.uint8], fitter: Fitter) -> Candidate | None:
    """The first grid of equal tiles that shows a meeting."""
    known: set[tuple[int, ...]] = set()
    for fitted in fitter.grids():
        grid = fitted
        key = tuple(int(line) for row in grid.rows for line in (*row.left, row.top, row.bottom))
        if key in known:
            continue
        known.add(key)
        if not 1 < grid.support.size <= MOST_TILES or not has_sizes(grid, fitter):
            continue
        grid = within_bars(fitted, fitter)
        clear_lines = stands_out(grid, fitter)
        if not clear_lines and (grid.support.mean() < LEAST_SUPPORT_CLEAR or has_cells(grid, fitter)):
            continue
        seen = Candidate.of(grey, grid)
        if seen.shown.clear:
            return seen
        if clear_lines and (seen.shown.names or is_without_names(seen, grey)):
            return seen
    return None


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


def label_strip(box: Box) -> Box:
    """The strip at the bottom left of a tile in which its name label lies."""
    high = min(LABEL_SHARE_SMALL * box.height, LABEL_HEIGHT)
    height = max(1, round(max(LABEL_SHARE_LARGE * box.height, high)))
    return Box(box.left, box.bottom - height, max(1, round(LABEL_WIDTH_SHARE * box.width)), height)

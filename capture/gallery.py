"""From a picture of the meeting window to its tiles."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.cards import Content, content, has_label
from capture.edges import Edges
from capture.grid import CUTS, MOST_TILES, Fitter, Grid
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
# So few tiles must have the shape of a video and clear edges; windows side by side have not.
FEW: Final = 3
LEAST_SUPPORT_FEW: Final = 0.72
# Lines lower than this in a tile may be the upper edges of the labels.
LABELS_FROM: Final = 0.75
# Share of the tiles that must be pictures or labelled cards; else it is a slide with boxes on it.
LEAST_MEETING: Final = 0.2
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
    for grid in Fitter(upright, level, least_width=least, least_height=least / 2).grids():
        if _stands_out(grid, upright, level):
            tiles = _tiles(grey, grid)
            if tiles:
                return tiles
    return []


def _tiles(grey: NDArray[np.uint8], grid: Grid) -> list[Tile]:
    """The tiles of a grid; none if they show too few cameras and labelled cards for a meeting."""
    height, width = grey.shape
    boxes = [
        Box(int(left), row.top, int(right - left), row.bottom - row.top).clipped(width, height)
        for row in grid.rows
        for left, right in zip(row.left, row.right, strict=True)
    ]
    shown = [grey[box.top : box.bottom, box.left : box.right] for box in boxes]
    contents = [content(tile) for tile in shown]
    meeting = sum(
        what is Content.PICTURE or has_label(tile) for what, tile in zip(contents, shown, strict=True)
    )
    if meeting < LEAST_MEETING * len(boxes):
        return []
    return [
        Tile(box, label_strip(box), camera_on=what is not Content.CARD)
        for box, what in zip(boxes, contents, strict=True)
    ]


def label_strip(box: Box) -> Box:
    """The strip at the bottom left of a tile in which its name label lies."""
    high = min(LABEL_SHARE_SMALL * box.height, LABEL_HEIGHT)
    height = max(1, round(max(LABEL_SHARE_LARGE * box.height, high)))
    return Box(box.left, box.bottom - height, max(1, round(LABEL_WIDTH_SHARE * box.width)), height)


def _stands_out(grid: Grid, upright: Edges, level: Edges) -> bool:
    """Whether the lines of the grid have more support than other lines through its tiles."""
    support = grid.support
    few = support.size <= FEW
    if not 1 < support.size <= MOST_TILES or (few and not grid.usual):
        return False
    if float(support.mean()) < (LEAST_SUPPORT_FEW if few else LEAST_SUPPORT):
        return False
    if float((support >= STRONG).mean()) < LEAST_STRONG:
        return False
    full = grid.rows[0]
    rows = [row for row in grid.rows if row.left.size == full.left.size]
    across = np.mean(
        [_inner(level.profile(row.left, row.right), row.top, row.bottom) for row in rows], axis=0
    )
    top, bottom = np.array([row.top for row in rows]), np.array([row.bottom for row in rows])
    columns = upright.profile(top, bottom)
    along = np.mean(
        [_inner(columns, int(left), int(right)) for left, right in zip(full.left, full.right, strict=True)],
        axis=0,
    )
    inside = (float(across.mean()) + float(along.mean())) / 2
    cells = float(across[: round(LABELS_FROM * across.size)].max()) >= CUTS
    return not cells and float(support.mean()) - inside >= LEAST_CONTRAST


def _inner(profile: NDArray[np.float32], begin: int, end: int) -> NDArray[np.float32]:
    """Support of the lines well inside an interval, resampled to 48 places (the strongest near each)."""
    size = end - begin
    inner = profile[begin + size // 8 : end - size // 8]
    places = np.linspace(0, inner.size, 49).astype(np.intp)
    return np.asarray(np.maximum.reduceat(inner, np.minimum(places[:-1], inner.size - 1)), np.float32)

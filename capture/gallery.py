"""From a picture of the meeting window to its tiles."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.edges import Edges
from capture.grid import Fitter, Grid
from engagement.records import Box, Tile

# The narrowest tile, in pixels and as a share of the picture's width; its height is half of that.
LEAST_WIDTH: Final = 64
LEAST_WIDTH_SHARE: Final = 1 / 18
# Mean support of the tiles' sides below which a grid is not believed.
LEAST_SUPPORT: Final = 0.55
# The name label is drawn at a size of its own: within this share of small and of large tiles.
LABEL_SHARE_SMALL: Final = 0.24
LABEL_SHARE_LARGE: Final = 0.12
LABEL_HEIGHT: Final = 30
LABEL_WIDTH_SHARE: Final = 0.85
# A card is flat: this share of it, and nearly all of its rim, has one colour within this many grey levels.
CARD_SHARE: Final = 0.6
CARD_RIM: Final = 0.93
CARD_TOLERANCE: Final = 5


def find_tiles(image: NDArray[np.uint8]) -> list[Tile]:
    """The tiles of the gallery, row by row from the top left; empty where no grid is seen.

    Args:
        image: uint8 (H, W, 3), RGB.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    least = max(LEAST_WIDTH, LEAST_WIDTH_SHARE * width)
    grid = Fitter(
        Edges.upright(grey, least / 2), Edges.level(grey, least), least_width=least, least_height=least / 2
    ).fit()
    if grid is None or not _believed(grid):
        return []
    boxes = [
        Box(int(left), row.top, int(right - left), row.bottom - row.top)
        for row in grid.rows
        for left, right in zip(row.left, row.right, strict=True)
    ]
    return [Tile(box, label_strip(box), camera_on=not _is_card(_inside(grey, box))) for box in boxes]


def label_strip(box: Box) -> Box:
    """The strip at the bottom left of a tile in which its name label lies."""
    high = min(LABEL_SHARE_SMALL * box.height, LABEL_HEIGHT)
    height = max(1, round(max(LABEL_SHARE_LARGE * box.height, high)))
    return Box(box.left, box.bottom - height, max(1, round(LABEL_WIDTH_SHARE * box.width)), height)


def _believed(grid: Grid) -> bool:
    return grid.support.size > 1 and float(grid.support.mean()) >= LEAST_SUPPORT


def _inside(grey: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    return grey[max(0, box.top) : box.bottom, max(0, box.left) : box.right]


def _is_card(tile: NDArray[np.uint8]) -> bool:
    """Whether a grey tile is a flat ground with something in its middle: name, initials or avatar."""
    height, width = tile.shape
    mx, my = max(2, width // 25), max(2, height // 25)
    tile = tile[my : height - my, mx : width - mx]
    ground = np.abs(tile.astype(np.int16) - int(np.median(tile))) <= CARD_TOLERANCE
    rim_x, rim_y = max(1, width // 12), max(1, height // 12)
    rim = np.concatenate(
        [ground[:rim_y].ravel(), ground[: height * 2 // 3, :rim_x].ravel(), ground[:, -rim_x:].ravel()]
    )
    return bool(ground.mean() >= CARD_SHARE and rim.mean() >= CARD_RIM)

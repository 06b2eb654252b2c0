"""A picture of what would be read on which nobody is known: for the page, in memory only."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Tile

WIDTH: Final = 480
"""Pixels of the thumbnail; its height follows."""

BLOCKS_PER_TILE: Final = 9
"""Blocks of one colour from left to right: a face is two or three of them, a close one five."""

MOST_BLOCKS: Final = 64
"""In the whole picture: text cannot be read at that."""

BLOCKS_WITHOUT_TILES: Final = 16
"""In the whole picture, which may be one face."""

_OUTLINE_ON: Final = (76, 195, 212)
_OUTLINE_OFF: Final = (152, 162, 179)


def thumbnail(image: NDArray[np.uint8], tiles: Sequence[Tile]) -> bytes:
    """A PNG of the picture in so few blocks of colour that no face can be known, with the outlines of the tiles.

    Args:
        image: uint8 (H, W, 3), RGB.
        tiles: of its gallery; may be empty.
    """
    import cv2

    height, width = image.shape[:2]
    blocks = blocks_across(width, tiles)
    rows = max(1, round(blocks * height / width))
    coarse = cv2.resize(image, (blocks, rows), interpolation=cv2.INTER_AREA)
    scale = WIDTH / width
    drawn = cv2.resize(coarse, (WIDTH, max(1, round(height * scale))), interpolation=cv2.INTER_LINEAR)
    for tile in tiles:
        box = tile.box
        first = round(box.left * scale) + 1, round(box.top * scale) + 1
        last = round(box.right * scale) - 2, round(box.bottom * scale) - 2
        cv2.rectangle(drawn, first, last, _OUTLINE_ON if tile.camera_on else _OUTLINE_OFF, 2)
    _done, data = cv2.imencode(".png", drawn[..., ::-1])
    return data.tobytes()


def blocks_across(width: int, tiles: Sequence[Tile]) -> int:
    """How many blocks a picture of this width in pixels is made of: the larger its tiles, the fewer."""
    widest = max((tile.box.width for tile in tiles), default=0)
    if not widest:
        return BLOCKS_WITHOUT_TILES
    return max(1, min(MOST_BLOCKS, round(BLOCKS_PER_TILE * width / widest)))

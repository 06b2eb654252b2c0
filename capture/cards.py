"""What is drawn in a tile: the picture of a camera, the card of one that is off, or some other flat drawing."""

from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Rows of a tile that are looked at, at least; fewer are enough to tell a flat ground from a picture.
ROWS: Final = 56
# Share of a tile in its three commonest greys (grounds and ink) from which it is a drawing.
DRAWN: Final = 0.86
COMMON_GREYS: Final = 3
# A card's ground: this share of it, and nearly all of its rim, is within this many grey levels.
GROUND: Final = 0.6
RIM: Final = 0.95
TOLERANCE: Final = 2
# Parts of a card's height: its margin, its rim, and where the name label begins.
MARGIN: Final = 0.035
RIM_WIDTH: Final = 0.08
LABEL_FROM: Final = 0.76
# Less than this share of ink is no label.
INK: Final = 0.01


class Content(Enum):
    """What a tile shows."""

    PICTURE = "picture"
    CARD = "card"
    DRAWING = "drawing"


def content(tile: NDArray[np.uint8]) -> Content:
    """What a grey tile uint8 (h, w) shows.

    A card is a flat ground with a calm rim and a name, initials or an avatar in its middle; a label may lie at its
    bottom left. A black tile without anything in its middle is the picture of a camera in the dark. A drawing is as
    flat as a card and is none, such as a box of text on a slide.
    """
    tile = _sampled(tile)
    ground = _ground(tile)
    height, width = ground.shape
    rim_y, rim_x = max(1, round(RIM_WIDTH * height)), max(1, round(RIM_WIDTH * width))
    label = round(LABEL_FROM * height)
    rim = np.concatenate(
        [ground[:rim_y].ravel(), ground[:label, :rim_x].ravel(), ground[:label, -rim_x:].ravel()]
    )
    if ground.mean() >= GROUND and rim.mean() >= RIM and _calm_below(ground):
        middle = ground[height // 5 : label, width // 8 : -width // 8]
        return Content.CARD if middle.mean() < 1 - INK / 4 else Content.PICTURE
    greys = np.bincount(tile.ravel() // 2, minlength=128)
    near = np.convolve(greys, (1, 1, 1), "same")
    share = 0
    for _ in range(COMMON_GREYS):
        common = int(near.argmax())
        share += int(near[common])
        near[max(0, common - 2) : common + 3] = 0
    return Content.DRAWING if share / tile.size >= DRAWN else Content.PICTURE


def has_label(tile: NDArray[np.uint8]) -> bool:
    """Whether a flat grey tile uint8 (h, w) has something at its bottom left, and nothing above and beside that."""
    ground = _ground(_sampled(tile))
    height, width = ground.shape
    half = ground[:, : width * 6 // 10]
    label = round(LABEL_FROM * height)
    above = half[round(0.62 * height) : round(0.7 * height)]
    beside = ground[label:, width * 7 // 8 :]
    return bool(half[label:].mean() < 1 - INK and above.mean() > 1 - INK and beside.mean() >= RIM)


def _calm_below(ground: NDArray[np.bool_]) -> bool:
    """Whether what is in the middle ends above the bottom, as a name or avatar does and a person does not."""
    height, width = ground.shape
    above_label = ground[round(0.64 * height) : round(LABEL_FROM * height)]
    bottom = ground[round(0.94 * height) :, width // 2 : width * 3 // 4]
    return bool(above_label.mean() >= RIM or bottom.mean() >= RIM)


def _sampled(tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = tile.shape
    x, y = max(2, round(MARGIN * width)), max(2, round(MARGIN * height))
    stride = max(1, height // ROWS)
    return tile[y : height - y : stride, x : width - x : stride]


def _ground(tile: NDArray[np.uint8]) -> NDArray[np.bool_]:
    greys = np.bincount(tile.ravel(), minlength=256)
    common = int(np.convolve(greys, np.ones(2 * TOLERANCE + 1, np.intp), "same").argmax())
    return np.asarray(np.abs(tile.astype(np.int16) - common) <= TOLERANCE)

"""What is drawn in a tile: the picture of a camera, the card of one that is off, or some other flat drawing."""

from enum import Enum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

# Rows of a tile that are looked at, at least; fewer are enough to tell a flat ground from a picture.
ROWS: Final = 56
# Share of a tile in its three commonest greys (grounds and ink) from which it is a drawing.
DRAWN: Final = 0.86
COMMON_GREYS: Final = 3
# Grey up to which a flat tile may be a camera's picture of a dark room, and share that its commonest grey has at most.
DARK: Final = 60
DARK_GROUND: Final = 0.5
# A card's ground: this share of it, and nearly all of its rim, is within this many grey levels.
GROUND: Final = 0.6
RIM: Final = 0.95
TOLERANCE: Final = 2
# Parts of a card's height: its margin, its rim, and where the name label begins.
MARGIN: Final = 0.035
RIM_WIDTH: Final = 0.08
LABEL_FROM: Final = 0.76
# How far down an avatar's disc reaches at least and at most, where the strip under it ends, and the parts of the width
# beside it that are empty.
AVATAR_FROM: Final = 0.66
AVATAR_TO: Final = 0.74
AVATAR_ABOVE: Final = 0.88
AVATAR_BESIDE: Final = (0.3, 0.7)
# Less than this share of ink is no label.
INK: Final = 0.01
# A name on a picture is thin and this many grey levels lighter than what is around it.
LIGHTER: Final = 40
# It stands in so much of the tile's width, and of its height, at most so many pixels high.
NAME_WIDTH: Final = 0.3
NAME_HEIGHT: Final = 0.22
NAME_PIXELS: Final = (28, 60)
NAME_HEIGHT_LARGE: Final = 0.1
# Least share of such ink where the name begins, and against that at the right, and farther above.
NAME_INK: Final = 0.03
NAME_TO_RIGHT: Final = 2.5
NAME_TO_ABOVE: Final = 1.5
# A name as long as the tile is wide reaches the right too.
LONG_NAME_INK: Final = 0.05
LONG_NAME_TO_ABOVE: Final = 4
# Grey levels within which a bar beside a video is flat, and pixels beside an edge that are not looked at.
FLAT: Final = 12
NEAR: Final = 3
# A large picture is a page, not a camera's, if this share of its runs of pixels is without a step, and this share of it
# is of one grey.
RUN: Final = 16
PAGE: Final = 0.4
PAGE_GROUND: Final = 0.2


class Content(Enum):
    """What a tile shows."""

    PICTURE = "picture"
    CARD = "card"
    DRAWING = "drawing"


def content(tile: NDArray[np.uint8]) -> Content:
    """What a grey tile uint8 (h, w) shows.

    A card is a flat ground with a calm rim and a name, initials or an avatar in its middle; a label may lie at its
    bottom left. A dark tile without anything in its middle, or without one ground, is the picture of a camera in the
    dark. A drawing is as flat as a card and is none, such as a box of text on a slide.
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
        if middle.mean() < 1 - INK / 4:
            return Content.CARD
        return Content.PICTURE if np.median(tile) <= DARK else Content.DRAWING
    greys = np.bincount(tile.ravel() // 2, minlength=128)
    if greys.max() < DARK_GROUND * tile.size and np.median(tile) <= DARK:
        return Content.PICTURE
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
    corner = ground[:, : width * 3 // 10]
    label = round(LABEL_FROM * height)
    above = corner[round(0.62 * height) : round(0.7 * height)]
    beside = ground[label:, width * 7 // 8 :]
    return bool(corner[label:].mean() < 1 - INK and above.mean() > 1 - INK and beside.mean() >= RIM)


def _label_heights(height: int) -> set[int]:
    """Pixels at the bottom of a tile in which its name is, as it may be on dense screens and on others."""
    low = int(np.clip(NAME_HEIGHT * height, 1, max(NAME_PIXELS[0], NAME_HEIGHT_LARGE * height)))
    return {min(low, NAME_PIXELS[1]), min(low, NAME_PIXELS[0])}


def begins_before(grey: NDArray[np.uint8], left: int, top: int, bottom: int) -> bool:
    """Whether the name at the bottom of a tile begins beside it, in a bar that is flat: the tile begins there too.

    Args:
        grey: the picture, uint8 (H, W).
        left, top, bottom: edges of the tile, pixels.
    """
    for low in _label_heights(bottom - top):
        bar = grey[max(top, bottom - 3 * low) : bottom - low, max(0, left - low) : max(0, left - NEAR)]
        if bar.shape[1] < low // 2 or int(np.ptp(bar)) > FLAT:
            continue
        # its letters stand on both sides of the edge, which an icon of a toolbar beside a name does not
        fine = np.ones((1, max(5, low // 3 | 1)), np.uint8)
        strip = grey[bottom - low : bottom, max(0, left - low) : left + low]
        ink = cv2.morphologyEx(strip, cv2.MORPH_TOPHAT, fine) > LIGHTER
        edge = left - max(0, left - low)
        if min(float(ink[:, : edge - NEAR].mean()), float(ink[:, edge + NEAR :].mean())) >= NAME_INK:
            return True
    return False


def has_name(tile: NDArray[np.uint8]) -> bool:
    """Whether there is fine light writing at the bottom left of a grey tile uint8 (h, w), and less elsewhere.

    What is fine and light in a picture is seldom so in this corner alone: one picture in twenty is an exception.
    """
    return any(_has_name(tile, low) for low in _label_heights(tile.shape[0]))


def _has_name(tile: NDArray[np.uint8], low: int) -> bool:
    """The same of writing for which the lowest so many pixels are enough."""
    height, width = tile.shape
    edge, wide = max(2, min(width // 40, low // 4)), min(round(NAME_WIDTH * width), 5 * low)
    if wide <= edge:
        return False
    fine = np.ones((1, max(5, low // 3 | 1)), np.uint8)
    strip, above = tile[height - low :], tile[max(0, height - 3 * low) : max(1, height - 2 * low)]
    left, right, over = (
        float((cv2.morphologyEx(part, cv2.MORPH_TOPHAT, fine) > LIGHTER).mean())
        for part in (strip[:, edge:wide], strip[:, width - wide : width - edge], above[:, edge:wide])
    )
    if left < NAME_INK or left < NAME_TO_ABOVE * over:
        return False
    return left >= NAME_TO_RIGHT * right or (left >= LONG_NAME_INK and left >= LONG_NAME_TO_ABOVE * over)


def is_large_video(tile: NDArray[np.uint8]) -> bool:
    """Whether a large grey picture uint8 (h, w) is a person's, with a name at its bottom left, and no shared page,
    much of which is of exactly one colour."""
    if not has_name(tile):
        return False
    runs = tile[::4, : tile.shape[1] // RUN * RUN].reshape(-1, tile.shape[1] // RUN, RUN)
    if float((np.ptp(runs, axis=2) <= 1).mean()) < PAGE:
        return True
    greys = np.bincount(tile[::4, ::4].ravel(), minlength=256)
    return bool(np.convolve(greys, (1, 1, 1), "same").max() < PAGE_GROUND * greys.sum())


def _calm_below(ground: NDArray[np.bool_]) -> bool:
    """Whether what is in the middle ends above the bottom, as a name or avatar does and a person does not."""
    height, width = ground.shape
    above_label = ground[round(0.64 * height) : round(LABEL_FROM * height)]
    bottom = ground[round(0.94 * height) :, width // 2 : width * 3 // 4]
    return bool(above_label.mean() >= RIM or bottom.mean() >= RIM or _ends_above_label(ground))


def _ends_above_label(ground: NDArray[np.bool_]) -> bool:
    """Whether all but the label stands in the middle of the width and a calm strip is under it: a large avatar's disc
    reaches far down, and a long name from one side to the other."""
    height, width = ground.shape
    beside, (left, right) = ground[height // 4 : round(AVATAR_TO * height)], AVATAR_BESIDE
    sides = np.concatenate([beside[:, : round(left * width)], beside[:, round(right * width) :]], axis=1)
    under = ground[round(AVATAR_FROM * height) : round(AVATAR_ABOVE * height)].mean(axis=1) >= RIM
    return bool(sides.mean() >= 1 - INK and (under[1:] & under[:-1]).any())


def _sampled(tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = tile.shape
    x, y = max(2, round(MARGIN * width)), max(2, round(MARGIN * height))
    stride = max(1, height // ROWS)
    return tile[y : height - y : stride, x : width - x : stride]


def _ground(tile: NDArray[np.uint8]) -> NDArray[np.bool_]:
    greys = np.bincount(tile.ravel(), minlength=256)
    common = int(np.convolve(greys, np.ones(2 * TOLERANCE + 1, np.intp), "same").argmax())
    return np.asarray(np.abs(tile.astype(np.int16) - common) <= TOLERANCE)

"""Whether a tile shows a profile photo: a round or square picture in the middle of a smooth ground, camera off.

Meeting programs lay it on the same photo, blurred, or on a tint of it, so that the ground is not flat as a card's.
What tells it from a person before a blurred room is the outline, which is looked for from outside: rays from the middle
of the tile meet nothing sharp until they all meet the edge of one disc, below too, where a person has neck and
shoulders.
"""

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

# Rays from the middle of a tile, and what they reach in 96ths of its height: to beyond its upper and lower edge, since
# to the left and right there is more room. A photo is 25 to 85 % of the tile high.
RAYS: Final = 64
UNITS: Final = 96
REACH: Final = (8, 62)
RADIUS: Final = (12, 41)
# A photo that is square with round corners is nearly a curve |x|^n + |y|^n = r^n of this power.
SQUARE: Final = 8.0
# Change of slope along a ray, in levels of any colour, from which it meets an edge. A blurred photo has at most 2.
SHARP: Final = 7
# What else is drawn in a tile: margin, label at the bottom left, icons in the upper corners, as shares of its height
# (of its width for how far the label reaches), at least so many pixels.
MARGIN: Final = (0.035, 4)
LABEL: Final = (0.16, 28)
LABEL_MOST: Final = 0.28
LABEL_REACHES: Final = (0.5, 130)
LABEL_REACHES_MOST: Final = 0.85
ICONS: Final = (0.2, 18)
# The outline: of the rays that can meet it, at least so many meet it within 1.5 units; no more than this share meet
# something farther out; so many of the lowest third do; and no gap between those that do is as wide (of all rays). Of
# heads and shoulders cut out before a smooth ground, one in twenty has 0.67 of the first, and then over 0.1 of the
# second.
ON_OUTLINE: Final = 0.65
BEYOND: Final = 0.1
ON_LOW_OUTLINE: Final = 0.35
GAP: Final = RAYS // 6
# Of every so many rays, at first, this many may meet something farther out than a photo reaches: the four corners of a
# large square do.
FEW: Final = 4
FEW_BEYOND: Final = 4
# The outline may lie so far from where the tile's own edges say that its middle is.
OFF_MIDDLE: Final = 3.0
# Along the ground right outside, at these distances from the outline, from one ray to the next: change of slope at its
# worst, and at its third worst. Shoulders end there.
AROUND: Final = (4, 8)
GROUND_STEP: Final = 20
GROUND_STEPS: Final = 10
# Share of the inside that is sharp: a photo is full of detail, a lamp is not.
DETAIL: Final = 0.5

_ANGLES: Final = (np.arange(RAYS) + 0.5) * 2 * np.pi / RAYS
_LOW: Final = np.abs(_ANGLES - np.pi / 2) < np.pi / 6
_SHIFTED: Final = np.stack([np.ones(RAYS), np.cos(_ANGLES), np.sin(_ANGLES)], 1)
_EVERY: Final = np.arange(RAYS)
_BEFORE: Final = (_EVERY - 1) % RAYS
_AFTER: Final = (_EVERY + 1) % RAYS


def shows_profile_photo(tile: NDArray[np.uint8]) -> bool:
    """Whether a tile uint8 (h, w, 3) RGB shows a round or square photo in its middle on a smooth ground.

    Where the label of a small tile may hide the lower edge of the photo, the answer is no: so may it hide a neck.
    """
    return _may_be(tile) and any(_has_outline(tile, square=square) for square in (False, True))


def _may_be(tile: NDArray[np.uint8]) -> bool:
    """Whether a few rays meet hardly anything farther out than a photo: most cameras' pictures are done with here."""
    across, down, clear = _rays(tile.shape[1], tile.shape[0], False)
    outer = slice(RADIUS[1] - REACH[0], None)
    sharp = _changes(_along(tile, across[::FEW, outer], down[::FEW, outer])) >= SHARP
    return int((sharp & clear[::FEW, outer]).any(axis=1).sum()) <= FEW_BEYOND


def _along(
    tile: NDArray[np.uint8], across: NDArray[np.float32], down: NDArray[np.float32]
) -> NDArray[np.int16]:
    colours = cv2.remap(tile, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(colours, np.int16)


def _changes(colours: NDArray[np.int16]) -> NDArray[np.int16]:
    """Change of slope along rays (n, m, 3), of the colour in which it is greatest, (n, m - 2)."""
    change = np.abs(colours[:, 2:] - 2 * colours[:, 1:-1] + colours[:, :-2])
    return np.asarray(np.maximum(np.maximum(change[..., 0], change[..., 1]), change[..., 2]), np.int16)


def _has_outline(tile: NDArray[np.uint8], *, square: bool) -> bool:
    across, down, clear = _rays(tile.shape[1], tile.shape[0], square)
    colours = _along(tile, across, down)
    sharp = _changes(colours) >= SHARP
    met = sharp & clear
    steps = met.shape[1]
    # where each ray, from outside, first meets something
    first = np.where(met.any(axis=1), steps - 1 - met[:, ::-1].argmax(axis=1), -steps)
    found = _circle(first, steps)
    if found is None:
        return False
    outline, on = found
    at = np.clip(np.round(outline).astype(np.intp), 0, steps - 1)
    can = clear[_EVERY, at]
    on &= can
    if on.sum() < ON_OUTLINE * can.sum() or (first > outline + 1.5).mean() > BEYOND:
        return False
    if _widest(can & ~on) > GAP:
        return False
    below = on & clear[_EVERY, np.minimum(at + AROUND[0], steps - 1)]
    if below[_LOW].mean() < ON_LOW_OUTLINE:
        return False
    inside = np.arange(steps) <= at[:, None] - 3
    return bool(sharp[inside].mean() >= DETAIL) and _is_smooth(colours, clear, at)


def _circle(first: NDArray[np.intp], steps: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """The circle on which most rays end, in steps along each ray, and which rays do; None if few do or it is far off
    the middle."""
    ends = np.bincount(first[first >= 0], minlength=steps)
    near = np.convolve(ends, np.ones(5, np.intp), "same")
    low, high = (radius - REACH[0] - 1 for radius in RADIUS)
    middle = low + int(near[low : high + 1].argmax())
    on = np.abs(first - middle) <= 4
    for tolerance in (3.0, 2.0, 1.5):
        # the outline of what is not quite in the middle is a wave along the rays
        if on.sum() < RAYS // 3:
            return None
        rays = _SHIFTED[on]
        try:
            radius, right, below = np.linalg.solve(rays.T @ rays, rays.T @ first[on])
        except np.linalg.LinAlgError:
            return None
        if right * right + below * below > OFF_MIDDLE * OFF_MIDDLE:
            return None
        outline = np.asarray(_SHIFTED @ np.array([radius, right, below]))
        on = np.abs(first - outline) <= tolerance
    return outline, on


def _is_smooth(colours: NDArray[np.int16], clear: NDArray[np.bool_], at: NDArray[np.intp]) -> bool:
    """Whether the ground right outside the outline has no edge across it."""
    for away in AROUND:
        there = np.minimum(at + away, clear.shape[1] - 1)
        seen = clear[_EVERY, there] & (at + away < clear.shape[1])
        ring = colours[_EVERY, there + 1]
        change = np.abs(2 * ring - ring[_BEFORE] - ring[_AFTER]).max(axis=1)
        worst = np.sort(change[seen & seen[_BEFORE] & seen[_AFTER]])
        if len(worst) < 3 or worst[-1] > GROUND_STEP or worst[-3] > GROUND_STEPS:
            return False
    return True


def _widest(missing: NDArray[np.bool_]) -> int:
    """The longest run of neighbouring rays, around the circle, that are missing."""
    there = np.flatnonzero(~missing)
    if there.size == 0:
        return missing.size
    return int(np.diff(there, append=there[0] + missing.size).max()) - 1


@lru_cache(maxsize=64)
def _rays(
    width: int, height: int, square: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Points along the rays of a tile of this size: x and y, float32 (RAYS, n), and which of them but the first and the
    last show the tile alone, bool (RAYS, n - 2)."""
    right, below = np.cos(_ANGLES), np.sin(_ANGLES)
    far = (np.abs(right) ** SQUARE + np.abs(below) ** SQUARE) ** (-1 / SQUARE) if square else np.ones(RAYS)
    reach = np.arange(*REACH) * height / UNITS
    x = (width - 1) / 2 + (far * right)[:, None] * reach
    y = (height - 1) / 2 + (far * below)[:, None] * reach
    margin, icons = (max(share * height, least) for share, least in (MARGIN, ICONS))
    label = min(max(LABEL[0] * height, LABEL[1]), LABEL_MOST * height)
    label_reaches = min(max(LABEL_REACHES[0] * width, LABEL_REACHES[1]), LABEL_REACHES_MOST * width)
    clear = (x > margin) & (x < width - 1 - margin) & (y > margin) & (y < height - 1 - margin)
    clear &= ~((y > height - 1 - label) & (x < label_reaches))
    clear &= ~((y < icons) & ((x < 1.5 * icons) | (x > width - 1.5 * icons)))
    return x.astype(np.float32), y.astype(np.float32), clear[:, 1:-1]

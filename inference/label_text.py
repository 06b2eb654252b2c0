"""Find the line of text in a label strip and make it comparable.

Meeting programs write names in near-white on a dark, often translucent strip, with video moving behind it, and put
a microphone beside it that comes and goes. What stays is the thin bright strokes of the letters.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SHORTEST_STRIP: Final = 8
"""Pixels; lower strips hold no legible text."""
_STROKE_SHARE: Final = 0.35
"""A bright area wider than this share of the strip's height is no letter."""
_FAINTEST_STROKE: Final = 45.0
"""Grey levels between a letter and its ground."""
_ROWS: Final = 16
_WORD_GAP: Final = 1.3
"""Heights of the text; a wider gap ends the label (what follows is video)."""
_GLYPH_GAP: Final = 0.28
_WINDOW: Final = 12
_MOST_DIFFERENT: Final = 0.30


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text.

    Attributes:
        picture: uint8 (h, w, 3) RGB, the line with a margin, for recognition.
        strokes: float32 (16, w'), 0..1, the letters alone, scaled to the height of the text.
    """

    picture: NDArray[np.uint8]
    strokes: NDArray[np.float32]

    def same_text(self, other: "TextLine") -> bool:
        """True where both show the same letters, whatever moves behind them.

        Every stretch of about one letter has to agree, so that "Sam 1" is not "Sam 2".
        """
        return difference(self.strokes, other.strokes) <= _MOST_DIFFERENT


def find_text(strip: NDArray[np.uint8]) -> TextLine | None:
    """The text of a label strip uint8 (h, w, 3) RGB, bright on darker ground; None where there is none."""
    return _line(strip, strip.min(axis=2))


def find_card_text(card: NDArray[np.uint8]) -> TextLine | None:
    """The text in the middle of a flat card uint8 (h, w, 3) RGB, of either polarity; None where there is none."""
    ground = np.median(card.reshape(-1, 3), axis=0)
    return _line(card, np.abs(card - ground).max(axis=2).astype(np.uint8))


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How much two stroke pictures differ in the stretch where they differ most, 0..1; 1 for other lengths."""
    import cv2

    width = one.shape[1]
    if abs(width - other.shape[1]) > max(2, 0.04 * width):
        return 1.0
    fitted = cv2.resize(other, (width, _ROWS), interpolation=cv2.INTER_LINEAR)
    padded = cv2.copyMakeBorder(fitted, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    best = 1.0
    for down in range(3):
        for across in range(3):
            moved = padded[down : down + _ROWS, across : across + width]
            gaps, ink = np.abs(one - moved).sum(axis=0), np.maximum(one, moved).sum(axis=0)
            window = np.ones(min(_WINDOW, width))
            # the constant keeps a blank between words from counting as a difference of everything
            ratio = np.convolve(gaps, window, "valid") / (np.convolve(ink, window, "valid") + 8.0)
            best = min(best, float(ratio.max()))
    return best


def _line(picture: NDArray[np.uint8], brightness: NDArray[np.uint8]) -> TextLine | None:
    import cv2

    height, width = brightness.shape
    if height < _SHORTEST_STRIP or width < _SHORTEST_STRIP:
        return None
    side = max(3, round(height * _STROKE_SHARE) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    strokes = cv2.morphologyEx(brightness, cv2.MORPH_TOPHAT, kernel).astype(np.float32)
    limit = max(_FAINTEST_STROKE, 0.5 * float(np.percentile(strokes, 99)))
    ink = strokes > limit
    rows = _longest_band(ink)
    if rows is None:
        return None
    top, bottom = rows
    columns = _label_columns(ink[top:bottom], picture[top:bottom])
    if columns is None:
        return None
    left, right = columns
    tight = np.flatnonzero(ink[top:bottom, left:right].any(axis=1))
    top, bottom = top + int(tight[0]), top + int(tight[-1]) + 1
    margin = max(2, (bottom - top) // 4)
    shown = picture[
        max(0, top - margin) : bottom + margin,
        max(0, left - margin) : right + margin,
    ]
    letters = strokes[top:bottom, left:right] / max(limit, float(np.percentile(strokes[ink], 75)))
    scaled = max(_WINDOW // 2, round((right - left) * _ROWS / (bottom - top)))
    small = cv2.resize(np.clip(letters, 0, 1), (scaled, _ROWS), interpolation=cv2.INTER_AREA)
    return TextLine(np.ascontiguousarray(shown), np.asarray(small, np.float32))


def _longest_band(ink: NDArray[np.bool_]) -> tuple[int, int] | None:
    """First and last row (exclusive) of the text line with the most ink; dots and accents belong to it."""
    height = len(ink)
    filled = np.flatnonzero(ink.sum(axis=1) > 0)
    if not len(filled):
        return None
    breaks = np.flatnonzero(np.diff(filled) > max(2, height // 12))
    bands = [(int(band[0]), int(band[-1]) + 1) for band in np.split(filled, breaks + 1)]
    top, bottom = max(bands, key=lambda band: ink[band[0] : band[1]].sum())
    return (top, bottom) if bottom - top >= _SHORTEST_STRIP // 2 else None


def _label_columns(ink: NDArray[np.bool_], picture: NDArray[np.uint8]) -> tuple[int, int] | None:
    """First and last column (exclusive) of the name: up to the first wide gap, without a red microphone."""
    height = len(ink)
    filled = np.flatnonzero(ink.any(axis=0))
    if not len(filled):
        return None
    ends = np.flatnonzero(np.diff(filled) > _WORD_GAP * height)
    runs = np.split(filled, ends + 1)
    first = runs[0]
    glyphs = np.split(first, np.flatnonzero(np.diff(first) > _GLYPH_GAP * height) + 1)
    if _is_microphone(picture, glyphs[0], height):
        glyphs = glyphs[1:]
        if not glyphs and len(runs) > 1:
            glyphs = [runs[1]]
    if not glyphs:
        return None
    left, right = int(glyphs[0][0]), int(glyphs[-1][-1]) + 1
    return (left, right) if right - left >= height // 4 else None


def _is_microphone(picture: NDArray[np.uint8], columns: NDArray[np.intp], height: int) -> bool:
    """A first glyph, no wider than a letter or two, with red in it."""
    left, right = int(columns[0]), int(columns[-1]) + 1
    if right - left > 1.8 * height:
        return False
    part = picture[:, left:right].astype(int)
    red = (part[..., 0] - part[..., 1:].max(axis=2) > 60).mean()
    return bool(red > 0.05)

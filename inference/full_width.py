"""Tell signs of Chinese and Japanese apart that look the same, and find the blanks between them.

口 is a mouth in Chinese and ロ is ro in Japanese, with the same strokes, and 一 is a longer dash: what stands beside
them says which it is. The signs are one width each, so that a blank shows as a longer step from sign to sign.
"""

import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ALIKE: Final = (
    "一ー—-－―",
    "口ロ",
    "二ニ",
    "力カ",
    "夕タ",
    "卜ト",
    "八ハ",
    "工エ",
    "へヘ",
    "べベ",
    "ぺペ",
    "りリ",
)
_SET_OF: Final = {sign: alike for alike in _ALIKE for sign in alike}
_DASHES: Final = frozenset(_ALIKE[0])
_DASH_WIDTH: Final = 0.6
"""Heights of a sign; 一 is wider than that and a hyphen narrower."""
_STEP_WITH_BLANK: Final = 1.15
"""Widths of a sign from the middle of one to the middle of the next where a blank is between, a quarter wide."""
_WIDTH: Final = 1.14
_WIDTH_OF_INK: Final = 1.05
"""Of a sign with its margin: in heights of one without, and in widths of the widest."""
_INK: Final = 0.3


def alike(sign: str) -> str:
    """The signs that have the same strokes as this one, itself among them."""
    return _SET_OF.get(sign, sign)


def is_full_width(sign: str) -> bool:
    """Whether a sign is one of Chinese or Japanese."""
    return _script(sign) != ""


def told_by_neighbours(signs: Sequence[str], width: Callable[[int], float]) -> list[str]:
    """The signs, with those that have a double in another script in the script of what stands nearest.

    Args:
        signs: of a line, one each.
        width: of the ink of the n-th sign, in heights of a sign.
    """
    found = list(signs)
    for index, sign in enumerate(signs):
        script = _nearest(signs, index)
        if not script or sign not in _SET_OF:
            continue
        if sign in _DASHES:
            if width(index) >= _DASH_WIDTH:
                found[index] = "ー" if script in ("KATAKANA", "HIRAGANA") else "一"
        else:
            fitting = [other for other in alike(sign) if _script(other) == script]
            found[index] = fitting[0] if fitting else sign
    return found


def parts_with_blank(
    signs: Sequence[str],
    middles: NDArray[np.float64],
    gaps: Sequence[float],
    ink: NDArray[np.float32],
    height: float,
) -> set[int]:
    """After which signs a blank stands between two of full width.

    Args:
        signs: of a line.
        middles: about where each is, in columns, from left to right; to a quarter of its width.
        gaps: the middles of the stretches without ink as wide as a blank, in columns.
        ink: float32 (columns,), 0..1, the most ink of each column.
        height: of a sign, in columns.
    """
    pairs = [
        index
        for index, (one, other) in enumerate(pairwise(signs))
        if is_full_width(one) and is_full_width(other)
    ]
    if not pairs:
        return set()
    apart = {
        index: next((gap for gap in gaps if middles[index] < gap < middles[index + 1]), None)
        for index in range(len(signs) - 1)
    }
    cuts = [
        _least(ink, middles[index], middles[index + 1]) if gap is None else round(gap)
        for index, gap in apart.items()
    ]
    inside = [np.flatnonzero(ink[begin:end] > _INK) + begin for begin, end in pairwise([0, *cuts, len(ink)])]
    if not all(len(columns) for columns in inside):
        return set()
    centres = [float(columns[0] + columns[-1]) / 2 for columns in inside]
    steps = {index: centres[index + 1] - centres[index] for index in pairs}
    close = [step for index, step in steps.items() if apart[index] is None]
    widest = max(int(columns[-1] - columns[0]) + 1 for columns in inside)
    if len(close) > 1:
        usual = float(np.median(close))
    elif all(_script(sign) == "CJK" for sign in signs):
        usual = max(_WIDTH * height, _WIDTH_OF_INK * widest)
    else:
        # kana fill their width less, so that two alone say nothing of it
        return set()
    return {
        index
        for index, step in steps.items()
        if apart[index] is not None and step >= _STEP_WITH_BLANK * usual
    }


def _least(ink: NDArray[np.float32], one: float, other: float) -> int:
    """The column with the least ink about halfway between two."""
    middle, quarter = (one + other) / 2, (other - one) / 4
    begin, end = max(0, round(middle - quarter)), round(middle + quarter) + 1
    part = ink[begin:end]
    return begin + int(part.argmin()) if part.size else round(middle)


def _nearest(signs: Sequence[str], index: int) -> str:
    """The script of the nearest sign that has no double; "" where two as near differ or there is none."""
    for away in range(1, len(signs)):
        near = {
            _script(signs[at])
            for at in (index - away, index + away)
            if 0 <= at < len(signs) and signs[at] not in _SET_OF
        }
        if near:
            return near.pop() if len(near) == 1 else ""
    return ""


def _script(sign: str) -> str:
    # ー is "KATAKANA-HIRAGANA PROLONGED SOUND MARK"
    name = unicodedata.name(sign, "").partition(" ")[0].partition("-")[0] if len(sign) == 1 else ""
    return name if name in ("CJK", "HIRAGANA", "KATAKANA") else ""

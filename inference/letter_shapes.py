"""Tell letters apart that recognition confuses where they are small, by their height, their dot and their accent.

The network reads every line at one size, in which W and w, or A and Å, are nearly the same, and a letter of which it
is not sure it leaves out. The letters' own pixels say how high each stands beside the others, whether anything stands
above it, and whether one was left out, as an apostrophe of a pixel's width nearly always is.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.full_width import is_full_width
from inference.label_text import TextLine

_INK: Final = 0.3
_NO_INK: Final = 0.1
"""Of 1 for a stroke; a dot over bright video is faint, but more than that."""
_FLAT: Final = frozenset("acemnorsuvwxz")
"""Letters without anything above their height."""
_ALIKE: Final = frozenset("cosuvwxz")
"""Letters that are capitals where they are higher."""
_CAPITALS: Final = frozenset("ABCDEFGHIKLMNOPRSTUVWXYZ")
_WITH_DOT: Final = "İÍÎÏ"
_WITH_ACCENT: Final = "ÅÁÀÂÄÃ"
_CLEARLY: Final = 1.5
"""Pixels, or a seventh of a capital, by which a letter is higher than others."""
_DOTLESS: Final = 0.02
_LEFT_OUT: Final = 3.0
"""Pixels from a letter to the next sign that count as much as a letter without a sign."""
_HALF_A_SIGN: Final = 0.65
"""Heights of a sign of Chinese or Japanese from its middle to the last of its parts."""
_APOSTROPHE_WIDTH: Final = 0.4
_APOSTROPHE_HEIGHT: Final = (0.15, 0.55)
"""Heights of a capital."""
_WORD_WIDTH: Final = 1.8
"""Heights of a capital between the middles of the letters around an apostrophe."""
_UPRIGHT: Final = frozenset("ODQ")
"""Letters that end in nothing that stands high alone."""
_HALF_AN_O: Final = 0.7
"""Heights of a capital from its middle to what touches it."""
_WHOLE_STEM: Final = 0.85
_OVERHANGING: Final = frozenset("TVWYJijíìîïİÍÌÎÏ")
"""Letters that may begin with something that does."""
_WITH_CARON: Final = frozenset("dtlLďťľĽ")
"""Letters whose caron looks like an apostrophe behind them."""
_STEM: Final = 0.5
_JOINED: Final = 0.7
"""Ink on top of the middle stem: that of an m stands under where two arches meet, that of "rn" is the n's own."""
_MAYBE: Final = 0.001
"""A chance that no other letter than the one has where the network takes "rn" for m."""


class Chances(Protocol):
    """What the network thinks may stand at a place."""

    def of(self, index: int, sign: str) -> float:
        """The chance 0..1 that the n-th sign is this one."""

    def near(self, index: int, sign: str) -> float:
        """The chance 0..1 that this one is at the n-th sign or right beside it."""

    def between(self, left: float, right: float) -> str:
        """The likeliest letter between two places of the line's picture, in pixels; "" if none is likely."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """Ink without a gap between its columns.

    Attributes:
        left, right: columns of the line's strokes.
        top: row up to which it reaches from the baseline without a gap.
        above: whether certainly something (True) or nothing (False) stands above that.
    """

    left: int
    right: int
    top: int
    above: bool | None


def settled(
    signs: Sequence[str], middles: NDArray[np.float64], line: TextLine, chances: Chances
) -> tuple[list[str], float]:
    """The signs of a line, with those exchanged and added that its pixels speak for.

    Args:
        signs: as recognised.
        middles: of each, in pixels of the line's picture, from left to right.
        line: where they stand.
        chances: of other signs.

    Returns:
        One string for each sign, of several where one was left out before or behind it, and what share of the
        letters' width, 0..1, has a sign.
    """
    shapes = _shapes(line)
    letters = [index for index, sign in enumerate(signs) if not sign.isspace()]
    if not shapes or not letters:
        return list(signs), 1.0
    where = dict(zip(letters, _aligned(shapes, middles[letters] - line.indent), strict=True))
    shared = Counter(where.values())
    alone = {index: shapes[at] for index, at in where.items() if shared[at] == 1}
    flat = [
        shape.top
        for index, shape in alone.items()
        if signs[index] in _FLAT or (signs[index] == "i" and shape.above)
    ]
    capitals = {index: shape.top for index, shape in alone.items() if signs[index] in _CAPITALS}
    found = list(signs)
    for index, shape in alone.items():
        sign, clearly = signs[index], max(_CLEARLY, line.capital / 7)
        others = [top for at, top in capitals.items() if at != index]
        if sign == "A" and (shape.above or (others and shape.top <= np.median(others) - clearly)):
            found[index] = _likeliest(_WITH_ACCENT, index, chances)
        elif (
            len(flat) > 1 and shape.top <= np.median(flat) - clearly and _begins(signs, middles, line, index)
        ):
            found[index] = _as_capital(sign, index, shape, chances)
        elif sign == "i" and shape.above is False and chances.of(index, "ı") >= _DOTLESS:
            found[index] = "ı"
        elif sign == "m" and _is_r_and_n(shape, line, index, chances):
            found[index] = "rn"
    wide = [middles[index] - line.indent for index in letters if is_full_width(signs[index])]
    told = untold = 0
    for at, shape in enumerate(shapes):
        width = shape.right - shape.left
        if shared[at] or any(
            shape.left - _HALF_A_SIGN * line.capital < middle < shape.right + _HALF_A_SIGN * line.capital
            for middle in wide
        ):
            told += width
        elif _is_letter(shape, line):
            missed = chances.between(shape.left + line.indent, shape.right + line.indent)
            told, untold = told + width * bool(missed), untold + width * (not missed)
            before = [index for index in letters if where[index] < at]
            beside = before[-1] if before else letters[0]
            found[beside] = found[beside] + missed if before else missed + found[beside]
    for index in _before_apostrophes(signs, middles - line.indent, line):
        found[index] += "'"
    return found, told / (told + untold)


def _before_apostrophes(signs: Sequence[str], middles: NDArray[np.float64], line: TextLine) -> list[int]:
    """The signs within a word behind which a small mark stands that was not read; it may touch an O or a D."""
    capitals = line.strokes[max(0, line.baseline - line.capital) : line.baseline] > _INK
    stems = np.asarray(capitals.mean(axis=0) > _WHOLE_STEM, np.bool_)

    def touches(middle: float, left: int) -> bool:
        # what stands high within an N or M has its stem before it
        return left - middle <= _HALF_AN_O * line.capital and not stems[int(middle) + 1 : left].any()

    found = []
    for left, right, parted in _marks(line):
        behind = int((middles < (left + right) / 2).sum())
        if not 0 < behind < len(signs):
            continue
        before, after, at = signs[behind - 1], signs[behind], float(middles[behind - 1])
        if (
            _has_case(before)
            and _has_case(after)
            and (parted or (before in _UPRIGHT and after not in _OVERHANGING and touches(at, left)))
            and not (before in _WITH_CARON and after.islower())
            and middles[behind] - at <= _WORD_WIDTH * line.capital
        ):
            found.append(behind - 1)
    return found


def _has_case(sign: str) -> bool:
    return sign.isupper() or sign.islower()


def _marks(line: TextLine) -> list[tuple[int, int, bool]]:
    """Columns of small marks as high as a capital with nothing under them: the first, that behind the last, and
    whether there is no ink on either side."""
    low, high = (share * line.capital for share in _APOSTROPHE_HEIGHT)
    over = line.baseline - line.capital
    ink = np.asarray(line.strokes > _INK, np.bool_)
    any_ink = np.asarray(ink.any(axis=0), np.bool_)
    found = []
    for left, right in _runs(
        np.logical_and(any_ink, ~np.asarray(ink[round(over + high) :].any(axis=0), np.bool_))
    ):
        rows = np.flatnonzero(ink[:, left:right].any(axis=1))
        narrow = right - left <= _APOSTROPHE_WIDTH * line.capital
        if narrow and rows[-1] + 1 - rows[0] >= low and abs(rows[0] - over) <= max(1, 0.15 * line.capital):
            parted = not any_ink[max(0, left - 1) : right + 1][[0, -1]].any()
            found.append((left, right, parted))
    return found


def _is_r_and_n(shape: _Shape, line: TextLine, index: int, chances: Chances) -> bool:
    """Whether what reads as an m is an r and an n that stand so near that they touch."""
    if min(chances.near(index, "r"), chances.near(index, "n")) < _MAYBE:
        return False
    body = line.strokes[shape.top : line.baseline, shape.left : shape.right]
    stems = np.concatenate([[False], body[len(body) // 2 :].mean(axis=0) > _STEM, [False]])
    edges = np.flatnonzero(np.diff(stems.astype(np.int8)))
    return len(edges) == 6 and float(body[0, edges[2] : edges[3]].mean()) >= _JOINED


def _as_capital(sign: str, index: int, shape: _Shape, chances: Chances) -> str:
    """What a sign is that begins a word and is clearly higher than small letters."""
    if sign == "i" and shape.above:
        return _likeliest(_WITH_DOT, index, chances)
    base, other = unicodedata.normalize("NFD", sign)[0], sign.upper()
    return other if base in _ALIKE and len(other) == 1 and (sign == base or shape.above) else sign


def _likeliest(signs: str, index: int, chances: Chances) -> str:
    return max(signs, key=lambda sign: chances.of(index, sign))


def _begins(signs: Sequence[str], middles: NDArray[np.float64], line: TextLine, index: int) -> bool:
    """Whether a word begins with a sign."""
    if index == 0 or not signs[index - 1].isalpha():
        return True
    return any(middles[index - 1] < gap < middles[index] for gap in line.gaps)


def _is_letter(shape: _Shape, line: TextLine) -> bool:
    wide, high = shape.right - shape.left, line.baseline - shape.top
    return wide >= 0.4 * line.capital and 0.5 * line.capital <= high <= 1.3 * line.capital


def _aligned(shapes: Sequence[_Shape], middles: NDArray[np.float64]) -> list[int]:
    """For each sign the shape in which it is, in their order, so that few shapes are left without a sign."""
    left = np.array([shape.left for shape in shapes], np.float64)
    right = np.array([shape.right for shape in shapes], np.float64)
    away = np.maximum(np.maximum(left - middles[:, None], middles[:, None] - right), 0)
    count = np.arange(len(shapes))
    # cost[i, k]: of the first i + 1 signs, the last of them in shape k
    cost = np.empty_like(away)
    before = np.zeros(away.shape, np.intp)
    cost[0] = away[0] + _LEFT_OUT * count
    for index in range(1, len(middles)):
        skipped = np.maximum(count[None, :] - count[:, None] - 1, 0) * _LEFT_OUT
        onward = np.where(count[None, :] >= count[:, None], cost[index - 1][:, None] + skipped, np.inf)
        before[index] = onward.argmin(axis=0)
        cost[index] = away[index] + onward.min(axis=0)
    at = int((cost[-1] + _LEFT_OUT * count[::-1]).argmin())
    found = [at]
    for index in range(len(middles) - 1, 0, -1):
        at = int(before[index, at])
        found.append(at)
    return found[::-1]


def _runs(columns: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Columns beside each other that are true: the first, and that behind the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], columns, [False]]).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _shapes(line: TextLine) -> list[_Shape]:
    found = (_shape(line, begin, end) for begin, end in _runs(line.strokes.max(axis=0) > _INK))
    return [shape for shape in found if shape is not None]


def _shape(line: TextLine, left: int, right: int) -> _Shape | None:
    """What stands on the line; None for what does not, such as a hyphen."""
    rows = line.strokes[: line.baseline, left:right].max(axis=1)
    filled = rows > _INK
    if not filled[-2:].any():
        return None
    foot = line.baseline - 1 if filled[-1] else line.baseline - 2
    empty = np.flatnonzero(~filled[:foot])
    top = int(empty[-1]) + 1 if empty.size else 0
    over = line.strokes[: max(0, top - 1), max(0, left - 1) : right + 1]
    most = float(over.max()) if over.size else 0.0
    return _Shape(left, right, top, True if most > _INK else False if most <= _NO_INK else None)

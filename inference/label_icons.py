"""Tell an icon beside a name from a word of one letter, where it is drawn in the letters' own colour.

Meeting programs put a microphone, bars of the network, a raised hand or a pin before or behind the name. Such an icon
stands apart like a word, but it is drawn around the middle of the line: it reaches below the baseline, or its parts
rise like steps or stand around the middle. What might be a letter by its shape, the network decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.label_text import TextLine

_FAINT: Final = 0.3
"""Of 1 for a stroke; less is no ink between words."""
_INK: Final = 0.5
_APART: Final = 0.3
"""Heights of a capital between an icon and the name."""
_WIDTH: Final = (0.5, 2.0)
"""Heights of a capital; what is narrower is a stop, and what is wider a word."""
_SIGN_WIDTH: Final = 1.75
"""Heights of a capital of an icon that is in one piece."""
_BELOW: Final = 0.1
_HIGH: Final = 0.9
"""Heights of a capital below the baseline and above it up to which an icon reaches; y and g are not as high."""
_TOO_HIGH: Final = 1.2
_HARDLY_TOO_HIGH: Final = 1.08
"""Heights of a capital of what has no accent."""
_FEWEST: Final = 3
"""Bars or dots."""
_STEEP: Final = 1.5
"""How much higher the last bar of steps is than the first, and the middle one of three around one height than the
others: those of "III" are not."""
_SOLID: Final = 0.5
"""Share of a bar that is ink."""
_RAISED: Final = 0.22
"""Heights of a capital from the line to the middle of a menu's dots; those that end a cut name stand on the line."""


class Look(Enum):
    """What an end looks like."""

    BARS = auto()
    """Bars or dots, which no letters are."""
    ICON = auto()
    """Higher and lower than a letter without an accent."""
    LIKE_ICON = auto()
    LIKE_LETTER = auto()


@dataclass(frozen=True, slots=True)
class End:
    """What stands apart before or behind the rest of a line and may be an icon.

    Attributes:
        left, right: columns of the line's strokes.
        keep: columns of the rest, the first and that behind the last.
        look: what its shape says.
    """

    left: int
    right: int
    keep: tuple[int, int]
    look: Look


@dataclass(frozen=True, slots=True)
class _Part:
    """Strokes over and under each other."""

    left: int
    right: int
    top: int
    bottom: int
    filled: float

    @property
    def height(self) -> int:
        return self.bottom - self.top


def ends(line: TextLine) -> tuple[End, ...]:
    """The ends of a line that may be icons, the first of them first."""
    words = _runs(line.strokes.max(axis=0) > _FAINT, max(3, round(_APART * line.capital)))
    if len(words) < 2:
        return ()
    width = line.strokes.shape[1]
    head, tail = _dots(words, line), _dots(words[::-1], line)
    before, behind = words[max(head, 1) - 1][1], words[-max(tail, 1)][0]
    found = []
    for left, right, keep, dots in (
        (0, before, (words[max(head, 1)][0], width), head),
        (behind, width, (0, words[-max(tail, 1) - 1][1]), tail),
    ):
        look = Look.BARS if dots else _look(line, left, right)
        if look is not None:
            found.append(End(left, right, keep, look))
    return tuple(found)


def _dots(words: Sequence[tuple[int, int]], line: TextLine) -> int:
    """How many of the first of these words are the dots of a menu, if those stand as far apart as words do."""
    parts: list[_Part] = []
    count = 0
    for left, right in words[:-1]:
        more = _parts(line.strokes[:, left:right])
        if not more or not _are_raised_dots([*parts, *more], line):
            break
        parts += more
        count += 1
    return count if len(parts) >= _FEWEST else 0


def without(line: TextLine, end: End) -> TextLine:
    """The line without one of its ends."""
    first, behind = end.keep
    return _part(line, first, behind, (first - end.right if first else end.left - behind) - 1)


def alone(line: TextLine, end: End) -> TextLine:
    """One of the ends without the line."""
    first, behind = end.keep
    return _part(line, end.left, end.right, (first - end.right if first else end.left - behind) - 1)


def _part(line: TextLine, first: int, behind: int, room: int) -> TextLine:
    """Some columns of a line, with its margin, but at most that many pixels where more of the line stands beside."""
    margin = max(0, min(line.indent, room))
    left = line.indent + first - margin if first else 0
    right = line.indent + behind + margin if behind < line.strokes.shape[1] else line.picture.shape[1]
    return replace(
        line,
        picture=np.ascontiguousarray(line.picture[:, left:right]),
        strokes=np.ascontiguousarray(line.strokes[:, first:behind]),
        left=line.left + first,
        gaps=tuple(gap - left for gap in line.gaps if left < gap < right),
        indent=margin if first else line.indent,
    )


def _look(line: TextLine, left: int, right: int) -> Look | None:
    """What stands in these columns by its shape; None where it is no icon."""
    capital = line.capital
    if _are_stacked_dots(line.strokes[:, left:right], capital):
        return Look.BARS
    narrowest, widest = (share * capital for share in _WIDTH)
    if not narrowest <= right - left <= widest:
        return None
    parts = _parts(line.strokes[:, left:right])
    if len(parts) >= _FEWEST:
        bars = _are_steps(parts) or _are_around(parts) or _are_raised_dots(parts, line)
        return Look.BARS if bars else None
    if len(parts) != 1 or parts[0].right - parts[0].left > _SIGN_WIDTH * capital:
        return None
    below, over, height = parts[0].bottom - line.baseline, line.baseline - parts[0].top, parts[0].height
    if height > _TOO_HIGH * capital or (below >= max(1, _BELOW * capital) and over >= _HIGH * capital):
        return Look.ICON
    return Look.LIKE_ICON if below >= 1 or height > _HARDLY_TOO_HIGH * capital else Look.LIKE_LETTER


def _are_steps(parts: list[_Part]) -> bool:
    """Whether bars rise from left to right, as those of a network do."""
    heights, bottoms = [part.height for part in parts], [part.bottom for part in parts]
    rising = all(after > before for before, after in pairwise(heights))
    level = max(bottoms) - min(bottoms) <= 1
    return rising and level and heights[-1] >= _STEEP * heights[0] and _are_bars(parts)


def _are_around(parts: list[_Part]) -> bool:
    """Whether bars stand around one height, the middle one the longest, as those of a voice do."""
    heights = [part.height for part in parts]
    return _are_level(parts) and max(heights) >= _STEEP * max(heights[0], heights[-1])


def _are_raised_dots(parts: list[_Part], line: TextLine) -> bool:
    """Whether dots stand around one height above the line."""
    heights, middles = [part.height for part in parts], [part.top + part.bottom for part in parts]
    return (
        _are_level(parts)
        and max(heights) - min(heights) <= 1
        and max(heights) < line.capital / 2
        and 2 * line.baseline - max(middles) >= 2 * _RAISED * line.capital
    )


def _are_stacked_dots(strokes: NDArray[np.float32], capital: int) -> bool:
    """Whether dots stand over each other, more of them than in a colon."""
    runs = _runs(np.asarray((strokes > _INK).any(axis=1), np.bool_), 1)
    heights, steps = (
        [bottom - top for top, bottom in runs],
        [low[0] - high[0] for high, low in pairwise(runs)],
    )
    return (
        len(runs) >= _FEWEST
        and strokes.shape[1] <= max(heights) + 2 < capital
        and max(heights) - min(heights) <= 1
        and max(steps) - min(steps) <= 1
    )


def _are_level(parts: list[_Part]) -> bool:
    middles = [part.top + part.bottom for part in parts]
    return max(middles) - min(middles) <= 2 and _are_bars(parts)


def _are_bars(parts: list[_Part]) -> bool:
    widths = [part.right - part.left for part in parts]
    return max(widths) - min(widths) <= 1 and min(part.filled for part in parts) >= _SOLID


def _parts(strokes: NDArray[np.float32]) -> list[_Part]:
    ink = np.asarray(strokes > _INK, np.bool_)
    found = []
    for left, right in _runs(np.asarray(ink.any(axis=0), np.bool_), 1):
        rows = np.flatnonzero(ink[:, left:right].any(axis=1))
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        found.append(_Part(left, right, top, bottom, float(ink[top:bottom, left:right].mean())))
    return found


def _runs(columns: NDArray[np.bool_], apart: int) -> list[tuple[int, int]]:
    """Columns that are true, with fewer than `apart` others between: the first, and that behind the last."""
    filled = np.flatnonzero(columns)
    if not filled.size:
        return []
    runs = np.split(filled, np.flatnonzero(np.diff(filled) - 1 >= apart) + 1)
    return [(int(run[0]), int(run[-1]) + 1) for run in runs]

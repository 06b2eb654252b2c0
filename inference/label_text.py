"""Find the line of text in a label strip and make it comparable.

Meeting programs write names in near-white on a dark, often translucent plate, or in near-black on a light one, with
video moving behind and around it, and put a microphone beside it that comes and goes. What stays is the thin strokes
of the letters, and that most letters stand on one line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SHORTEST_STRIP: Final = 8
"""Pixels; lower strips hold no legible text."""
_STROKE_SHARE: Final = 0.35
"""A bright area wider than this share of the strip's height is no letter."""
_FAINTEST_STROKE: Final = 45.0
"""Grey levels between a letter and its ground."""
_INK: Final = 0.5
"""Share of the way from the ground to white from which a pixel belongs to a letter."""
_LETTER_HEIGHT: Final = 4
"""Pixels; what is lower is a dot or noise and says nothing about the line."""
_CANDIDATES: Final = 3
"""Lines that are tried; video may hold more small shapes than the label has letters."""
_WORD_GAP: Final = 1.1
"""Heights of a capital; a wider gap ends the label (what follows is video)."""
_SHOWN_ABOVE: Final = 1.45
_SHOWN_BELOW: Final = 0.35
"""Heights of a capital around the baseline that recognition is given."""
_BLANK: Final = 0.36
"""Heights of a capital; narrower gaps are found within words."""
_FAINT_STROKE: Final = 0.3
_GLYPH_GAP: Final = 0.25
_OVER_SMALL: Final = 1.35
"""Height of a capital, in small letters."""
_STOP_AFTER: Final = 0.5
"""Heights of a capital between a letter and its stop."""
_PLATE_EDGE: Final = 10.0
"""Grey levels by which nearly all rows change at once where the plate ends."""
_PLATE_ROWS: Final = 0.85
_WINDOW_SHARE: Final = 0.8
_MOST_DIFFERENT: Final = 0.27
_SHIFTS: Final = sorted(product(range(3), range(5)), key=lambda shift: abs(shift[0] - 1) + abs(shift[1] - 2))
"""Rows and columns by which one line is moved over another, the likeliest first; by 1 and 2 it stays where it is."""
_BRIGHT: Final = 140
"""Grey level between letters that are near white and the plate, whatever shows through it."""
_LIGHT: Final = 140
"""Grey level from which the ground of dark letters is a plate."""
_PLATE: Final = 0.9
"""Share of the ground around dark letters that is light: video is seldom so even, and where the letters are bright
their ground is dark."""
_FEWEST_DARK: Final = 2
"""A single dark shape on something light is seldom text: clothes and rooms are full of them."""
_HOLES: Final = 0.75
"""Letters on a light plate for each bright one; the holes and gaps between them may look like more."""
_LIKE_LETTERS: Final = 25.0
_CUT_OUT: Final = 0.5
"""Share of the ground as bright as the letters from which they are but holes and gaps between dark ones."""
_RED: Final = 60
"""Grey levels by which red stands out from green and blue in a microphone."""
_MOST_WRONG: Final = 0.2
_NEAR_AFTER: Final = 0.45
_ROOM_AFTER: Final = 0.65
"""Heights of a capital behind the last letter in which no other begins: on the plate alone, and with what the video
may show behind its end."""
_OVER_WORDS: Final = 1.15
_UNDER_WORDS: Final = 0.3
"""Heights of a capital from the baseline between which a word begins; what goes on above or below is video."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text.

    Attributes:
        picture: uint8 (h, w, 3) RGB, the line with a margin, for recognition.
        strokes: float32 (h', w'), 0..1, the letters alone, in pixels of the frame.
        baseline: row of `strokes` on which the letters stand.
        capital: height of a capital letter in pixels.
        left, top: where `strokes` lies in the strip, in pixels.
        gaps: where words part: the middle of each gap, in pixels of `picture` from its left.
        indent: pixels of `picture` to the left of `strokes`.
        dark: the letters are darker than their ground.
    """

    picture: NDArray[np.uint8]
    strokes: NDArray[np.float32]
    baseline: int
    capital: int
    left: int
    top: int
    gaps: tuple[float, ...] = ()
    indent: int = 0
    dark: bool = False

    @property
    def lacks(self) -> int:
        """Rows that are missing above the strip for the accent of a capital, in pixels."""
        return max(0, round(_SHOWN_ABOVE * self.capital) + 1 - self.top - self.baseline)

    def same_text(self, other: "TextLine") -> bool:
        """True where both show the same letters in the same size, whatever moves behind them.

        Every stretch of about one letter has to agree, so that "Sam 1" is not "Sam 2".
        """
        width = min(self.strokes.shape[1], other.strokes.shape[1])
        apart = max(self.strokes.shape[1], other.strokes.shape[1]) - width
        if apart > 2:
            return False
        up = min(self.baseline, other.baseline)
        down = min(len(self.strokes) - self.baseline, len(other.strokes) - other.baseline)
        fixed = self.strokes[self.baseline - up : self.baseline + down]
        padded = np.pad(other.strokes[other.baseline - up : other.baseline + down], ((1, 1), (2, 2)))
        window = np.ones(min(width, max(4, round(_WINDOW_SHARE * self.capital))))
        for row, column in _SHIFTS:
            moved = padded[row : row + up + down, column : column + fixed.shape[1]]
            fixed_part = fixed[:, : moved.shape[1]]
            gaps = np.abs(fixed_part - moved).sum(axis=0)
            ink = np.maximum(fixed_part, moved).sum(axis=0)
            # the constant keeps a blank between words from counting as a difference of everything
            ratio = np.convolve(gaps, window, "valid") / (
                np.convolve(ink, window, "valid") + self.capital / 2
            )
            if ratio.max() <= _MOST_DIFFERENT:
                return True
        return False


class Template:
    """What a line of text looks like, to see at once whether it still stands where it was found."""

    def __init__(self, line: TextLine) -> None:
        import cv2

        self._left, self._top, self._dark = line.left, line.top, line.dark
        between = (0, 254 - _BRIGHT) if line.dark else (_BRIGHT + 1, 255)
        self._ink_from, self._ink_to = (np.full(3, level, np.uint8) for level in between)
        # where but one letter is one, the line took the height of the others for it
        inked = np.flatnonzero((line.strokes > _INK).any(axis=1))
        tallest = max(line.capital, line.baseline - int(inked[0]) if inked.size else 0)
        height, width = line.strokes.shape
        room, gap = round(_ROOM_AFTER * tallest) + 1, round(_WORD_GAP * tallest) + 2
        self._strokes = np.pad(line.strokes, ((0, 0), (0, gap)))
        padded = self._strokes[:, : width + room]
        self._width = width
        self._plate_ends = width + round(_NEAR_AFTER * line.capital)
        self._beside = np.r_[
            0 : max(0, line.baseline - round(_OVER_WORDS * tallest)),
            min(height, line.baseline + max(1, round(_UNDER_WORDS * tallest))) : height,
        ]
        self.shape = padded.shape
        near = cv2.dilate(padded, np.ones((3, 3), np.uint8))
        self._letters = (padded > 0.99).astype(np.float32)
        # beside the last letter another word may have come
        self._ground = (near < 0.01).astype(np.float32)
        self._window = np.ones(max(4, round(_WINDOW_SHARE * line.capital)), np.float32)
        ink = np.pad(self._letters.sum(axis=0), (0, gap - room))
        self._ink = self._around(ink) + line.capital / 2

    def is_in(self, part: NDArray[np.uint8], *, letters_alone: bool = False) -> bool:
        """Whether a part of a frame, uint8 of `shape` and RGB, shows these letters and no others; with `letters_alone`
        whatever stands behind the last of them.

        Where video as bright or as dark as the letters shows through between them this says no, though it may be they.
        """
        if part.shape[:2] != self.shape:
            return False
        ink = self._as_bright(part)
        behind = ink[:, self._plate_ends :]
        behind &= ~behind[self._beside].any(axis=0)
        wrong = np.where(ink, self._ground, self._letters).sum(axis=0)
        if letters_alone:
            wrong[self._width :] = 0
        return self._is_little(wrong)

    def is_drawn_in(self, strip: NDArray[np.uint8]) -> bool:
        """Whether the strip in which the line was found shows these letters and no others.

        Bright video too wide for a letter is told from them. That takes ten times as long as `is_in`, and a third of
        finding the line anew. It is as sure: letters are compared in their greys, and the room behind them goes on to
        where a next word would begin at the latest.
        """
        left, height = self._left, self.shape[0]
        width = self._strokes.shape[1]
        if len(strip) < self._top + height or strip.shape[1] < left + self._width:
            return False
        # the ground beside a letter tells how wide it is
        reach = _stroke_side(len(strip))
        begin = max(0, left - reach)
        around = strip[:, begin : left + width + reach]
        place = np.s_[self._top : self._top + height, left - begin : left - begin + width]
        strokes, _ = _strokes(_brightness(around, dark=self._dark))
        seen = _clear(strokes[place])
        # the room behind the letters may reach out of the strip
        letters = self._strokes[:, : seen.shape[1]]
        # what is not as bright as a letter is an edge in the video
        seen = np.where(self._as_bright(around[place]), seen, np.minimum(seen, letters))
        behind = seen[:, self._plate_ends :]
        behind[:, (behind[self._beside] > 0).any(axis=0)] = 0
        return self._is_little(np.abs(seen - letters).sum(axis=0))

    def _is_little(self, wrong: NDArray[np.float32]) -> bool:
        """Whether so many wrong pixels in each column are few in all and in every stretch of about one letter."""
        if wrong.sum() > _MOST_WRONG * self._letters.sum():
            return False
        ratio = self._around(wrong) / self._ink[: len(wrong)]
        return bool(ratio.max() <= _MOST_DIFFERENT)

    def _around(self, columns: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sums over about one letter around each column; there may be fewer columns than that."""
        start = (len(self._window) - 1) // 2
        return np.convolve(columns, self._window)[start : start + len(columns)]

    def _as_bright(self, part: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which pixels are as bright as the letters, or as dark."""
        import cv2

        # every label of every frame passes here: channel by channel this is ten times slower
        return np.asarray(cv2.inRange(part, self._ink_from, self._ink_to) > 0)


def find_text(strip: NDArray[np.uint8], *, dark: bool | None = None) -> TextLine | None:
    """The text of a label strip.

    Args:
        strip: uint8 (h, w, 3) RGB.
        dark: look for dark text on a light plate alone, or for bright text on darker ground alone; None for both.

    Returns:
        None where there is none.
    """
    on_dark = None if dark else _line(strip, _brightness(strip))
    on_light = None if dark is False else _line(strip, _brightness(strip, dark=True), dark=True)
    if on_dark is None or on_light is None:
        best = on_dark or on_light
    else:
        best = on_light if on_light[0] >= _HOLES * on_dark[0] else on_dark
    return None if best is None else best[1]


def find_card_text(card: NDArray[np.uint8]) -> TextLine | None:
    """The text in the middle of a flat card uint8 (h, w, 3) RGB, of either polarity; None where there is none."""
    ground = np.median(card.reshape(-1, 3), axis=0)
    found = _line(card, np.abs(card - ground).max(axis=2).astype(np.uint8))
    return None if found is None else found[1]


def _brightness(picture: NDArray[np.uint8], *, dark: bool = False) -> NDArray[np.uint8]:
    """What is higher where a letter is, near-white or with `dark` near-black, from uint8 (h, w, 3)."""
    # many times as fast as `picture.min(axis=2)`
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    if dark:
        return 255 - np.maximum(np.maximum(red, green), blue)
    return np.minimum(np.minimum(red, green), blue)


@dataclass(frozen=True, slots=True)
class _Glyph:
    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def is_pixel(self) -> bool:
        return self.height == self.right - self.left == 1


def _line(
    picture: NDArray[np.uint8], brightness: NDArray[np.uint8], *, dark: bool = False
) -> tuple[int, TextLine] | None:
    """A line and how many of its signs are surely letters; `brightness` is higher where a letter is."""

    height, width = brightness.shape
    if height < _SHORTEST_STRIP or width < _SHORTEST_STRIP:
        return None
    strokes, white = _strokes(brightness)
    if white == 0 or (dark and white < _BRIGHT):
        return None
    glyphs = _glyphs(strokes > _INK)
    plate = _Plate(picture, strokes) if dark else None
    if plate is not None:
        glyphs = plate.around(glyphs)
    lines = [
        (_letters(chain, baseline, capital), -chain[0].left, baseline, capital, chain)
        for baseline, capital in _baselines(glyphs)
        if (chain := _label(glyphs, baseline, capital, brightness, picture, plate))
    ]
    if not lines:
        return None
    letter_count, _, baseline, capital, chain = max(lines, key=lambda line: line[:2])
    left, right = chain[0].left, max(glyph.right for glyph in chain)
    # a pixel of the letters' soft edges on either side
    top, bottom = max(0, baseline - round(1.35 * capital)), min(height, baseline + round(0.45 * capital) + 1)
    part = (slice(top, bottom), slice(left, right))
    if letter_count < _FEWEST_DARK if dark else _is_cut_out(brightness[part], strokes[part], white):
        return None
    # with little below and beside the letters they come out larger for recognition; accents need their room above
    margin = max(2, capital // 3)
    above, below = (
        max(0, baseline - round(_SHOWN_ABOVE * capital)),
        baseline + round(_SHOWN_BELOW * capital) + 1,
    )
    shown = picture[above:below, max(0, left - margin) : min(width, right + margin)]
    letters = _clear(strokes[top:bottom, left:right])
    indent = left - max(0, left - margin)
    gaps = tuple(indent + middle for middle in _gaps(letters, capital))
    shown = np.ascontiguousarray(shown)
    return letter_count, TextLine(shown, letters, baseline - top, capital, left, top, gaps, indent, dark)


def _strokes(brightness: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """How far each pixel goes from its own ground to the letters' white, and that white; 0 where nothing is thin."""
    import cv2

    side = _stroke_side(len(brightness))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    ground = cv2.morphologyEx(brightness, cv2.MORPH_OPEN, kernel).astype(np.float32)
    rise = brightness - ground
    clear = rise > _FAINTEST_STROKE
    if not clear.any():
        return np.zeros_like(rise), 0.0
    white = float(np.percentile(brightness[clear], 90))
    # the same over dark and over bright video
    share = rise / np.maximum(white - ground, _FAINTEST_STROKE)
    return np.where(rise > _FAINTEST_STROKE / 2, share, np.float32(0)), white


def _stroke_side(height: int) -> int:
    """Pixels from which an area is too wide for a letter in a strip of that height."""
    return max(3, round(height * _STROKE_SHARE) | 1)


def _clear(strokes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The letters alone, 0..1: fainter is what shows through of the video behind."""
    return np.asarray(np.clip((strokes - 0.3) / 0.4, 0, 1), np.float32)


def _is_cut_out(brightness: NDArray[np.uint8], strokes: NDArray[np.float32], white: float) -> bool:
    """Whether bright strokes are but the holes and gaps between dark letters: most of their ground is as bright."""
    import cv2

    ground = brightness[cv2.dilate(strokes, np.ones((3, 3), np.uint8)) < _FAINT_STROKE]
    return bool(ground.size) and bool((ground > white - _LIKE_LETTERS).mean() >= _CUT_OUT)


def _gaps(letters: NDArray[np.float32], capital: int) -> list[float]:
    """The middles of the stretches without any stroke that are as wide as a blank."""
    blank = np.concatenate([[False], letters.max(axis=0) <= _FAINT_STROKE, [False]])
    edges = np.flatnonzero(np.diff(blank.astype(np.int8)))
    return [
        float(begin + end) / 2
        for begin, end in zip(edges[::2], edges[1::2], strict=True)
        if end - begin >= _BLANK * capital
    ]


def _glyphs(ink: NDArray[np.bool_]) -> list[_Glyph]:
    """Connected strokes from left to right; what is cut off above or too tall for a line is left out. One pixel may be
    a stop."""
    import cv2

    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    glyphs = [
        _Glyph(int(left), int(top), int(left + width), int(top + height))
        for left, top, width, height, _ in stats[1:]
        if top > 0 and height <= 0.75 * len(ink)
    ]
    return sorted(glyphs, key=lambda glyph: glyph.left)


def _baselines(glyphs: list[_Glyph]) -> list[tuple[int, int]]:
    """Rows under the feet of several glyphs, with the height of a capital there; the most likely first."""
    letters = [glyph for glyph in glyphs if glyph.height >= _LETTER_HEIGHT]
    bottoms = np.array([glyph.bottom for glyph in letters])
    found: list[tuple[int, int]] = []
    while len(bottoms) and len(found) < _CANDIDATES:
        votes = [int((np.abs(bottoms - row) <= 1).sum()) for row in bottoms]
        near = np.abs(bottoms - bottoms[int(np.argmax(votes))]) <= 1
        baseline = round(float(np.median(bottoms[near])))
        heights = sorted(glyph.height for glyph in letters if abs(glyph.bottom - baseline) <= 1)
        # the tallest may be noise that happens to end there
        found.append((baseline, heights[-2] if len(heights) > 3 else heights[-1]))
        bottoms = bottoms[~near]
    return found


class _Plate:
    """The light plate on which dark letters stand.

    Args:
        picture: uint8 (h, w, 3) RGB.
        strokes: float32 (h, w), what is dark and thin.
    """

    def __init__(self, picture: NDArray[np.uint8], strokes: NDArray[np.float32]) -> None:
        import cv2

        bare = cv2.dilate(strokes, np.ones((3, 3), np.uint8)) < _FAINT_STROKE
        self._counts = cv2.integral(bare.astype(np.uint8))
        self._light = cv2.integral((bare & (_brightness(picture) > _LIGHT)).astype(np.uint8))

    def around(self, glyphs: Sequence[_Glyph]) -> list[_Glyph]:
        """The glyphs that have little but light ground right around them."""
        return [
            glyph
            for glyph in glyphs
            if _share(self._light, self._counts, glyph.top - 2, glyph.bottom + 2, glyph) >= _PLATE
        ]

    def under(self, glyphs: Sequence[_Glyph], baseline: int, capital: int) -> list[_Glyph]:
        """The glyphs of a line under and over which the ground is light too."""
        top, bottom = baseline - round(1.2 * capital), baseline + round(0.3 * capital) + 1
        return [glyph for glyph in glyphs if _share(self._light, self._counts, top, bottom, glyph) >= _PLATE]


def _share(part: NDArray[np.int32], whole: NDArray[np.int32], top: int, bottom: int, glyph: _Glyph) -> float:
    """What share of the ground beside a glyph is of a kind, from sums over what is above and left of each pixel."""
    top, bottom = max(0, top), min(len(part) - 1, bottom)
    left, right = max(0, glyph.left - 2), min(part.shape[1] - 1, glyph.right + 2)

    def within(sums: NDArray[np.int32]) -> int:
        return int(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])

    return within(part) / max(1, within(whole))


def _letters(stretch: list[_Glyph], baseline: int, capital: int) -> int:
    """How many glyphs of a stretch stand on the line and have a letter's height."""
    low, high = max(_LETTER_HEIGHT, 0.5 * capital), 1.3 * capital
    return sum(abs(glyph.bottom - baseline) <= 1 and low <= glyph.height <= high for glyph in stretch)


def _label(
    glyphs: list[_Glyph],
    baseline: int,
    capital: int,
    brightness: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    light: _Plate | None,
) -> list[_Glyph]:
    """The glyphs of the name: the stretch of the line with the most letters, without a red microphone."""
    on_line = [
        glyph
        for glyph in glyphs
        if glyph.top >= baseline - 1.5 * capital
        and glyph.bottom <= baseline + 0.5 * capital
        and glyph.top < baseline
        and glyph.bottom > baseline - 1.2 * capital
        and (not glyph.is_pixel or _is_stop(glyph, glyphs, baseline, capital))
    ]
    # where few letters are capitals, those that are small count for them
    standing = [glyph.height for glyph in on_line if abs(glyph.bottom - baseline) <= 1]
    tall = min(max(standing, default=capital), round(_OVER_SMALL * capital))
    rows = slice(max(0, baseline - round(1.35 * tall)), baseline + round(0.4 * tall) + 1)
    plate = brightness[rows, :, None]
    if light is not None:
        on_line, plate = light.under(on_line, baseline, capital), picture[rows]
    stretches: list[list[_Glyph]] = []
    reached = 0
    for glyph in on_line:
        gap = glyph.left - reached
        ends = gap > _WORD_GAP * capital or (
            gap > _GLYPH_GAP * capital and _plate_ends(plate, reached, glyph.left)
        )
        if not stretches or ends:
            stretches.append([])
        stretches[-1].append(glyph)
        reached = max(reached, glyph.right)
    stretches = [
        kept for stretch in stretches if (kept := _without_microphone(stretch, baseline, capital, picture))
    ]

    counts = [_letters(stretch, baseline, capital) for stretch in stretches]
    if not any(counts):
        return []
    # an edge in the video behind the plate looks like the plate's end, but then letters follow on the same line
    first = last = counts.index(max(counts))
    signs = [_signs(stretch, baseline) for stretch in stretches]
    while first > 0 and _follows(stretches[first - 1], stretches[first], capital, signs[first - 1]):
        first -= 1
    while last + 1 < len(counts) and _follows(stretches[last], stretches[last + 1], capital, signs[last + 1]):
        last += 1
    return [glyph for stretch in stretches[first : last + 1] for glyph in stretch]


def _is_stop(pixel: _Glyph, glyphs: list[_Glyph], baseline: int, capital: int) -> bool:
    """Whether a pixel is the stop behind a letter, of which small writing leaves no more: without it, the blank that
    follows looks too wide for one."""
    return pixel.bottom == baseline and any(
        0 < pixel.left - letter.right <= _STOP_AFTER * capital
        and letter.bottom >= baseline - 1
        and letter.height >= _LETTER_HEIGHT
        for letter in glyphs
    )


def _signs(stretch: list[_Glyph], baseline: int) -> int:
    """How many letters and stops stand beside each other on the line or reach below it."""
    standing = [glyph for glyph in stretch if glyph.bottom >= baseline - 1]
    return sum(
        index == 0 or glyph.left >= max(other.right for other in standing[:index])
        for index, glyph in enumerate(standing)
    )


def _follows(before: list[_Glyph], after: list[_Glyph], capital: int, signs: int) -> bool:
    """Whether two stretches are words of one label, the one that is not sure having that many signs."""
    gap = after[0].left - max(glyph.right for glyph in before)
    # one sign alone may be a microphone, but not within a word
    return gap <= (_WORD_GAP if signs >= 2 else _BLANK if signs else 0) * capital


def _plate_ends(plate: NDArray[np.uint8], left: int, right: int) -> bool:
    """Whether nearly all rows, from above the letters to below them, change the same way between two glyphs.

    No letter's stem reaches that far up and down.
    """
    part = plate[:, max(0, left - 1) : right + 2].astype(np.float32)
    if part.shape[1] < 3:
        return False
    steps = part[:, 2:] - part[:, :-2]
    if steps.shape[2] > 1:
        return bool((np.abs(steps).max(axis=2) > _PLATE_EDGE).mean(axis=0).max() > _PLATE_ROWS)
    same_way = np.maximum((steps > _PLATE_EDGE).mean(axis=0), (steps < -_PLATE_EDGE).mean(axis=0))
    return bool(same_way.max() > _PLATE_ROWS)


def _without_microphone(
    stretch: list[_Glyph], baseline: int, capital: int, picture: NDArray[np.uint8]
) -> list[_Glyph]:
    """Leave out leading glyphs up to a letter's width apart from the rest that have red in them."""
    reached = stretch[0].right
    for index, glyph in enumerate(stretch[1:], start=1):
        if glyph.left - reached > _GLYPH_GAP * capital:
            red = _is_red(picture, stretch[0].left, reached, baseline, capital)
            return stretch[index:] if red else stretch
        reached = max(reached, glyph.right)
    return [] if _is_red(picture, stretch[0].left, reached, baseline, capital) else stretch


def _is_red(picture: NDArray[np.uint8], left: int, right: int, baseline: int, capital: int) -> bool:
    """Whether there is more red on the line than right above and below it, where it is that of the video."""
    if right - left > 2 * capital:
        return False
    part = picture[:, left:right].astype(int)
    red = part[..., 0] - part[..., 1:].max(axis=2)
    around = [
        rows
        for rows in (
            red[max(0, baseline - round(1.6 * capital)) : max(0, baseline - round(1.25 * capital))],
            red[baseline + round(0.25 * capital) : baseline + round(0.6 * capital)],
        )
        if len(rows)
    ]
    ground = np.max([np.median(rows, axis=0) for rows in around], axis=0) if around else 0
    return bool((red[max(0, baseline - capital) : baseline] - np.maximum(ground, 0) > _RED).mean() > 0.05)

"""Recognise one line of text with the PP-OCR network that rapidocr carries in its wheel.

rapidocr itself would look for newer models on the network, set up its own logging and read a line as six; its
weights and their alphabet are all that is needed here.
"""

import importlib.util
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.errors import LabelReaderError
from inference.full_width import alike, is_full_width, parts_with_blank, told_by_neighbours
from inference.label_icons import End, Look, alone, ends, without
from inference.label_text import TextLine
from inference.letter_shapes import settled
from inference.runtime import new_session

_HEIGHT: Final = 48
_NARROWEST: Final = 48
_WIDEST: Final = 960
_STEP: Final = 32
"""Pixels; few different widths, so that the runtime plans its memory for few shapes."""
_BLANK: Final = 0
_HALF_SEEN: Final = 0.3
"""Chance of all letters together from which one was left out where the pixels show one."""


_INK: Final = 0.3
_WIDER: Final = 1.8
_CLEAR: Final = 0.9
_UNCLEAR: Final = 0.4
"""Chances of a sign, where an icon may stand, from which it is one: without an accent, and with one."""
_FAINTLY: Final = 0.25
_PERHAPS: Final = 0.6
"""Chances of a letter, read alone, from which what looks like a letter or an icon may be one, though its line was read
as if nothing stood there. Alone, most icons look like some letter."""
_DOUBTS: Final = {Look.LIKE_LETTER: _FAINTLY, Look.LIKE_ICON: _PERHAPS}
_LIKE_FILLED: Final = "4"
"""What the network takes a lone microphone for; a four it reads in its line."""
_LIKE_ICONS: Final = frozenset("平小山干千巾个午第心耳")
"""What it takes other icons for."""
_MARKS: Final = frozenset("*.!~")
"""What people put behind their names."""
_LIKE_LETTERS: Final = frozenset("$§")
"""What it takes an S with a comma for."""
_ONE_STROKE: Final = "一"
"""A sign that is easily nothing, and makes the network doubt the others beside it."""
_LEAST_TOLD: Final = 0.85
"""Of the width of a line's letters; less than that is a script that the network does not know."""


def _unknown(mark: TextLine) -> bool | None:
    return None


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands apart at an end of a line.

    Attributes:
        alone: without the line.
        name: the line without it.
        icon: whether it was left out as one, or read.
    """

    alone: TextLine
    name: TextLine
    icon: bool


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a line says.

    Attributes:
        text: empty where nothing was read.
        confidence: mean, 0..1; 0 where nothing was read.
        marks: what stands apart at its ends, as far as it was told what it is.
    """

    text: str
    confidence: float
    marks: tuple[Mark, ...] = ()


class TextRecognizer:
    """Reads a line of text.

    Args:
        threads: of the network, 1 or more.

    Raises:
        LabelReaderError: rapidocr or its recognition model is not installed.
    """

    def __init__(self, threads: int = 2) -> None:
        self._session = new_session(_model(), threads)
        self._input = self._session.get_inputs()[0].name
        alphabet = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._alphabet = ["", *alphabet, " "]
        self._numbers = {sign: number for number, sign in enumerate(self._alphabet)}

    def read(self, line: TextLine, is_icon: Callable[[TextLine], bool | None] = _unknown) -> Recognised:
        """Read a line.

        Args:
            line: its picture, and where its words part: the network often reads no blank in small letters, then one is
                put there. Scripts without blanks get none.
            is_icon: whether what stands apart at an end of a line is known to be an icon, or a letter; None where it is
                not known.
        """
        apart = [(end, alone(line, end)) for end in ends(line)]
        told = [is_icon(mark) for _, mark in apart]
        for (end, mark), known in zip(apart, told, strict=True):
            if known:
                return self._beside(line, end, mark, is_icon)
        whole = self._best(line)
        among_wide = any(
            is_full_width(sign)
            for sign, column, _ in whole.signs
            if not any(end.left <= column < end.right for end, _ in apart)
        )
        for (end, mark), known in zip(apart, told, strict=True):
            if known is False:
                if not whole.within(end):
                    return Recognised("", 0.0)
                continue
            icon = _is_icon(end, whole.within(end), among_wide=among_wide)
            if icon is None or (icon and not whole.within(end) and self._may_be_letter(line, end)):
                return Recognised("", 0.0)
            if icon:
                return self._beside(line, end, mark, is_icon)
        if whole.may_have_icon:
            return Recognised("", 0.0)
        return Recognised(*whole.judged, tuple(Mark(mark, without(line, end), False) for end, mark in apart))

    def _beside(
        self, line: TextLine, end: End, mark: TextLine, is_icon: Callable[[TextLine], bool | None]
    ) -> Recognised:
        """Read a line without an icon at its end; another may stand beside it or at the other end."""
        rest = without(line, end)
        read = self.read(rest, is_icon)
        return replace(read, marks=(Mark(mark, rest, True), *read.marks))

    def _may_be_letter(self, line: TextLine, end: End) -> bool:
        """Whether this end, read alone, is a letter with more than the least chance that counts for its look."""
        least = _DOUBTS.get(end.look)
        if least is None:
            return False
        apart = alone(line, end)
        signs = (pair for stretch in (1.0, _WIDER) for pair in self._read(apart, stretch).within())
        return any(chance > least and _is_latin(sign) and sign != _LIKE_FILLED for sign, chance in signs)

    def _best(self, line: TextLine) -> "_Reading":
        once = self._read(line)
        doubtful = once.confidence < _CLEAR and _ONE_STROKE in once.text
        if once.told < 1 or doubtful:
            # wider, a letter of few pixels takes more of the network's steps
            again = self._read(line, _WIDER)
            surer = doubtful and again.text == once.text and again.confidence > once.confidence
            if again.told > once.told or surer:
                return again
        return once

    def _read(self, line: TextLine, stretch: float = 1.0) -> "_Reading":
        """A line drawn that much wider."""
        chances, pixels = self._chances(line.picture, stretch)
        best, sure = chances.argmax(axis=1), chances.max(axis=1)
        # CTC: a letter counts once however many steps it lasts, a blank parts two of the same
        starts = np.append(True, best[1:] != best[:-1]) & (best != _BLANK)
        if not starts.any():
            return _Reading("", 0.0, 0.0)
        steps = np.flatnonzero(starts)
        found = _Chances(chances, steps, pixels, self._alphabet, self._numbers)
        signs = [self._alphabet[number] for number in best[steps]]
        middles = np.asarray((steps + 0.5) * pixels, np.float64)
        # what looks the same shares its chance: which of them it is, the neighbours say
        sure = np.array([
            sum(found.of(index, other) for other in alike(sign)) for index, sign in enumerate(signs)
        ])  # fmt: skip
        columns = line.strokes.max(axis=0)
        signs = told_by_neighbours(
            signs, lambda index: _run(columns, middles[index] - line.indent) / line.capital
        )
        blanks = parts_with_blank(
            signs, middles - line.indent, [gap - line.indent for gap in line.gaps], columns, line.capital
        )
        settled_signs, told = settled(signs, middles, line, found)
        spaced = [sign + " " * (index in blanks) for index, sign in enumerate(settled_signs)]
        text = _with_blanks(spaced, middles, line.gaps)
        where = tuple(zip(signs, (middles - line.indent).tolist(), sure.tolist(), strict=True))
        # a narrow blank that is seen is easily not read, and says nothing of the letters; one that is not seen does
        letters = np.array(
            [
                not sign.isspace() or not _is_seen(index, middles, line.gaps)
                for index, sign in enumerate(signs)
            ]
        )
        return _Reading(text, float(sure[letters].mean()) if letters.any() else 0.0, told, where)

    def _chances(self, picture: NDArray[np.uint8], stretch: float) -> tuple[NDArray[np.float32], float]:
        """The chance of each sign at each step, float32 (steps, signs), and the pixels of the picture in a step.

        The picture is drawn `stretch` times as wide as it is.
        """
        import cv2

        height, width = picture.shape[:2]
        scaled = min(_WIDEST, max(1, round(stretch * width * _HEIGHT / height)))
        line = cv2.resize(picture[:, :, ::-1], (scaled, _HEIGHT), interpolation=cv2.INTER_CUBIC)
        padded = np.zeros((_HEIGHT, max(_NARROWEST, -(-scaled // _STEP) * _STEP), 3), np.float32)
        padded[:, :scaled] = line.astype(np.float32) / 127.5 - 1
        (chances,) = self._session.run(None, {self._input: padded.transpose(2, 0, 1)[np.newaxis]})
        return chances[0], padded.shape[1] / len(chances[0]) * width / scaled


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read.

    Attributes:
        text, confidence: of the line.
        told: what share of the letters' width was read.
        signs: each with the column of the line's strokes in which it is, and its chance.
    """

    text: str
    confidence: float
    told: float
    signs: tuple[tuple[str, float, float], ...] = ()

    @property
    def may_have_icon(self) -> bool:
        """Whether a sign that an icon is taken for is the only Chinese one."""
        wide = [sign for sign, _, _ in self.signs if is_full_width(sign)]
        return len(self.signs) > 1 and len(wide) == 1 and wide[0] in _LIKE_ICONS

    def within(self, end: End | None = None) -> list[tuple[str, float]]:
        """The signs at an end of the line, or all, and their chances."""
        return [
            (sign, chance)
            for sign, column, chance in self.signs
            if not sign.isspace() and (end is None or end.left <= column < end.right)
        ]

    @property
    def judged(self) -> tuple[str, float]:
        return (self.text, self.confidence) if self.told >= _LEAST_TOLD else ("", 0.0)


def _is_icon(end: End, within: Sequence[tuple[str, float]], *, among_wide: bool) -> bool | None:
    """Whether what stands at an end of a line is an icon; None where it may be one or a letter.

    Args:
        end: what it looks like.
        within: the signs that were read there and their chances.
        among_wide: the rest of the line is Chinese or Japanese.
    """
    wide = max((chance for sign, chance in within if unicodedata.category(sign) == "Lo"), default=0.0)
    if end.look is Look.BARS:
        return None if among_wide and wide else True
    letters = [(sign, chance) for sign, chance in within if _is_latin(sign)]
    if wide > _CLEAR or (among_wide and wide):
        return False if wide > _CLEAR else None
    if letters:
        clear = all(
            chance > (_CLEAR if sign.isascii() and sign.isalnum() else _UNCLEAR) for sign, chance in letters
        )
        # nobody's name has an S with a comma alone
        alone = all(sign in _LIKE_LETTERS for sign, _ in letters)
        return False if not alone and (clear or end.look is Look.LIKE_LETTER) else None
    if end.look is Look.LIKE_LETTER and within:
        return False if all(sign in _MARKS and chance > _CLEAR for sign, chance in within) else None
    if wide and not any(sign in _LIKE_ICONS for sign, _ in within):
        return None
    return True


def _is_latin(sign: str) -> bool:
    return sign in _LIKE_LETTERS or (
        sign.isalnum() and unicodedata.name(sign, "").startswith(("LATIN", "DIGIT"))
    )


@dataclass(frozen=True, slots=True)
class _Chances:
    """Of the signs at the steps of a line, for `letter_shapes`."""

    every: NDArray[np.float32]
    steps: NDArray[np.intp]
    pixels: float
    alphabet: Sequence[str]
    numbers: Mapping[str, int]

    def of(self, index: int, sign: str) -> float:
        return float(self.every[self.steps[index], self.numbers[sign]])

    def near(self, index: int, sign: str) -> float:
        step = self.steps[index]
        return float(self.every[max(0, step - 1) : step + 2, self.numbers[sign]].max())

    def between(self, left: float, right: float) -> str:
        first, last = round(left / self.pixels - 0.5), round(right / self.pixels - 0.5)
        part = self.every[max(0, first) : last + 1]
        if not len(part):
            return ""
        step = part[int(part[:, _BLANK].argmin())]
        number = _BLANK + 1 + int(step[_BLANK + 1 :].argmax())
        letter = self.alphabet[number]
        is_letter = letter.isalpha() and unicodedata.category(letter) != "Lo"
        likely = step[_BLANK] <= 1 - _HALF_SEEN and step[number] >= _HALF_SEEN / 2 and is_letter
        return letter if likely else ""


def _is_seen(index: int, middles: NDArray[np.float64], gaps: Sequence[float]) -> bool:
    """Whether words part between the signs before and after this one."""
    return 0 < index < len(middles) - 1 and any(middles[index - 1] < gap < middles[index + 1] for gap in gaps)


def _with_blanks(signs: Sequence[str], middles: NDArray[np.float64], gaps: Sequence[float]) -> str:
    between = (middles[:-1] + middles[1:]) / 2
    missing = set()
    if len(between):
        nearest = [int(np.abs(between - gap).argmin()) for gap in gaps]
        missing = {index for index in nearest if _may_part(signs[index], signs[index + 1])}
    return "".join(sign + " " * (index in missing) for index, sign in enumerate(signs))


def _run(columns: NDArray[np.float32], middle: float) -> int:
    """How many columns beside each other have ink, the nearest to this one among them."""
    ink = np.flatnonzero(columns > _INK)
    if not ink.size:
        return 0
    runs = np.split(ink, np.flatnonzero(np.diff(ink) > 1) + 1)
    return len(min(runs, key=lambda run: float(np.abs(run - middle).min())))


def _may_part(before: str, after: str) -> bool:
    """Only before what begins a word: none is between the signs of a script such as Chinese, or `parts_with_blank`."""
    begins = unicodedata.category(after[0]) in {"Lu", "Nd", "Ps"}
    begins = begins or (is_full_width(after[0]) and not is_full_width(before[-1]))
    return begins and not before.isspace() and unicodedata.category(before[-1]) not in {"Ps", "Pd"}


def _model() -> Path:
    # find_spec finds the package without running it
    spec = importlib.util.find_spec("rapidocr")
    folders = spec.submodule_search_locations if spec else None
    found = sorted(Path(next(iter(folders)), "models").glob("*_rec_*.onnx")) if folders else []
    if not found:
        raise LabelReaderError(
            "Reading names needs the recognition model of the rapidocr package and did not find it. "
            "Install classpulse again: `pip install -r requirements/run.txt`."
        )
    return found[0]

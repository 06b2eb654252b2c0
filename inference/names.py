"""Names on tiles: a fingerprint of the label's letters, and their text, each label recognised once."""

import hashlib
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.label_roles import ShownName, split_roles
from engagement.names import clean_name
from engagement.records import Box, Label, Tile
from inference.label_icons import alone, ends
from inference.label_text import Template, TextLine, find_card_text, find_text
from inference.recognition import Recognised, TextRecognizer
from inference.shared_icons import SharedIcons

_SURE: Final = 0.9
"""Confidence from which a text is not read again."""
_USABLE: Final = 0.85
"""Confidence under which a text is no name: names that are right are read with more than 0.9, and scripts that the
recogniser does not know come out as a few signs of others with up to 0.84 (benchmarks/label_names.py)."""
_SHORT: Final = 4
_USABLE_SHORT: Final = 0.945
"""The same for Latin names of so few letters: two or three signs of another script are easily read as some of it (דן as
IT), and short names that are right are nearly all read with more."""
_MOST_ATTEMPTS: Final = 4
_FRAMES_BETWEEN: Final = 15
_FRAMES_BETWEEN_SEARCHES: Final = 4
"""Of a tile that showed no label while all others stayed where they were."""
_FRAMES_BETWEEN_WORDS: Final = 3
"""Of a label that was searched for in vain: it stood as before, and video moves behind its end."""
_FRAMES_BETWEEN_LOOKS: Final = 48
"""Of a label that stands still, at its greys: the quick comparison takes an Anne for the Anna who stood there."""
_SAME_TILE: Final = 0.9
_MOST_LABELS: Final = 512
_ALPHABETS: Final = frozenset({"LATIN", "GREEK", "CYRILLIC"})
_UNREAD: Final = Label("", None)


@dataclass(slots=True)
class _Known:
    """A label met before."""

    line: TextLine
    fingerprint: str
    name: str | None = None
    own: bool = False
    confidence: float = 0.0
    attempts: int = 0
    last_attempt: int = 0
    again: bool = False

    @property
    def label(self) -> Label:
        return Label(self.fingerprint, self.name, self.own)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where in a tile its label was found, or that none was, and in which frame it was searched for.

    `card` is the whole tile where it is one.
    """

    tile: Tile
    known: _Known | None
    frame: int
    template: Template | None = None
    place: Box | None = None
    strip: Box | None = None
    card: NDArray[np.uint8] | None = None
    in_vain: bool = False

    def is_of(self, tile: Tile) -> bool:
        """Whether a tile is where this one was; the grid may be found a pixel to the side."""
        return self.tile.camera_on == tile.camera_on and self.tile.box.iou(tile.box) >= _SAME_TILE

    def still_shows(self, image: NDArray[np.uint8], frame: int) -> bool:
        """Whether the label stands where it was found; of a tile without one, nothing is known but when to search.

        Behind the last letter another word may have come. Mostly it is bright video that moves there: where it was so a
        moment ago, that is not looked into in every frame, and the strip is searched only where it may be a letter.
        """
        if self.template is None or self.place is None or self.strip is None:
            return True
        if self.card is not None:
            return np.array_equal(self.card, _part(image, self.tile.box))
        part = _part(image, self.place)
        waits = self.in_vain and frame - self.frame < _FRAMES_BETWEEN_WORDS
        return (
            self.template.is_in(part)
            or (waits and self.template.is_in(part, letters_alone=True))
            or self.template.is_drawn_in(_part(image, self.strip))
        )

    def is_due(self, image: NDArray[np.uint8], frame: int, turn: int, moved: int) -> bool:
        """Whether a tile that shows what it showed is to be searched again all the same.

        One without a label is, when another has moved and now and then; one with a label, when two have moved, as they
        do where people change places, or it is the tile's turn, and its greys are others.
        """
        if self.known is None:
            return moved > 0 or frame - self.frame >= _FRAMES_BETWEEN_SEARCHES
        if self.template is None or self.strip is None or self.card is not None:
            return False
        looks = moved > 1 or (frame + turn) % _FRAMES_BETWEEN_LOOKS == 0
        return looks and not self.template.is_drawn_in(_part(image, self.strip))


class LabelReader:
    """Reads the labels of frames that follow each other.

    Args:
        budget: labels recognised in one frame at most (about 15 ms of one core each); the others follow in the next
            frames and have no name until then. None recognises all at once.
        threads: of the network, 1 or more.
        all_at_first: recognise all labels of the first frame that shows any: until a name is read nobody knows whose
            tile it is, not even the teacher's own.

    Raises:
        LabelReaderError: rapidocr or its recognition model is not installed.
    """

    def __init__(self, budget: int | None = 8, threads: int = 2, *, all_at_first: bool = False) -> None:
        self._recognizer = TextRecognizer(threads)
        self._icons = SharedIcons()
        self._budget, self._all_at_first = budget, all_at_first
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._frame = 0
        self._begun = False
        self._places: list[_Spot] = []

    def read(self, image: NDArray[np.uint8], tiles: Sequence[Tile]) -> tuple[Label, ...]:
        """The labels of the tiles of a frame uint8 (H, W, 3) RGB, in their order."""
        self._frame += 1
        spots = self._spots(image, tiles)
        due = {
            spot.known.fingerprint: spot.known for spot in spots if spot.known and self._is_due(spot.known)
        }
        # labels never tried come before those to be tried again
        budget = None if self._all_at_first and not self._begun else self._budget
        self._begun = self._begun or bool(due)
        for known in sorted(due.values(), key=lambda known: known.attempts)[:budget]:
            self._recognise(known)
        if budget is None:
            # those of which others told something after they were read
            for known in due.values():
                if known.attempts == 0:
                    self._recognise(known)
        return tuple(_UNREAD if spot.known is None else spot.known.label for spot in spots)

    def _spots(self, image: NDArray[np.uint8], tiles: Sequence[Tile]) -> list["_Spot"]:
        """Where the label of each tile is; where one stands still it is not searched for again."""
        before = self._places if len(self._places) == len(tiles) else [None] * len(tiles)
        spots = [
            spot if spot is not None and spot.is_of(tile) and spot.still_shows(image, self._frame) else None
            for tile, spot in zip(tiles, before, strict=True)
        ]
        # video may hide a label that stands still: that one is found again, and no other has moved
        again = [
            self._search(image, tile, old.known if old is not None else None) if spot is None else spot
            for tile, spot, old in zip(tiles, spots, before, strict=True)
        ]
        moved = sum(
            old is not None and old.known is not None and now.known is not old.known
            for now, old in zip(again, before, strict=True)
        )
        found = [
            self._search(image, tile, now.known)
            if now is spot and now.is_due(image, self._frame, turn, moved)
            else now
            for turn, (tile, now, spot) in enumerate(zip(tiles, again, spots, strict=True))
        ]
        self._places = list(found)
        return found

    def _search(self, image: NDArray[np.uint8], tile: Tile, last: _Known | None) -> "_Spot":
        """Where the label of a tile is; `last` was there in the frame before."""
        line, strip, below = None, None, tile.label_box
        if below is not None:
            # a program writes all its labels one way: where a known one is, the other need not be looked for
            if last is not None:
                line, strip = _text(image, below, dark=last.line.dark)
            if line is None or self._met(line, last) is None:
                line, strip = _text(image, below)
        if line is None and not tile.camera_on:
            strip = Box(
                tile.box.left,
                tile.box.top + tile.box.height // 4,
                tile.box.width,
                max(1, tile.box.height // 2),
            ).clipped(image.shape[1], image.shape[0])
            line = find_card_text(_part(image, strip))
        if line is None or strip is None:
            return _Spot(tile, None, self._frame)
        template = Template(line)
        height, width = template.shape
        place = Box(strip.left + line.left, strip.top + line.top, width, height)
        # a card stands still: every pixel of it is compared
        card = None if tile.camera_on else _part(image, tile.box).copy()
        known = self._know(line, last)
        return _Spot(tile, known, self._frame, template, place, strip, card, in_vain=known is last)

    def _met(self, line: TextLine, last: _Known | None) -> _Known | None:
        """The label met before that a line shows."""
        # mostly the label is the one that stood there, and the video behind it made it look another
        likely: tuple[_Known, ...] = () if last is None or last.fingerprint not in self._known else (last,)
        known = (*likely, *self._known.values())
        return next((one for one in known if one.line.same_text(line)), None)

    def _know(self, line: TextLine, last: _Known | None) -> _Known:
        met = self._met(line, last)
        if met is not None:
            self._known.move_to_end(met.fingerprint)
            if met.confidence < _SURE:
                met.line = line
            return met
        bits = np.packbits(line.strokes > 0.5).tobytes()
        fingerprint = hashlib.sha256(bytes([line.strokes.shape[1] % 256]) + bits).hexdigest()[:16]
        known = self._known.setdefault(fingerprint, _Known(line, fingerprint))
        if len(self._known) > _MOST_LABELS:
            self._known.popitem(last=False)
        return known

    def _is_due(self, known: _Known) -> bool:
        if known.attempts == 0:
            return True
        waited = self._frame - known.last_attempt >= _FRAMES_BETWEEN
        return known.confidence < _SURE and known.attempts < _MOST_ATTEMPTS and waited

    def _recognise(self, known: _Known) -> None:
        read = self._recognizer.read(known.line)
        changed = [
            mark for mark in read.marks if read.confidence > _usable(read.text) and self._icons.learns(mark)
        ]
        if self._say_other(known.line, read):
            read = self._recognizer.read(known.line, self._icons.is_icon)
        if known.again:
            known.name, known.own, known.confidence, known.again = None, False, 0.0, False
        known.attempts += 1
        known.last_attempt = self._frame
        if read.confidence > max(known.confidence, _usable(read.text)):
            shown = displayed_name(read.text)
            known.name, known.own, known.confidence = shown.name, shown.own, read.confidence
        for other in self._known.values() if changed else ():
            beside = _marks(other.line) if other.attempts and other is not known else ()
            if any(mark.alone.same_text(one) for mark in changed for one in beside):
                other.attempts, other.again = 0, True

    def _say_other(self, line: TextLine, read: Recognised) -> bool:
        """Whether other names tell something else of what stands at an end of a line than was read there."""
        return any(
            not any(mark.icon is verdict and mark.alone.same_text(one) for mark in read.marks)
            for one in _marks(line)
            if (verdict := self._icons.is_icon(one)) is not None
        )


def _marks(line: TextLine) -> tuple[TextLine, ...]:
    """What stands apart at the ends of a line, each alone."""
    return tuple(alone(line, end) for end in ends(line))


def _text(image: NDArray[np.uint8], strip: Box, *, dark: bool | None = None) -> tuple[TextLine | None, Box]:
    """The text in a strip of a frame, and that strip or a higher one in which it is seen whole."""
    strip = strip.clipped(image.shape[1], image.shape[0])
    line = find_text(_part(image, strip), dark=dark)
    if line is not None and line.lacks and strip.top > 0:
        # a ring or an accent that the strip cuts off would be passed over with its letter
        higher = Box(strip.left, strip.top - line.lacks, strip.width, strip.height + line.lacks)
        strip = higher.clipped(image.shape[1], image.shape[0])
        line = find_text(_part(image, strip), dark=line.dark)
    return line, strip


def displayed_name(text: str) -> ShownName:
    """The name in a label's text: without what the program or its owner adds, and without what an icon left.

    There is none without two letters or digits, unless it is one sign of a script that writes whole words so. There is
    none in a word of two alphabets, as letters come out that the recogniser does not know, and none in small Greek
    letters without an accent, as it leaves out those that have one.
    """
    shown = split_roles(text)
    name = shown.name or ""
    for word in name.split():
        alphabets = _ALPHABETS.intersection(map(_alphabet, word))
        if len(alphabets) > 1 or (alphabets == {"GREEK"} and _lacks_accent(word)):
            return ShownName(None, shown.own)
    start = next((at for at, character in enumerate(name) if _belongs(character)), len(name))
    name = name[start:]
    letters = [character for character in name if _belongs(character)]
    legible = len(letters) >= 2 or any(unicodedata.category(letter) == "Lo" for letter in letters)
    return ShownName(clean_name(name) if legible else None, shown.own)


def _usable(text: str) -> float:
    """The confidence under which a text is no name."""
    alphabets = [_alphabet(sign) for sign in text if sign.isalpha()]
    short = len(alphabets) <= _SHORT and set(alphabets) == {"LATIN"}
    return _USABLE_SHORT if short else _USABLE


def _alphabet(sign: str) -> str:
    return unicodedata.name(sign, "").partition(" ")[0] if sign.isalpha() else ""


def _lacks_accent(word: str) -> bool:
    """Whether a Greek word is not in capitals and has no accent, which one of two syllables always has."""
    return not word.isupper() and len(word) > 2 and unicodedata.normalize("NFD", word) == word


def _belongs(character: str) -> bool:
    """Letters and digits begin a name; an icon reads as punctuation or a symbol."""
    return unicodedata.category(character)[0] in "LN"


def _part(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    inside = box.clipped(image.shape[1], image.shape[0])
    return image[inside.top : inside.bottom, inside.left : inside.right]

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
from inference.label_text import TextLine, find_card_text, find_text
from inference.recognition import TextRecognizer

_SURE: Final = 0.8
"""Confidence from which a text is not read again."""
_USABLE: Final = 0.5
"""Confidence under which a text is no name."""
_MOST_ATTEMPTS: Final = 4
_FRAMES_BETWEEN: Final = 15
_MOST_LABELS: Final = 512
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

    @property
    def label(self) -> Label:
        return Label(self.fingerprint, self.name, self.own)


class LabelReader:
    """Reads the labels of frames that follow each other.

    Args:
        budget: labels recognised in one frame at most (about 15 ms of one core each); the others follow in the next
            frames and have no name until then. None recognises all at once.
        threads: of the network, 1 or more.

    Raises:
        LabelReaderError: rapidocr or its recognition model is not installed.
    """

    def __init__(self, budget: int | None = 8, threads: int = 2) -> None:
        self._recognizer = TextRecognizer(threads)
        self._budget = budget
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._frame = 0

    def read(self, image: NDArray[np.uint8], tiles: Sequence[Tile]) -> tuple[Label, ...]:
        """The labels of the tiles of a frame uint8 (H, W, 3) RGB, in their order."""
        self._frame += 1
        labels = [self._find(image, tile) for tile in tiles]
        due = {known.fingerprint: known for known in labels if known is not None and self._is_due(known)}
        # labels never tried come before those to be tried again
        for known in sorted(due.values(), key=lambda known: known.attempts)[: self._budget]:
            self._recognise(known)
        return tuple(_UNREAD if known is None else known.label for known in labels)

    def _find(self, image: NDArray[np.uint8], tile: Tile) -> _Known | None:
        line = None
        if tile.label_box is not None:
            line = find_text(_part(image, tile.label_box))
        if line is None and not tile.camera_on:
            middle = Box(
                tile.box.left,
                tile.box.top + tile.box.height // 4,
                tile.box.width,
                max(1, tile.box.height // 2),
            )
            line = find_card_text(_part(image, middle))
        if line is None:
            return None
        for known in self._known.values():
            if known.line.same_text(line):
                self._known.move_to_end(known.fingerprint)
                if known.confidence < _SURE:
                    known.line = line
                return known
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
        text, confidence = self._recognizer.read(known.line.picture)
        known.attempts += 1
        known.last_attempt = self._frame
        if confidence > max(known.confidence, _USABLE):
            shown = displayed_name(text)
            known.name, known.own, known.confidence = shown.name, shown.own, confidence


def displayed_name(text: str) -> ShownName:
    """The name in a label's text: without what the program or its owner adds, and without what an icon left.

    There is none without two letters or digits, unless it is one sign of a script that writes whole words so.
    """
    shown = split_roles(text)
    name = shown.name or ""
    start = next((at for at, character in enumerate(name) if _belongs(character)), len(name))
    name = name[start:]
    letters = [character for character in name if _belongs(character)]
    legible = len(letters) >= 2 or any(unicodedata.category(letter) == "Lo" for letter in letters)
    return ShownName(clean_name(name) if legible else None, shown.own)


def _belongs(character: str) -> bool:
    """Letters and digits begin a name; an icon reads as punctuation or a symbol."""
    return unicodedata.category(character)[0] in "LN"


def _part(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    inside = box.clipped(image.shape[1], image.shape[0])
    return image[inside.top : inside.bottom, inside.left : inside.right]

"""Recognise one line of text with the PP-OCR network that rapidocr carries in its wheel.

rapidocr itself would look for newer models on the network, set up its own logging and read a line as six; its
weights and their alphabet are all that is needed here.
"""

import importlib.util
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.errors import LabelReaderError
from inference.runtime import new_session

_HEIGHT: Final = 48
_NARROWEST: Final = 48
_WIDEST: Final = 960
_STEP: Final = 32
"""Pixels; few different widths, so that the runtime plans its memory for few shapes."""
_BLANK: Final = 0


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

    def read(self, picture: NDArray[np.uint8], gaps: Sequence[float] = ()) -> tuple[str, float]:
        """Read a line.

        Args:
            picture: uint8 (h, w, 3) RGB.
            gaps: where words part, in pixels from the left; the network often reads no blank in small letters, then
                one is put there. Scripts without blanks get none.

        Returns:
            Text and mean confidence, 0..1; ("", 0.0) where nothing was read.
        """
        import cv2

        height, width = picture.shape[:2]
        scaled = min(_WIDEST, max(1, round(width * _HEIGHT / height)))
        line = cv2.resize(picture[:, :, ::-1], (scaled, _HEIGHT), interpolation=cv2.INTER_CUBIC)
        padded = np.zeros((_HEIGHT, max(_NARROWEST, -(-scaled // _STEP) * _STEP), 3), np.float32)
        padded[:, :scaled] = line.astype(np.float32) / 127.5 - 1
        (chances,) = self._session.run(None, {self._input: padded.transpose(2, 0, 1)[np.newaxis]})
        best, sure = chances[0].argmax(axis=1), chances[0].max(axis=1)
        # CTC: a letter counts once however many steps it lasts, a blank parts two of the same
        starts = np.append(True, best[1:] != best[:-1]) & (best != _BLANK)
        if not starts.any():
            return "", 0.0
        signs = [self._alphabet[index] for index in best[starts]]
        # middles of the steps, in pixels of the picture
        middles = (np.flatnonzero(starts) + 0.5) * padded.shape[1] / len(best) * width / scaled
        return _with_blanks(signs, middles, gaps), float(sure[starts].mean())


def _with_blanks(signs: Sequence[str], middles: NDArray[np.float64], gaps: Sequence[float]) -> str:
    between = (middles[:-1] + middles[1:]) / 2
    missing = set()
    if len(between):
        nearest = [int(np.abs(between - gap).argmin()) for gap in gaps]
        missing = {index for index in nearest if _may_part(signs[index], signs[index + 1])}
    return "".join(sign + " " * (index in missing) for index, sign in enumerate(signs))


def _may_part(before: str, after: str) -> bool:
    """Only before what begins a word: no blank is there, and no script such as Chinese, which writes without."""
    begins = unicodedata.category(after[0]) in {"Lu", "Nd", "Ps"}
    return begins and not before.isspace() and unicodedata.category(before[0]) not in {"Lo", "Ps", "Pd"}


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

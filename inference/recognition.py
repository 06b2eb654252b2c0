"""Recognise one line of text with the PP-OCR network that rapidocr carries in its wheel.

rapidocr itself would look for newer models on the network, set up its own logging and read a line as six; its
weights and their alphabet are all that is needed here.
"""

import importlib.util
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

    def read(self, picture: NDArray[np.uint8]) -> tuple[str, float]:
        """Text and mean confidence 0..1 of a line uint8 (h, w, 3) RGB; ("", 0.0) where nothing was read."""
        import cv2

        height, width = picture.shape[:2]
        scaled = min(_WIDEST, max(1, round(width * _HEIGHT / height)))
        line = cv2.resize(picture[:, :, ::-1], (scaled, _HEIGHT), interpolation=cv2.INTER_LINEAR)
        padded = np.zeros((_HEIGHT, max(_NARROWEST, -(-scaled // _STEP) * _STEP), 3), np.float32)
        padded[:, :scaled] = line.astype(np.float32) / 127.5 - 1
        (chances,) = self._session.run(None, {self._input: padded.transpose(2, 0, 1)[np.newaxis]})
        best, sure = chances[0].argmax(axis=1), chances[0].max(axis=1)
        # CTC: a letter counts once however many steps it lasts, a blank parts two of the same
        starts = np.append(True, best[1:] != best[:-1]) & (best != _BLANK)
        if not starts.any():
            return "", 0.0
        return "".join(self._alphabet[index] for index in best[starts]), float(sure[starts].mean())


def _model() -> Path:
    # find_spec finds the package without running it
    spec = importlib.util.find_spec("rapidocr")
    folders = spec.submodule_search_locations if spec else None
    found = sorted(Path(next(iter(folders)), "models").glob("*_rec_*.onnx")) if folders else []
    if not found:
        raise LabelReaderError(
            "Reading names needs the recognition model of the rapidocr package and did not find it. "
            "Install classpulse again, or `pip install rapidocr`."
        )
    return found[0]

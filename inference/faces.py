"""Face detectors behind one protocol."""

import threading
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from engagement.records import Box, Face
from inference.errors import DetectorError
from inference.landmarks import LandmarkNetwork
from inference.mtcnn_detector import MtcnnDetector
from inference.presence import ConfirmedDetector, PresenceNetwork
from models.registry import resolve_face, resolve_landmarks, resolve_presence

DETECTORS: Final = ("tileface", "mtcnn", "yunet")
"""Our own first: it is the default."""


class FaceDetector(Protocol):
    """Finds faces in a picture."""

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """Faces in an image uint8 (H, W, 3) RGB; boxes and landmarks in its pixels, in no promised order."""
        ...


class YuNetDetector:
    """Faces and five landmarks by YuNet (Wu et al. 2023) in OpenCV.

    Args:
        model: the ONNX file, dynamic input size (2023mar or later).
        threshold: score above which a face counts, 0..1.

    Raises:
        DetectorError: the file is missing or no YuNet.
    """

    def __init__(self, model: Path, threshold: float = 0.7) -> None:
        import cv2

        if not model.is_file():
            raise DetectorError(
                f"There is no YuNet model at {model}. Give its .onnx file with --detector-model FILE."
            )
        try:
            self._network: Any = cv2.FaceDetectorYN.create(str(model), "", (320, 320), threshold, 0.3)
            # another network's file is read too, and fails at its first picture
            self._network.detect(np.zeros((320, 320, 3), np.uint8))
        except cv2.error as error:
            raise DetectorError(
                f"OpenCV cannot load {model}: it is no YuNet model, or damaged. Give YuNet's .onnx file with "
                "--detector-model FILE."
            ) from error
        self._lock = threading.Lock()

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """Faces in an image uint8 (H, W, 3) RGB; boxes and landmarks in its pixels."""
        import cv2

        height, width = image.shape[:2]
        with self._lock:
            self._network.setInputSize((width, height))
            found = self._network.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
        faces = []
        for row in found if found is not None else ():
            left, top = max(0, round(float(row[0]))), max(0, round(float(row[1])))
            right = min(width, round(float(row[0] + row[2])))
            bottom = min(height, round(float(row[1] + row[3])))
            if right - left < 2 or bottom - top < 2:
                continue
            landmarks = np.asarray(row[4:14], np.float32).reshape(5, 2)
            faces.append(Face(Box(left, top, right - left, bottom - top), landmarks, float(row[14])))
        return faces


def load_detector(name: str, model: Path | None = None, *, min_face: int = 20) -> FaceDetector:
    """The detector of that name.

    Args:
        name: one of `DETECTORS`.
        model: the weights, for detectors that carry none ("yunet").
        min_face: height in pixels of the smallest face to look for, where the detector can be told (not "yunet").

    Raises:
        DetectorError: no such detector, or its weights are missing.
        models.errors.ModelsError: our own weights are missing or not those of the manifest.
    """
    if name == "tileface":
        entry, presence = resolve_face(), resolve_presence()
        return ConfirmedDetector(
            entry.path,
            PresenceNetwork(presence.path),
            presence.scale,
            threshold=entry.threshold,
            min_face=min_face,
        )
    if name == "mtcnn":
        return MtcnnDetector(min_face=min_face)
    if name == "yunet":
        if model is None:
            raise DetectorError(
                "The yunet detector carries no weights. Give YuNet's .onnx file with --detector-model FILE (setting "
                "inference.detector_model)."
            )
        return YuNetDetector(model)
    raise DetectorError(f"There is no face detector {name!r}. Choose one of {', '.join(DETECTORS)}.")


def load_landmarks() -> LandmarkNetwork:
    """The network that refines the landmarks of any detector: those of YuNet tell 5 % of a nod, of MTCNN 53 %.

    `classpulse models face evaluate` measures both (models/DETECTOR_CARD.md, where heads look).

    Raises:
        DetectorError: the weights cannot be loaded.
        models.errors.ModelsError: they are missing or not those of the manifest.
    """
    return LandmarkNetwork(resolve_landmarks().path)

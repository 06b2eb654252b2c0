"""Is it a face? A network of its own looks closely at what the detector is unsure of.

The detector sees a whole gallery at once and has few numbers for each place: an ear, a fist or a pattern is now and
then as much of a face to it as one that is half hidden. This network sees one place at a time, in two views
(models/DETECTOR_CARD.md says what that buys). What is a face beyond doubt is not looked at again, so that a class takes
hardly longer.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Face
from inference.errors import DetectorError
from inference.landmarks import SIZE, Window
from inference.litert import BatchInterpreter
from inference.tileface import TileFaceDetector
from models.registry import ScoreScale

TURNED: Final = "turned"
VIEWS: Final = (TURNED, "upright")
"""In which the network sees each mark, in the order of its channels."""
_SIDE: Final = 1.25
"""Of the upright square, in sides of the mark's box, the longer one."""
_NEVER: Final = 1e-6
"""A score that no face has, and one less than 1 by as much: their logits are still numbers."""

Floats = NDArray[np.float64]


def window_of(face: Face, view: str) -> Window:
    """What the network sees of a mark in one of the `VIEWS`: turned upright by its landmarks, or a square around its
    box, for of what is doubtful the landmarks are doubtful too."""
    if view == TURNED:
        return Window.around(face.landmarks, face.box.height)
    return Window(face.box.centre, max(2.0, _SIDE * max(face.box.width, face.box.height)), 0.0)


def crop_of(image: NDArray[np.uint8], face: Face, views: Sequence[str] = VIEWS) -> NDArray[np.uint8]:
    """A mark in the image uint8 (H, W, 3) RGB as the network sees it: uint8 (48, 48, 3 x views)."""
    return np.concatenate([window_of(face, view).cut(image) for view in views], axis=2)


def joint_scores(scale: ScoreScale, found: Floats, present: Floats) -> Floats:
    """Scores (N,) in 0..1 from the detector's scores (N,) and the presence network's logits (N,), which do not count
    where the detector is sure; a weighted sum of logits, placed."""
    logits = _logits(found)
    added = np.where(logits >= scale.sure, scale.most, np.minimum(present, scale.most))
    apart = logits + scale.weight * added - scale.half
    return np.asarray(1 / (1 + np.exp(-np.where(apart > 0, scale.above, scale.below) * apart)), np.float64)


def least_found(scale: ScoreScale, threshold: float) -> float:
    """The detector's score under which no presence lifts a joint score to the threshold (0..1)."""
    apart = math.log(threshold / (1 - threshold))
    needed = scale.half + apart / (scale.above if apart > 0 else scale.below) - scale.weight * scale.most
    return float(np.clip(1 / (1 + math.exp(-needed)), _NEVER, 1 - _NEVER))


class PresenceNetwork:
    """How likely windows show a face.

    Args:
        weights: a LiteRT file; input float32 (N, 48, 48, 6), RGB in 0..255 of both views, output float32 (N, 1), a
            logit.
        threads: of the interpreter, 1 or more.

    Raises:
        DetectorError: the file cannot be loaded or has another input or output.
    """

    def __init__(self, weights: Path, *, threads: int = 2) -> None:
        self._network = BatchInterpreter(weights, threads, "presence", DetectorError)
        takes, gives = self._network.takes, self._network.gives
        if takes[1:] != (SIZE, SIZE, 3 * len(VIEWS)) or gives[1:] != (1,):
            raise DetectorError(
                f"The presence weights {weights} take {takes} and give {gives}; expected (N, {SIZE}, {SIZE}, 6) and "
                "(N, 1). Install classpulse again."
            )
        self._lock = threading.Lock()

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Of crops uint8 (N, 48, 48, 6), N above 0, as `crop_of` gives them: float32 (N,)."""
        with self._lock:
            return self._network.run(crops)[:, 0]


class ConfirmedDetector:
    """Our detector, and the presence network where it is unsure.

    Args:
        weights: see `TileFaceDetector`.
        presence: sees what the detector marks.
        scale: how the two become one score.
        threshold: of that score, above which a face counts, 0..1, exclusive.
        min_face: height in pixels of the smallest face to report.
        threads: of the detector's interpreter, 1 or more.

    Raises:
        DetectorError: see `TileFaceDetector`.
    """

    def __init__(
        self,
        weights: Path,
        presence: PresenceNetwork,
        scale: ScoreScale,
        *,
        threshold: float = 0.5,
        min_face: int = 8,
        threads: int = 2,
    ) -> None:
        if not 0 < threshold < 1:
            raise DetectorError(
                f"The threshold of the face detector must be between 0 and 1, got {threshold}."
            )
        self._detector = TileFaceDetector(
            weights, threshold=least_found(scale, threshold), min_face=min_face, threads=threads
        )
        self._presence = presence
        self._scale = scale
        self._threshold = threshold

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """Faces in an image uint8 (H, W, 3) RGB, best first; boxes inside it and landmarks in its pixels."""
        found = self._detector.detect(image)
        if not found:
            return []
        scores = np.array([face.score for face in found])
        unsure = np.flatnonzero(_logits(scores) < self._scale.sure)
        present = np.zeros(len(found))
        if len(unsure):
            crops = [crop_of(image, found[index]) for index in unsure]
            present[unsure] = self._presence.logits(np.stack(crops))
        joint = joint_scores(self._scale, scores, present)
        faces = [
            replace(face, score=float(score))
            for face, score in zip(found, joint, strict=True)
            if score > self._threshold
        ]
        return sorted(faces, key=lambda face: -face.score)


def _logits(scores: Floats) -> Floats:
    kept = np.clip(scores, _NEVER, 1 - _NEVER)
    return np.asarray(np.log(kept / (1 - kept)), np.float64)

"""Our own face detector: a small network by LiteRT, trained for the tiles of a meeting (models/DETECTOR_CARD.md)."""

import threading
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Box, Face
from inference.errors import DetectorError
from inference.face_maps import CHANNELS, STRIDES, Floats, decode, suppress
from inference.litert import new_interpreter

_STEP: Final = STRIDES[-1]
_OVERLAP: Final = 0.4
"""Intersection over union above which two boxes are one face."""
_SECOND_LOOK: Final = 4
"""A large picture is looked at a second time at this fraction of its size, for faces larger than were taught."""
_LARGE: Final = 256
"""Shorter side in pixels from which on a picture gets the second look."""
_FIRST_UP_TO: Final = 180
_SECOND_FROM: Final = 150
"""Face heights in pixels that the two looks answer for; between them both do."""
_INSIDE: Final = 0.6
"""Share of a box that must lie inside the picture: a face that is cut off has a box that ends at the edge."""
_MOST_PIXELS: Final = 4_000_000
"""A larger picture is shrunk to this before it is looked at."""


class TileFaceDetector:
    """Faces and five landmarks by our network.

    Args:
        weights: a LiteRT file; input float32 (1, H, W, 3) RGB in 0..255, H and W multiples of 32; per stride of
            `face_maps.STRIDES` one or more outputs float32 (1, H / stride, W / stride, c), in all 15 channels.
        threshold: score above which a face counts, 0..1, exclusive. The export places the scores (see
            `models.detector.calibration`).
        min_face: height in pixels of the smallest face to report.
        threads: of the interpreter, 1 or more.

    Raises:
        DetectorError: the file cannot be loaded or has other inputs and outputs.
    """

    def __init__(self, weights: Path, *, threshold: float = 0.5, min_face: int = 8, threads: int = 2) -> None:
        if not 0 < threshold < 1:
            raise DetectorError(
                f"The threshold of the face detector must be between 0 and 1, got {threshold}."
            )
        # one per look: whenever the size changes, an interpreter plans its memory anew, which takes longer than looking
        self._full, self._shrunk = (_Network(weights, threads) for _ in range(2))
        self._threshold = threshold
        self._min_face = min_face
        self._lock = threading.Lock()

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """Faces in an image uint8 (H, W, 3) RGB, best first; boxes inside it and landmarks in its pixels."""
        height, width = image.shape[:2]
        scale = min(1.0, (_MOST_PIXELS / (height * width)) ** 0.5)
        boxes, points, scores = self._look(image, scale, self._full)
        if min(height, width) * scale >= _LARGE:
            more = self._look(image, scale / _SECOND_LOOK, self._shrunk)
            low = boxes[:, 3] - boxes[:, 1] < _FIRST_UP_TO / scale
            tall = more[0][:, 3] - more[0][:, 1] >= _SECOND_FROM / scale
            boxes, points, scores = (
                np.concatenate([first[low], second[tall]])
                for first, second in zip((boxes, points, scores), more, strict=True)
            )
        clipped = np.clip(boxes, 0, (width, height, width, height))
        faces = []
        for index in suppress(boxes, scores, _OVERLAP):
            if _area(clipped[index]) < _INSIDE * _area(boxes[index]):
                continue
            left, top, right, bottom = np.rint(clipped[index]).astype(int).tolist()
            if right - left < 2 or bottom - top < max(2, self._min_face):
                continue
            faces.append(
                Face(Box(left, top, right - left, bottom - top), points[index], float(scores[index]))
            )
        return faces

    def _look(
        self, image: NDArray[np.uint8], scale: float, network: "_Network"
    ) -> tuple[Floats, Floats, Floats]:
        """Boxes, landmarks and scores at this scale, in pixels of the image; see `face_maps.decode`."""
        import cv2

        height, width = image.shape[:2]
        if scale < 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        ratio = np.array([width / image.shape[1], height / image.shape[0]], np.float32)
        with self._lock:
            maps = network.run(image)
        boxes, points, scores = decode(maps, self._threshold)
        return boxes * np.tile(ratio, 2), points * ratio, scores


class _Network:
    """One interpreter of the weights. Raises DetectorError as `TileFaceDetector`."""

    def __init__(self, weights: Path, threads: int) -> None:
        self._interpreter: Any = new_interpreter(weights, threads, "face", DetectorError)
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]
        channels = sum(int(detail["shape"][-1]) for detail in self._interpreter.get_output_details())
        takes = tuple(self._input["shape"].tolist())
        if len(takes) != 4 or takes[-1] != 3 or channels != CHANNELS * len(STRIDES):
            raise DetectorError(
                f"The face weights {weights} take {takes} and give {channels} channels; expected (1, H, W, 3) and "
                f"{CHANNELS * len(STRIDES)}. Install classpulse again."
            )
        self._shape = (0, 0)

    def run(self, image: NDArray[np.uint8]) -> list[Floats]:
        """The maps of an image, which is filled up with black to the right and below."""
        height, width = (-(-side // _STEP) * _STEP for side in image.shape[:2])
        if (height, width) != self._shape:
            self._interpreter.resize_tensor_input(self._input["index"], (1, height, width, 3))
            self._interpreter.allocate_tensors()
            self._shape = (height, width)
        padded = np.zeros((1, height, width, 3), self._input["dtype"])
        padded[0, : image.shape[0], : image.shape[1]] = image
        self._interpreter.set_tensor(self._input["index"], padded)
        self._interpreter.invoke()
        given = [self._interpreter.get_tensor(index)[0] for index in self._outputs]
        maps = []
        for stride in STRIDES:
            # score, box and landmarks are apart, so that each has its own scale in int8; fewer channels come first
            parts = sorted(
                (part for part in given if part.shape[0] == height // stride), key=lambda part: part.shape[-1]
            )
            maps.append(np.concatenate(parts, axis=-1))
        return maps


def _area(box: Floats) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))

"""The MTCNN cascade: proposals over an image pyramid, refinement, landmarks (Zhang et al. 2016)."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Box, Face
from inference.mtcnn_networks import load_networks

_FIELD: Final = 12
_STRIDE: Final = 2
_PYRAMID_STEP: Final = 0.709
_NMS_LEVEL: Final = 0.5
_NMS_LEVELS: Final = 0.7
_NMS_REFINED: Final = 0.7
_NMS_FINAL: Final = 0.5
_BATCH: Final = 256
_OUTSIDE: Final = (127, 127, 127)

Boxes = NDArray[np.float32]


class MtcnnDetector:
    """Faces and five landmarks by MTCNN.

    Args:
        min_face: height of the smallest face to look for, in pixels of the image given; 12 or more. The time grows
            with its inverse square.
        thresholds: score above which a candidate passes the first, second and third network, 0..1.
        threads: for one network, 1 or more.

    Raises:
        DetectorError: the `mtcnn` package or its weights are not installed.
    """

    def __init__(
        self,
        min_face: int = 20,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.8),
        threads: int = 2,
    ) -> None:
        self._min_face = max(_FIELD, min_face)
        self._proposal, self._refined, self._final = thresholds
        self._networks = load_networks(threads)

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """Faces in an image uint8 (H, W, 3) RGB, best first; boxes and landmarks in its pixels."""
        boxes = self._propose(image)
        boxes, _ = self._refine(image, boxes)
        boxes, scores, landmarks = self._finish(image, boxes)
        height, width = image.shape[:2]
        faces = []
        for box, score, points in zip(boxes, scores, landmarks, strict=True):
            left, top = max(0, round(float(box[0]))), max(0, round(float(box[1])))
            right, bottom = min(width, round(float(box[2]))), min(height, round(float(box[3])))
            if right - left < 2 or bottom - top < 2:
                continue
            faces.append(Face(Box(left, top, right - left, bottom - top), points, min(1.0, float(score))))
        return faces

    def _propose(self, image: NDArray[np.uint8]) -> Boxes:
        import cv2

        height, width = image.shape[:2]
        scale = _FIELD / self._min_face
        boxes, scores = [], []
        while min(height, width) * scale >= _FIELD:
            size = (round(width * scale), round(height * scale))
            level = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
            offsets, faceness = self._networks.pnet.run(["offsets", "scores"], {"image": level[np.newaxis]})
            rows, columns = np.nonzero(faceness[0, :, :, 1] > self._proposal)
            corners = np.stack([columns, rows, columns, rows], axis=1).astype(np.float32) * _STRIDE
            corners[:, 2:] += _FIELD
            corners = (corners + offsets[0, rows, columns] * _FIELD) / scale
            kept = _suppress(corners, faceness[0, rows, columns, 1], _NMS_LEVEL)
            boxes.append(corners[kept])
            scores.append(faceness[0, rows, columns, 1][kept])
            scale *= _PYRAMID_STEP
        if not boxes:
            return np.zeros((0, 4), np.float32)
        every = np.concatenate(boxes)
        return _square(every[_suppress(every, np.concatenate(scores), _NMS_LEVELS)])

    def _refine(self, image: NDArray[np.uint8], boxes: Boxes) -> tuple[Boxes, NDArray[np.float32]]:
        offsets, scores = _run(self._networks.rnet, ["offsets", "scores"], image, boxes, 24)
        passed = scores[:, 1] > self._refined
        boxes, confidence = _shifted(boxes[passed], offsets[passed]), scores[passed, 1]
        kept = _suppress(boxes, confidence, _NMS_REFINED)
        return _square(boxes[kept]), confidence[kept]

    def _finish(
        self, image: NDArray[np.uint8], boxes: Boxes
    ) -> tuple[Boxes, NDArray[np.float32], NDArray[np.float32]]:
        names = ["offsets", "landmarks", "scores"]
        offsets, landmarks, scores = _run(self._networks.onet, names, image, boxes, 48)
        passed = scores[:, 1] > self._final
        boxes, confidence = boxes[passed], scores[passed, 1]
        sides = (boxes[:, 2:] - boxes[:, :2])[:, np.newaxis]
        points = landmarks[passed].reshape(-1, 2, 5).transpose(0, 2, 1) * sides + boxes[:, np.newaxis, :2]
        boxes = _shifted(boxes, offsets[passed])
        kept = _suppress(boxes, confidence, _NMS_FINAL)
        return boxes[kept], confidence[kept], points[kept].astype(np.float32)


def _run(
    network: Any, outputs: list[str], image: NDArray[np.uint8], boxes: Boxes, size: int
) -> list[NDArray[np.float32]]:
    """Run a network over the patches under `boxes`, in batches."""
    patches = _patches(image, boxes, size)
    batches = [
        network.run(outputs, {"image": patches[start : start + _BATCH]})
        for start in range(0, max(1, len(patches)), _BATCH)
    ]
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def _patches(image: NDArray[np.uint8], boxes: Boxes, size: int) -> NDArray[np.uint8]:
    """The square under each box, resized to `size`; what lies outside the image is grey (0 to the networks)."""
    import cv2

    patches = np.empty((len(boxes), size, size, 3), np.uint8)
    if not len(boxes):
        return patches
    corners = np.rint(boxes).astype(int)
    height, width = image.shape[:2]
    margin = int(max(0, -corners[:, :2].min(), (corners[:, 2] - width).max(), (corners[:, 3] - height).max()))
    padded = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=_OUTSIDE)
    for patch, (left, top, right, bottom) in zip(patches, corners + margin, strict=True):
        part = padded[top : max(bottom, top + 1), left : max(right, left + 1)]
        # averaging keeps a large face from turning into noise, as the networks' training pictures were made
        shrinks = part.shape[0] > size
        cv2.resize(
            part, (size, size), dst=patch, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
    return patches


def _suppress(boxes: Boxes, scores: NDArray[np.float32], overlap: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression; indices of the boxes kept, best first."""
    import cv2

    if not len(boxes):
        return np.zeros(0, np.intp)
    sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    # OpenCV's stubs ask for lists where its binding takes arrays
    suppress: Any = cv2.dnn.NMSBoxes
    return np.asarray(suppress(sized, scores, 0.0, overlap), np.intp).reshape(-1)


def _shifted(boxes: Boxes, offsets: NDArray[np.float32]) -> Boxes:
    """Boxes moved by offsets in units of their sides."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(boxes + offsets * np.concatenate([sides, sides], axis=1), np.float32)


def _square(boxes: Boxes) -> Boxes:
    """The square of the longer side around each box's centre."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.concatenate([centres - half, centres + half], axis=1).astype(np.float32)

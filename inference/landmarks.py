"""A second, closer look at a face: its landmarks by a small network on the face turned upright.

The detector sees a whole gallery at once, and its landmarks of a tilted, turned or lowered head are drawn towards the
mean face. This network sees one face at a time, in the square that the detector's landmarks give, and every face of a
frame in one run (models/DETECTOR_CARD.md says what that buys).
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Box, Face
from inference.align import cut_square, upright_angle
from inference.errors import DetectorError
from inference.litert import BatchInterpreter

SIZE: Final = 48
"""Side in pixels of the picture that the network sees."""
_SIDE: Final = 2.6
"""Side of the square, in distances of the eyes from each other or from the mouth, whichever is longer."""
_LENGTHS: Final = (0.25, 0.7)
"""Bounds of that distance in heights of the face's box, should the detector's landmarks mislead."""


@dataclass(frozen=True, slots=True)
class Window:
    """A turned square around a face.

    Attributes:
        centre: x, y in pixels of the image: half-way between eyes and mouth.
        side: pixels.
        angle: of its axes, clockwise, radians.
    """

    centre: tuple[float, float]
    side: float
    angle: float

    @classmethod
    def around(cls, landmarks: NDArray[np.float32], height: float) -> "Window":
        """From landmarks float32 (5, 2), good to a tenth of the face, and the height of its box in pixels."""
        points = landmarks.astype(np.float64)
        eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
        x, y = (eyes + mouth) / 2
        apart = max(np.linalg.norm(mouth - eyes), np.linalg.norm(points[1] - points[0]))
        low, high = (share * height for share in _LENGTHS)
        side = max(2.0, _SIDE * float(np.clip(apart, low, high)))
        return cls((float(x), float(y)), side, upright_angle(landmarks))

    def cut(self, image: NDArray[np.uint8], within: Box | None = None) -> NDArray[np.uint8]:
        """What it shows of uint8 (H, W, 3) RGB: uint8 (48, 48, 3); beyond `within`, the tile, its border goes on."""
        return cut_square(image, self.centre, self.side, self.angle, SIZE, within)

    def inside(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (N, 2) of the image in its own axes: sides from the centre, float32."""
        return np.asarray((points - self.centre) @ self._axes() / self.side, np.float32)

    def outside(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inverse of `inside`."""
        return np.asarray(points @ self._axes().T * self.side + self.centre, np.float32)

    def _axes(self) -> NDArray[np.float64]:
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        return np.array([[cos, -sin], [sin, cos]])


class LandmarkNetwork:
    """Five landmarks of faces that a detector has found.

    Args:
        weights: a LiteRT file; input float32 (N, 48, 48, 3) RGB in 0..255, output float32 (N, 10): x and y of
            each landmark as `Window.inside` gives them.
        threads: of the interpreter, 1 or more.

    Raises:
        DetectorError: the file cannot be loaded or has another input or output.
    """

    def __init__(self, weights: Path, *, threads: int = 2) -> None:
        self._network = BatchInterpreter(weights, threads, "landmark", DetectorError)
        takes, gives = self._network.takes, self._network.gives
        if takes[1:] != (SIZE, SIZE, 3) or gives[1:] != (10,):
            raise DetectorError(
                f"The landmark weights {weights} take {takes} and give {gives}; expected (N, {SIZE}, {SIZE}, 3) and "
                "(N, 10). Install classpulse again."
            )
        self._lock = threading.Lock()

    def refine(
        self, image: NDArray[np.uint8], faces: Sequence[Face], tiles: Sequence[Box] | None = None
    ) -> list[Face]:
        """The faces with landmarks of this network instead of the detector's; all else stays.

        Args:
            image: uint8 (H, W, 3) RGB.
            faces: in pixels of `image`.
            tiles: where each face's tile lies; None: nothing bounds them but the image.
        """
        if not faces:
            return []
        limits = tiles if tiles is not None else [None] * len(faces)
        windows = [Window.around(face.landmarks, face.box.height) for face in faces]
        crops = np.stack([window.cut(image, limit) for window, limit in zip(windows, limits, strict=True)])
        return [
            replace(face, landmarks=window.outside(own))
            for face, window, own in zip(faces, windows, self.points(crops), strict=True)
        ]

    def points(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Landmarks float32 (N, 5, 2) of crops uint8 (N, 48, 48, 3), N above 0, in the axes of their windows."""
        with self._lock:
            return self._network.run(crops).reshape(-1, 5, 2)

"""One photograph with its faces."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph and its faces.

    Attributes:
        picture: uint8 (H, W, 3) RGB.
        boxes: float32 (N, 4): left, top, right, bottom of the faces that are sure, in pixels, possibly beyond the edge.
        landmarks: float32 (N, 5, 2), in the order of `Face.landmarks`.
        doubtful: float32 (M, 4), where there may be a face; nothing is taught or measured there.
        split: train, val or test; no person is in two.
        origin: portraits or masks.
        digest: the first 16 digits of the SHA-256 of its file, in hexadecimal; empty for a picture that was drawn.
    """

    picture: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    doubtful: NDArray[np.float32]
    split: str
    origin: str
    digest: str = ""

"""From a face to the picture that the expression classifier was trained on.

FER2013's pictures are registered: their faces stand upright within 3 degrees (standard deviation of the roll that YuNet
reads on PublicTest; our own detector adds its noise) and fill the square. So a crop is turned upright by its landmarks,
with the scale of the detector's box; scaling by the landmarks as well was worse on upright faces.
`benchmarks/alignment.py` shows what it buys.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Box, Face
from models.registry import CropGeometry

FER2013: Final = CropGeometry(side=0.97, offset_x=0.0, offset_y=-0.01)
"""Medians of FER2013's pictures around YuNet's and MTCNN's boxes: what the gate looks at without a classifier."""
SIZE: Final = 48
"""Side of FER2013's pictures in pixels."""
_FINER: Final = 2
"""The face is turned at this many times the crop's resolution, so that turning does not blur it."""


def upright_angle(landmarks: NDArray[np.float32]) -> float:
    """Roll of a face in the picture, radians, clockwise above 0, from landmarks float32 (5, 2).

    The direction of the eyes, and of the line from eyes to mouth turned by a quarter, each weighted by its length;
    0 where the landmarks lie on one point.
    """
    points = landmarks.astype(np.float64)
    across = points[1] - points[0] + points[4] - points[3]
    down = points[3:].sum(axis=0) - points[:2].sum(axis=0)
    return float(np.arctan2(across[1] - down[0], across[0] + down[1]))


def crop_face(
    image: NDArray[np.uint8],
    face: Face,
    geometry: CropGeometry = FER2013,
    size: int = SIZE,
    within: Box | None = None,
) -> NDArray[np.uint8]:
    """The face as the classifier wants it: upright, as the training pictures are.

    Args:
        image: uint8 (H, W, 3) RGB.
        face: in pixels of `image`; its centre lies inside `within`.
        geometry: of the training pictures, in the face's own axes.
        size: side of the crop in pixels.
        within: the tile, so that no neighbour shows in the crop; None stands for the whole image.

    Returns:
        uint8 (size, size), grey (luma of ITU-R BT.601), 0..255. What lies beyond `within` repeats its border.
    """
    import cv2

    height, width = image.shape[:2]
    limits = (within or Box(0, 0, width, height)).clipped(width, height)
    angle = upright_angle(face.landmarks)
    cos, sin = np.cos(angle), np.sin(angle)
    side = max(2.0, face.box.height * geometry.side)
    offset_x, offset_y = geometry.offset_x * face.box.height, geometry.offset_y * face.box.height
    x, y = face.box.centre
    x, y = x + cos * offset_x - sin * offset_y, y + sin * offset_x + cos * offset_y

    # an upright square with room for the turned one, then the turn
    room = max(2, round(side * (abs(cos) + abs(sin))))
    left, top = round(x - room / 2), round(y - room / 2)
    rows = np.clip(np.arange(top, top + room), limits.top, limits.bottom - 1)
    columns = np.clip(np.arange(left, left + room), limits.left, limits.right - 1)
    grey = cv2.cvtColor(image[rows[:, np.newaxis], columns], cv2.COLOR_RGB2GRAY)
    fine = size * _FINER
    if side > fine:
        shrunk = max(2, round(room * fine / side))
        grey = cv2.resize(grey, (shrunk, shrunk), interpolation=cv2.INTER_AREA)
    scale = grey.shape[0] / room  # pixels of `grey` per pixel of the image
    step = side * scale / fine  # pixels of `grey` per pixel of the fine crop
    across, down = step * cos, step * sin
    middle_x, middle_y = (x - left) * scale - 0.5, (y - top) * scale - 0.5
    half = (fine - 1) / 2
    turn = np.array(
        [
            [across, -down, middle_x - half * (across - down)],
            [down, across, middle_y - half * (down + across)],
        ]
    )
    turned = cv2.warpAffine(
        grey,
        turn,
        (fine, fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    resized = cv2.resize(turned, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)

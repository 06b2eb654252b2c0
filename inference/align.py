"""From a face to the picture that the expression classifier was trained on."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Box, Face
from models.registry import CropGeometry

FER2013: Final = CropGeometry(side=0.97, offset_x=0.0, offset_y=-0.01)
"""Medians of FER2013's pictures around YuNet's and MTCNN's boxes: what the gate looks at without a classifier."""
SIZE: Final = 48
"""Side of FER2013's pictures in pixels."""


def crop_face(
    image: NDArray[np.uint8],
    face: Face,
    geometry: CropGeometry = FER2013,
    size: int = SIZE,
    within: Box | None = None,
) -> NDArray[np.uint8]:
    """The face as the classifier wants it.

    Args:
        image: uint8 (H, W, 3) RGB.
        face: in pixels of `image`; its centre lies inside `within`.
        geometry: of the training pictures. FER2013's are not turned upright, so neither is this one.
        size: side of the crop in pixels.
        within: the tile, so that no neighbour shows in the crop; None stands for the whole image.

    Returns:
        uint8 (size, size), grey (luma of ITU-R BT.601), 0..255. What lies beyond `within` repeats its border.
    """
    import cv2

    height, width = image.shape[:2]
    limits = (within or Box(0, 0, width, height)).clipped(width, height)
    side = max(2, round(face.box.height * geometry.side))
    x, y = face.box.centre
    left = round(x + geometry.offset_x * face.box.height - side / 2)
    top = round(y + geometry.offset_y * face.box.height - side / 2)
    rows = np.clip(np.arange(top, top + side), limits.top, limits.bottom - 1)
    columns = np.clip(np.arange(left, left + side), limits.left, limits.right - 1)
    grey = cv2.cvtColor(image[rows[:, np.newaxis], columns], cv2.COLOR_RGB2GRAY)
    resized = cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)

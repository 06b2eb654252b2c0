"""From a face to the picture that the expression classifier was trained on.

FER2013's pictures are registered: their faces fill the square and are seldom tilted by more than 16 degrees (standard
deviation of the roll on PublicTest 8; YuNet, which draws tilted faces upright, reads 3). So a crop is turned upright by
its landmarks, with the scale of the detector's box. Scaling by the landmarks as well was worse on upright faces, and
growing the box of a tilted face by what an ellipse's loses was no better on tilted ones. `benchmarks/alignment.py`
shows what it buys.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Box, Face
from models.registry import CropGeometry

FER2013: Final = CropGeometry(side=0.97, offset_x=0.0, offset_y=-0.01)
"""Medians of FER2013's pictures around YuNet's and MTCNN's boxes (0.98 and 0.95, both 0.01 above the centre, on
1,453 and 274 faces of PublicTest): what a classifier is served with, and what the gate looks at without one."""
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

    angle = upright_angle(face.landmarks)
    cos, sin = np.cos(angle), np.sin(angle)
    side = max(2.0, face.box.height * geometry.side)
    offset_x, offset_y = geometry.offset_x * face.box.height, geometry.offset_y * face.box.height
    x, y = face.box.centre
    centre = (x + cos * offset_x - sin * offset_y, y + sin * offset_x + cos * offset_y)
    turned = cut_square(image, centre, side, angle, size * _FINER, within, grey=True)
    resized = cv2.resize(turned, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)


def cut_square(
    image: NDArray[np.uint8],
    centre: tuple[float, float],
    side: float,
    angle: float,
    size: int,
    within: Box | None = None,
    *,
    grey: bool = False,
) -> NDArray[np.uint8]:
    """A turned square of an image, brought to `size` pixels: averaged where that is fewer, else interpolated.

    Args:
        image: uint8 (H, W, 3) RGB.
        centre: x, y of the square in pixels of `image`; inside `within`.
        side: of the square in pixels, 2 or more.
        angle: by which its axes are turned clockwise, radians.
        size: side of the result in pixels.
        within: the tile, so that no neighbour shows; None stands for the whole image.
        grey: give the luma of ITU-R BT.601 instead of colours.

    Returns:
        uint8 (size, size, 3), or (size, size) if grey. What lies beyond `within` repeats its border.
    """
    import cv2

    height, width = image.shape[:2]
    limits = (within or Box(0, 0, width, height)).clipped(width, height)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = centre

    # an upright square with room for the turned one, then the turn
    room = max(2, round(side * (abs(cos) + abs(sin))))
    left, top = round(x - room / 2), round(y - room / 2)
    if (
        limits.left <= left
        and limits.top <= top
        and left + room <= limits.right
        and top + room <= limits.bottom
    ):
        part = image[top : top + room, left : left + room]
    else:
        rows = np.clip(np.arange(top, top + room), limits.top, limits.bottom - 1)
        columns = np.clip(np.arange(left, left + room), limits.left, limits.right - 1)
        part = image[rows[:, np.newaxis], columns]
    if grey:
        part = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    if side > size:
        shrunk = max(2, round(room * size / side))
        part = cv2.resize(part, (shrunk, shrunk), interpolation=cv2.INTER_AREA)
    scale = part.shape[0] / room  # pixels of `part` per pixel of the image
    step = side * scale / size  # pixels of `part` per pixel of the result
    across, down = step * cos, step * sin
    middle_x, middle_y = (x - left) * scale - 0.5, (y - top) * scale - 0.5
    half = (size - 1) / 2
    turn = np.array(
        [
            [across, -down, middle_x - half * (across - down)],
            [down, across, middle_y - half * (down + across)],
        ]
    )
    turned = cv2.warpAffine(
        part,
        turn,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(turned, np.uint8)

"""Coarse head pose from five landmarks.

A generic head is fitted to the landmarks under scaled orthography: the least-squares 2x3 camera (DeMenthon & Davis
1995, POS), then the nearest pair of orthogonal rows of equal length, repeated with the perspective of that pose undone
(POSIT, with a fixed distance). Yaw is good to about 6 degrees within 40; pitch
rests on one nose against a mean face and differs from person to person by up to 10 degrees, so use both for coarse
limits only, averaged over frames.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import HeadPose

HEAD: Final[NDArray[np.float64]] = np.array(
    [[-31.5, -37.0, 38.0], [31.5, -37.0, 38.0], [0.0, 0.0, 0.0], [-24.5, 32.0, 32.0], [24.5, 32.0, 32.0]]
)
"""A mean adult face in millimetres, (5, 3), in the order of `Face.landmarks` and seen from the front: x to the right
of the picture, y down, z away from the viewer, origin at the nose tip."""

_CENTRE: Final = HEAD.mean(axis=0)
_FIT: Final[NDArray[np.float64]] = np.linalg.pinv(HEAD - _CENTRE)
_DISTANCE: Final = 550.0
"""Millimetres from camera to face: a laptop at arm's length. Between 350 and 1000 yaw changes by under 3 degrees."""
_ROUNDS: Final = 4


def estimate(landmarks: NDArray[np.float32]) -> HeadPose:
    """Head pose from landmarks float32 (5, 2) in the order of `Face.landmarks`.

    Returns:
        Degrees, yaw and roll within -180..180, pitch within -90..90. Landmarks that fall on one line or point tell
        nothing and give a pose of zeros.
    """
    fitted = fit_head(landmarks)
    if fitted is None:
        return HeadPose(0.0, 0.0, 0.0)
    rotation, _ = fitted
    # the face looks along -z of the head
    gaze_x, gaze_y, gaze_z = -rotation[:, 2]
    return HeadPose(
        yaw=float(np.degrees(np.arctan2(gaze_x, -gaze_z))),
        pitch=float(np.degrees(np.arcsin(np.clip(-gaze_y, -1.0, 1.0)))),
        roll=float(np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))),
    )


def fit_head(landmarks: NDArray[np.float32]) -> tuple[NDArray[np.float64], float] | None:
    """The rotation (3, 3) from the axes of `HEAD` to the picture's, and the pixels of a millimetre of the head, that
    explain landmarks float32 (5, 2) best; None where they fall on one line or point."""
    points = landmarks.astype(np.float64) - landmarks.mean(axis=0, dtype=np.float64)
    rotation, scale = np.eye(3), 0.0
    for _ in range(_ROUNDS):
        # undo the perspective that the last rotation implies: what is nearer to the camera looks larger
        depths = 1 + ((HEAD - _CENTRE) @ rotation[2]) / _DISTANCE
        flat = points * depths[:, np.newaxis]
        left, sizes, right = np.linalg.svd((_FIT @ (flat - flat.mean(axis=0))).T, full_matrices=False)
        if sizes[1] < 1e-3 * max(float(sizes[0]), 1e-9) or sizes[0] < 1e-9:
            return None
        rows = left @ right
        rotation, scale = np.vstack([rows, np.cross(rows[0], rows[1])]), float(sizes.mean())
    return rotation, scale

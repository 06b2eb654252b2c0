"""Which faces may be read: what fails the gate is counted as unreadable, never guessed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Face, HeadPose, State
from models.registry import at_height

_COMFORTABLE_HEIGHT: Final = 48
"""Pixels; above this a taller face tells a 48-pixel classifier nothing more."""
_COMFORTABLE_SHARPNESS: Final = 0.1
"""A face of 32 pixels, enlarged, has this on the median of LFW."""


@dataclass(frozen=True, slots=True)
class QualityGate:
    """Limits; a face beyond one of them is not read.

    Attributes:
        min_height: of the face's box, in real pixels of the frame.
        min_score: of the detector, 0..1. It reports a face from a lower score on (models/manifest.toml): somebody is
            there, but what is hardly a face is not read.
        max_yaw, max_pitch: degrees either way; beyond, the seat is turned away. Judged by the pose of the one grab, for
            it is this face that is read or not; where a seat looks is averaged (`engagement.head_pose`).
        min_sharpness: as `sharpness` measures it. LFW faces of 24 pixels have 0.04 (2nd percentile), blurred by
            1.5 of 48 pixels 0.01, by 2.5 pixels 0.003.
        min_probability: abstention threshold on the top probability, 0..1; the manifest of the weights says it.
        thresholds: the same by the face's height, (pixels, threshold), where small faces ask for more; then
            `min_probability` is not looked at.
    """

    min_height: int = 18
    min_score: float = 0.6
    max_yaw: float = 35.0
    max_pitch: float = 30.0
    min_sharpness: float = 0.008
    min_probability: float = 0.0
    thresholds: tuple[tuple[float, float], ...] = ()

    def shows_pose(self, face: Face) -> bool:
        """Whether its landmarks tell a head pose: on too few pixels, or where no face may be, they mean nothing."""
        return face.box.height >= self.min_height and face.score >= self.min_score

    def least_probability(self, face: Face) -> float:
        """The top probability, 0..1, from which on this face's expression is named."""
        return at_height(self.thresholds, face.box.height) if self.thresholds else self.min_probability

    def judge_face(self, face: Face, pose: HeadPose, sharp: float) -> State:
        """SEEN, TURNED_AWAY or UNREADABLE, before any expression is read."""
        if not self.shows_pose(face):
            return State.UNREADABLE
        if abs(pose.yaw) > self.max_yaw or abs(pose.pitch) > self.max_pitch:
            return State.TURNED_AWAY
        return State.SEEN if sharp >= self.min_sharpness else State.UNREADABLE

    def quality(self, face: Face, pose: HeadPose, sharp: float) -> float:
        """0..1: the product of size, score, sharpness and frontality, each 1 where more would not help."""
        size = min(1.0, face.box.height / _COMFORTABLE_HEIGHT)
        clarity = min(1.0, sharp / _COMFORTABLE_SHARPNESS)
        frontal = max(0.0, float(np.cos(np.radians(pose.yaw)) * np.cos(np.radians(pose.pitch))))
        return float(np.clip(size * clarity * frontal * face.score, 0.0, 1.0))


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian over the variance of a grey crop uint8 (S, S): free of brightness and contrast.

    0 for a flat crop. After Pech-Pacheco et al. 2000, normalised.
    """
    import cv2

    values = crop.astype(np.float32)
    spread = float(values.var())
    return float(cv2.Laplacian(values, cv2.CV_32F).var()) / spread if spread > 1.0 else 0.0

"""How well detections agree with the truth: recall, precision, landmark error, by threshold and by group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Face
from inference.faces import FaceDetector
from models.detector.compose import Scene
from models.detector.placing import overlaps

SAME: Final = 0.5
"""Intersection over union from which a detection is the face."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector found in one picture: boxes (N, 4), landmarks (N, 5, 2), scores (N,), in pixels."""

    boxes: Floats
    landmarks: Floats
    scores: Floats

    @classmethod
    def of(cls, faces: Iterable[Face]) -> "Found":
        """From a detector's answer."""
        rows = [
            (f.box.left, f.box.top, f.box.right, f.box.bottom, f.score, *f.landmarks.ravel()) for f in faces
        ]
        table = np.array(rows, np.float32).reshape(-1, 15)
        return cls(table[:, :4], table[:, 5:].reshape(-1, 5, 2), table[:, 4])


@dataclass(slots=True)
class Tally:
    """Detections of many pictures against their truth.

    A detection counts for the face with which it overlaps most, if by `SAME` or more and if no better one did; one
    that lies mostly in a doubtful place does not count at all.
    """

    scores: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    best: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    """Per face its height, the score with which it was found (-1: not at all), and the landmarks' error (nan: not
    found, or nobody knows where they lie)."""

    @classmethod
    def of_scores(cls, best: NDArray[np.float64]) -> "Tally":
        """Of one face in each picture, from the score with which it was found (-1: not at all); what else was found
        does not count."""
        found = best[best >= 0].tolist()
        return cls(scores=found, right=[True] * len(found), best=best.tolist())

    @classmethod
    def joined(cls, tallies: Iterable["Tally"]) -> "Tally":
        """Of the pictures of all."""
        whole = cls()
        for tally in tallies:
            for name in cls.__slots__:
                getattr(whole, name).extend(getattr(tally, name))
        return whole

    def add(self, found: Found, scene: Scene) -> None:
        """Count one picture."""
        best = np.full(len(scene.boxes), -1.0)
        gaps = np.full(len(scene.boxes), np.nan)
        for index in np.argsort(-found.scores, kind="stable"):
            box, score = found.boxes[index], float(found.scores[index])
            shares = overlaps(box, scene.boxes)
            face = int(shares.argmax()) if len(shares) else -1
            if face >= 0 and shares[face] >= SAME:
                if best[face] < 0:
                    best[face] = score
                    gap = np.linalg.norm(found.landmarks[index] - scene.landmarks[face], axis=1).mean()
                    gaps[face] = gap / (scene.boxes[face, 3] - scene.boxes[face, 1])
                    self.scores.append(score)
                    self.right.append(True)
                    continue
            elif covered(box, scene.doubtful) > SAME:
                continue
            self.scores.append(score)
            self.right.append(False)
        self.best += best.tolist()
        self.gaps += gaps.tolist()
        self.heights += (scene.boxes[:, 3] - scene.boxes[:, 1]).tolist()

    @property
    def faces(self) -> int:
        """In the truth."""
        return len(self.best)

    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Scores in falling order with the recall and the precision at each."""
        order = np.argsort(-np.array(self.scores), kind="stable")
        right = np.array(self.right, bool)[order]
        recall = np.cumsum(right) / max(1, self.faces)
        return np.array(self.scores)[order], recall, np.cumsum(right) / np.arange(1, len(right) + 1)

    def at(self, threshold: float) -> tuple[float, float]:
        """Recall and precision at a threshold; a precision of 1 where nothing was found."""
        recall, precision = self.at_each(np.array([threshold]))
        return float(recall[0]), float(precision[0])

    def at_each(self, thresholds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`at` of many thresholds."""
        order = np.argsort(-np.array(self.scores), kind="stable")
        falling = np.array(self.scores, np.float64)[order]
        found = np.searchsorted(-falling, -thresholds, side="right")
        hits = np.concatenate([[0], np.cumsum(np.array(self.right, bool)[order])])[found]
        return hits / max(1, self.faces), np.where(found > 0, hits / np.maximum(found, 1), 1.0)

    def average_precision(self) -> float:
        """Area under precision over recall, precision made monotone (every point)."""
        _, recall, precision = self.curve()
        if not len(recall):
            return 0.0
        falling = np.maximum.accumulate(precision[::-1])[::-1]
        return float(np.sum(np.diff(recall, prepend=0.0) * falling))

    def recall_at_precision(self, least: float) -> float:
        """The highest recall at which the precision is at least this."""
        _, recall, precision = self.curve()
        good = recall[precision >= least]
        return float(good.max()) if len(good) else 0.0

    def landmark_error(self, threshold: float = 0.0, lowest: float = 0.0, highest: float = np.inf) -> float:
        """Mean distance of the landmarks, in face heights, of the faces of such heights found with such scores and
        whose landmarks are known; 1 where there is none."""
        heights = np.array(self.heights)
        gaps = self._gaps(threshold, (heights >= lowest) & (heights < highest))
        return float(gaps.mean()) if len(gaps) else 1.0

    def landmark_median(self, threshold: float) -> float:
        """As `landmark_error`, the median over all heights."""
        gaps = self._gaps(threshold, np.ones(len(self.best), bool))
        return float(np.median(gaps)) if len(gaps) else 1.0

    def _gaps(self, threshold: float, among: NDArray[np.bool_]) -> NDArray[np.float64]:
        gaps = np.array(self.gaps, np.float64)[(np.array(self.best) >= threshold) & among]
        return gaps[~np.isnan(gaps)]

    def recall(self, threshold: float, lowest: float, highest: float) -> tuple[float, int]:
        """Share of the faces of lowest <= height < highest, in pixels, found at a threshold, and how many there are."""
        heights, best = np.array(self.heights), np.array(self.best)
        among = (heights >= lowest) & (heights < highest)
        return float((best[among] >= threshold).mean()) if among.any() else 0.0, int(among.sum())


def matches(faces: Sequence[Face], scene: Scene) -> list[tuple[Face, int]]:
    """Each face of the scene's truth that was found, with its number: the surest detection that overlaps it by
    `SAME` or more."""
    paired: dict[int, Face] = {}
    for face in sorted(faces, key=lambda face: -face.score):
        box = np.array([face.box.left, face.box.top, face.box.right, face.box.bottom], np.float32)
        shares = overlaps(box, scene.boxes)
        if len(shares) and shares.max() >= SAME:
            paired.setdefault(int(shares.argmax()), face)
    return [(face, number) for number, face in paired.items()]


def tallies_of(detector: FaceDetector, scenes: Iterable[Scene]) -> list[Tally]:
    """The detector on each of these pictures."""
    tallies = []
    for scene in scenes:
        tally = Tally()
        tally.add(Found.of(detector.detect(scene.picture)), scene)
        tallies.append(tally)
    return tallies


def tally_of(detector: FaceDetector, scenes: Iterable[Scene]) -> Tally:
    """The detector on all of these pictures."""
    return Tally.joined(tallies_of(detector, scenes))


def covered(box: Floats, others: Floats) -> float:
    """The largest share of the box that lies in one of the others."""
    if not len(others):
        return 0.0
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    return float((shared / max(1e-6, float(np.prod(box[2:] - box[:2])))).max())

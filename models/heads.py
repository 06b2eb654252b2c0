"""What the heads of a network answer, and what counts as right for each.

FER2013's label, by which pictures were searched, and what most of FER+'s ten voters saw are the same for 67 % of the
faces of PublicTest on which voters agree. One set of seven logits cannot learn both; two on the same features can.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from models import metrics
from models.data import FaceSet

LABELS: Final = 0
"""The head that learns FER2013's labels, or their mix with the votes where it is the only one."""
VOTES: Final = 1
"""The head that learns what FER+'s voters said."""


@dataclass(frozen=True, slots=True)
class Truth:
    """labels: int64 (N,), indices into `EXPRESSIONS`, -1 where none of them is right.  counted: bool (N,), the faces on
    which accuracy and calibration are measured, as is published."""

    labels: NDArray[np.int64]
    counted: NDArray[np.bool_]


def heads_in(logits: NDArray[np.float64]) -> int:
    """How many heads gave logits (N, 7 H)."""
    return int(logits.shape[1]) // len(EXPRESSIONS)


def of_head(logits: NDArray[np.float64], head: int) -> NDArray[np.float64]:
    """The logits (N, 7) of one head, of logits (N, 7 H)."""
    return logits[:, head * len(EXPRESSIONS) : (head + 1) * len(EXPRESSIONS)]


def truth_of(faces: FaceSet, head: int) -> Truth:
    """FER2013's labels, all counted; or for `VOTES` the majority's, counted where there is one."""
    if head == LABELS or faces.votes is None:
        return Truth(faces.labels, np.ones(len(faces), bool))
    kept, _ = metrics.ferplus_majority(faces.votes)
    return Truth(metrics.agreed_labels(faces.votes), kept)


def fit_temperature(logits: NDArray[np.float64], truth: Truth) -> float:
    """`metrics.fit_temperature` of one head's logits (N, 7) on the faces that have a right answer."""
    known = truth.labels >= 0
    return metrics.fit_temperature(logits[known], truth.labels[known])

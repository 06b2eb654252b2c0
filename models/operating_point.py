"""How far the class frequencies that a head learnt are shifted towards those of FER2013's labels.

FER+'s voters see far more neutral faces and far fewer of fear and disgust than FER2013's labels tell. A head that
learnt the voters' frequencies says neutral in doubt: it is right most often so, and misses what is rare. A shift of
the logits after the training mends some of it and leaves calibration to the temperatures, which weights of classes in
the training would not (Saerens et al. 2002, "Adjusting the outputs of a classifier to new a priori probabilities").
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from models import metrics
from models.data import FaceSet
from models.heads import LABELS, VOTES, Truth, fit_temperature, truth_of

PRIORS: Final = tuple(round(0.1 * step, 1) for step in range(11))
MAJORITY_MAY_COST: Final = 0.003
"""Of the accuracy on the voters' majority, so that less of what is rare is missed: half the standard error of that
accuracy on the three thousand faces of PublicTest; if it might cost nothing, chance would choose."""
GOALS: Final = {"fer2013": 0.73, "ferplus": 0.87}


def voters_offsets(logits: NDArray[np.float64], held_out: FaceSet, training: FaceSet) -> NDArray[np.float64]:
    """Offsets (7,), mean 0, which added to the voters' head's logits (N, 7) of `held_out` bring its probabilities from
    the frequencies of the voters' majority in `training` to those of FER2013's labels there (Saerens et al. 2002). A
    frequency counts one face more than there are, so that none is 0."""
    majority = truth_of(training, VOTES).labels
    wanted, learnt = (
        np.log(np.bincount(labels, minlength=len(EXPRESSIONS)) + 1)
        for labels in (training.labels, majority[majority >= 0])
    )
    offsets = fit_temperature(logits, truth_of(held_out, VOTES)) * (wanted - learnt)
    return np.asarray(offsets - offsets.mean(), np.float64)


def operating_points(
    shifted: Callable[[float], NDArray[np.float64]], faces: FaceSet, head: int
) -> list[dict[str, float]]:
    """What a head's logits (N, 7) reach, which `shifted` gives with a share `prior` of its offsets added.

    Of the head for labels: accuracy `fer2013`, and `ferplus` against the voters' majority where there are votes. Of the
    head for votes: `ferplus`, and `macro_f1` against the majority."""
    return [{"prior": share, **_reached(shifted(share), faces, head)} for share in PRIORS]


def _reached(logits: NDArray[np.float64], faces: FaceSet, head: int) -> dict[str, float]:
    if head == LABELS:
        return accuracies(logits, faces)
    return {
        "ferplus": accuracies(logits, faces)["ferplus"],
        "macro_f1": macro_f1(logits, truth_of(faces, head)),
    }


def accuracies(logits: NDArray[np.float64], faces: FaceSet) -> dict[str, float]:
    """Of logits (N, 7): `fer2013`, and `ferplus` where there are votes, each 0..1."""
    named = logits.argmax(axis=1).astype(np.int64)
    figures = {"fer2013": round(float((named == faces.labels).mean()), 4)}
    if faces.votes is not None:
        correct, total = metrics.ferplus_accuracy(named, faces.votes)
        figures["ferplus"] = round(correct / max(total, 1), 4)
    return figures


def macro_f1(logits: NDArray[np.float64], truth: Truth) -> float:
    """`metrics.macro_f1` of logits (N, 7) on the faces that have a right answer."""
    known = truth.labels >= 0
    named = logits[known].argmax(axis=1).astype(np.int64)
    return round(metrics.macro_f1(metrics.confusion(named, truth.labels[known])), 4)


def choose_prior(points: Sequence[Mapping[str, float]]) -> float:
    """The prior of the best of `operating_points`; of equals, the smallest.

    Of a head for votes, the highest macro F1 that costs no more than `MAJORITY_MAY_COST`. Of a head for labels, the
    largest of the smaller margins to `GOALS`, so that neither is bought with all of the other; without votes the
    accuracy on FER2013 decides."""
    floor = points[0].get("ferplus", 0.0) - MAJORITY_MAY_COST

    def worth(point: Mapping[str, float]) -> float:
        if "macro_f1" in point:
            return point["macro_f1"] if point["ferplus"] >= floor else -1.0
        return min(point[name] - goal for name, goal in GOALS.items() if name in point)

    return max(points, key=lambda point: (worth(point), -point["prior"]))["prior"]

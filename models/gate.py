"""How sure to be of a face and which faces may be read, chosen from what is answered at each height.

One threshold for all heights would let small faces through that are wrong more often: with the first released weights
the faces named were right in 75 % at 48 px and in 65 % at 24 px, and a minimal height alone would have refused all
below 40 px to mend that. So each height gets the threshold at which those named are right equally often, and the
minimal height is where too few are named to speak for the class: those that small faces still show are mostly smiles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models import metrics
from models.data import SIZE, FaceSet, resized
from models.evaluate import NAMED_ACCURACY, choose_threshold, right_enough
from models.heads import LABELS, Truth, fit_temperature, of_head
from models.registry import Steps, at_height
from models.runs import Classify

GRID: Final = (18, 20, 24, 28, 32, 40, SIZE)
"""From the least height at which a face is looked for."""
LEAST_COVERAGE: Final = 0.4
_THRESHOLDS: Final = np.arange(30, 96) / 100


@dataclass(frozen=True, slots=True)
class Gate:
    """min_height: px.  thresholds: (height in px, threshold) by rising height, falling."""

    min_height: int
    thresholds: tuple[tuple[int, float], ...]


def logits_by_height(
    classify: Classify, faces: FaceSet, heights: Sequence[int] = GRID, *, head: int = LABELS
) -> dict[int, NDArray[np.float64]]:
    """What one head says of the faces at each height, logits (N, 7)."""
    return {height: of_head(classify(resized(faces.images, height)), head) for height in heights}


def fit_temperatures(
    logits: Mapping[int, NDArray[np.float64]], truth: Truth
) -> tuple[tuple[int, float], ...]:
    """(height in px, temperature) by rising height: with the one of large faces, small ones would seem surer than they
    are right."""
    return tuple((height, round(fit_temperature(logits[height], truth), 4)) for height in sorted(logits))


def curves_by_height(
    logits: Mapping[int, NDArray[np.float64]], temperatures: Steps, truth: Truth
) -> dict[int, list[dict[str, Any]]]:
    """The coverage curve at each height."""
    return {
        height: metrics.coverage_curve(
            metrics.softmax(answers, at_height(temperatures, height)), truth.labels, _THRESHOLDS
        )
        for height, answers in logits.items()
    }


def choose_gate(
    curves: Mapping[int, Sequence[Mapping[str, Any]]],
    wanted: float = NAMED_ACCURACY[LABELS],
    least: float = LEAST_COVERAGE,
) -> Gate:
    """Down from the largest height: the lowest threshold, not below that of the height above, at which the faces named
    are right in a share `wanted`; it ends where fewer than `least` of the faces are named. The largest height is
    always let through, with the last threshold of its curve if none is good enough."""
    chosen: list[tuple[int, float]] = []
    floor = 0.0
    for height in sorted(curves, reverse=True):
        points = [point for point in curves[height] if point["threshold"] >= floor]
        floor = choose_threshold(points, wanted)
        at = next(point for point in points if point["threshold"] == floor)
        if chosen and not (right_enough(at, wanted) and at["coverage"] >= least):
            break
        chosen.append((height, round(floor, 2)))
    return Gate(chosen[-1][0], tuple(reversed(chosen)))

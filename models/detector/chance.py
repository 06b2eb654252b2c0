"""Whether two detectors differ on the same pictures by more than the choice of the pictures would make them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.detector.calibration import SWEEP
from models.detector.measure import Tally

_DRAWS: Final = 2000
_TAILS: Final = (0.025, 0.975)
MEASURES: Final = ("recall", "precision")


def beyond_chance(ours: Sequence[Tally], theirs: Sequence[Tally]) -> dict[str, dict[str, list[float]]]:
    """The thresholds of `SWEEP` at which one detector is better than the other by more than chance.

    Both saw the same pictures, of each of which there is a tally. The pictures are drawn again and again with
    replacement; a difference is beyond chance where 95 % of the draws lie on one side of zero (bootstrap percentiles;
    Efron and Tibshirani 1993, chapter 13).

    Returns:
        Under "better" and "worse", which is said of ours, under "recall" and "precision" the thresholds.
    """
    rng = np.random.default_rng(23)
    draws = rng.multinomial(len(ours), np.full(len(ours), 1 / len(ours)), _DRAWS).astype(np.float64)
    faces = draws @ np.array([tally.faces for tally in ours], np.float64)
    told: dict[str, dict[str, list[float]]] = {
        side: {measure: [] for measure in MEASURES} for side in ("better", "worse")
    }
    for threshold in SWEEP:
        reached = [_reached(draws, faces, tallies, threshold) for tallies in (ours, theirs)]
        for measure, mine, other in zip(MEASURES, *reached, strict=True):
            low, high = np.quantile(mine - other, _TAILS)
            if low > 0:
                told["better"][measure].append(threshold)
            elif high < 0:
                told["worse"][measure].append(threshold)
    return told


def _reached(
    draws: NDArray[np.float64], faces: NDArray[np.float64], tallies: Sequence[Tally], threshold: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Recall and precision of each draw of the pictures."""
    marks = [[score >= threshold for score in tally.scores] for tally in tallies]
    found = draws @ np.array([sum(here) for here in marks], np.float64)
    hits = draws @ np.array(
        [
            sum(right for right, counts in zip(tally.right, here, strict=True) if counts)
            for tally, here in zip(tallies, marks, strict=True)
        ],
        np.float64,
    )
    return hits / np.maximum(faces, 1), np.where(found > 0, hits / np.maximum(found, 1), 1.0)

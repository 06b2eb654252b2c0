"""On which scale the scores lie: where the yardstick's thresholds mean the same or better."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.detector.measure import Tally
from models.detector.network import Calibration

SWEEP: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Thresholds at which two detectors are compared."""
LOWEST: Final = 0.02
"""Score from which detections are looked at when curves are drawn."""
_AROUND: Final = (-0.2, -0.1, 0.0, 0.1, 0.2)
_COUNTS: Final = (1, 2, 4, 2, 1)
"""Logits beside the one looked at, and what each counts: other pictures move the curves a little."""
_STEP: Final = 0.05
_HALVES: Final = np.arange(-1.0, 4.0001, _STEP)
_SLOPES: Final = np.arange(0.5, 4.0001, _STEP)
_FINE: Final = 0.01
_GRID: Final = np.arange(math.log(LOWEST / (1 - LOWEST)), 8.0, _FINE)
"""Logits at which curves are looked up."""

Floats = NDArray[np.float64]


def place(ours: Mapping[str, Tally], theirs: Mapping[str, Tally], *, nearly: float = 1.0) -> Calibration:
    """The calibration with which, at as many thresholds of `SWEEP` and on as many sets of pictures as can be, our
    recall and precision are no worse than theirs, with some room on both sides; the middle one of several as good.

    Args:
        ours: by set of pictures, with scores as the network gives them, of all detections from `LOWEST` up.
        theirs: of the same sets, with scores as they are used.
        nearly: below 1, the lowest place that is worth this share of the best is taken: more is found for it.
    """
    wins = {math.log(t / (1 - t)): _wins(t, ours, theirs) for t in SWEEP}
    below, above = [value for value in wins if value < 0], [value for value in wins if value > 0]
    reached = []
    for half in _HALVES:
        total, slopes = _won(wins[0.0], half), []
        for part in (below, above):
            each = np.array(
                [sum(_won(wins[value], half + value / slope) for value in part) for slope in _SLOPES]
            )
            slopes.append(_middle(_SLOPES[each == each.max()]))
            total += each.max()
        reached.append((total, Calibration(float(half), *slopes)))
    most = max(total for total, _ in reached)
    good = [placed for total, placed in reached if total >= nearly * most]
    return good[len(good) // 2 if nearly == 1 else 0]


def _wins(threshold: float, ours: Mapping[str, Tally], theirs: Mapping[str, Tally]) -> Floats:
    """Per logit of `_GRID` how many sets are no worse than theirs at the threshold if ours is placed there."""
    count = np.zeros(len(_GRID))
    for name, tally in ours.items():
        recall, precision = theirs[name].at(threshold)
        reached = tally.at_each(1 / (1 + np.exp(-_GRID)))
        count += (reached[0] >= recall) & (reached[1] >= precision)
    return count


def _won(wins: Floats, value: float) -> float:
    """What a place is worth; one that was not looked at is worth nothing."""
    places = [round((value + beside - _GRID[0]) / _FINE) for beside in _AROUND]
    return float(
        sum(
            count * wins[place]
            for count, place in zip(_COUNTS, places, strict=True)
            if 0 <= place < len(wins)
        )
    )


def _middle(values: Floats) -> float:
    return float(values[len(values) // 2])

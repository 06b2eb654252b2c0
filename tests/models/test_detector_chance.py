"""Which differences between two detectors are beyond chance."""

import numpy as np

from models.detector.calibration import SWEEP
from models.detector.card import _chance, _spans
from models.detector.chance import beyond_chance
from models.detector.measure import Tally

EVERYWHERE = list(SWEEP)


def pictures(found: float, false: float, count: int = 300, seed: int = 0) -> list[Tally]:
    """Of one face each, found with a score of 0.95 in so many of them; in so many something else is, too."""
    rng = np.random.default_rng(seed)
    tallies = []
    for _ in range(count):
        hit, extra = rng.random() < found, rng.random() < false
        tallies.append(
            Tally(
                scores=[0.95] * (hit + extra),
                right=[True] * hit + [False] * extra,
                heights=[40.0],
                best=[0.95 if hit else -1.0],
                gaps=[float("nan")],
            )
        )
    return tallies


def test_a_large_difference_is_beyond_chance_at_every_threshold() -> None:
    told = beyond_chance(pictures(0.95, 0.3, seed=1), pictures(0.7, 0.05, seed=2))
    assert told["better"] == {"recall": EVERYWHERE, "precision": []}
    assert told["worse"] == {"recall": [], "precision": EVERYWHERE}


def test_one_picture_more_or_less_is_not() -> None:
    ours, theirs = pictures(1.0, 0.0), pictures(1.0, 0.0)
    theirs[0] = Tally(scores=[], right=[], heights=[40.0], best=[-1.0], gaps=[float("nan")])
    theirs[1].scores.append(0.5)
    theirs[1].right.append(False)
    none = {"recall": [], "precision": []}
    assert beyond_chance(ours, theirs) == {"better": none, "worse": none}


def test_a_score_counts_only_from_the_threshold_on() -> None:
    ours = pictures(1.0, 0.0)
    for tally in ours[:60]:
        tally.scores.append(0.25)
        tally.right.append(False)
    told = beyond_chance(ours, pictures(1.0, 0.0))
    assert told["worse"] == {"recall": [], "precision": [0.1, 0.2]}


def test_the_card_tells_it_in_words() -> None:
    assert _spans([0.1, 0.2, 0.3, 0.5, 0.8, 0.9]) == "0.1 to 0.3, 0.5, 0.8 to 0.9"
    told = {
        "better": {"recall": [0.1, 0.2], "precision": [0.9]},
        "worse": {"recall": [], "precision": []},
    }
    assert _chance(told) == "better in recall at 0.1 to 0.2 and in precision at 0.9, nowhere worse"


def test_tallies_of_single_pictures_make_that_of_all() -> None:
    several = pictures(0.8, 0.2)
    whole = Tally.joined(several)
    assert whole.faces == 300
    assert len(whole.scores) == sum(len(tally.scores) for tally in several)
    recall, precision = whole.at(0.5)
    assert 0.7 < recall < 0.9
    assert 0.7 < precision < 0.9

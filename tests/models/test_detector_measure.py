import math
from dataclasses import replace

import numpy as np
import pytest

from models.detector.calibration import LOWEST, SWEEP, place
from models.detector.compose import Scene
from models.detector.measure import Found, Tally
from models.detector.network import Calibration


def scene(boxes: list[list[float]], doubtful: list[list[float]] | None = None) -> Scene:
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    points = np.repeat(corners[:, np.newaxis, :2], 5, axis=1)
    unsure = np.array(doubtful or [], np.float32).reshape(-1, 4)
    return Scene(np.zeros((9, 9, 3), np.uint8), corners, points, unsure)


def found(*rows: tuple[list[float], float], shift: float = 0.0) -> Found:
    boxes = np.array([box for box, _ in rows], np.float32).reshape(-1, 4)
    points = np.repeat(boxes[:, np.newaxis, :2], 5, axis=1) + np.array([shift, 0.0])
    return Found(boxes, points.astype(np.float32), np.array([score for _, score in rows], np.float32))


FIRST, SECOND, ELSEWHERE = [0.0, 0, 10, 20], [50.0, 0, 90, 40], [200.0, 200, 230, 240]


def test_each_face_counts_once_and_what_is_none_costs_precision() -> None:
    tally = Tally()
    tally.add(found((FIRST, 0.9), (FIRST, 0.8), (ELSEWHERE, 0.7)), scene([FIRST, SECOND]))
    assert tally.faces == 2
    assert tally.at(0.85) == (0.5, 1.0)
    assert tally.at(0.1) == (0.5, pytest.approx(1 / 3))
    assert tally.at(0.95) == (0.0, 1.0)
    assert tally.average_precision() == pytest.approx(0.5)
    assert tally.recall_at_precision(0.99) == 0.5


def test_what_lies_in_a_doubtful_place_does_not_count() -> None:
    tally = Tally()
    tally.add(found((ELSEWHERE, 0.9), (FIRST, 0.5)), scene([FIRST], [[190.0, 190, 240, 250]]))
    assert tally.at(0.1) == (1.0, 1.0)


def test_landmarks_are_measured_in_face_heights_by_height() -> None:
    tally = Tally()
    tally.add(found((FIRST, 0.9), (SECOND, 0.6), shift=4.0), scene([FIRST, SECOND]))
    assert tally.landmark_error() == pytest.approx((4 / 20 + 4 / 40) / 2)
    assert tally.landmark_error(0.8) == pytest.approx(0.2)
    assert tally.landmark_error(0.0, 30, 50) == pytest.approx(0.1)
    assert tally.landmark_error(0.0, 100, 200) == 1.0
    assert tally.recall(0.8, 10, 30) == (1.0, 1)
    assert tally.recall(0.8, 30, 50) == (0.0, 1)


def test_pictures_without_faces_or_finds_are_borne() -> None:
    tally = Tally()
    tally.add(found(), scene([]))
    assert (tally.faces, tally.average_precision(), tally.landmark_error()) == (0, 0.0, 1.0)


def test_of_one_face_a_picture_only_the_recall_counts() -> None:
    tally = Tally.of_scores(np.array([0.9, -1.0, 0.4, 0.6]))
    assert (tally.faces, tally.at(0.5), tally.at(0.95)) == (4, (0.5, 1.0), (0.0, 1.0))


def drawn(places: float, spread: float, faces: int = 4000) -> Tally:
    """Of a detector whose faces score about `places` logits more than what are none, and as many of each."""
    rng = np.random.default_rng(0)
    logits = np.concatenate([rng.normal(places, spread, faces), rng.normal(-places, spread, faces)])
    tally = Tally()
    tally.right = [True] * faces + [False] * faces
    tally.scores = (1 / (1 + np.exp(-logits))).tolist()
    tally.best = tally.scores[:faces]
    return tally


def moved(tally: Tally, placed: Calibration) -> Tally:
    """With its scores where the calibration puts them."""
    logits = np.log(np.array(tally.scores) / (1 - np.array(tally.scores))) - placed.half
    slopes = np.where(logits > 0, placed.above, placed.below)
    return replace(tally, scores=(1 / (1 + np.exp(-slopes * logits))).tolist())


def test_scores_are_placed_where_nothing_is_worse_than_the_yardstick_at_any_threshold() -> None:
    yardstick = drawn(2.0, 1.2)
    better = moved(drawn(2.4, 1.2), Calibration(-0.7, 0.6, 0.5))
    worse = [t for t in SWEEP if not no_worse(better, yardstick, t)]
    assert len(worse) > 3
    placed = moved(better, place({"all": better}, {"all": yardstick}))
    assert [t for t in SWEEP if not no_worse(placed, yardstick, t)] == []


def test_a_set_that_cannot_be_won_does_not_spoil_another() -> None:
    yardstick, hopeless = drawn(2.0, 1.2), drawn(0.5, 1.2)
    better = moved(drawn(2.4, 1.2), Calibration(-0.7, 0.6, 0.5))
    assert [t for t in SWEEP if no_worse(better, yardstick, t)] != list(SWEEP)
    placed = place({"one": better, "other": hopeless}, {"one": yardstick, "other": yardstick})
    assert [t for t in SWEEP if no_worse(moved(better, placed), yardstick, t)] == list(SWEEP)


def test_where_nearly_the_best_place_is_enough_the_lowest_of_them_is_taken() -> None:
    yardstick = drawn(2.0, 1.2)
    better = moved(drawn(2.4, 1.2), Calibration(-0.7, 0.6, 0.5))
    placed = [place({"all": better}, {"all": yardstick}, nearly=share) for share in (1.0, 0.9, 0.5)]
    assert placed[0].half > placed[1].half > placed[2].half
    best, lower, lowest = (moved(better, each) for each in placed)
    assert lowest.at(0.5)[0] > lower.at(0.5)[0] > best.at(0.5)[0] >= yardstick.at(0.5)[0]
    won = [sum(no_worse(each, yardstick, threshold) for threshold in SWEEP) for each in (lower, lowest)]
    assert won[0] >= 0.9 * len(SWEEP)
    assert 0 < won[1] < won[0]


@pytest.mark.parametrize("timid_by", [1.0, 2.0])
def test_nothing_is_won_below_the_scores_that_were_looked_at(timid_by: float) -> None:
    yardstick = drawn(1.5, 1.2)
    timid = moved(drawn(2.0, 1.2), Calibration(timid_by, 1.0, 1.0))
    heard = replace(timid, scores=[], right=[])
    for score, right in zip(timid.scores, timid.right, strict=True):
        if score >= LOWEST:
            heard.scores.append(score)
            heard.right.append(right)
    placed = place({"all": heard}, {"all": yardstick})
    lowest = 1 / (1 + math.exp(-(math.log(LOWEST / (1 - LOWEST)) - placed.half) * placed.below))
    for threshold in (t for t in SWEEP if t >= lowest):
        assert no_worse(moved(heard, placed), yardstick, threshold) == no_worse(
            moved(timid, placed), yardstick, threshold
        )
    won = [t for t in SWEEP if t >= lowest and no_worse(moved(heard, placed), yardstick, t)]
    assert len(won) > 3


def no_worse(tally: Tally, yardstick: Tally, threshold: float) -> bool:
    pairs = zip(tally.at(threshold), yardstick.at(threshold), strict=True)
    return all(mine >= theirs for mine, theirs in pairs)


def test_a_curve_looked_up_at_many_scores_is_the_one_looked_up_at_each() -> None:
    tally = drawn(1.0, 1.0, 50)
    scores = np.array([0.001, 0.2, tally.scores[3], 0.5, 0.9, 0.9999999])
    for score, recall, precision in zip(scores, *tally.at_each(scores), strict=True):
        kept = np.array(tally.scores) >= score
        hits = int(np.array(tally.right)[kept].sum())
        assert (recall, precision) == (hits / 50, hits / kept.sum() if kept.any() else 1.0)

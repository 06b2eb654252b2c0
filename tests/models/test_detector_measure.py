import numpy as np
import pytest

from models.detector.compose import Scene
from models.detector.export import AT_HALF, AT_NINE_TENTHS, AT_TENTH, calibration, lowest_score
from models.detector.measure import Found, Tally


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


def test_calibration_puts_the_scores_where_the_precisions_are() -> None:
    rng = np.random.default_rng(0)
    tally = Tally()
    logits = rng.normal(0, 2, 4000)
    tally.right = (rng.random(4000) < 1 / (1 + np.exp(-2 * logits - 1))).tolist()
    tally.scores = (1 / (1 + np.exp(-logits))).tolist()
    tally.best = [0.0] * sum(tally.right)
    placed = calibration(tally)
    above = logits - placed.half
    slopes = np.where(above > 0, placed.above, placed.below)
    tally.scores = (1 / (1 + np.exp(-slopes * above))).tolist()
    assert tally.at(0.5)[1] == pytest.approx(AT_HALF, abs=0.002)
    assert tally.at(0.1)[1] == pytest.approx(AT_TENTH, abs=0.005)
    assert tally.at(0.9)[1] == pytest.approx(AT_NINE_TENTHS, abs=0.002)
    assert tally.at(lowest_score(tally, 0.99))[1] >= 0.99

import numpy as np
import pytest

from engagement.records import Box, Face
from inference.quality import QualityGate
from models import metrics
from models.data import FaceSet
from models.gate import Gate, choose_gate, curves_by_height, fit_temperatures, logits_by_height
from models.golden import golden_faces
from models.heads import LABELS, Truth, truth_of
from models.metrics import softmax
from models.registry import at_height


def curve(*points: tuple[float, float, float]) -> list[dict[str, float]]:
    return [{"threshold": t, "coverage": c, "accuracy": a} for t, c, a in points]


def test_small_faces_ask_for_more_until_too_few_are_left() -> None:
    curves = {
        16: curve((0.4, 0.9, 0.5), (0.6, 0.5, 0.70), (0.8, 0.1, 0.9)),
        24: curve((0.4, 0.9, 0.6), (0.6, 0.5, 0.76), (0.8, 0.2, 0.9)),
        32: curve((0.4, 0.9, 0.8), (0.6, 0.7, 0.85), (0.8, 0.4, 0.95)),
        48: curve((0.4, 0.9, 0.7), (0.6, 0.8, 0.80), (0.8, 0.5, 0.97)),
    }
    # 32 px is right often enough at 0.4 by luck; it gets no lower threshold than a larger face
    assert choose_gate(curves, 0.75, 0.4) == Gate(24, ((24, 0.6), (32, 0.6), (48, 0.6)))
    assert choose_gate(curves, 0.75, 0.6) == Gate(32, ((32, 0.6), (48, 0.6)))
    assert choose_gate(curves, 0.7, 0.4) == Gate(16, ((16, 0.6), (24, 0.6), (32, 0.4), (48, 0.4)))


def test_where_no_height_is_good_enough_the_largest_stays_with_the_last_threshold() -> None:
    curves = {24: curve((0.4, 0.9, 0.3), (0.8, 0.5, 0.4)), 48: curve((0.4, 0.9, 0.3), (0.8, 0.5, 0.5))}
    assert choose_gate(curves, 0.75, 0.4) == Gate(48, ((48, 0.8),))
    nobody = [{"threshold": 0.9, "coverage": 0.0, "accuracy": None}]
    assert choose_gate({24: nobody, 48: nobody}, 0.75, 0.0) == Gate(48, ((48, 0.9),))


def test_curves_are_those_of_the_shrunk_faces() -> None:
    seen = []

    def classify(images: np.ndarray) -> np.ndarray:
        seen.append(images.shape[1])
        logits = np.zeros((len(images), 7))
        logits[:, 3] = images.shape[1] / 10  # the smaller, the less sure
        return logits

    faces = FaceSet(golden_faces(48, 4), np.array([3, 3, 3, 0]))
    logits = logits_by_height(classify, faces, (16, 48))
    assert seen == [16, 48]
    curves = curves_by_height(logits, ((48, 1.0),), truth_of(faces, LABELS))
    at = {height: next(p for p in points if p["threshold"] == 0.5) for height, points in curves.items()}
    assert (at[16]["coverage"], at[48]["coverage"]) == (0.0, 1.0)
    assert at[48]["accuracy"] == 0.75


def test_small_faces_that_are_wrong_as_surely_get_less_confidence() -> None:
    rng = np.random.default_rng(0)
    truth = Truth(rng.integers(0, 7, 4000), np.ones(4000, bool))

    def answers(noise: float) -> np.ndarray:
        logits = 3.0 * np.eye(7)[truth.labels] + rng.normal(0, noise, (4000, 7))
        return logits / logits.std(axis=1, keepdims=True) * 3

    logits = {48: answers(0.7), 24: answers(2.0)}
    temperatures = fit_temperatures(logits, truth)
    assert [height for height, _ in temperatures] == [24, 48]
    assert temperatures[0][1] > 1.5 * temperatures[1][1]
    for height, steps in ((24, temperatures), (24, temperatures[1:])):
        error = metrics.calibration_error(softmax(logits[height], at_height(steps, height)), truth.labels)
        assert (error < 0.03) == (steps is temperatures)


def test_a_value_lies_on_straight_lines_between_the_heights() -> None:
    steps = ((20.0, 0.6), (30.0, 0.5), (48.0, 0.4))
    assert [at_height(steps, height) for height in (10, 20, 48, 200)] == [0.6, 0.6, 0.4, 0.4]
    assert at_height(steps, 25) == pytest.approx(0.55)
    assert at_height(steps, 39) == pytest.approx(0.45)


def test_the_gate_asks_more_of_a_small_face() -> None:
    def face(height: int) -> Face:
        return Face(Box(0, 0, height, height), np.zeros((5, 2), np.float32), 0.9)

    gate = QualityGate(min_probability=0.2, thresholds=((20.0, 0.6), (40.0, 0.4)))
    assert gate.least_probability(face(30)) == pytest.approx(0.5)
    assert gate.least_probability(face(100)) == 0.4
    assert QualityGate(min_probability=0.2).least_probability(face(30)) == 0.2

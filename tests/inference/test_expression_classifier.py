from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from inference.errors import ClassifierError
from inference.expression import ExpressionClassifier, margins, undecided
from models.registry import ModelEntry, resolve


@pytest.fixture(scope="module")
def entry() -> ModelEntry:
    return resolve("expression")


@pytest.fixture(scope="module")
def crops(entry: ModelEntry) -> NDArray[np.uint8]:
    """70 different pictures: more than the largest batch."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (70, 6, 6), np.uint8)
    scale = -(-entry.input_size // 6)
    return np.kron(coarse, np.ones((1, scale, scale), np.uint8))[:, : entry.input_size, : entry.input_size]


@pytest.mark.parametrize("second_look", [0.0, 0.1, 1.0])
def test_probabilities(entry: ModelEntry, crops: NDArray[np.uint8], second_look: float) -> None:
    classifier = ExpressionClassifier(entry.path, temperature=entry.temperature, second_look=second_look)
    assert classifier.size == entry.input_size
    probabilities = classifier.classify(crops)
    assert probabilities.shape == (70, len(EXPRESSIONS))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities >= 0).all()


def test_a_face_is_read_alike_in_every_batch(entry: ModelEntry, crops: NDArray[np.uint8]) -> None:
    classifier = ExpressionClassifier(entry.path, temperature=entry.temperature)
    together = classifier.classify(crops)
    for count in (1, 3, 16, 17, 51):
        np.testing.assert_allclose(classifier.classify(crops[:count]), together[:count], atol=1e-4)
    assert np.ptp(together, axis=0).max() > 0.01  # else the pictures say nothing


def test_no_faces_give_no_rows(entry: ModelEntry) -> None:
    empty = np.zeros((0, entry.input_size, entry.input_size), np.uint8)
    assert ExpressionClassifier(entry.path).classify(empty).shape == (0, 7)


def test_the_temperature_divides_the_logits(entry: ModelEntry, crops: NDArray[np.uint8]) -> None:
    raw = np.log(ExpressionClassifier(entry.path).classify(crops[:5]))
    cool = np.log(ExpressionClassifier(entry.path, temperature=2.0).classify(crops[:5]))
    np.testing.assert_allclose(cool - cool[:, :1], (raw - raw[:, :1]) / 2, atol=1e-3)


def test_small_faces_are_read_at_their_own_temperature(entry: ModelEntry, crops: NDArray[np.uint8]) -> None:
    steps = ((20.0, 2.0), (40.0, 1.0))
    classifier = ExpressionClassifier(entry.path, temperature=0.5, temperatures=steps)
    by_height = classifier.classify(crops[:4], [12, 30, 40, 300])
    for row, temperature in enumerate((2.0, 1.5, 1.0, 1.0)):
        alone = ExpressionClassifier(entry.path, temperature=temperature).classify(crops[:4])
        np.testing.assert_allclose(by_height[row], alone[row], atol=1e-4)
    full = ExpressionClassifier(entry.path, temperature=0.5).classify(crops[:4])
    np.testing.assert_allclose(classifier.classify(crops[:4]), full, atol=1e-4)
    with pytest.raises(ClassifierError, match="above 0"):
        ExpressionClassifier(entry.path, temperatures=((20.0, 0.0),))


def test_margins_are_those_of_the_head_that_is_least_decided() -> None:
    sure, unsure, torn = (
        [0.0, 0.75, 0, 0.25, 0, 0, 0],
        [0.25, 0, 0.5, 0, 0.25, 0, 0],
        [0, 0.5, 0, 0, 0, 0, 0.5],
    )
    logits = np.log(np.array([sure + sure, sure + unsure, torn + sure]) + 1e-12).astype(np.float32)
    np.testing.assert_allclose(margins(logits), [0.5, 0.25, 0], atol=1e-5)
    np.testing.assert_allclose(margins(logits[:, :7] + 3), [0.5, 0.5, 0], atol=1e-5)
    certain = np.array([[90.0, 0, 0, 0, 0, 0, 0]])
    assert undecided(certain, 1.0).all()
    assert not undecided(certain, 0.9).any()


def test_undecided_faces_are_looked_at_mirrored_too(entry: ModelEntry, crops: NDArray[np.uint8]) -> None:
    plain = ExpressionClassifier(entry.path, head=1)
    once, mirrored = plain.logits(crops), plain.logits(crops[:, :, ::-1])
    apart = margins(once)
    below = float(np.median(apart))
    got = ExpressionClassifier(entry.path, second_look=below).logits(crops)
    decided = apart >= below
    assert 0 < decided.sum() < len(crops)
    np.testing.assert_array_equal(got[decided], once[decided])
    np.testing.assert_allclose(got[~decided], (once + mirrored)[~decided] / 2, atol=1e-4)
    assert np.abs(got - once).max() > 0.1  # else the mirror images say the same
    every = ExpressionClassifier(entry.path, second_look=1.0)
    np.testing.assert_allclose(every.logits(crops), every.logits(crops[:, :, ::-1]), atol=1e-4)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no model at all")
    with pytest.raises(ClassifierError, match="cannot load the expression weights"):
        ExpressionClassifier(broken)


def test_a_temperature_of_zero_is_refused(entry: ModelEntry) -> None:
    with pytest.raises(ClassifierError, match="temperature must be above 0"):
        ExpressionClassifier(entry.path, temperature=0.0)

import numpy as np
import pytest

from models import metrics
from models.data import VOTES


def test_temperature_recovers_the_factor_that_spoiled_calibration() -> None:
    rng = np.random.default_rng(1)
    honest = rng.normal(0, 2, (20_000, 7))
    labels = np.array([rng.choice(7, p=p) for p in metrics.softmax(honest)])
    assert metrics.fit_temperature(honest * 2.5, labels) == pytest.approx(2.5, rel=0.03)
    assert metrics.fit_temperature(honest * 0.5, labels) == pytest.approx(0.5, rel=0.03)
    before = metrics.calibration_error(metrics.softmax(honest * 2.5), labels)
    after = metrics.calibration_error(metrics.softmax(honest), labels)
    assert after < 0.02
    assert before > 0.1


def test_offsets_give_back_the_class_frequencies_that_were_taken_away() -> None:
    rng = np.random.default_rng(2)
    honest = rng.normal(0, 2, (8_000, 7))
    labels = (honest + rng.gumbel(size=honest.shape)).argmax(axis=1)  # drawn by their softmax
    taken = np.array([1.0, -1.0, 0.5, 0.0, 0.0, -0.5, 0.0])
    spoiled = (honest - taken) * 2.0
    offsets = metrics.fit_offsets(spoiled, labels)
    np.testing.assert_allclose(offsets, taken * 2.0, atol=0.2)
    assert offsets.mean() == pytest.approx(0)
    mean = metrics.softmax(spoiled + offsets, 2.0).mean(axis=0)
    np.testing.assert_allclose(mean, np.bincount(labels, minlength=7) / len(labels), atol=0.005)


def test_the_interval_of_macro_f1_is_as_wide_as_its_figure_is_unsure() -> None:
    matrix = np.diag([20] * 7) + 5
    low, high = metrics.macro_f1_interval(matrix)
    low_of_more, high_of_more = metrics.macro_f1_interval(matrix * 16)
    assert low < metrics.macro_f1(matrix) < high
    assert (high - low) / (high_of_more - low_of_more) == pytest.approx(4, rel=0.2)


def test_calibration_error_by_hand() -> None:
    # two faces at 0.9 of which one is right, two at 0.5 of which one is right: (0.4 + 0.0) / 2
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.5, 0.4], [0.5, 0.4]])
    assert metrics.calibration_error(probabilities, np.array([0, 1, 0, 1])) == pytest.approx(0.2)


def test_wilson_matches_a_published_example() -> None:
    low, high = metrics.wilson(81, 263)  # Newcombe 1998, table I
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_confusion_and_macro_f1() -> None:
    labels, predicted = np.array([0, 0, 1, 3]), np.array([0, 1, 1, 3])
    matrix = metrics.confusion(predicted, labels)
    assert matrix[0].tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert matrix.sum() == 4
    assert metrics.macro_f1(matrix) == pytest.approx((2 / 3 + 2 / 3 + 1) / 7)
    assert metrics.class_scores(matrix)["angry"]["recall"] == 0.5


def test_coverage_falls_and_of_an_empty_rest_none_is_right() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]])
    curve = metrics.coverage_curve(probabilities, np.array([0, 1]), np.array([0.5, 0.7, 0.95]))
    assert [point["coverage"] for point in curve] == [1.0, 0.5, 0.0]
    assert [point["accuracy"] for point in curve] == [0.5, 1.0, None]


def test_ferplus_majority_follows_the_published_rule() -> None:
    def votes(**cast: int) -> list[int]:
        return [cast.get(name, 0) for name in VOTES]

    rows = np.array(
        [
            votes(happiness=6, neutral=4),  # a majority
            votes(happiness=5, neutral=5),  # none
            votes(happiness=5, neutral=4, sadness=1),  # the single vote is dropped: 5 of 9
            votes(unknown=8, neutral=2),  # won by no emotion
            votes(contempt=7, anger=3),  # an emotion that we do not name
            votes(**dict.fromkeys(VOTES, 1)),  # nothing is left
        ],
        np.float32,
    )
    kept, _ = metrics.ferplus_majority(rows)
    assert kept.tolist() == [True, False, True, False, True, False]
    happy, angry = 3, 0
    assert metrics.ferplus_accuracy(np.array([happy] * 6), rows) == (2, 3)
    assert metrics.ferplus_accuracy(np.array([angry] * 6), rows) == (0, 3)

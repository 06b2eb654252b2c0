"""The bias of a seat: found where there is one, none where a seat is read as most are."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engagement.calibration import FEWEST_LOOKS, MOST, Fit, Held, apply_bias, fit, typical
from engagement.emotion import EXPRESSIONS, Expression
from engagement.errors import InvalidRecordError

USUAL = typical(100 * np.eye(7) + 8)
"""A network that reads every expression right on 69 of 100 faces, and takes it for any other alike."""


def looks(
    expression: Expression, count: int, seed: int, bias: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """As most faces are read, each a little differently, with the bias of a seat."""
    noise = np.random.default_rng(seed).normal(0, 0.3, (count, 7))
    rows = np.log(USUAL[EXPRESSIONS.index(expression)]) + noise
    rows = np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True)
    return rows.astype(np.float32) if bias is None else apply_bias(rows.astype(np.float32), bias)


def towards(expression: Expression, amount: float) -> NDArray[np.float32]:
    bias = np.full(7, -amount / 7, np.float32)
    bias[EXPRESSIONS.index(expression)] += amount
    return bias


def share(rows: NDArray[np.float32], expression: Expression) -> float:
    return float((rows.argmax(axis=1) == EXPRESSIONS.index(expression)).mean())


def test_a_seat_that_is_read_as_sad_at_rest_is_read_right_afterwards() -> None:
    sad = towards("sad", 2.5)
    counts: dict[Expression, int] = {"neutral": 30, "happy": 6, "sad": 6}
    shown = {name: looks(name, count, 1, sad) for name, count in counts.items()}
    assert share(shown["neutral"], "neutral") < 0.5
    found = fit(shown, USUAL)
    assert found.helps
    assert found.bias[EXPRESSIONS.index("sad")] < -0.5
    assert found.bias.sum() == pytest.approx(0, abs=1e-4)
    later = {name: apply_bias(looks(name, 200, 2, sad), found.bias) for name in EXPRESSIONS}
    # also of expressions that were not posed, and the one that it was taken for is still read
    assert all(share(rows, name) > 0.9 for name, rows in later.items())
    (held,) = [one for one in found.held if one.expression == "neutral"]
    assert held.looks == 30
    assert held.after > held.before


@pytest.mark.parametrize("seed", range(5))
def test_a_seat_that_is_read_as_most_are_gets_next_to_no_bias(seed: int) -> None:
    shown: tuple[Expression, ...] = ("neutral", "happy")
    found = fit({name: looks(name, 30, seed) for name in shown}, USUAL)
    assert np.abs(found.bias).max() < 0.25
    assert not found.helps


def test_a_neutral_minute_alone_does_not_turn_everything_neutral() -> None:
    found = fit({"neutral": looks("neutral", 30, 3, towards("sad", 2.5))}, USUAL)
    later = apply_bias(looks("sad", 200, 4, towards("sad", 2.5)), found.bias)
    assert share(later, "sad") > 0.8
    assert share(apply_bias(looks("happy", 200, 5, towards("sad", 2.5)), found.bias), "happy") > 0.8


def test_what_is_read_better_than_on_most_faces_is_held_where_it_is() -> None:
    clear = np.full((20, 7), 0.01, np.float32)
    clear[:, EXPRESSIONS.index("neutral")] = 0.94
    found = fit({"neutral": clear}, USUAL)
    assert np.abs(found.bias).max() < 1e-3


def test_few_looks_count_for_nothing() -> None:
    few = {name: looks(name, FEWEST_LOOKS[name] - 1, 1, towards("sad", 2.5)) for name in EXPRESSIONS}
    found = fit(few, USUAL)
    assert found == Fit(pytest.approx(np.zeros(7)), ())  # type: ignore[arg-type]
    assert not found.helps


def test_a_bias_is_bounded_and_can_be_taken_away_again() -> None:
    wild = np.full((20, 7), 1e-6, np.float32)
    wild[:, EXPRESSIONS.index("angry")] = 1 - 6e-6
    found = fit({"neutral": wild}, USUAL)
    assert np.abs(found.bias).max() <= MOST
    rows = looks("happy", 50, 7)
    bias = towards("fear", 1.7)
    again = apply_bias(apply_bias(rows, bias), -bias)
    assert again == pytest.approx(rows, abs=2e-3)
    assert apply_bias(rows, bias).sum(axis=1) == pytest.approx(np.ones(50), abs=1e-5)


def test_half_of_the_looks_that_go_another_way_judge_the_other() -> None:
    # read as sad in the first half and right in the second: no bias mends the one without harm to the other
    rows = np.concatenate([looks("neutral", 15, 1, towards("sad", 2.5)), looks("neutral", 15, 2)])
    found = fit({"neutral": rows}, USUAL)
    (held,) = found.held
    none = np.zeros(7, np.float32)
    first = fit({"neutral": rows[:15]}, USUAL).bias
    second = fit({"neutral": rows[15:]}, USUAL).bias
    assert np.abs(second - none).max() < 0.25
    wanted = [apply_bias(rows[:15], second), apply_bias(rows[15:], first)]
    assert held.after == sum(
        int((one.argmax(axis=1) == EXPRESSIONS.index("neutral")).sum()) for one in wanted
    )


def test_it_helps_only_where_no_expression_is_read_worse() -> None:
    none = np.zeros(7, np.float32)
    assert Fit(none, (Held("neutral", 30, 10, 20), Held("happy", 5, 4, 4))).helps
    assert not Fit(none, (Held("neutral", 30, 10, 30), Held("happy", 5, 4, 3))).helps
    assert not Fit(none, (Held("neutral", 30, 10, 12),)).helps
    assert Fit(none, (Held("neutral", 30, 10, 13),)).helps
    assert not Fit(none, (Held("neutral", 10, 8, 9),)).helps


def test_a_matrix_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRecordError, match="7 x 7"):
        typical([[1, 2], [3, 4]])
    with pytest.raises(InvalidRecordError, match="empty row"):
        typical(np.zeros((7, 7)).tolist())

"""A seat's bias: how the expressions of one face are read differently from those of most, and what makes up for it.

A camera, a light or a face at rest may have one seat read as sad through every lesson. From looks at known expressions
(a neutral minute, some that are posed) a bias is fitted that is added to the log probabilities of that seat: vector
scaling of Guo et al. (2017, "On Calibration of Modern Neural Networks") with the bias alone.

The bias is not fitted to what was shown but to how the network reads that expression on most faces: where it is unsure
of everybody, it stays so of this seat, and a seat that is read as most are gets no bias. An expression that is read
better here than on most faces is held where it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engagement.emotion import EXPRESSIONS, Expression
from engagement.errors import InvalidRecordError

MOST: Final = 2.0
"""A bias is within -2..2: of one that needs more, the reason is not the face."""

FEWEST_LOOKS: Final = {expression: 10 if expression == "neutral" else 3 for expression in EXPRESSIONS}
"""Looks at an expression below which it does not count."""

_PRIOR: Final = 0.1
"""Weight of the squared bias against one mean cross-entropy: few expressions move it less."""

_LEAST: Final = 1e-4
"""Probabilities below it say no more than it does."""

_WORTH: Final = 0.1
"""Share of the looks that it must mend: fewer may do so by chance."""

_STEPS: Final = 50
_SETTLED: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Held:
    """How looks at one expression are read.

    Attributes:
        expression: that was shown.
        looks: how many there are.
        before: of how many it was the likeliest without the bias.
        after: the same with a bias that was fitted to the other half of the looks.
    """

    expression: Expression
    looks: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Fit:
    """What looks at known expressions say of a seat.

    Attributes:
        bias: float32 (7,) in the order of `EXPRESSIONS`, within `MOST`.
        held: each expression that was shown, judged on looks that the fit had not seen.
    """

    bias: NDArray[np.float32]
    held: tuple[Held, ...]

    @property
    def helps(self) -> bool:
        """Whether a tenth of the looks more, at least two, are read right with it, and of no expression fewer."""
        gained = [one.after - one.before for one in self.held]
        least = max(2.0, _WORTH * sum(one.looks for one in self.held))
        return min(gained, default=0) >= 0 and sum(gained) >= least


def typical(confusion: ArrayLike) -> NDArray[np.float64]:
    """How each expression is read on most faces, float64 (7, 7), rows sum to 1.

    Args:
        confusion: counts, a row for each true expression, a column for each that was read, none of them empty.

    Raises:
        InvalidRecordError: it has another shape, or a row of nothing.
    """
    counts = np.asarray(confusion, np.float64)
    if counts.shape != (len(EXPRESSIONS), len(EXPRESSIONS)) or not (counts.sum(axis=1) > 0).all():
        raise InvalidRecordError(f"A confusion matrix is 7 x 7 without an empty row, got {counts.shape}.")
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares


def fit(looks: Mapping[Expression, NDArray[np.float32]], usual: NDArray[np.float64]) -> Fit:
    """The bias of a seat.

    Args:
        looks: expression that was shown -> what was read without a bias, float32 (n, 7), rows sum to 1. Expressions of
            fewer looks than `FEWEST_LOOKS` are left out.
        usual: how each is read on most faces, from `typical`.
    """
    enough = {name: rows for name, rows in looks.items() if len(rows) >= FEWEST_LOOKS[name]}
    # looks that follow each other are alike: each half is a stretch of its own
    halves = {name: np.array_split(rows, 2) for name, rows in enough.items()}
    biases = [_bias({name: both[half] for name, both in halves.items()}, usual) for half in (0, 1)]
    held = []
    for name, rows in enough.items():
        place = EXPRESSIONS.index(name)
        after = sum(
            int((apply_bias(halves[name][half], biases[1 - half]).argmax(axis=1) == place).sum())
            for half in (0, 1)
        )
        held.append(Held(name, len(rows), int((rows.argmax(axis=1) == place).sum()), after))
    return Fit(_bias(enough, usual), tuple(held))


def apply_bias(probabilities: NDArray[np.float32], bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probabilities with a bias.

    Args:
        probabilities: float32 (..., 7), rows sum to 1.
        bias: float32 (7,); its negative takes it away again.

    Returns:
        float32 of the same shape, rows sum to 1.
    """
    scores = np.log(np.maximum(probabilities, _LEAST, dtype=np.float32)) + bias
    return _softmax(scores.astype(np.float64)).astype(np.float32)


def _bias(looks: Mapping[Expression, NDArray[np.float32]], usual: NDArray[np.float64]) -> NDArray[np.float32]:
    """The minimiser of the cross-entropy, each expression counting once, and the prior: a convex problem in 7 numbers,
    by Newton's method. The gradient sums to 0, and so does the bias."""
    found = np.zeros(len(EXPRESSIONS))
    if not looks:
        return found.astype(np.float32)
    scores = {name: np.log(np.maximum(rows.astype(np.float64), _LEAST)) for name, rows in looks.items()}
    targets = {name: _target(name, rows, usual) for name, rows in looks.items()}
    share = 1 / len(looks)
    for _ in range(_STEPS):
        gradient = _PRIOR * found
        curvature = _PRIOR * np.eye(len(found))
        for name, score in scores.items():
            read = _softmax(score + found)
            gradient += share * (read.mean(axis=0) - targets[name])
            curvature += share * (np.diag(read.mean(axis=0)) - read.T @ read / len(read))
        step = np.linalg.solve(curvature, gradient)
        # a whole step may go too far where the softmax is flat
        found -= step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _SETTLED:
            break
    return np.clip(found, -MOST, MOST).astype(np.float32)


def _target(name: Expression, rows: NDArray[np.float32], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the mean of the looks should be."""
    place = EXPRESSIONS.index(name)
    mean = _softmax(np.log(np.maximum(rows.astype(np.float64), _LEAST))).mean(axis=0)
    target: NDArray[np.float64] = mean if mean[place] >= usual[place, place] else usual[place]
    return target


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return shares

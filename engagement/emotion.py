"""The seven expressions and their place on the valence-arousal plane."""

from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Expression = Literal["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]

EXPRESSIONS: Final[tuple[Expression, ...]] = get_args(Expression)
"""FER2013's label order; every probability vector in the project uses it."""

VALENCE: Final[NDArray[np.float32]] = np.array(
    [-0.51, -0.60, -0.64, 0.81, -0.63, 0.10, 0.0], dtype=np.float32
)
"""Valence per expression, shape (7,), range -1..1 (Russell & Mehrabian 1977).

Surprise is set near zero because on faces it is ambiguous.
"""

AROUSAL: Final[NDArray[np.float32]] = np.array([0.59, 0.35, 0.60, 0.51, -0.27, 0.67, 0.0], dtype=np.float32)
"""Arousal per expression, shape (7,), range -1..1 (Russell & Mehrabian 1977)."""

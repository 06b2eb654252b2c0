"""A picture made in code and what the shipped detector said of it when it was exported."""

import numpy as np
from numpy.typing import NDArray

from capture.classroom import Classroom


def golden_gallery() -> NDArray[np.uint8]:
    """Nine seats of the synthetic class at one moment, uint8 (540, 960, 3) RGB."""
    return Classroom(9, 960, 540, seed=5).draw(12.0)

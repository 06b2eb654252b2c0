"""A panel beside a gallery, as the chat is: writing on a ground of one grey, from the title bar to the toolbar."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.edges import FAINT_STEP

# A panel begins in this part of the picture's width.
BEGINS: Final = (0.55, 0.92)
# The rows that are looked at, as shares of the picture's height: a title bar and a toolbar lie above and below.
LOOKED_AT: Final = (0.2, 0.8)
# Share of them in which there is a step, however faint, where it begins.
EDGE: Final = 0.95
# Pixels from there that hold no writing, and share of them and of the whole panel that is of its ground, to so many
# grey levels; what is all ground is the margin of a window.
PADDING: Final = 4
CLEAN: Final = 0.97
GROUND: Final = 0.7
EMPTY: Final = 0.995
TOLERANCE: Final = 2
# Lines that are tried.
MOST: Final = 2


def panel_edges(grey: NDArray[np.uint8]) -> list[int]:
    """Where a panel may begin at the right of a grey picture uint8 (H, W), in pixels from the left, largest first."""
    height, width = grey.shape
    part = grey[round(LOOKED_AT[0] * height) : round(LOOKED_AT[1] * height), round(BEGINS[0] * width) - 1 :]
    steps = np.abs(
        np.diff(part[:, : round(BEGINS[1] * width) - round(BEGINS[0] * width) + 1].astype(np.int16), axis=1)
    )
    found = []
    for line in np.flatnonzero((steps >= FAINT_STEP).mean(axis=0) >= EDGE) + 1:
        panel = part[:, line:]
        near = np.abs(panel.astype(np.int16) - int(np.median(panel))) <= TOLERANCE
        if float(near[:, :PADDING].mean()) >= CLEAN and GROUND <= float(near.mean()) < EMPTY:
            found.append(round(BEGINS[0] * width) - 1 + int(line))
    return found[:MOST]

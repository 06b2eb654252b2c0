"""Grids of tiles in the shape of a video, in the middle of the window: where most meetings have them.

Narrow videos between bars of the window's colour show their own edges, not those of their tiles. The rows are seen all
the same, and with them the tiles' height; their width follows from the shape, their gap from that of the rows, and
their place from the middle of the window.
"""

from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np

from capture.chains import MOST_IN_LINE
from capture.free_rows import settled_runs
from capture.grid import MOST_TILES, NEEDED_ROWS, USUAL_ASPECTS, Fitter, Grid

# Runs of rows that are tried, of strong edges and of weaker ones.
RUNS: Final = 4
# A panel begins in this part of the picture's width, at an edge with this support; so many edges are tried.
PANEL_FROM: Final = 0.6
PANEL_EDGE: Final = 0.9
PANELS: Final = 2


def centred_grids(fitter: Fitter) -> Iterator[Grid]:
    """For each run of rows and each number of columns, the grid in the middle of the picture, or of what a panel at its
    right leaves; and the grid whose rows have as many tiles each as edges speak for (Meet)."""
    width = fitter.upright.length
    middle = np.array([width // 4]), np.array([width - width // 4])
    runs = [chain for share in NEEDED_ROWS[:2] for chain in fitter.row_chains(share)[:RUNS]]
    for top, bottom in settled_runs(fitter, runs):
        height = float(np.median(bottom - top))
        gap = int(np.median(top[1:] - bottom[:-1])) if top.size > 1 else 0
        for end, aspect in product((width, *_panels(fitter, int(top[0]), int(bottom[-1]))), USUAL_ASPECTS):
            wide = round(height * aspect)
            most = min(MOST_IN_LINE, MOST_TILES // top.size + 1, (end + 2 + gap) // (wide + gap))
            if wide < fitter.least_width or most < 1:
                continue
            lefts = [
                round((end - count * (wide + gap) + gap) / 2) + np.arange(count) * (wide + gap)
                for count in range(1, most + 1)
            ]
            rows = [
                fitter.rows([(left, left + wide, int(t), int(b)) for left in lefts])
                for t, b in zip(top, bottom, strict=True)
            ]
            # a toolbar is no row
            while len(rows) > 1 and fitter.cut(
                (*middle, int(top[len(rows) - 1]), int(bottom[len(rows) - 1]))
            ):
                rows.pop()
            for full in zip(*rows, strict=True):
                worth = [float(row.worth.min()) for row in full]
                if min(worth) > 0:
                    yield Grid(full)
                elif len(full) > 1 and min(worth[:-1]) > 0:
                    yield fitter.grown(Grid(full))
            if len(rows) > 1:
                yield Grid(tuple(max(row, key=lambda row: float(row.worth.sum())) for row in rows))


def _panels(fitter: Fitter, top: int, bottom: int) -> list[int]:
    """Where a panel may begin at the right: the strongest lines there that run along all rows."""
    profile = fitter.upright.profile(np.array([top]), np.array([bottom]))[:-1]
    from_here = round(PANEL_FROM * profile.size)
    strong = [int(line) for line in np.argsort(-profile, kind="stable") if line >= from_here][:PANELS]
    return [line for line in strong if profile[line] >= PANEL_EDGE]

"""The best of all grids that may be there, where the first one leaves a doubt, or there is none."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.bars import between_bars
from capture.candidate import BUSY, LEAST_TILES, SURE_ROW, TOUCHING, Candidate, boxes_of
from capture.centred import centred_grids
from capture.chains import Chain
from capture.contrast import FEW, LEAST_SUPPORT, has_sizes, stands_out
from capture.evidence import is_alone, is_named, nearly_all_named
from capture.free_rows import free_grids, has_gaps, with_shared_columns
from capture.grid import MOST_TILES, NEEDED, NEEDED_ROWS, Fitter, Grid, Row
from capture.strips import is_strip, strips
from engagement.records import Box

# Runs of rows that are cut by themselves, how much their heights may differ if they touch, and the support of such
# tiles.
FREE_CHAINS: Final = 3
ROW_SLACK_WITHOUT_GAP: Final = 0.14
LEAST_SUPPORT_FREE: Final = 0.75
# What the support of a grid's tiles is worth beside their names, for each tile.
SUPPORT_WEIGHT: Final = 0.25
# Where tiles of the best grid differ by more than this share of their width, and a grid of tiles alike bears as many
# names, the former follows what is in the tiles.
OTHER_WIDTHS: Final = 0.1
# Balance of named and unnamed among such tiles, as a share of all.
LEAST_BALANCE_FREE: Final = 0.4
# Support that is enough where nearly all tiles bear a name.
LEAST_SUPPORT_CENTRED: Final = 0.35
# So many do not bear a name each by chance: less is enough.
MANY: Final = 4
LEAST_SUPPORT_CENTRED_MANY: Final = 0.2


def best_of_all(grey: NDArray[np.uint8], fitter: Fitter, first: Candidate | None) -> Candidate | None:
    """The grid for which most speaks, where the first one leaves a doubt, or there is none."""
    least = LEAST_TILES if first is None else max(LEAST_TILES, first.shown.balance - 1)
    weight = SUPPORT_WEIGHT * (FEW if first is None else len(first.boxes))
    centred = [*centred_grids(fitter)]
    others = [*_centred(grey, centred, fitter, least)]
    free = _free(grey, fitter, least)
    others += free if first is None else (seen.with_rows_of(first, grey, fitter) for seen in free)
    if first is not None and (lower := between_bars(first.grid, fitter)) is not None:
        others.append(Candidate.of(grey, lower))
    if first is None or is_strip(first.grid) or not first.shown.clear:
        others += _strips(grey, fitter)
    every = others
    if first is not None:
        every = [first, *(seen for seen in others if seen.may_replace(first, grey))]
    best = max(every, key=lambda seen: seen.worth(weight), default=None)
    if best is None or not (best.shown.all_named or (best.shown.clear and best.grid.even)):
        named: Iterable[Candidate] = _named(grey, fitter, 1 if best is None else sum(best.shown.named) + 1)
        if first is not None:
            named = (seen for seen in named if seen.may_replace(first, grey))
        best = max(named, key=lambda seen: seen.worth(weight), default=best)
    if best is None:
        unnamed = _centred_without_names(grey, centred, fitter)
        return max(unnamed, key=lambda seen: (len(seen.boxes), seen.worth(weight)), default=None)
    off = best
    best = max(
        (seen for seen in every if seen.is_middle_of(off, grey.shape[1])),
        key=lambda seen: float(seen.grid.support.mean()),
        default=off,
    )
    if best.grid.spread <= OTHER_WIDTHS * best.grid.width:
        return best
    found = best
    return max(
        (seen for seen in every if seen.is_rather_than(found, grey)),
        key=lambda seen: (float(seen.grid.support.mean()) >= SURE_ROW, seen.worth(weight)),
        default=found,
    )


def is_without_names(seen: Candidate, grey: NDArray[np.uint8]) -> bool:
    """Whether these may be people whose names are switched off: then edges have to speak for every row."""
    if not (seen.shown.cameras and seen.grid.usual):
        return False
    return min(float(row.support.mean()) for row in seen.grid.rows) >= NEEDED and is_alone(grey, seen.boxes)


def _centred_without_names(
    grey: NDArray[np.uint8], grids: Iterable[Grid], fitter: Fitter
) -> Iterator[Candidate]:
    """Grids in the middle of the window that are beyond doubt there, and may be people whose names are switched off."""
    for grid in grids:
        if (
            float(grid.support.mean()) < SURE_ROW
            or not has_sizes(grid, fitter)
            or not stands_out(grid, fitter)
        ):
            continue
        seen = Candidate.of(grey, grid)
        if is_without_names(seen, grey):
            yield seen


def _centred(
    grey: NDArray[np.uint8], grids: Iterable[Grid], fitter: Fitter, least: int
) -> Iterator[Candidate]:
    """Grids of so many tiles in the middle of the window: nearly all bear a name, and edges speak against none."""
    for grid in grids:
        count = grid.support.size
        needed = LEAST_SUPPORT_CENTRED if count < MANY else LEAST_SUPPORT_CENTRED_MANY
        if not least <= count <= MOST_TILES or float(grid.support.mean()) < needed:
            continue
        if min(float(row.worth.min()) for row in grid.rows) <= 0 or not has_sizes(grid, fitter):
            continue
        faint = float(grid.support.mean()) < LEAST_SUPPORT
        # farther at the right than there is nothing at the left may be a panel
        if faint and not all(_is_calm_beside(fitter, row, reach=int(row.left[0])) for row in grid.rows):
            continue
        if nearly_all_named(grey, boxes_of(grey, grid)):
            seen = Candidate.of(grey, grid)
            if seen.shown.clear:
                yield seen


def _free(grey: NDArray[np.uint8], fitter: Fitter, least: int) -> Iterator[Candidate]:
    """Grids of so many tiles whose rows are cut by themselves and bear names."""
    for seen in _believed(grey, fitter, free_grids(fitter, _free_runs(fitter)), least):
        joined = seen.joined(grey, fitter)
        shared = with_shared_columns(fitter, joined.grid.rows)
        for one in [joined] if shared is None else [joined, Candidate.of(grey, shared)]:
            if one.shown.names and one.shown.balance >= LEAST_BALANCE_FREE * len(one.boxes):
                yield one


def _free_runs(fitter: Fitter) -> list[Chain]:
    runs = fitter.row_chains(NEEDED_ROWS[0])[:FREE_CHAINS]
    return runs + fitter.row_chains(NEEDED_ROWS[0], ROW_SLACK_WITHOUT_GAP, TOUCHING)[:FREE_CHAINS]


def _named(grey: NDArray[np.uint8], fitter: Fitter, least: int) -> Iterator[Candidate]:
    """Grids of so many tiles that touch and bear a name each: the place beside a short row has edges too, but none."""

    def wanted(left: int, right: int, top: int, bottom: int) -> bool:
        return is_named(grey[top:bottom, left:right])

    for seen in _believed(grey, fitter, free_grids(fitter, _free_runs(fitter), wanted), least):
        rows = seen.grid.rows
        if (
            seen.shown.clear
            and not has_gaps(fitter, rows)
            and all(_is_calm_beside(fitter, row) for row in rows)
        ):
            yield seen


def _is_calm_beside(fitter: Fitter, row: Row, reach: int | None = None) -> bool:
    """Whether there is nothing at the left of a row, nor at its right, there to so many pixels from it if given."""
    place = row.left, row.right, row.top, row.bottom
    return bool((fitter.upright.busy(*fitter.margins(place, reach)) < BUSY).all())


def _believed(
    grey: NDArray[np.uint8], fitter: Fitter, grids: Iterable[Grid], least: int
) -> Iterator[Candidate]:
    """Those of so many tiles for which edges speak clearly, each once."""
    known: set[tuple[Box, ...]] = set()
    for grid in grids:
        boxes = boxes_of(grey, grid)
        if boxes in known or len(boxes) < least:
            continue
        known.add(boxes)
        if grid.support.mean() >= LEAST_SUPPORT_FREE and stands_out(grid, fitter, any_shape=True):
            yield Candidate.of(grey, grid)


def _strips(grey: NDArray[np.uint8], fitter: Fitter) -> Iterator[Candidate]:
    """Strips of thumbnails that bear names."""
    for grid in strips(fitter):
        if stands_out(grid, fitter):
            seen = Candidate.of(grey, grid)
            if seen.shown.clear or (seen.shown.names and not _holds_gaps(fitter, grid)):
                yield seen


def _holds_gaps(fitter: Fitter, grid: Grid) -> bool:
    """Whether tiles that touch hold the gaps between them, as boxes of a slide that lie too far apart for tiles do."""
    touch = all((row.left[1:] - row.right[:-1] <= TOUCHING).all() for row in grid.rows)
    return touch and has_gaps(fitter, grid.rows)

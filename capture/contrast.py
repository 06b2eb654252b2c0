"""Whether the lines of a grid have more support than other lines through its tiles."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.grid import CUTS, MOST_TILES, Fitter, Grid

# Mean support of the tiles' sides below which a grid is not believed, and by how much it must exceed that of the
# other lines through the tiles.
LEAST_SUPPORT: Final = 0.55
LEAST_CONTRAST: Final = 0.35
# At least this share of the tiles must have edges nearly all around, which chance does not give.
STRONG: Final = 0.75
LEAST_STRONG: Final = 0.4
# So few tiles must have the shape of a video and clear edges; windows side by side have not.
FEW: Final = 3
LEAST_SUPPORT_FEW: Final = 0.72
# Lines lower than this in a tile may be the upper edges of the labels.
LABELS_FROM: Final = 0.75


def stands_out(grid: Grid, fitter: Fitter, *, any_shape: bool = False) -> bool:
    """Whether the lines of the grid have more support than other lines through its tiles; a few tiles must have the
    shape of a video too, or any shape if their names are looked at."""
    support = grid.support
    few = support.size <= FEW
    if not 1 < support.size <= MOST_TILES or (few and not any_shape and not grid.usual):
        return False
    if not has_sizes(grid, fitter):
        return False
    if float(support.mean()) < (LEAST_SUPPORT_FEW if few else LEAST_SUPPORT):
        return False
    if float((support >= STRONG).mean()) < LEAST_STRONG:
        return False
    full = grid.rows[0]
    rows = [row for row in grid.rows if row.left.size == full.left.size]
    top, bottom = np.array([row.top for row in rows]), np.array([row.bottom for row in rows])
    columns = fitter.upright.profile(top, bottom)
    along = np.mean(
        [_inner(columns, int(left), int(right)) for left, right in zip(full.left, full.right, strict=True)],
        axis=0,
    )
    inside = (float(_across(grid, fitter).mean()) + float(along.mean())) / 2
    return not has_cells(grid, fitter) and float(support.mean()) - inside >= LEAST_CONTRAST


def has_sizes(grid: Grid, fitter: Fitter) -> bool:
    """Whether no tile of a grid, whose lines were moved to where edges are, has been lost on the way."""
    return all(
        row.bottom - row.top >= fitter.least_height / 2
        and (row.right - row.left).min() >= fitter.least_width / 2
        for row in grid.rows
    )


def has_cells(grid: Grid, fitter: Fitter) -> bool:
    """Whether a line through all rows, above their labels, cuts the tiles into cells."""
    across = _across(grid, fitter)
    return float(across[: round(LABELS_FROM * across.size)].max()) >= CUTS


def _across(grid: Grid, fitter: Fitter) -> NDArray[np.float32]:
    """Support of the horizontal lines well inside the tiles of the full rows, averaged over the rows."""
    size = grid.rows[0].left.size
    rows = [row for row in grid.rows if row.left.size == size]
    return np.asarray(
        np.mean(
            [_inner(fitter.level.profile(row.left, row.right), row.top, row.bottom) for row in rows], axis=0
        ),
        np.float32,
    )


def _inner(profile: NDArray[np.float32], begin: int, end: int) -> NDArray[np.float32]:
    """Support of the lines well inside an interval, resampled to 48 places (the strongest near each)."""
    size = end - begin
    inner = profile[begin + size // 8 : end - size // 8]
    places = np.linspace(0, inner.size, 49).astype(np.intp)
    return np.asarray(np.maximum.reduceat(inner, np.minimum(places[:-1], inner.size - 1)), np.float32)

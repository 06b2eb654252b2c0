"""A strip of thumbnails at the edge of a window, beside a shared screen or one large video."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from capture.chains import Lines, Profile, chains, peaks, widest_gap
from capture.edges import Edges
from capture.grid import USUAL_ASPECTS, USUAL_WITHIN, Fitter, Grid, Place, Row

# The strip's outer edge lies in this part of the picture at its edge (bars may lie beyond), its inner one in that.
OUTER: Final = 0.16
INNER: Final = 0.4
# Support that the long edges of a strip have at least, over the whole picture.
LEAST_SIDE: Final = 0.12
# Outermost lines that are tried for each side of the picture, and strongest lines that are paired with each.
OUTER_LINES: Final = 4
INNER_LINES: Final = 7
# As many that are both strong and as long as the outer one, and what the difference counts.
ALIKE_LINES: Final = 3
UNLIKE: Final = 2.0
# Support of the short edges.
NEEDED: Final = 0.5
# A place at the end of a strip with less support than this is empty.
NOTHING: Final = 0.3
# Support of the outline of a tile, and of the large picture beside the strip.
LEAST_TILE: Final = 0.62
LEAST_LARGE: Final = 0.72
# The large picture takes at least this share of what the strip leaves.
LEAST_SHARE: Final = 0.35
# Support of lines that go through it, well inside, and how many bars at its sides or above and below have.
THROUGH: Final = 0.8
BESIDE: Final = 0.03
BARS: Final = 2
LARGE_ASPECTS: Final = (0.9, 3.5)
MOST_LINES: Final = 12


def strips(fitter: Fitter) -> Iterator[Grid]:
    """Strips of tiles in the shape of a video, best first."""
    found = [grid for upright in (True, False) for grid in _along(fitter, upright=upright)]
    yield from sorted(found, key=lambda grid: -grid.score)


def _along(fitter: Fitter, *, upright: bool) -> Iterator[Grid]:
    """Columns at the left and right of the picture, or rows at its top and bottom."""
    sides, ends = (fitter.upright, fitter.level) if upright else (fitter.level, fitter.upright)
    profile = sides.profile(np.array([0]), np.array([sides.across]))
    least = fitter.least_width if upright else fitter.least_height
    for first, second in _pairs(profile, least):
        width = second - first
        for aspect in USUAL_ASPECTS:
            size = width / aspect if upright else width * aspect
            # between the lines of a texture any size may be found
            if size < (fitter.least_height if upright else fitter.least_width):
                continue
            sizes = size * (1 - USUAL_WITHIN), size * (1 + USUAL_WITHIN)
            across = ends.profile(np.array([first]), np.array([second]))
            for chain in chains(across, sizes, widest_gap(size), NEEDED, 1):
                if chain.begin.size < 2:
                    continue
                grid = _grid(fitter, first, second, chain.begin, chain.end, upright=upright)
                if grid is not None:
                    yield grid


def _pairs(profile: Profile, least: float) -> list[tuple[int, int]]:
    """Pairs of lines that may bound a strip at either end of a profile, outermost first for each end."""
    last = profile.size - 1
    found: list[tuple[int, int]] = []
    for part in (profile, profile[::-1]):
        # of this part only: a page may have more lines than are looked at
        inner = peaks(part[: round(INNER * last) + 2], LEAST_SIDE)[:-1]
        for line in inner[inner <= OUTER * last][:OUTER_LINES]:
            apart = inner[inner - line >= least]
            # lines of a page beside it may be longer than those of a strip, which are as long as each other
            alike = part[apart] - UNLIKE * np.abs(part[apart] - part[line])
            strong = np.union1d(
                apart[np.argsort(-part[apart], kind="stable")[:INNER_LINES]],
                apart[np.argsort(-alike, kind="stable")[:ALIKE_LINES]],
            )
            if part is profile:
                found += [(int(line), int(other)) for other in strong]
            else:
                found += [(last - int(other), last - int(line)) for other in strong]
    return found


def _grid(fitter: Fitter, first: int, second: int, begin: Lines, end: Lines, *, upright: bool) -> Grid | None:
    one = np.array([first]), np.array([second])
    places: list[Place] = (
        [(*one, int(top), int(bottom)) for top, bottom in zip(begin, end, strict=True)]
        if upright
        else [(begin, end, first, second)]
    )
    rows = fitter.rows(places)
    while len(rows) > 1 and float(rows[-1].support.max()) < NOTHING:
        rows.pop()
    while len(rows) > 1 and float(rows[0].support.max()) < NOTHING:
        rows.pop(0)
    support = np.concatenate([row.support for row in rows])
    return Grid(tuple(rows)) if support.size > 1 and support.mean() >= LEAST_TILE else None


def is_strip(grid: Grid) -> bool:
    """Whether the tiles stand in one row or one column."""
    return len(grid.rows) == 1 or all(row.left.size == 1 for row in grid.rows)


def large_beside(fitter: Fitter, strip: Grid) -> Row | None:
    """The rectangle that takes most of what a strip leaves of the picture, as a row of one tile; None for none."""
    width, height = fitter.upright.length, fitter.level.length
    left = min(int(row.left[0]) for row in strip.rows)
    right = max(int(row.right[-1]) for row in strip.rows)
    top, bottom = strip.rows[0].top, strip.rows[-1].bottom
    if len(strip.rows) > 1:
        x0, x1 = (right, width) if left < width - right else (0, left)
        y0, y1 = 0, height
    else:
        x0, x1 = 0, width
        y0, y1 = (bottom, height) if top < height - bottom else (0, top)
    if x1 - x0 < fitter.least_width or y1 - y0 < fitter.least_height:
        return None
    across = _strongest_between(fitter.upright, (x0, x1), (y0, y1))
    down = _strongest_between(fitter.level, (y0, y1), (x0, x1))
    first, second = np.triu_indices(across.size, 1)
    lefts, rights = across[first], across[second]
    best: Row | None = None
    places: list[Place] = []
    for i, j in zip(*np.triu_indices(down.size, 1), strict=True):
        high = int(down[j] - down[i])
        fits = (rights - lefts) * high >= LEAST_SHARE * (x1 - x0) * (y1 - y0)
        fits &= (rights - lefts >= LARGE_ASPECTS[0] * high) & (rights - lefts <= LARGE_ASPECTS[1] * high)
        if fits.any():
            places.append((lefts[fits], rights[fits], int(down[i]), int(down[j])))
    for row in fitter.rows(places) if places else []:
        at = int(row.gains.argmax())
        if best is None or row.gains[at] > best.gains[0]:
            best = row.part(slice(at, at + 1))
    if best is None or best.support[0] < LEAST_LARGE or _is_wall(fitter, best):
        return None
    return best


def _is_wall(fitter: Fitter, large: Row) -> bool:
    """Whether lines go through a large picture from side to side, more than the two where bars begin: it is many."""
    left, right = int(large.left[0]), int(large.right[0])
    return any(
        _lines_through(profile[begin:end]) > BARS
        for profile, begin, end in (
            (fitter.level.profile(large.left, large.right), large.top, large.bottom),
            (fitter.upright.profile(np.array([large.top]), np.array([large.bottom])), left, right),
        )
    )


def _lines_through(profile: Profile) -> int:
    margin = round(BESIDE * profile.size)
    inner = profile[margin : profile.size - margin]
    return int((inner[peaks(inner, THROUGH)] >= THROUGH).sum()) if inner.size > 2 else 0


def _strongest_between(edges: Edges, lines: tuple[int, int], along: tuple[int, int]) -> Lines:
    """The strongest lines of a part of the picture, its bounds among them."""
    profile = edges.profile(np.array([along[0]]), np.array([along[1]]))[lines[0] : lines[1] + 1]
    at = peaks(profile, LEAST_SIDE)
    kept = at[np.argsort(-profile[at], kind="stable")[:MOST_LINES]]
    return np.asarray(lines[0] + np.unique(np.concatenate((kept, [0, profile.size - 1]))), np.intp)

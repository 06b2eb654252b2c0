"""Where meeting programs put their tiles: boxes, row by row, for `compose_gallery`."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from engagement.records import Box

Random = np.random.Generator


def rows_of_equal_tiles(counts: Sequence[int], area: Box, gap: int, aspect: float = 16 / 9) -> list[Box]:
    """Equal tiles in centred rows of `counts` tiles, as large as the area allows (Meet)."""
    most = max(counts)
    width = min(
        (area.width - (most - 1) * gap) / most,
        (area.height - (len(counts) - 1) * gap) / len(counts) * aspect,
    )
    size = int(width), int(width / aspect)
    used = len(counts) * size[1] + (len(counts) - 1) * gap
    top = area.top + (area.height - used) // 2
    boxes = []
    for row, count in enumerate(counts):
        left = area.left + (area.width - count * size[0] - (count - 1) * gap) // 2
        boxes += [Box(left + i * (size[0] + gap), top + row * (size[1] + gap), *size) for i in range(count)]
    return boxes


def filling_rows(counts: Sequence[int], area: Box, gap: int, *, stretched: bool) -> list[Box]:
    """Tiles that fill the area (Teams): all as wide as in the longest row, shorter rows centred, or stretched."""
    most = max(counts)
    boxes = []
    edges = _cuts(area.top, area.bottom, len(counts), gap)
    for (top, bottom), count in zip(edges, counts, strict=True):
        if stretched or count == most:
            across = _cuts(area.left, area.right, count, gap)
        else:
            width = (area.width - (most - 1) * gap) // most
            left = area.left + (area.width - count * width - (count - 1) * gap) // 2
            across = [(left + i * (width + gap), left + i * (width + gap) + width) for i in range(count)]
        boxes += [Box(left, top, right - left, bottom - top) for left, right in across]
    return boxes


def unequal_columns(rows: int, columns: int, area: Box, rng: Random, spread: float = 0.03) -> list[Box]:
    """Tiles without gaps that fill the area; columns and rows differ a little in size (Meet of 2020)."""

    def cuts(begin: int, end: int, count: int) -> list[int]:
        shares = np.cumsum(1 + rng.uniform(-spread, spread, count))
        return [begin, *(begin + round(float(s)) for s in shares / shares[-1] * (end - begin))]

    x, y = cuts(area.left, area.right, columns), cuts(area.top, area.bottom, rows)
    return [
        Box(left, top, right - left, bottom - top)
        for top, bottom in itertools.pairwise(y)
        for left, right in itertools.pairwise(x)
    ]


def videos_of_own_width(count: int, area: Box, rng: Random, gap: int = 0) -> list[Box]:
    """Rows of one height, in which wide, 4:3, square and portrait videos stand side by side, each row centred."""
    aspects = rng.choice([16 / 9, 16 / 9, 16 / 9, 4 / 3, 4 / 3, 1.0, 9 / 16], count)
    best: tuple[float, list[Sequence[float]]] = (0.0, [])
    for rows in range(1, count + 1):
        parts = [list(part) for part in np.array_split(aspects, rows)]
        height = (area.height - (rows - 1) * gap) / rows
        for part in parts:
            height = min(height, (area.width - (len(part) - 1) * gap) / sum(part))
        if height > best[0]:
            best = height, parts
    high, parts = int(best[0]), best[1]
    top = area.top + (area.height - len(parts) * high - (len(parts) - 1) * gap) // 2
    boxes = []
    for row, part in enumerate(parts):
        widths = [int(aspect * best[0]) for aspect in part]
        left = area.left + (area.width - sum(widths) - (len(part) - 1) * gap) // 2
        for width in widths:
            boxes.append(Box(left, top + row * (high + gap), width, high))
            left += width + gap
    return boxes


def column_of(count: int, area: Box, gap: int, aspect: float = 16 / 9) -> list[Box]:
    """Thumbnails one below the other, as wide as the area, in its middle."""
    width = min(area.width, int((area.height - (count - 1) * gap) / count * aspect))
    high = int(width / aspect)
    top = area.top + (area.height - count * high - (count - 1) * gap) // 2
    left = area.left + (area.width - width) // 2
    return [Box(left, top + i * (high + gap), width, high) for i in range(count)]


def row_of(count: int, area: Box, gap: int, aspect: float = 16 / 9) -> list[Box]:
    """Thumbnails side by side, as high as the area, in its middle."""
    high = min(area.height, int((area.width - (count - 1) * gap) / count / aspect))
    width = int(high * aspect)
    left = area.left + (area.width - count * width - (count - 1) * gap) // 2
    top = area.top + (area.height - high) // 2
    return [Box(left + i * (width + gap), top, width, high) for i in range(count)]


def largest_within(area: Box, aspect: float = 16 / 9) -> Box:
    """The largest box of this shape in the middle of the area."""
    width = min(area.width, int(area.height * aspect))
    high = int(width / aspect)
    return Box(area.left + (area.width - width) // 2, area.top + (area.height - high) // 2, width, high)


def even_counts(count: int, rows: int) -> list[int]:
    """Tiles per row, as even as can be, the longer rows first."""
    return [count // rows + (row < count % rows) for row in range(rows)]


def rows_that_fit(count: int, area: Box, aspect: float = 16 / 9) -> int:
    """Rows whose tiles, filling the area, come nearest to this shape."""

    def off(rows: int) -> float:
        columns = math.ceil(count / rows)
        return abs(math.log(area.width / columns / (area.height / rows) / aspect))

    return min(range(1, count + 1), key=off)


def _cuts(begin: int, end: int, count: int, gap: int) -> list[tuple[int, int]]:
    size = (end - begin - (count - 1) * gap) / count
    starts = [begin + i * (size + gap) for i in range(count)]
    return [(round(start), round(start + size)) for start in starts]

"""Tiles beside a grid that show hardly an edge, or are cut by the picture's edge, but bear names.

A room in the colour of the gap has no outline. Where the grid has room for another row or column, it is looked at: if
nearly all cells there show a name at the same place as the tiles of the grid, they are tiles. Of a row or column that
the picture's edge cuts, what is seen counts from half of its size on; where its names are cut off, its edges speak.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.cards import Content
from capture.chains import MOST_IN_LINE, Lines, widest_gap
from capture.evidence import Evidence
from capture.grid import BESIDE, CLEAR, LEAST_FILLED, Fitter, Grid, Place
from engagement.records import Box

# Share of the cells beside a grid that bear a name.
NAMED: Final = 0.75
NAMED_IF_CLEAR: Final = 0.5
# Share that is seen of a row or column that is cut, and support of its outline.
LEAST_SEEN: Final = 0.5
LEAST_CUT: Final = 0.72
# Support of the outlines of a row that is not full.
LEAST_SHORT: Final = 0.35
# Steps in a place in which there is something.
BUSY: Final = 0.001
# What is in the middle of a card reaches into this part of its height.
CARD_MIDDLE: Final = 0.6
# Columns are the same where they are no farther apart, in pixels; the picture's edge may be passed by so much.
ALIGNED: Final = 3
BEYOND: Final = 1


def with_named_neighbours(grey: NDArray[np.uint8], fitter: Fitter, grid: Grid) -> Grid:
    """The grid with the rows and columns beside it that bear names; grey is the picture uint8 (H, W)."""
    places: list[Place] = [(row.left, row.right, row.top, row.bottom) for row in grid.rows]
    before = sum(left.size for left, *_ in places)
    places = _with_columns(grey, fitter, places)
    for downwards in (False, True):
        places = _with_rows(grey, fitter, places, downwards=downwards)
    if len(places) > 1:
        ends = [(int(left[0]), int(right[-1])) for left, right, *_ in places]
        # rows of several lengths are centred all of them
        middles = {
            first + last for first, last in ends if abs(first + last - fitter.upright.length) <= 2 * ALIGNED
        }
        places = [
            _with_ends(grey, fitter, place, _gap_of(places), min(middles, default=-1)) for place in places
        ]
    return Grid(tuple(fitter.rows(places))) if sum(left.size for left, *_ in places) > before else grid


def _with_columns(grey: NDArray[np.uint8], fitter: Fitter, places: list[Place]) -> list[Place]:
    width = fitter.upright.length
    for outwards in (-1, 1):
        while True:
            left, right, top, bottom = max(places, key=lambda place: place[0].size)
            if left.size == MOST_IN_LINE:
                break
            strip = left.size == 1 and len(places) > 1
            wide = int(np.median(right - left))
            end = 0 if outwards < 0 else -1
            pitch = int(np.median(np.diff(left))) if left.size > 1 else wide + _gap_below(places)
            begin, finish = int(left[end]) + outwards * pitch, int(right[end]) + outwards * pitch
            # the tiles of a strip may have been found wider than they are, by the gap beside them
            beyond = round(widest_gap(wide)) // 2 if strip else BEYOND
            cut = begin < -beyond or finish > width + beyond
            begin, finish = max(0, begin), min(width, finish)
            if finish - begin < (LEAST_SEEN if cut else 1 - beyond / wide) * wide or (cut and strip):
                break
            full = [
                i
                for i, place in enumerate(places)
                if place[0].size == left.size and abs(int(place[0][0]) - int(left[0])) <= ALIGNED
            ]
            if strip:
                begin, finish = _aligned(fitter, begin, finish, outwards, [places[i] for i in full])
            one = np.array([begin]), np.array([finish])
            column: list[Place] = [(*one, places[i][2], places[i][3]) for i in full]
            if not _is_busy(fitter, begin, finish, column[0][2], column[-1][3]):
                break
            # the names of a column that is cut at its left are cut off, and beside a strip may be a shared screen
            if (cut or strip) and not _are_outlined(grey, fitter, column):
                break
            if not (cut and outwards < 0) and not _are_named(grey, column):
                break
            for i in full:
                left, right, top, bottom = places[i]
                if outwards < 0:
                    places[i] = np.append(one[0], left), np.append(one[1], right), top, bottom
                else:
                    places[i] = np.append(left, one[0]), np.append(right, one[1]), top, bottom
            if cut:
                break
    return places


def _with_rows(
    grey: NDArray[np.uint8], fitter: Fitter, places: list[Place], *, downwards: bool
) -> list[Place]:
    height = fitter.level.length
    strip = len(places) == 1
    longest = max(place[0].size for place in places)
    if downwards and len(places) > 1 and places[-1][0].size < longest == places[0][0].size:
        # the last row is there: below it is a toolbar
        return places
    while len(places) < MOST_IN_LINE:
        full = max(places, key=lambda place: place[0].size)
        edge = places[-1] if downwards else places[0]
        tall = full[3] - full[2]
        pitch = places[1][2] - places[0][2] if len(places) > 1 else tall + _gap(full)
        top = edge[2] + pitch if downwards else edge[2] - pitch
        bottom = top + tall
        cut = top < -BEYOND or bottom > height + BEYOND
        if cut and (strip or full[0].size == 1):
            break
        top, bottom = max(0, top), min(height, bottom)
        if bottom - top < (LEAST_SEEN if cut else 1 - BEYOND / tall) * tall:
            break
        if not _is_busy(fitter, int(full[0][0]), int(full[1][-1]), top, bottom):
            break
        found = next(
            (
                place
                for place in _arrangements(full, top, bottom)
                if (
                    _are_outlined(grey, fitter, [place])
                    if cut and downwards
                    else _is_whole(grey, fitter, place, full, strip=strip)
                    and _are_named(grey, [place], _needed(fitter, place, full))
                )
            ),
            None,
        )
        if found is None:
            break
        places = [*places, found] if downwards else [found, *places]
        if cut or found[0].size < full[0].size:
            break
    return places


def _with_ends(grey: NDArray[np.uint8], fitter: Fitter, place: Place, gap: int, middle: int) -> Place:
    """A row with the tiles beside it that have clear outlines and names: rows may be of several lengths (Meet).

    Twice the `middle` of other rows is given, in pixels, or -1 where none is known.
    """
    left, right, top, bottom = place
    wide = int(np.median(right - left))
    # the left again: it may be in the middle with one more at the right
    for outwards in (-1, 1, -1):
        while left.size < MOST_IN_LINE:
            begin = int(right[-1]) + gap if outwards > 0 else int(left[0]) - gap - wide
            if begin < -BEYOND or begin + wide > fitter.upright.length + BEYOND:
                break
            one: Place = np.array([max(0, begin)]), np.array([begin + wide]), top, bottom
            # a dark room shows little of its outline, but where the row is not in the middle without it, it is there
            first, last = min(begin, int(left[0])), max(begin + wide, int(right[-1]))
            needed = LEAST_SHORT if abs(first + last - middle) <= 2 * ALIGNED else CLEAR
            if float(fitter.rows([one])[0].support[0]) < needed or not _are_named(grey, [one]):
                break
            left = np.append(one[0], left) if outwards < 0 else np.append(left, one[0])
            right = np.append(one[1], right) if outwards < 0 else np.append(right, one[1])
    return left, right, top, bottom


def _gap_of(places: list[Place]) -> int:
    """Between the tiles of a row, or of a column where no row has two."""
    return _gap(max(places, key=lambda place: place[0].size)) or _gap_below(places)


def _gap(place: Place) -> int:
    left, right, *_ = place
    return int(np.median(left[1:] - right[:-1])) if left.size > 1 else 0


def _aligned(fitter: Fitter, begin: int, finish: int, outwards: int, places: list[Place]) -> tuple[int, int]:
    """The column moved by as much as there may be between it and the strip, and narrower by as much, to where its edges
    are: the strip's tiles may have been found with the gap beside them."""
    most = round(widest_gap(finish - begin)) // 2
    offs, trims = (line.ravel() for line in np.meshgrid(np.arange(1 - most, most), np.arange(most)))
    left = begin + offs * outwards + (trims if outwards < 0 else 0)
    right = finish + offs * outwards - (trims if outwards > 0 else 0)
    inside = (left >= 0) & (right <= fitter.upright.length)
    left, right = np.append(begin, left[inside]), np.append(finish, right[inside])
    rows = fitter.rows([(left, right, top, bottom) for *_, top, bottom in places])
    best = int(np.mean([row.support for row in rows], axis=0).argmax())
    return int(left[best]), int(right[best])


def _gap_below(places: list[Place]) -> int:
    gaps = [lower[2] - upper[3] for upper, lower in pairwise(places)]
    return max(0, int(np.median(gaps))) if gaps else 0


def _arrangements(full: Place, top: int, bottom: int) -> Iterator[Place]:
    """A full row, and shorter ones in its middle or at its left."""
    left, right, *_ = full
    yield left, right, top, bottom
    width, gap = int(np.median(right - left)), _gap(full)
    middle = (int(left[0]) + int(right[-1])) / 2
    for count in range(left.size - 1, 0, -1):
        begin = round(middle - (count * width + (count - 1) * gap) / 2) + np.arange(count) * (width + gap)
        yield begin, begin + width, top, bottom
        yield left[:count], right[:count], top, bottom


def _is_busy(fitter: Fitter, left: int, right: int, top: int, bottom: int) -> bool:
    one: list[Lines] = [np.array([line]) for line in (left, right, top, bottom)]
    return float(fitter.upright.busy(*one)[0]) >= BUSY


def _needed(fitter: Fitter, place: Place, full: Place) -> float:
    """Share of a row's tiles that have to bear a name: fewer where it is full and its outlines are clear."""
    clear = place[0].size == full[0].size and float(fitter.rows([place])[0].support.mean()) >= CLEAR
    return NAMED_IF_CLEAR if clear else NAMED


def _are_named(grey: NDArray[np.uint8], places: list[Place], needed: float = NAMED) -> bool:
    seen = Evidence.of(grey, _boxes(grey, places))
    shown = sum(
        named and what is not Content.DRAWING for named, what in zip(seen.named, seen.contents, strict=True)
    )
    return shown >= needed * len(seen.named)


def _is_whole(grey: NDArray[np.uint8], fitter: Fitter, place: Place, full: Place, *, strip: bool) -> bool:
    """Whether no toolbar begins in the row, and a row that is not full shows something of its outline, has nothing
    beside it, or is of cards, which are as flat as the window and may be nearly of its colour. Beside a strip, what has
    an outline may be a shared screen."""
    if fitter.cut(place) is not None:
        return False
    if place[0].size == full[0].size:
        return True
    if not strip and float(fitter.rows([place])[0].support.mean()) >= LEAST_SHORT:
        return True
    if _is_all_there_is(fitter, place):
        return True
    contents = Evidence.of(grey, _boxes(grey, [place])).contents
    if any(what is not Content.CARD for what in contents):
        return False
    # a card has a name or a face in its middle, which buttons below an empty place are not, and there is nothing beside
    # it at that height, as there is beside the buttons of a toolbar
    left, right, top, bottom = place
    middle = top + round(CARD_MIDDLE * (bottom - top))
    beside = (int(full[0][0]), int(left[0]) - BESIDE), (int(right[-1]) + BESIDE, int(full[1][-1]))
    return all(
        _is_busy(fitter, int(a), int(b), top, middle) for a, b in zip(left, right, strict=True)
    ) and not any(_is_busy(fitter, a, b, top, middle) for a, b in beside if a < b)


def _is_all_there_is(fitter: Fitter, place: Place) -> bool:
    """Whether there is something above the names of a row, and nothing beside it from edge to edge of the picture."""
    left, right, top, bottom = place
    above = [
        _is_busy(fitter, int(a), int(b), top, bottom - (bottom - top) // 4)
        for a, b in zip(left, right, strict=True)
    ]
    beside = fitter.margins(place)
    both = beside[0].size == 2
    return all(above) and both and float(fitter.upright.filled(*beside).max()) < LEAST_FILLED


def _are_outlined(grey: NDArray[np.uint8], fitter: Fitter, places: list[Place]) -> bool:
    """Whether what is cut by the picture's edge has the outlines of tiles, and is a camera's picture somewhere."""
    support = np.concatenate([row.support for row in fitter.rows(places)])
    contents = Evidence.of(grey, _boxes(grey, places)).contents
    return float(support.mean()) >= LEAST_CUT and Content.PICTURE in contents


def _boxes(grey: NDArray[np.uint8], places: list[Place]) -> list[Box]:
    height, width = grey.shape
    return [
        Box(int(a), top, int(b - a), bottom - top).clipped(width, height)
        for left, right, top, bottom in places
        for a, b in zip(left, right, strict=True)
    ]

"""Which of several participants with one name sits on which tile, where the others around them can tell.

A name tells two of the same name not apart, and nothing else about a person may be looked at (design: identity is the
label, never the face). What is left is the order of the gallery: it is kept but for those who move, so whoever stands
between the same neighbours as before is the same. Where that does not tell, nobody is guessed.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engagement.records import Box

SAME_PLACE: Final = 0.7
"""IoU above which two boxes are the same place of the grid."""

_KEPT_SHARE: Final = 0.7
"""Share of the others that must have kept their order, or their place, for it to say anything."""

_COMMON_SHARE: Final = 0.5
"""Share of the others that must be there in both frames: two pages of a gallery have nobody in common."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """One frame of the gallery: the seat numbers and their boxes, row by row."""

    numbers: tuple[int, ...]
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Pairing:
    """What is certain.

    Attributes:
        seats: index of a tile -> number of its seat.
        doubtful: numbers of the seats that sit on some of the other tiles or have left, nobody knows which.
    """

    seats: Mapping[int, int]
    doubtful: tuple[int, ...]


def pair_namesakes(
    tiles: Sequence[int],
    seats: Mapping[int, Order],
    others: Mapping[int, int],
    boxes: Sequence[Box],
    *,
    all_here: bool,
) -> Pairing:
    """Seat the tiles that carry one name.

    Args:
        tiles: indices of those tiles in the frame, rising.
        seats: number of each seat of that name -> the frame in which it was last seen, the newest frame first.
        others: number -> index of the seats of this frame that are known by a name of their own.
        boxes: of all tiles of the frame.
        all_here: as many of that name are here as ever were at one time: then who is left over is the one who moved.

    Returns:
        The tiles whose seat is certain. Of the rest each is a new seat; where `doubtful` is empty, it has just come.
    """
    paired: dict[int, int] = {}
    by_order: dict[int, tuple[Order, list[int]]] = {}
    for number, order in seats.items():
        by_order.setdefault(id(order), (order, []))[1].append(number)
    accompanied = []
    for order, members in by_order.values():
        known = [number for number in order.numbers if number in others]
        if _has_company(order, members, len(known), others, boxes):
            accompanied.append((order, members, known))
    # who is where they were, in whichever frame that was, comes before who may have moved there
    for order, members, known in accompanied:
        left = [index for index in tiles if index not in paired]
        paired.update(_pair_in_place(left, members, order, known, others, boxes))
    for order, members, known in accompanied:
        left = [index for index in tiles if index not in paired]
        missing = [number for number in members if number not in paired.values()]
        paired.update(_pair_in_order(left, missing, order, known, others))
    company = bool(accompanied)
    left = [index for index in tiles if index not in paired]
    doubtful = [number for number in seats if number not in paired.values()]
    if all_here and company and len(left) == len(doubtful) == 1 and len(tiles) == len(seats):
        return Pairing({**paired, left[0]: doubtful[0]}, ())
    return Pairing(paired, tuple(doubtful) if left else ())


def kept_in_order(values: Sequence[int]) -> list[int]:
    """A longest rising run of `values` (all different), such as those of a gallery who did not move."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, value in enumerate(values):
        place = bisect_left(tails, value)
        before.append(ends[place - 1] if place else -1)
        if place == len(tails):
            tails.append(value)
            ends.append(index)
        else:
            tails[place], ends[place] = value, index
    kept: list[int] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        kept.append(values[index])
        index = before[index]
    return kept[::-1]


def _has_company(
    order: Order, members: Sequence[int], common: int, others: Mapping[int, int], boxes: Sequence[Box]
) -> bool:
    """Whether enough of those who were there then are there now, so that their order says something."""
    strangers = len(order.numbers) - len(members)
    if not strangers and not others:
        # nobody has a name of their own: only a gallery that stands still tells
        return len(boxes) == len(order.boxes) and all(
            box.iou(old) >= SAME_PLACE for box, old in zip(boxes, order.boxes, strict=True)
        )
    return common > 0 and common >= _COMMON_SHARE * min(strangers, len(others))


def _is_held(place: int, still: set[int], moved: set[int]) -> bool:
    """Whether the nearest known neighbours of a place, on both sides, are where they were."""
    for side in ((p for p in still | moved if p < place), (p for p in still | moved if p > place)):
        nearest = min(side, key=lambda p: abs(p - place), default=None)
        if nearest in moved:
            return False
    return bool(still)


def _kept(order: Order, known: Sequence[int], others: Mapping[int, int]) -> list[int]:
    """Indices of those in this frame who kept their order since an earlier one; none if too many did not."""
    kept = kept_in_order([others[number] for number in known])
    return kept if len(kept) >= _KEPT_SHARE * len(known) else []


def _pair_in_place(
    tiles: Sequence[int],
    members: Sequence[int],
    order: Order,
    known: Sequence[int],
    others: Mapping[int, int],
    boxes: Sequence[Box],
) -> dict[int, int]:
    """Tiles -> seats that are where they were in an earlier frame, as are their neighbours, whoever else is missing."""
    if known and not _kept(order, known, others):
        return {}
    place = {number: index for index, number in enumerate(order.numbers)}
    still = {place[n] for n in known if boxes[others[n]].iou(order.boxes[place[n]]) >= SAME_PLACE}
    moved = {place[n] for n in known} - still
    paired: dict[int, int] = {}
    for number in members:
        if not _is_held(place[number], still, moved):
            continue
        old = order.boxes[place[number]]
        index = next((i for i in tiles if i not in paired and boxes[i].iou(old) >= SAME_PLACE), None)
        if index is not None:
            paired[index] = number
    return paired


def _pair_in_order(
    tiles: Sequence[int],
    members: Sequence[int],
    order: Order,
    known: Sequence[int],
    others: Mapping[int, int],
) -> dict[int, int]:
    """Tiles -> seats that are between the same neighbours as in an earlier frame."""
    kept = _kept(order, known, others)
    if known and not kept:
        return {}
    place = {number: index for index, number in enumerate(order.numbers)}
    index_of = {index: number for number, index in others.items()}
    kept_places = [place[index_of[index]] for index in kept]
    slots: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for index in tiles:
        slots[bisect_right(kept, index)][0].append(index)
    for number in sorted(members, key=place.__getitem__):
        slots[bisect_right(kept_places, place[number])][1].append(number)
    paired: dict[int, int] = {}
    for here, sat in slots.values():
        if len(here) == len(sat):
            paired.update(zip(here, sat, strict=True))
    return paired

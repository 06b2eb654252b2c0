"""Who sits where: each participant keeps one seat through a session, wherever their tile moves.

Identity is the name label, never the face. A tile whose label was seen before (same fingerprint or same name) gets
its seat back. A tile without a readable label keeps the seat of its place for as long as the grid is stable, and
never takes a seat that has a label.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import hypot
from typing import Final

import numpy as np

from engagement.names import clean_name
from engagement.records import Box, Reading, Seat, State, TileReading

_SAME_PLACE: Final = 0.7
"""IoU above which two boxes are the same place of the grid."""

_SAME_SIZE: Final = 0.03
"""Relative difference up to which tiles count as equal in size, as the tiles of a grid are."""

_CALLS_A_HOLE_LASTS: Final = 5
"""Frames for which a tile that was not found in the middle of a grid keeps its place."""

_CALLS_A_FACE_LASTS: Final = 30
"""Frames for which a face outside any grid keeps its seat while it is not found."""

_CALLS_A_NAMELESS_SEAT_LASTS: Final = 1000
"""Frames after which a seat without a name that was not seen again is forgotten, to bound memory."""

_MOST_FINGERPRINTS: Final = 4096
_STALE: Final = 1000
"""Cost in places of taking a seat that was not in the frame before, higher than any way through a gallery."""


@dataclass(slots=True, eq=False)
class _Label:
    """A name label and the seats that carry it (several where two participants share a name)."""

    name: str | None
    places: list["_Place"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Place:
    """A seat with what it takes to find it again."""

    seat: Seat
    label: _Label | None
    box: Box
    position: int
    call: int
    confirmed: bool = False  # found again by its label at least once

    @property
    def held_by_position(self) -> bool:
        return self.label is None or (self.label.name is None and not self.confirmed)


@dataclass(frozen=True, slots=True)
class _Slot:
    """One place of the last grid; `missed` counts the frames since a tile was found there."""

    box: Box
    place: _Place
    missed: int


class Seating:
    """Gives each tile of each frame its seat. One object per session; memory is bounded by the participants."""

    def __init__(self) -> None:
        self._call = 0
        self._count = 0
        self._places: list[_Place] = []
        self._names: dict[str, _Label] = {}
        self._fingerprints: OrderedDict[str, _Label] = OrderedDict()
        self._grid: list[_Slot] = []
        self._grid_is_regular = False

    def assign(self, readings: Sequence[TileReading]) -> tuple[tuple[Reading, ...], tuple[Seat, ...]]:
        """Seat the tiles of one frame.

        Args:
            readings: one per tile, row by row.

        Returns:
            The readings with their seats, in the same order (so `position` is the index), and those seats. No seat
            occurs twice. Probabilities are kept only where the state is `seen`.
        """
        self._call += 1
        names = [clean_name(reading.label.name) if reading.label.name else None for reading in readings]
        found: dict[int, _Place] = {}
        self._find_by_label(readings, names, found)
        regular = _is_regular([reading.tile.box for reading in readings])
        left = [index for index in range(len(readings)) if index not in found]
        if left:
            self._find_by_place(readings, left, found, regular)
        for index in left:
            place = found.get(index) or self._new_place(readings[index].tile.box, index)
            found[index] = place
            self._give_label(place, readings[index].label.fingerprint, names[index])
        for index, place in found.items():
            place.box, place.position, place.call = readings[index].tile.box, index, self._call
        self._remember_grid(readings, found, regular)
        if self._call % _CALLS_A_NAMELESS_SEAT_LASTS == 0:
            self._forget()
        return (
            tuple(_reading(reading, found[index].seat, index) for index, reading in enumerate(readings)),
            tuple(found[index].seat for index in range(len(readings))),
        )

    def _find_by_label(
        self, readings: Sequence[TileReading], names: Sequence[str | None], found: dict[int, _Place]
    ) -> None:
        tiles_of: dict[int, tuple[_Label, list[int]]] = {}
        for index, reading in enumerate(readings):
            label = self._label(reading.label.fingerprint, names[index])
            if label is not None:
                tiles_of.setdefault(id(label), (label, []))[1].append(index)
        for label, tiles in tiles_of.values():
            for index, place in _pair(tiles, label.places, self._call - 1):
                place.confirmed = True
                self._name(place, label.name)
                found[index] = place

    def _label(self, fingerprint: str, name: str | None) -> _Label | None:
        """The known label with this fingerprint or name; what is new about it is learnt."""
        by_fingerprint = self._fingerprints.get(fingerprint) if fingerprint else None
        by_name = self._names.get(name.casefold()) if name else None
        label = by_name or by_fingerprint
        if label is None:
            return None
        if by_name and by_fingerprint and by_fingerprint is not by_name and by_fingerprint.name is None:
            # a label whose text was unreadable so far turns out to be one we know by name
            for place in by_fingerprint.places:
                place.label = by_name
            by_name.places.extend(by_fingerprint.places)
            by_fingerprint.places = []
        self._learn(label, fingerprint, name)
        return label

    def _learn(self, label: _Label, fingerprint: str, name: str | None) -> None:
        if name:
            label.name = label.name or name
            self._names.setdefault(name.casefold(), label)
        if fingerprint:
            self._fingerprints[fingerprint] = label
            self._fingerprints.move_to_end(fingerprint)
            if len(self._fingerprints) > _MOST_FINGERPRINTS:
                self._fingerprints.popitem(last=False)

    def _find_by_place(
        self, readings: Sequence[TileReading], left: Sequence[int], found: dict[int, _Place], regular: bool
    ) -> None:
        boxes = [reading.tile.box for reading in readings]
        if regular and self._grid_is_regular:
            candidates = self._stable_places(boxes, found)
        else:
            candidates = self._nearest_places(boxes, left, found)
        taken = {id(place) for place in found.values()}
        for index in left:
            place = candidates.get(index)
            if place is not None and place.held_by_position and id(place) not in taken:
                found[index] = place
                taken.add(id(place))

    def _stable_places(self, boxes: Sequence[Box], found: dict[int, _Place]) -> dict[int, _Place]:
        """Who sat where each tile of the grid is now; empty if the grid was reordered."""
        grid = self._grid
        if len(boxes) == len(grid):
            # a window that was resized keeps its order, so the order counts and not the pixels
            pairs = {index: index for index in range(len(boxes))}
        else:
            pairs = _same_boxes(boxes, [slot.box for slot in grid])
            matched = set(pairs.values())
            fewer = len(pairs) == len(boxes) < len(grid)
            more = len(matched) == len(grid) < len(boxes)
            # one who leaves makes those behind move up, so it is the last place that empties: only a hole further
            # up is a tile that was not found
            if not (more or (fewer and len(grid) - 1 in matched)):
                return {}
        seated = {id(slot.place): number for number, slot in enumerate(grid)}
        for index, place in found.items():
            before = seated.get(id(place))
            if before is not None and pairs.get(index) != before:
                return {}
        return {index: grid[before].place for index, before in pairs.items()}

    def _nearest_places(
        self, boxes: Sequence[Box], left: Sequence[int], found: dict[int, _Place]
    ) -> dict[int, _Place]:
        """Who was last seen nearest to each face, within one face; for pictures without a grid."""
        taken = {id(place) for place in found.values()}
        recent = [
            place
            for place in self._places
            if place.held_by_position
            and id(place) not in taken
            and self._call - place.call <= _CALLS_A_FACE_LASTS
        ]
        ways = sorted(
            (distance, index, number)
            for index in left
            for number, place in enumerate(recent)
            if (distance := _distance(boxes[index], place.box)) <= 1.0
        )
        nearest: dict[int, _Place] = {}
        used: set[int] = set()
        for _, index, number in ways:
            if index not in nearest and number not in used:
                nearest[index] = recent[number]
                used.add(number)
        return nearest

    def _new_place(self, box: Box, position: int) -> _Place:
        self._count += 1
        place = _Place(Seat(self._count, None, ""), None, box, position, self._call)
        self._places.append(place)
        return place

    def _give_label(self, place: _Place, fingerprint: str, name: str | None) -> None:
        if not fingerprint and not name:
            return
        label = self._label(fingerprint, name)
        if label is None:
            label = _Label(None)
            self._learn(label, fingerprint, name)
        if place.label is not label:
            if place.label is not None:
                place.label.places.remove(place)
            place.label = label
            label.places.append(place)
        place.seat = Seat(place.seat.number, place.seat.name, fingerprint or place.seat.fingerprint)
        self._name(place, label.name)

    @staticmethod
    def _name(place: _Place, name: str | None) -> None:
        if place.seat.name is None and name is not None:
            place.seat = Seat(place.seat.number, name, place.seat.fingerprint)

    def _remember_grid(
        self, readings: Sequence[TileReading], found: dict[int, _Place], regular: bool
    ) -> None:
        current = [_Slot(reading.tile.box, found[index], 0) for index, reading in enumerate(readings)]
        before, was_regular = self._grid, self._grid_is_regular
        self._grid, self._grid_is_regular = current, regular
        if not (regular and was_regular and len(current) < len(before)):
            return
        matched = set(_same_boxes([slot.box for slot in current], [slot.box for slot in before]).values())
        if len(matched) < len(current) or len(before) - 1 not in matched:
            return
        kept = iter(current)
        merged = [
            next(kept) if number in matched else _Slot(slot.box, slot.place, slot.missed + 1)
            for number, slot in enumerate(before)
        ]
        self._grid = [slot for slot in merged if slot.missed <= _CALLS_A_HOLE_LASTS]

    def _forget(self) -> None:
        oldest = self._call - _CALLS_A_NAMELESS_SEAT_LASTS
        gone = {id(place) for place in self._places if place.seat.name is None and place.call < oldest}
        self._places = [place for place in self._places if id(place) not in gone]
        for fingerprint, label in list(self._fingerprints.items()):
            label.places = [place for place in label.places if id(place) not in gone]
            if not label.places:
                del self._fingerprints[fingerprint]


def _pair(tiles: Sequence[int], places: Sequence[_Place], last_call: int) -> list[tuple[int, _Place]]:
    """Pair tiles and seats of one label so that they move least in all and keep their order.

    All of the smaller group are paired. `tiles` are positions in rising order.
    """
    seats = sorted(places, key=lambda place: place.position)
    if len(tiles) == 1 and len(seats) == 1:
        return [(tiles[0], seats[0])]
    flipped = len(tiles) > len(seats)
    rows, columns = (len(seats), len(tiles)) if flipped else (len(tiles), len(seats))
    cost = np.array(
        [[abs(tile - seat.position) + _STALE * (seat.call < last_call) for seat in seats] for tile in tiles],
        dtype=np.float64,
    ).reshape(len(tiles), len(seats))
    if flipped:
        cost = cost.T
    # best[r, c]: least cost of pairing the first r rows within the first c columns
    best = np.full((rows + 1, columns + 1), np.inf)
    best[0] = 0.0
    for row in range(1, rows + 1):
        for column in range(row, columns + 1):
            best[row, column] = min(
                best[row, column - 1], best[row - 1, column - 1] + cost[row - 1, column - 1]
            )
    pairs: list[tuple[int, _Place]] = []
    row, column = rows, columns
    while row:
        if best[row, column] == best[row, column - 1]:
            column -= 1
            continue
        row, column = row - 1, column - 1
        tile, seat = (column, row) if flipped else (row, column)
        pairs.append((tiles[tile], seats[seat]))
    return pairs


def _is_regular(boxes: Sequence[Box]) -> bool:
    """Whether there are several boxes of one size, as in a grid."""
    if len(boxes) < 2:
        return False
    sizes = np.array([(box.width, box.height) for box in boxes], dtype=np.float64)
    middle = np.median(sizes, axis=0)
    return bool((np.abs(sizes - middle) <= np.maximum(_SAME_SIZE * middle, 2.0)).all())


def _same_boxes(boxes: Sequence[Box], others: Iterable[Box]) -> dict[int, int]:
    """Index in `boxes` -> index in `others` of those in the same place."""
    pairs: dict[int, int] = {}
    for number, other in enumerate(others):
        for index, box in enumerate(boxes):
            if index not in pairs and box.iou(other) >= _SAME_PLACE:
                pairs[index] = number
                break
    return pairs


def _distance(box: Box, other: Box) -> float:
    """Distance of the centres in units of the larger side; infinite where the sizes differ by more than twice."""
    size, other_size = max(box.width, box.height), max(other.width, other.height)
    if not 0.5 <= size / other_size <= 2.0:
        return float("inf")
    (x, y), (other_x, other_y) = box.centre, other.centre
    return hypot(x - other_x, y - other_y) / max(size, other_size)


def _reading(reading: TileReading, seat: Seat, position: int) -> Reading:
    seen = reading.state is State.SEEN
    pose = reading.pose if reading.state is not State.OPTED_OUT else None
    return Reading(
        seat=seat.number,
        position=position,
        state=reading.state,
        probabilities=reading.probabilities if seen else None,
        yaw=None if pose is None else pose.yaw,
        pitch=None if pose is None else pose.pitch,
        quality=min(1.0, max(0.0, reading.quality)),
    )

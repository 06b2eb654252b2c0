"""Who sits where: each participant keeps one seat through a session, wherever their tile moves.

Identity is the name label, never the face: where in its tile a face lies (not what it looks like) may raise a doubt,
as where two of one name seem to have changed places, but settles nothing. A tile whose label was seen before (same
fingerprint or same name) gets its seat back; several of one name are told apart by those around them
(`engagement.namesakes`). A tile without any label keeps the seat of its place for as long as the grid is stable. Where
none of this is certain a new seat is made and offered as one that is known: two participants are never merged, and
never swapped, in silence.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import combinations
from math import hypot
from typing import Final

import numpy as np

from engagement.names import clean_name
from engagement.namesakes import SAME_PLACE, Order, Pairing, pair_namesakes
from engagement.records import Box, OfferReason, Reading, Seat, SeatOffer, State, TileReading

_SAME_SIZE: Final = 0.03
"""Relative difference up to which tiles count as equal in size, as the tiles of a grid are."""

_CALLS_A_HOLE_LASTS: Final = 5
"""Frames for which a tile that was not found in the middle of a grid keeps its place."""

_CALLS_A_NAMESAKE_IS_MISSED: Final = 2
"""The same for one of several with one name: longer away, it may be another of them who comes."""

_CALLS_A_FACE_LASTS: Final = 30
"""Frames for which a face outside any grid keeps its seat while it is not found."""

_CALLS_A_NAMELESS_SEAT_LASTS: Final = 1000
"""Frames after which a seat without a name that was not seen again is forgotten, to bound memory."""

_MOST_FINGERPRINTS: Final = 4096

_JUMP: Final = 0.75
"""By how much of its height a face may move within its tile from frame to frame; one that jumps is another's."""

_SAME_FACE: Final = 0.35
"""The same where nothing else speaks for it."""

_FEWEST_FACES_OF_A_CUT: Final = 5
_FRAMES_OF_THE_NAMELESS: Final = 15
"""Frames after which a tile without a label is that of one who shows none; before, theirs may only be hidden."""

_FEWEST_NEIGHBOURS: Final = 2
"""Others in their places that it takes to say that a tile without a label is who sat there."""

_STANDING_SHARE: Final = 0.7
"""Share of the other seats that must be in their places for a new name among them to be a new name of one of them."""

_LIKE: Final = 0.75
"""Likeness (0..1) from which one name may be a corrected form of another."""


_FaceInTile = tuple[float, float, float]
"""Where a face is in its tile, in units of the tile: x and y of its centre, and its height."""


@dataclass(slots=True, eq=False)
class _Label:
    """A name label, the seats that carry it, and how many participants were seen with it at one time."""

    name: str | None
    most: int = 1
    places: list["_Place"] = field(default_factory=list)

    @property
    def shared(self) -> bool:
        return self.most > 1


@dataclass(slots=True, eq=False)
class _Place:
    """A seat with what it takes to find it again."""

    seat: Seat
    label: _Label | None
    box: Box
    position: int
    call: int
    order: Order  # the frame in which it was last seen
    face: _FaceInTile | None = None  # as in `_Slot`
    camera_on: bool = True
    frames: int = 0  # in which it was seen
    suspect: bool = False  # has no label, perhaps only because one is hidden
    confirmed: bool = False  # found again by its label at least once

    @property
    def held_by_position(self) -> bool:
        return self.label is None or (self.label.name is None and not self.confirmed)


@dataclass(frozen=True, slots=True)
class _Slot:
    """One place of the last grid; `missed` counts the frames since a tile was found there.

    `face` is where the face was in its tile: x and y of its centre and its height, in units of the tile.
    """

    box: Box
    place: _Place
    missed: int
    face: _FaceInTile | None


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
        self._offered: list[SeatOffer] = []
        self.offers: tuple[SeatOffer, ...] = ()
        """Seats of the last frame that are new and may be ones that are known."""

    def restore(self, seats: Sequence[Seat], places: Mapping[int, int]) -> None:
        """Take up the seats of a session that goes on; before the first frame.

        Args:
            seats: all seats of the session.
            places: position -> number of the seats of its last frame.
        """
        # where the tiles were is not known any more, their order is
        boxes = tuple(Box(2 * position, 0, 1, 1) for position in range(len(places)))
        numbers = tuple(number for _, number in sorted(places.items()))
        last, before = Order(numbers, boxes), Order((), ())
        index = {number: position for position, number in enumerate(numbers)}
        self._call = 1
        for seat in seats:
            position = index.get(seat.number)
            order, call = (before, 0) if position is None else (last, 1)
            position = position or 0
            place = _Place(seat, None, Box(2 * position, 0, 1, 1), position, call, order)
            self._places.append(place)
            self._count = max(self._count, seat.number)
            self._give_label(place, seat.fingerprint, seat.name)
            if place.label is not None:
                place.confirmed = True
                place.label.most = len(place.label.places)
        by_number = {place.seat.number: place for place in self._places}
        self._grid = [
            _Slot(box, by_number[number], 0, None) for number, box in zip(numbers, boxes, strict=True)
        ]
        self._grid_is_regular = True

    def merge(self, merged: Mapping[int, int]) -> None:
        """Take up what the teacher said: seats that are another.

        Args:
            merged: number -> number of the seat that it is; each newer than that. What is already known is passed over.
        """
        for number, same_as in merged.items():
            known = {place.seat.number: place for place in self._places}
            newer, older = known.get(number), known.get(same_as)
            if newer is None:
                continue
            kept = newer if older is None or newer.call >= older.call else older
            if older is not None:
                self._unite_labels(newer, older)
                dropped = older if kept is newer else newer
                self._places.remove(dropped)
                self._grid = [
                    replace(slot, place=kept) if slot.place is dropped else slot for slot in self._grid
                ]
                if kept.label is not None:
                    others = [place for place in kept.label.places if place is not dropped]
                    kept.label.places = others if kept in others else [*others, kept]
            # the name that was read last
            named = newer.seat if newer.seat.name is not None or older is None else older.seat
            kept.seat = Seat(same_as, named.name, named.fingerprint)
        orders: dict[int, Order] = {}
        for place in self._places:
            old = place.order
            if merged.keys() & set(old.numbers):
                renumbered = Order(tuple(merged.get(number, number) for number in old.numbers), old.boxes)
                place.order = orders.setdefault(id(old), renumbered)

    def _unite_labels(self, newer: _Place, older: _Place) -> None:
        """Let both labels of a participant find one seat."""
        old, new = older.label, newer.label
        if old is None or new is None or old is new:
            newer.label = older.label = new or old
            return
        for place in new.places:
            place.label = old
        old.places += new.places
        old.most = max(old.most, new.most)
        new.places = []
        self._names = {name: old if label is new else label for name, label in self._names.items()}
        for fingerprint, label in self._fingerprints.items():
            if label is new:
                self._fingerprints[fingerprint] = old

    def assign(self, readings: Sequence[TileReading]) -> tuple[tuple[Reading, ...], tuple[Seat, ...]]:
        """Seat the tiles of one frame.

        Args:
            readings: one per tile, row by row.

        Returns:
            The readings with their seats, in the same order (so `position` is the index), and those seats. No seat
            occurs twice. Probabilities are kept only where the state is `seen`.
        """
        self._call += 1
        self._offered = []
        names = [clean_name(reading.label.name) if reading.label.name else None for reading in readings]
        boxes = tuple(reading.tile.box for reading in readings)
        found: dict[int, _Place] = {}
        self._find_by_label(readings, names, found)
        regular = _is_regular(boxes)
        left = [index for index in range(len(readings)) if index not in found]
        if left:
            self._find_by_place(readings, left, found, regular)
        new: list[int] = []
        for index in left:
            if index not in found:
                found[index] = self._new_place(boxes[index], index)
                found[index].suspect = not _has_label(readings[index]) and self._somebody_is_gone(found)
                new.append(index)
            self._give_label(found[index], readings[index].label.fingerprint, names[index])
        self._note_namesakes(found)
        self._offer_renamed(boxes, new, found)
        self._retire(self._replaced_nameless(boxes, found))
        self._retire(place for place in self._places if place.suspect and place.call < self._call - 1)
        order = Order(tuple(found[index].seat.number for index in range(len(readings))), boxes)
        for index, place in found.items():
            place.box, place.position, place.call, place.order = boxes[index], index, self._call, order
            place.face, place.camera_on = _face(readings[index]), readings[index].tile.camera_on
            place.frames += 1
            place.suspect = place.suspect and place.label is None and place.frames < _FRAMES_OF_THE_NAMELESS
        self._remember_grid(readings, found, regular)
        if self._call % _CALLS_A_NAMELESS_SEAT_LASTS == 0:
            self._forget()
        self.offers = tuple(dict.fromkeys(self._offered))
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
            if label is not None and label.places:
                tiles_of.setdefault(id(label), (label, []))[1].append(index)
        namesakes: list[tuple[_Label, list[int]]] = []
        for label, tiles in tiles_of.values():
            label.most = max(label.most, len(tiles))
            if label.shared:
                namesakes.append((label, tiles))
            else:
                self._find(max(label.places, key=lambda place: place.call), tiles[0], found)
        others = {place.seat.number: index for index, place in found.items()}
        boxes = [reading.tile.box for reading in readings]
        faces = [_face(reading) for reading in readings]
        cameras = [reading.tile.camera_on for reading in readings]
        for label, tiles in namesakes:
            self._find_namesakes(label, tiles, others, boxes, faces, cameras, found)

    def _somebody_is_gone(self, found: Mapping[int, _Place]) -> bool:
        """Whether one who had a label in the last frame is not in this one."""
        here = {id(place) for place in found.values()}
        return any(slot.place.label is not None and id(slot.place) not in here for slot in self._grid)

    @staticmethod
    def _note_namesakes(found: Mapping[int, _Place]) -> None:
        times = Counter(id(place.label) for place in found.values() if place.label is not None)
        for place in found.values():
            if place.label is not None:
                place.label.most = max(place.label.most, times[id(place.label)])

    def _replaced_nameless(self, boxes: Sequence[Box], found: Mapping[int, _Place]) -> list[_Place]:
        """Seats without a label on whose tile a label is read now: theirs was hidden, or they have gone."""
        here = {id(place) for place in found.values()}
        if 2 * sum(id(slot.place) in here for slot in self._grid) < len(found):
            return []  # another page
        same_count = len(boxes) == len(self._grid)
        return [
            slot.place
            for number, slot in enumerate(self._grid)
            if slot.place.label is None
            and id(slot.place) not in here
            and any(
                place.label is not None
                and ((same_count and index == number) or boxes[index].iou(slot.box) >= SAME_PLACE)
                for index, place in found.items()
            )
        ]

    def _find(self, place: _Place, index: int, found: dict[int, _Place]) -> None:
        place.confirmed = True
        if place.label is not None:
            self._name(place, place.label.name)
        found[index] = place

    def _find_namesakes(
        self,
        label: _Label,
        tiles: Sequence[int],
        others: Mapping[int, int],
        boxes: Sequence[Box],
        faces: Sequence[_FaceInTile | None],
        cameras: Sequence[bool],
        found: dict[int, _Place],
    ) -> None:
        """Seat the tiles of one name of which there are several, as far as that is certain."""
        places = {place.seat.number: place for place in label.places}
        latest = sorted(places.values(), key=lambda place: -place.call)
        seats = {place.seat.number: self._order_of(place) for place in latest}
        pairing = pair_namesakes(tiles, seats, others, boxes, all_here=len(tiles) >= label.most)
        before = {index: places[number].face for index, number in pairing.seats.items()}
        doubted = _crossed(before, faces) | {
            index for index, face in before.items() if _has_jumped(faces[index], face)
        }
        if len(tiles) < label.most:
            # another of that name is elsewhere, and may be who came, or turned the camera off, where this one was
            doubted |= {
                index for index, number in pairing.seats.items() if places[number].camera_on != cameras[index]
            }
        if doubted:
            kept = {index: number for index, number in pairing.seats.items() if index not in doubted}
            pairing = Pairing(kept, (*pairing.doubtful, *(pairing.seats[index] for index in doubted)))
        for index, number in pairing.seats.items():
            self._find(places[number], index, found)
        for index in tiles:
            if index in pairing.seats:
                continue
            place = found[index] = self._new_place(boxes[index], index)
            place.label, place.confirmed = label, True
            label.places.append(place)
            self._name(place, label.name)
            self._offer(place, pairing.doubtful, OfferReason.SAME_NAME)
        gone = self._retire(places[number] for number in pairing.doubtful)
        label.places = [place for place in label.places if id(place) not in gone]

    def _retire(self, places: Iterable[_Place]) -> set[int]:
        """Never find these seats again: who may sit on either of two tiles must not come back on the wrong one."""
        gone = {id(place) for place in places}
        self._places = [place for place in self._places if id(place) not in gone]
        return gone

    def _order_of(self, place: _Place) -> Order:
        """The frame by which a seat can be found again; none if its page was shown since and it was not on it."""
        away = self._call - place.call - 1
        if away > _CALLS_A_NAMESAKE_IS_MISSED:
            before = {slot.place.seat.number for slot in self._grid}
            if 2 * len(before.intersection(place.order.numbers)) >= min(
                len(before), len(place.order.numbers)
            ):
                return _NO_ORDER
        return place.order

    def _offer(self, place: _Place, numbers: Iterable[int], reason: OfferReason) -> None:
        self._offered += [
            SeatOffer(place.seat.number, number, reason) for number in numbers if number < place.seat.number
        ]

    def _offer_renamed(self, boxes: Sequence[Box], new: Sequence[int], found: Mapping[int, _Place]) -> None:
        """Offer each new seat as the one that it replaced, or as one that left under a name much like its own."""
        here = {place.seat.number for place in found.values()}
        before = {slot.place.seat.number: slot for slot in self._grid}
        stayed = [index for index, place in found.items() if place.seat.number in before]
        same_count = len(boxes) == len(self._grid)
        standing = 0
        for index in stayed:
            slot = before[found[index].seat.number]
            standing += (same_count and self._grid[index] is slot) or boxes[index].iou(slot.box) >= SAME_PLACE
        stands = bool(stayed) and standing >= _STANDING_SHARE * len(stayed) and len(stayed) >= len(new)
        for index in new:
            place = found[index]
            if place.label is None:
                continue
            replaced = [
                slot.place.seat.number
                for position, slot in enumerate(self._grid)
                if slot.place.seat.number not in here
                and ((same_count and position == index) or slot.box.iou(boxes[index]) >= SAME_PLACE)
            ]
            if stands and replaced:
                self._offer(place, replaced[:1], OfferReason.RENAMED)
                continue
            name = place.seat.name
            alike = [
                (likeness, other.seat.number)
                for other in self._places
                if name and other.seat.name and other.seat.number not in here
                if (likeness := like(name, other.seat.name)) >= _LIKE
            ]
            self._offer(place, [max(alike)[1]] if alike else [], OfferReason.RENAMED)

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
            for place in by_fingerprint.places:
                for known in by_name.places:
                    self._offer(place, [known.seat.number], OfferReason.SAME_NAME)
                    self._offer(known, [place.seat.number], OfferReason.SAME_NAME)
            by_name.places.extend(by_fingerprint.places)
            by_fingerprint.places = []
        if name and by_name is None and label.name is not None:
            label = self._renamed(label, fingerprint, name)
        self._learn(label, fingerprint, name)
        return label

    @staticmethod
    def _renamed(label: _Label, fingerprint: str, name: str) -> _Label:
        """The label of this fingerprint once it is read anew and better. Where several carry it, it was taken for that
        of the others, who keep theirs."""
        if len(label.places) > 1:
            theirs = [place for place in label.places if place.seat.fingerprint == fingerprint]
            if not theirs:
                return label
            if len(theirs) < len(label.places):
                label.places = [place for place in label.places if place not in theirs]
                label.most = len(label.places)
                label = _Label(name, places=theirs)
                for place in theirs:
                    place.label = label
        label.name = name
        for place in label.places:
            place.seat = replace(place.seat, name=name)
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
            slots = self._stable_slots(readings, found)
        elif self._grid_is_regular and 2 * len(readings) < len(self._grid):
            slots = {}  # another page
        else:
            slots = {
                index: _Slot(place.box, place, self._call - place.call - 1, None)
                for index, place in self._nearest_places(boxes, left, found).items()
            }
        taken = {id(place) for place in found.values()}
        nobody = not any(map(_has_label, readings)) and len(readings) >= _FEWEST_FACES_OF_A_CUT
        seated = {id(slot.place) for slot in self._grid}
        appeared = regular and not self._grid_is_regular and len(readings) >= _FEWEST_FACES_OF_A_CUT
        # somebody with a label came to where another was: those without one may have moved as well
        quiet = all(id(place) in seated for place in found.values())
        surroundings = nobody or len(found) >= _FEWEST_NEIGHBOURS
        hidden = [index for index in left if not _has_label(readings[index])]
        switched_on = not hidden and not found
        for index in left:
            slot = slots.get(index)
            if slot is None or id(slot.place) in taken:
                continue
            place, labelled = slot.place, _has_label(readings[index])
            alike = _is_alike(_face(readings[index]), place.face)
            if place.suspect:
                kept = not slot.missed and alike and quiet
            elif place.held_by_position:
                # after it was away, a label, a gallery or another face may be somebody else's
                known = place.face is not None and readings[index].face is not None
                kept = not slot.missed or (not labelled and known and alike and not appeared)
                if labelled and place.label is None and place.frames >= _FRAMES_OF_THE_NAMELESS:
                    # who never showed a label shows none now, unless names were switched on for all
                    kept = kept and switched_on
            else:
                # a toolbar or a raised hand may lie over the name
                kept = not labelled and not slot.missed and alike and surroundings and quiet
                # but where one tile alone has no name, it may be that of who never shows one
                kept = kept and not (len(hidden) == 1 and self._nameless_are_away(found, taken))
            if kept:
                found[index] = slot.place
                taken.add(id(slot.place))
        if regular:
            self._find_nameless(readings, [index for index in left if index not in found], found)

    def _nameless_are_away(self, found: Mapping[int, _Place], taken: Set[int]) -> bool:
        """Whether one who never shows a label is known, and not seated in this frame."""
        here = {id(place) for place in found.values()} | taken
        return any(
            place.label is None and place.frames >= _FRAMES_OF_THE_NAMELESS and id(place) not in here
            for place in self._places
        )

    def _find_nameless(
        self, readings: Sequence[TileReading], left: Sequence[int], found: dict[int, _Place]
    ) -> None:
        """Seat tiles without any label after others came, left or moved, by those around them."""
        tiles = [index for index in left if not _has_label(readings[index])]
        places = {
            place.seat.number: place for place in self._places if place.label is None and not place.suspect
        }
        shown = sum(slot.place.label is None for slot in self._grid)
        others = {place.seat.number: index for index, place in found.items() if place.label is not None}
        # where there are more than before, one of them may be somebody whose label is hidden
        if not tiles or not others or (self._grid and 0 < shown < len(tiles)):
            return
        latest = sorted(places.values(), key=lambda place: -place.call)
        taken = {id(place) for place in found.values()}
        seats = {place.seat.number: self._order_of(place) for place in latest if id(place) not in taken}
        boxes = [reading.tile.box for reading in readings]
        pairing = pair_namesakes(tiles, seats, others, boxes, all_here=True)
        self._retire(places[number] for number in pairing.doubtful)
        for index, number in pairing.seats.items():
            if _is_alike(_face(readings[index]), places[number].face):
                found[index] = places[number]

    def _stable_slots(self, readings: Sequence[TileReading], found: dict[int, _Place]) -> dict[int, _Slot]:
        """Who sat where each tile of the grid is now; empty if the grid was reordered or shows another page."""
        grid = self._grid
        boxes = [reading.tile.box for reading in readings]
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
        if found and 2 * sum(id(place) in seated for place in found.values()) <= len(found):
            return {}  # another page
        for index, place in found.items():
            before = seated.get(id(place))
            if before is not None and pairs.get(index) != before:
                return {}
        if _is_cut([(_face(readings[index]), grid[before].face) for index, before in pairs.items()]):
            return {}
        return {index: grid[before] for index, before in pairs.items()}

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
            and not self._is_overtaken(place)
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

    def _is_overtaken(self, place: _Place) -> bool:
        """Whether another was seen since where this one was."""
        return any(
            other.call > place.call and other.box.iou(place.box) >= SAME_PLACE for other in self._places
        )

    def _new_place(self, box: Box, position: int) -> _Place:
        self._count += 1
        place = _Place(Seat(self._count, None, ""), None, box, position, self._call, _NO_ORDER)
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
        current = [
            _Slot(reading.tile.box, found[index], 0, _face(reading)) for index, reading in enumerate(readings)
        ]
        before, was_regular = self._grid, self._grid_is_regular
        self._grid, self._grid_is_regular = current, regular
        if not (regular and was_regular and len(current) < len(before)):
            return
        matched = set(_same_boxes([slot.box for slot in current], [slot.box for slot in before]).values())
        if len(matched) < len(current) or len(before) - 1 not in matched:
            return
        kept = iter(current)
        merged = [
            next(kept) if number in matched else replace(slot, missed=slot.missed + 1)
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


_NO_ORDER: Final = Order((), ())


def like(name: str, other: str) -> float:
    """How much two names are alike, 0..1; 1 where all words of one stand in the other ("Anna" and "Anna Kowalska")."""
    one, two = name.casefold(), other.casefold()
    words, more = sorted((set(one.split()), set(two.split())), key=len)
    if words <= more and max(map(len, words)) >= _SHORTEST_WORD:
        return 1.0
    return SequenceMatcher(None, one, two, autojunk=False).ratio()


_SHORTEST_WORD: Final = 3


def _face(reading: TileReading) -> _FaceInTile | None:
    """Where the face is in its tile, in units of the tile: x and y of its centre and its height."""
    if reading.face is None:
        return None
    (x, y), tile = reading.face.box.centre, reading.tile.box
    return (x - tile.left) / tile.width, (y - tile.top) / tile.height, reading.face.box.height / tile.height


def _jumped(face: _FaceInTile, before: _FaceInTile, most: float = _JUMP) -> bool:
    """Whether a face is too far from where one was in the frame before, or too different in size, to be the same.

    `most` is how far it may move in units of its height; it may grow or shrink by as much.
    """
    return _shift(face, before) > most


def _has_jumped(face: _FaceInTile | None, before: _FaceInTile | None) -> bool:
    return face is not None and before is not None and _jumped(face, before)


def _crossed(before: Mapping[int, _FaceInTile | None], faces: Sequence[_FaceInTile | None]) -> set[int]:
    """Tiles that, by where their faces are, seem to have changed places with another of them.

    Args:
        before: index of a tile -> the face of its seat when it was last seen.
        faces: of the tiles of this frame.
    """
    crossed: set[int] = set()
    for (one, old), (two, other_old) in combinations(before.items(), 2):
        here, there = faces[one], faces[two]
        if (
            (here is None, there is None)
            == (other_old is None, old is None)
            != (old is None, other_old is None)
        ):
            crossed |= {one, two}  # a camera, or a face, went from the one to the other
        if old is None or other_old is None or here is None or there is None:
            continue
        straight = max(_shift(here, old), _shift(there, other_old))
        if straight > _SAME_FACE and max(_shift(here, other_old), _shift(there, old)) < straight / 2:
            crossed |= {one, two}
    return crossed


def _shift(face: _FaceInTile, before: _FaceInTile) -> float:
    """How far a face is from where one was, or how much it differs in size, in units of its height."""
    (x, y, height), (old_x, old_y, old_height) = face, before
    size = max(height, old_height)
    return max(hypot(x - old_x, y - old_y), abs(height - old_height)) / size


def _is_cut(
    faces: Sequence[tuple[_FaceInTile | None, _FaceInTile | None]],
) -> bool:
    """Whether most faces jumped at once: the gallery shows another page, though its grid is the same."""
    jumps = [_jumped(now, before) for now, before in faces if now is not None and before is not None]
    return len(jumps) >= _FEWEST_FACES_OF_A_CUT and 2 * sum(jumps) > len(jumps)


def _has_label(reading: TileReading) -> bool:
    return bool(reading.label.fingerprint or reading.label.name)


def _is_alike(face: _FaceInTile | None, before: _FaceInTile | None) -> bool:
    """Whether a tile may show whom it showed, by where in it the face is; a tile without one tells nothing."""
    return face is None or before is None or not _jumped(face, before, _SAME_FACE)


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
            if index not in pairs and box.iou(other) >= SAME_PLACE:
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

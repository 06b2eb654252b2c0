"""An hour of a gallery as meeting programs lay it out, with 200 reorderings: nobody ever sits on another's seat."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pytest

from engagement.namesakes import kept_in_order
from engagement.records import Box, Face, Label, SeatOffer, State, Tile, TileReading
from engagement.seating import Seating, like

FRAMES = 1800
PER_PAGE = 25
NEUTRAL = np.eye(7, dtype=np.float32)[6]


@dataclass(eq=False)
class Person:
    name: str | None
    x: float
    y: float
    height: float
    camera_on: bool = True
    muted: bool = False
    names: list[str] = field(default_factory=list)


class Class:
    """People in a meeting: what the gallery shows of them, and who they really are."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        names = [f"{first} {last}" for first in FIRST for last in LAST]
        picked = [str(name) for name in self.random.permutation(names)[:45]]
        self.coming = [self.person(name) for name in picked]
        # two of one name, and one who shows no label at all
        self.namesakes = [Person("Alex Kim", 0.3, 0.4, 0.35), Person("Alex Kim", 0.7, 0.55, 0.5)]
        self.nameless = self.person(None)
        self.order = [*self.coming[:12], *self.namesakes, self.nameless, *self.coming[12:24]]
        self.coming = self.coming[24:]
        self.page, self.width, self.hidden_for = 0, 160, 0
        self.renamed: list[Person] = []

    def person(self, name: str | None) -> Person:
        x, y = self.random.uniform(0.2, 0.8), self.random.uniform(0.35, 0.6)
        return Person(name, x, y, self.random.uniform(0.3, 0.6))

    @property
    def pages(self) -> int:
        return -(-len(self.order) // PER_PAGE)

    def anyone(self) -> Person:
        return self.order[int(self.random.integers(len(self.order)))]

    def speak(self) -> None:
        person = self.anyone()
        self.order.remove(person)
        self.order.insert(int(self.random.integers(0, 3)), person)

    def swap(self) -> None:
        one, two = self.random.choice(len(self.order), 2, replace=False)
        self.order[one], self.order[two] = self.order[two], self.order[one]

    def shuffle(self) -> None:
        self.order = [self.order[index] for index in self.random.permutation(len(self.order))]

    def sort(self) -> None:
        self.order.sort(key=lambda person: person.name or "")

    def join(self) -> None:
        if self.coming:
            self.order.append(self.coming.pop(0))

    def leave(self) -> None:
        person = self.anyone()
        if len(self.order) > 12:
            self.order.remove(person)
            self.coming.append(person)

    def camera(self) -> None:
        person = self.anyone()
        person.camera_on = not person.camera_on
        if not person.camera_on:
            self.order.remove(person)
            self.order.append(person)

    def rename(self, number: int) -> Person:
        person = next(p for p in self.order if p.name and p not in self.namesakes and not p.names)
        person.names.append(str(person.name))
        person.name = f"Renamed {number} {chr(65 + number)}"
        return person

    def happen(self, event: str | None, random: np.random.Generator) -> None:
        match event:
            case None:
                pass
            case "page":
                self.page = int(random.integers(self.pages))
            case "hide":
                # a toolbar lies over the last row
                self.hidden_for = int(random.integers(2, 7))
            case "resize":
                self.width = int(random.integers(100, 260))
            case "rename":
                self.renamed.append(self.rename(len(self.renamed)))
            case _:
                getattr(self, event)()

    def frame(self) -> tuple[list[TileReading], list[Person]]:
        self.page = min(self.page, self.pages - 1)
        shown = self.order[self.page * PER_PAGE : (self.page + 1) * PER_PAGE]
        # one tile in a hundred frames is not found
        if len(shown) > 4 and self.random.random() < 0.2:
            del shown[int(self.random.integers(len(shown)))]
        boxes = layout(len(self.order[self.page * PER_PAGE : (self.page + 1) * PER_PAGE]), self.width)
        places = [
            box
            for person, box in zip(
                self.order[self.page * PER_PAGE : (self.page + 1) * PER_PAGE], boxes, strict=True
            )
            if person in shown
        ]
        self.hidden_for = max(0, self.hidden_for - 1)
        last_row = max(box.top for box in places)
        readings = [
            self.reading(person, box, hidden=self.hidden_for > 0 and box.top == last_row)
            for person, box in zip(shown, places, strict=True)
        ]
        return readings, shown

    def reading(self, person: Person, box: Box, *, hidden: bool) -> TileReading:
        person.muted ^= self.random.random() < 0.02
        hidden = hidden or person.name is None
        label = (
            Label("", None)
            if hidden
            else Label(f"{person.name} {person.muted} {person.camera_on}", person.name)
        )
        if not person.camera_on:
            return TileReading(Tile(box, None, False), label, State.CAMERA_OFF, None, None, None, 0.0)
        x, y = person.x + self.random.normal(0, 0.02), person.y + self.random.normal(0, 0.02)
        height = max(8, int(person.height * box.height))
        place = Box(
            box.left + int(x * box.width) - height // 3,
            box.top + int(y * box.height),
            height * 2 // 3,
            height,
        )
        face = Face(place, np.zeros((5, 2), np.float32), 0.9)
        return TileReading(Tile(box, None, True), label, State.SEEN, face, NEUTRAL, None, 0.8)


FIRST = ("Ada", "Ben", "Carla", "Dmitri", "Elif", "Farid", "Grace", "Hugo", "王", "Inés")
LAST = ("Okafor", "Carver", "Rossi", "Volkov", "Yılmaz", "Haddad")


def layout(count: int, width: int) -> list[Box]:
    columns = int(np.ceil(np.sqrt(count)))
    height = width * 9 // 16
    boxes = []
    for index in range(count):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        left = (columns - in_row) * (width + 4) // 2 + column * (width + 4)
        boxes.append(Box(left, row * (height + 4), width, height))
    return boxes


@pytest.mark.parametrize("seed", range(20))
def test_an_hour_with_two_hundred_reorderings_swaps_no_seat(seed: int) -> None:
    meeting, seating = Class(seed), Seating()
    random = np.random.default_rng(100 + seed)
    when = random.choice(FRAMES - 10, 420, replace=False)
    events = dict(
        zip(
            (int(frame) for frame in when),
            ["speak"] * 120 + ["swap"] * 50 + ["shuffle"] * 15 + ["sort"] * 15 + ["join"] * 30
            + ["leave"] * 30 + ["camera"] * 60 + ["page"] * 40 + ["hide"] * 20 + ["resize"] * 30 + ["rename"] * 10,
            strict=True,
        )
    )  # fmt: skip
    owner: dict[int, Person] = {}
    seats_of: dict[int, set[int]] = defaultdict(set)
    renamed = meeting.renamed
    seen_renamed: list[Person] = []
    people: list[Person] = []
    offers: list[SeatOffer] = []
    swapped = 0
    waiting: list[str] = []
    renames = 0
    for frame in range(FRAMES):
        waiting += [events[frame]] if frame in events else []
        # who changes places under a toolbar cannot be told by anybody
        meeting.happen(waiting.pop(0) if waiting and not meeting.hidden_for else None, random)
        before = people
        readings, people = meeting.frame()
        if len(renamed) > renames and renamed[-1] in before and renamed[-1] in people:
            seen_renamed.append(renamed[-1])
        renames = len(renamed)
        _, seats = seating.assign(readings)
        assert len({seat.number for seat in seats}) == len(seats)
        offers += seating.offers
        for seat, person in zip(seats, people, strict=True):
            swapped += owner.setdefault(seat.number, person) is not person
            if seat.name is not None or person is meeting.nameless:
                seats_of[id(person)].add(seat.number)
    assert swapped == 0
    # a name of one's own is one seat for the hour, a new name one more
    for person in set(owner.values()) - {*meeting.namesakes, meeting.nameless}:
        assert len(seats_of[id(person)]) <= 1 + len(person.names), person.name
    # every new name that was seen beside its old one is offered as the same seat
    offered = {
        (owner[offer.seat].name, owner[offer.same_as].name) for offer in offers if offer.reason == "renamed"
    }
    missed = [person.name for person in seen_renamed if (person.name, person.name) not in offered]
    assert missed == []
    assert seen_renamed
    if seed < 3:
        assert sum((person.name, person.name) in offered for person in renamed) >= 8
    # what is offered of namesakes is theirs
    for offer in offers:
        if offer.reason == "same_name":
            assert {owner[offer.seat], owner[offer.same_as]} <= set(meeting.namesakes)
    meeting_of_namesakes = set().union(*(seats_of[id(person)] for person in meeting.namesakes))
    assert len(meeting_of_namesakes) <= 80


@pytest.mark.parametrize("seed", range(20))
def test_the_longest_run_is_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = [int(value) for value in random.permutation(12)]
    kept = kept_in_order(values)
    assert kept == sorted(kept)
    places = [values.index(value) for value in kept]
    assert places == sorted(places)
    best = [1] * len(values)
    for i, value in enumerate(values):
        best[i] += max((best[j] for j in range(i) if values[j] < value), default=0)
    assert len(kept) == max(best)
    assert kept_in_order([]) == []


def test_names_that_may_be_one() -> None:
    assert like("Anna", "Anna Kowalska") == 1.0
    assert like("ANNA KOWALSKA", "Anna Kowalsha") > 0.75
    assert like("Anna Kowalska", "Ben Carver") < 0.5
    assert like("Al", "Al Gore") < 1.0

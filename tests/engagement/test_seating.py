"""Seats keep their participants through everything a gallery does."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from engagement.records import Box, Face, HeadPose, Label, State, Tile, TileReading
from engagement.seating import Seating

NEUTRAL = np.eye(7, dtype=np.float32)[6]


def grid_box(index: int, count: int, width: int = 160, height: int = 90) -> Box:
    """Tile `index` of a gallery of `count`, last row centred, as a meeting window lays them out."""
    columns = int(np.ceil(np.sqrt(count)))
    row, column = divmod(index, columns)
    in_row = min(columns, count - row * columns)
    left = (columns - in_row) * (width + 4) // 2 + column * (width + 4)
    return Box(left, row * (height + 4), width, height)


def tile(
    box: Box, name: str | None = None, fingerprint: str | None = None, state: State = State.SEEN
) -> TileReading:
    if fingerprint is None:
        fingerprint = f"print of {name}" if name else ""
    face = None
    if state in (State.SEEN, State.TURNED_AWAY, State.UNREADABLE):
        place = Box(box.left + 10, box.top + 10, box.width // 4, box.height // 2)
        face = Face(place, np.zeros((5, 2), np.float32), 0.9)
    pose = HeadPose(3.0, -4.0, 0.0) if face or state is State.OPTED_OUT else None
    probabilities = NEUTRAL if face else None
    return TileReading(
        Tile(box, None, face is not None), Label(fingerprint, name), state, face, probabilities, pose, 0.8
    )


def gallery(names: Sequence[str | None]) -> list[TileReading]:
    return [tile(grid_box(index, len(names)), name) for index, name in enumerate(names)]


def numbers(seating: Seating, readings: Sequence[TileReading]) -> list[int]:
    placed, seats = seating.assign(readings)
    assert [reading.seat for reading in placed] == [seat.number for seat in seats]
    assert [reading.position for reading in placed] == list(range(len(readings)))
    assert len({seat.number for seat in seats}) == len(seats)
    return [seat.number for seat in seats]


def test_named_seats_survive_reordering_leaving_and_coming_back() -> None:
    seating = Seating()
    assert numbers(seating, gallery(["Anna", "Ben", "Cleo", "Dara"])) == [1, 2, 3, 4]
    assert numbers(seating, gallery(["Dara", "Cleo", "Ben", "Anna"])) == [4, 3, 2, 1]
    assert numbers(seating, gallery(["Dara", "Ben", "Anna"])) == [4, 2, 1]
    assert numbers(seating, gallery(["Eli", "Dara", "Ben", "Anna", "Cleo"])) == [5, 4, 2, 1, 3]


def test_same_fingerprint_or_same_name_is_the_same_seat() -> None:
    seating, box = Seating(), grid_box(0, 4)
    assert numbers(seating, [tile(box, None, "f1")]) == [1]
    other = grid_box(3, 4)
    assert numbers(seating, [tile(other, "Anna", "f1")]) == [1]
    assert numbers(seating, [tile(box, "  anna\u200b ", "f2")]) == [1]
    assert numbers(seating, [tile(other, None, "f2")]) == [1]
    assert seating.assign([tile(other, None, "f2")])[1][0].name == "Anna"


def test_a_label_that_is_read_better_later_gives_its_seat_the_better_name() -> None:
    seating, box = Seating(), grid_box(0, 4)
    assert numbers(seating, [tile(box, "Oiga T", "f1")]) == [1]
    _, (seat,) = seating.assign([tile(box, "Olga T.", "f1")])
    assert (seat.number, seat.name, seating.offers) == (1, "Olga T.", ())
    # the other fingerprint of the label, such as muted, may still be read the old way
    _, (seat,) = seating.assign([tile(box, "Oiga T", "f2")])
    assert (seat.number, seat.name) == (1, "Olga T.")


def test_a_label_that_was_misread_as_anothers_takes_its_own_name_alone() -> None:
    seating = Seating()

    def frame(*labels: tuple[str, str]) -> list[tuple[int, str | None]]:
        tiles = [tile(grid_box(index, 4), name, mark) for index, (name, mark) in enumerate(labels)]
        return [(seat.number, seat.name) for seat in seating.assign(tiles)[1]]

    ben, cleo = ("Ben", "f3"), ("Cleo", "f4")
    frame(("Ana Silva", "f1"), ("Ana Silva", "f2"), ben, cleo)
    apart = [(1, "Ana Silva"), (2, "Ana Silvo"), (3, "Ben"), (4, "Cleo")]
    assert frame(("Ana Silva", "f1"), ("Ana Silvo", "f2"), ben, cleo) == apart
    moved = frame(("Ana Silvo", "f2"), ben, ("Ana Silva", "f1"), cleo)
    assert moved == [apart[1], apart[2], apart[0], apart[3]]


def test_a_label_read_late_joins_the_seat_known_by_that_name() -> None:
    seating = Seating()
    numbers(seating, [tile(grid_box(0, 2), "Anna", "f1"), tile(grid_box(1, 2), "Ben", "f2")])
    assert numbers(seating, [tile(grid_box(0, 2), "Ben", "f2"), tile(grid_box(1, 2), None, "f9")]) == [2, 3]
    again = numbers(seating, [tile(grid_box(0, 2), "Ben", "f2"), tile(grid_box(1, 2), "Anna", "f9")])
    assert again[0] == 2
    assert again[1] in {1, 3}
    assert numbers(seating, [tile(grid_box(0, 2), "Anna", "f9")]) == [again[1]]


def test_camera_off_and_on_keeps_the_seat() -> None:
    seating = Seating()
    for state in (State.SEEN, State.CAMERA_OFF, State.NO_FACE, State.UNREADABLE, State.SEEN):
        readings = [
            tile(grid_box(0, 2), "Anna", state=state),
            tile(grid_box(1, 2), None, state=state),
        ]
        assert numbers(seating, readings) == [1, 2]


CLASS = ["Ben", "Cleo", "Dara", "Eli", "Finn", "Gita"]


def test_two_of_one_name_are_told_apart_by_those_around_them() -> None:
    seating = Seating()
    ben, cleo, dara, eli, finn, gita = CLASS
    both = ["iPhone", ben, cleo, "iPhone", dara, eli, finn, gita]
    assert numbers(seating, gallery(both)) == [1, 2, 3, 4, 5, 6, 7, 8]
    # the speaker moves to the front
    assert numbers(seating, gallery([finn, *(name for name in both if name != finn)])) == [
        7, 1, 2, 3, 4, 5, 6, 8,
    ]  # fmt: skip
    assert numbers(seating, gallery(both)) == [1, 2, 3, 4, 5, 6, 7, 8]
    # the first leaves, and comes back at the end
    assert numbers(seating, gallery(both[1:])) == [2, 3, 4, 5, 6, 7, 8]
    assert numbers(seating, gallery([*both[1:], "iPhone"])) == [2, 3, 4, 5, 6, 7, 8, 1]
    assert seating.offers == ()


def test_where_nobody_can_tell_two_of_one_name_both_are_new_and_offered() -> None:
    seating = Seating()
    both = ["iPhone", *CLASS[:3], "iPhone", *CLASS[3:]]
    assert numbers(seating, gallery(both)) == [1, 2, 3, 4, 5, 6, 7, 8]
    # one of them was moved beside the other
    assert numbers(seating, gallery(["iPhone", "iPhone", *CLASS])) == [9, 10, 2, 3, 4, 6, 7, 8]
    assert {(offer.seat, offer.same_as, str(offer.reason)) for offer in seating.offers} == {
        (9, 1, "same_name"), (9, 5, "same_name"), (10, 1, "same_name"), (10, 5, "same_name"),
    }  # fmt: skip
    assert numbers(seating, gallery(["iPhone", "iPhone", *CLASS])) == [9, 10, 2, 3, 4, 6, 7, 8]
    assert seating.offers == ()


def test_two_of_one_name_on_two_pages_keep_their_pages() -> None:
    seating = Seating()
    others = [f"Student {number}" for number in range(12)]
    together = ["Anna", *others, "Anna"]
    assert numbers(seating, gallery(together)) == list(range(1, 15))
    first, second = ["Anna", *others[:6]], [*others[6:], "Anna"]
    for _ in range(3):
        assert numbers(seating, gallery(second)) == [8, 9, 10, 11, 12, 13, 14]
        assert numbers(seating, gallery(first)) == [1, 2, 3, 4, 5, 6, 7]


def test_a_new_name_in_the_same_place_is_offered_and_not_merged() -> None:
    seating = Seating()
    assert numbers(seating, gallery(["Anna", *CLASS])) == [1, 2, 3, 4, 5, 6, 7]
    assert numbers(seating, gallery(["Anna Kowalska", *CLASS])) == [8, 2, 3, 4, 5, 6, 7]
    assert [(offer.seat, offer.same_as, str(offer.reason)) for offer in seating.offers] == [(8, 1, "renamed")]
    assert numbers(seating, gallery(["Ki", *CLASS])) == [9, 2, 3, 4, 5, 6, 7]
    assert [(offer.seat, offer.same_as) for offer in seating.offers] == [(9, 8)]
    # a name of before is the seat of before
    assert numbers(seating, gallery(["Anna", *CLASS])) == [1, 2, 3, 4, 5, 6, 7]
    assert seating.offers == ()


def test_a_name_much_like_one_that_left_is_offered_wherever_it_comes() -> None:
    seating = Seating()
    assert numbers(seating, gallery(["Anna Kowalska", *CLASS])) == [1, 2, 3, 4, 5, 6, 7]
    assert numbers(seating, gallery(CLASS)) == [2, 3, 4, 5, 6, 7]
    assert numbers(seating, gallery([*CLASS, "Anna Kowalsha"])) == [2, 3, 4, 5, 6, 7, 8]
    assert [(offer.seat, offer.same_as) for offer in seating.offers] == [(8, 1)]
    assert numbers(seating, gallery([*CLASS, "Zoltan"])) == [2, 3, 4, 5, 6, 7, 9]


def test_another_page_is_not_a_class_that_was_renamed() -> None:
    seating = Seating()
    numbers(seating, gallery([f"First {number}" for number in range(9)]))
    numbers(seating, gallery([f"Other {number + 40}" for number in range(9)]))
    assert seating.offers == ()


def test_a_label_that_is_hidden_for_a_while_keeps_its_seat() -> None:
    seating = Seating()
    assert numbers(seating, gallery(["Anna", *CLASS])) == [1, 2, 3, 4, 5, 6, 7]
    for _ in range(3):
        assert numbers(seating, gallery([None, *CLASS[:5], None])) == [1, 2, 3, 4, 5, 6, 7]
    assert numbers(seating, gallery([None] * 7)) == [1, 2, 3, 4, 5, 6, 7]
    # hidden while others move: nobody knows
    assert numbers(seating, gallery([None, *CLASS[1:], CLASS[0]]))[0] == 8


def at(reading: TileReading, x: float) -> TileReading:
    """The reading with its face elsewhere in the tile."""
    box = reading.tile.box
    face = Face(Box(box.left + int(x * box.width), box.top + 20, 30, 40), np.zeros((5, 2), np.float32), 0.9)
    return replace(reading, face=face)


def test_another_page_without_any_label_is_other_people() -> None:
    seating = Seating()
    places = np.linspace(0.0, 0.75, 9)
    nameless: list[str | None] = [None] * 9
    first = [at(reading, x) for reading, x in zip(gallery(nameless), places, strict=True)]
    second = [at(reading, x) for reading, x in zip(gallery(nameless), (places + 0.4) % 0.8, strict=True)]
    assert numbers(seating, first) == list(range(1, 10))
    assert numbers(seating, [at(first[0], 0.7), *first[1:]]) == list(range(1, 10))
    assert numbers(seating, second) == list(range(10, 19))
    assert numbers(seating, second) == list(range(10, 19))


def test_a_session_that_goes_on_has_its_seats_again() -> None:
    before = Seating()
    both = ["iPhone", *CLASS[:3], None, *CLASS[3:], "iPhone"]
    assert numbers(before, gallery(both)) == list(range(1, 10))
    _, seats = before.assign(gallery(both))
    after = Seating()
    after.restore(seats, dict(enumerate(range(1, 10))))
    assert numbers(after, gallery(both)) == list(range(1, 10))
    assert numbers(after, gallery([*both, "Hana"])) == list(range(1, 11))
    moved = Seating()
    moved.restore(seats, dict(enumerate(range(1, 10))))
    assert numbers(moved, gallery([CLASS[5], *(name for name in both if name != CLASS[5])])) == [
        8, 1, 2, 3, 4, 5, 6, 7, 9,
    ]  # fmt: skip


def test_seats_that_are_one_are_found_by_either_name() -> None:
    seating = Seating()
    assert numbers(seating, gallery(["Anna", *CLASS])) == [1, 2, 3, 4, 5, 6, 7]
    assert numbers(seating, gallery(["Ki", *CLASS])) == [8, 2, 3, 4, 5, 6, 7]
    seating.merge({8: 1})
    _, seats = seating.assign(gallery(["Ki", *CLASS]))
    assert [seat.number for seat in seats] == [1, 2, 3, 4, 5, 6, 7]
    assert seats[0].name == "Ki"  # as it was read last
    assert seating.offers == ()
    assert numbers(seating, gallery([*CLASS, "Anna"])) == [2, 3, 4, 5, 6, 7, 1]
    assert numbers(seating, gallery([*CLASS, "Ki"])) == [2, 3, 4, 5, 6, 7, 1]
    # asked again with what is known, nothing changes; a new seat gets a number of its own
    seating.merge({8: 1})
    assert numbers(seating, gallery([*CLASS, "Ki", "Zoltan"])) == [2, 3, 4, 5, 6, 7, 1, 9]


def test_namesakes_that_are_said_to_be_known_ones_go_on_as_these() -> None:
    seating = Seating()
    numbers(seating, gallery(["iPhone", *CLASS[:3], "iPhone", *CLASS[3:]]))
    assert numbers(seating, gallery(["iPhone", "iPhone", *CLASS])) == [9, 10, 2, 3, 4, 6, 7, 8]
    seating.merge({9: 5, 10: 1})
    assert numbers(seating, gallery(["iPhone", "iPhone", *CLASS])) == [5, 1, 2, 3, 4, 6, 7, 8]
    assert numbers(seating, gallery([CLASS[5], "iPhone", "iPhone", *CLASS[:5]])) == [8, 5, 1, 2, 3, 4, 6, 7]


def test_a_seat_without_a_name_may_be_one_that_had_one() -> None:
    seating = Seating()
    numbers(seating, gallery(["Anna", *CLASS]))
    unread = [tile(grid_box(0, 7), None, "f9"), *gallery(["Anna", *CLASS])[1:]]
    assert numbers(seating, unread) == [8, 2, 3, 4, 5, 6, 7]
    seating.merge({8: 1})
    assert numbers(seating, unread) == [1, 2, 3, 4, 5, 6, 7]
    assert numbers(seating, gallery([*CLASS, "Anna"])) == [2, 3, 4, 5, 6, 7, 1]


def test_a_label_whose_seat_got_another_name_makes_a_new_seat() -> None:
    seating = Seating()
    row = [grid_box(index, 3) for index in range(3)]
    others = [tile(row[1], "Ben"), tile(row[2], "Cleo")]
    assert numbers(seating, [tile(row[0], None, "f1"), *others]) == [1, 2, 3]
    assert numbers(seating, [tile(row[0], "Anna", "f2"), *others]) == [1, 2, 3]
    assert numbers(seating, [tile(row[0], "Anna", "f2"), *others, tile(grid_box(3, 4), None, "f1")])[3] == 4


def test_pages_are_a_union_over_time_with_when_each_was_seen() -> None:
    seating = Seating()
    pages = [[f"Student {page}{number}" for number in range(9)] for page in "abc"]
    seen: dict[int, int] = {}
    for frame in range(60):
        for number in numbers(seating, gallery(pages[frame // 5 % 3])):
            seen[number] = frame
    assert sorted(seen) == list(range(1, 28))
    assert {seen[number] for number in range(1, 10)} == {49}
    assert {seen[number] for number in range(19, 28)} == {59}


def test_same_name_with_two_fingerprints_stays_two_when_they_mute_in_turn() -> None:
    seating, left, right = Seating(), grid_box(0, 2), grid_box(1, 2)
    assert numbers(seating, [tile(left, "Anna", "open"), tile(right, "Anna", "muted")]) == [1, 2]
    assert numbers(seating, [tile(left, "Anna", "muted"), tile(right, "Anna", "open")]) == [1, 2]


def test_unnamed_tiles_keep_their_place_while_the_grid_is_stable() -> None:
    seating = Seating()
    unnamed: list[str | None] = [None] * 9
    for _ in range(3):
        assert numbers(seating, gallery(unnamed)) == list(range(1, 10))
    # the window is resized: other pixels, same order
    resized = [tile(grid_box(index, 9, 240, 135)) for index in range(9)]
    assert numbers(seating, resized) == list(range(1, 10))


def test_a_tile_missed_in_one_frame_keeps_everyone_in_place() -> None:
    seating = Seating()
    full = gallery([None] * 9)
    assert numbers(seating, full) == list(range(1, 10))
    hole = full[:4] + full[5:]
    for _ in range(3):
        assert numbers(seating, hole) == [1, 2, 3, 4, 6, 7, 8, 9]
    assert numbers(seating, full) == list(range(1, 10))


def test_unnamed_tiles_are_told_apart_by_those_around_them_or_new() -> None:
    seating = Seating()
    numbers(seating, gallery([CLASS[0], None, *CLASS[1:]]))
    assert numbers(seating, gallery([CLASS[3], CLASS[0], None, *CLASS[1:3], *CLASS[4:]])) == [
        5, 1, 2, 3, 4, 6, 7,
    ]  # fmt: skip
    seating = Seating()
    numbers(seating, gallery([None, *CLASS, None]))
    moved = numbers(seating, gallery([*CLASS[:3], None, None, *CLASS[3:]]))
    assert min(moved[3:5]) > 8
    assert moved[:3] + moved[5:] == [2, 3, 4, 5, 6, 7]


def test_an_unnamed_tile_never_steals_a_named_seat_that_may_have_moved() -> None:
    seating = Seating()
    numbers(seating, gallery(["Anna", *CLASS]))
    hidden = numbers(seating, gallery([*CLASS, None]))
    assert hidden == [2, 3, 4, 5, 6, 7, 8]
    assert numbers(seating, gallery([*CLASS, None])) == hidden
    assert numbers(seating, gallery(["Anna", *CLASS])) == [1, 2, 3, 4, 5, 6, 7]


def test_a_seat_in_place_takes_the_name_once_it_is_read() -> None:
    seating = Seating()
    assert numbers(seating, gallery([None, None])) == [1, 2]
    assert numbers(seating, gallery(["Anna", None])) == [1, 2]
    assert numbers(seating, gallery([None, "Anna"])) == [2, 1]
    assert numbers(seating, gallery(["Ben", "Anna"]))[1] == 1


def test_unreadable_labels_are_told_apart_by_their_fingerprints() -> None:
    seating = Seating()
    row = [grid_box(index, 4) for index in range(4)]
    first = [tile(box, None, f"f{index}") for index, box in enumerate(row)]
    assert numbers(seating, first) == [1, 2, 3, 4]
    assert numbers(seating, first) == [1, 2, 3, 4]
    turned = [tile(box, None, f"f{3 - index}") for index, box in enumerate(row)]
    assert numbers(seating, turned) == [4, 3, 2, 1]
    newcomer = [tile(box, None, f"f{number}") for box, number in zip(row, [3, 2, 9, 0], strict=True)]
    assert numbers(seating, newcomer) == [4, 3, 5, 1]


def test_restless_fingerprints_do_not_make_new_seats_each_frame() -> None:
    seating = Seating()
    for frame in range(50):
        readings = [tile(grid_box(index, 9), None, f"{frame}-{index}") for index in range(9)]
        assert numbers(seating, readings) == list(range(1, 10))


def test_faces_outside_a_grid_are_followed() -> None:
    seating = Seating()
    for step in range(20):
        faces = [tile(Box(100 + 8 * step, 100, 80, 100)), tile(Box(600 - 5 * step, 140, 60, 74 + step))]
        assert numbers(seating, faces) == [1, 2]
    assert numbers(seating, [tile(Box(505, 140, 60, 94))]) == [2]
    assert numbers(seating, [tile(Box(252, 100, 80, 100)), tile(Box(1200, 100, 80, 100))]) == [1, 3]


def test_only_seen_tiles_have_probabilities_and_refused_ones_no_pose() -> None:
    states = [State.SEEN, State.TURNED_AWAY, State.UNREADABLE, State.NO_FACE, State.OPTED_OUT]
    readings = [tile(grid_box(index, 5), state=state) for index, state in enumerate(states)]
    placed, _ = Seating().assign(readings)
    assert [reading.probabilities is not None for reading in placed] == [True, False, False, False, False]
    assert [reading.yaw for reading in placed] == [3.0, 3.0, 3.0, None, None]


def test_nothing_in_the_frame() -> None:
    seating = Seating()
    assert seating.assign([]) == ((), ())
    assert numbers(seating, gallery(["Anna", None])) == [1, 2]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_joining_leaving_and_moving_keeps_names_and_seats_together(seed: int) -> None:
    generator = np.random.default_rng(seed)
    everyone = [f"Student {number}" for number in range(40)]
    seating, known = Seating(), dict[str, int]()
    for _ in range(60):
        present = list(generator.permutation(everyone)[: generator.integers(2, 40)])
        hidden = generator.random(len(present)) < 0.1
        readings = gallery([None if hide else str(name) for name, hide in zip(present, hidden, strict=True)])
        _, seats = seating.assign(readings)
        assert len({seat.number for seat in seats}) == len(seats)
        for name, hide, seat in zip(present, hidden, seats, strict=True):
            if not hide:
                assert seat.name == name
                assert known.setdefault(str(name), seat.number) == seat.number
            else:
                assert seat.name in {None, name}


def test_memory_stays_bounded_through_a_restless_session() -> None:
    seating = Seating()
    generator = np.random.default_rng(1)
    for frame in range(3000):
        readings = [
            tile(Box(int(x), int(y), 50, 60 + index), None, f"{frame}-{index}")
            for index, (x, y) in enumerate(generator.integers(0, 4000, (4, 2)))
        ]
        seating.assign(readings)
    held = len(seating._places)
    assert held <= 8 * 1000
    assert len(seating._fingerprints) <= 4096

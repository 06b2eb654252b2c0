"""Labels as students type them and as recognition slips, against class lists with siblings and near names."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product

import numpy as np
import pytest

from engagement.class_list import Matches, is_own_label, match_labels
from engagement.records import Label

FIRST = (
    "Anna", "Anne", "Anja", "Jon", "Jan", "John", "Johanna", "Johannes", "Maria", "Mario", "Marie", "Martin",
    "Martina", "Daniel", "Daniela", "Christian", "Christina", "Alexander", "Alexandra", "Inés", "José", "Zoë",
    "Łukasz", "Søren", "Ümit", "Arnold", "Illya", "Björn", "Nils", "Tim", "Tom", "Mehmet", "Priya", "Wei",
)  # fmt: skip
LAST = (
    "Keller", "Kern", "Kowalski", "Kowalska", "Meier", "Meyer", "Müller", "Schmidt", "Schmitt", "García", "Nowak",
    "Hansen", "Hanson", "O'Connor", "de Vries", "Okafor", "Yılmaz", "Silva", "Li", "Haddad", "Berg", "Lindqvist",
)  # fmt: skip
EVERYBODY = [f"{first} {last}" for first, last in product(FIRST, LAST)]
Draw = np.random.Generator


def class_of(count: int, seed: int) -> tuple[list[tuple[int, str]], list[str]]:
    """A class list with families of siblings, and the names of everybody else."""
    random = np.random.default_rng(seed)
    families = [str(last) for last in random.choice(LAST, 6, replace=False)]
    siblings = [f"{first} {last}" for last in families for first in random.choice(FIRST, 4, replace=False)]
    others = [str(name) for name in random.permutation(EVERYBODY) if name not in siblings]
    names = [*siblings, *others[: count - len(siblings)]]
    return [(100 + index, str(names[at])) for index, at in enumerate(random.permutation(count))], others[
        count - len(siblings) :
    ]


def parts(name: str) -> tuple[str, str]:
    first, _, last = name.partition(" ")
    return first, last


def with_middle_name(name: str, random: Draw) -> str:
    first, last = parts(name)
    return f"{first} {random.choice(['Sofia', 'Lee', 'M.'])} {last}"


def with_initial(name: str, random: Draw) -> str:
    first, last = parts(name)
    return f"{first} {last[0]}."


def slipped(name: str, random: Draw) -> str:
    """One stroke that recognition mixes up, if there is one."""
    slips = [
        (a, b)
        for a, b in (("rn", "m"), ("m", "rn"), ("l", "I"), ("I", "l"), ("O", "0"), ("l", "1"))
        if a in name
    ]
    if not slips:
        return name
    before, after = slips[int(random.integers(len(slips)))]
    return name.replace(before, after, 1)


WHOLE: tuple[Callable[[str, Draw], str], ...] = (
    lambda name, random: name,
    lambda name, random: name.upper(),
    lambda name, random: name.casefold(),
    lambda name, random: name.translate(str.maketrans("éëöüıŁø", "eeouiLo")),
    lambda name, random: "{1}, {0}".format(*parts(name)),
    lambda name, random: f"{name} (she/her)",
    lambda name, random: f"{name} (Co-host)",
    lambda name, random: f"{name} he/him",
    lambda name, random: f"{name} - 8b",
    lambda name, random: name.replace(" ", ""),
    lambda name, random: f"{name} ({random.choice(['Bibi', 'Max'])})",
    slipped,
    with_middle_name,
)  # fmt: skip


def labels_of(names: list[str], random: Draw) -> Iterator[tuple[str, str]]:
    for name in names:
        yield name, WHOLE[int(random.integers(len(WHOLE)))](name, random)


def wrong(matches: Matches, truth: Mapping[str, int | None]) -> list[str]:
    return [label for label, student in matches.students.items() if truth[label] != student]


@pytest.mark.parametrize("seed", range(10))
def test_nobody_of_sixty_is_taken_for_another_and_most_are_found(seed: int) -> None:
    random = np.random.default_rng(1000 + seed)
    students, outsiders = class_of(60, seed)
    present = [students[int(at)] for at in random.permutation(60)[:42]]
    ids = {name: student for student, name in students}
    truth: dict[str, int | None] = {
        label: ids[name] for name, label in labels_of([name for _, name in present], random)
    }
    found = len(match_labels(list(truth), students, {}).students)
    for _, label in labels_of([str(name) for name in random.choice(outsiders, 7, replace=False)], random):
        truth.setdefault(label, None)
    matches = match_labels(list(truth), students, {})
    assert wrong(matches, truth) == []
    assert found >= 0.95 * len(present)
    # who is left may be found by the teacher with one press
    for label, student in truth.items():
        if student is not None and label not in matches.students:
            assert student in matches.unsure[label]


@pytest.mark.parametrize("seed", range(3))
def test_short_forms_are_matched_where_they_fit_one_and_offered_where_they_fit_several(seed: int) -> None:
    random = np.random.default_rng(seed)
    students, _ = class_of(60, seed)
    for student, name in students:
        label = with_initial(name, random)
        first, last = parts(name)
        fits = [s for s, other in students if parts(other)[0] == first and parts(other)[1][0] == last[0]]
        matches = match_labels([label], students, {})
        if fits == [student]:
            assert matches.students == {label: student}
        else:
            assert matches.students == {}
            assert set(fits) <= set(matches.unsure[label])


CLASS = [
    (1, "Anna Keller"),
    (2, "Anne Kern"),
    (3, "William (Bill) Carter"),
    (4, "Jean-Sébastien Giguère"),
    (5, "Katarzyna Kowalska"),
    (6, "Thomas Martin"),
    (7, "李明"),
    (8, "Mei Ling Chen"),
    (9, "Sam 1"),
    (10, "Sam 2"),
    (11, "Matthew Stancliff"),
    (12, "Müller, Jürgen"),
    (13, "Ольга Петрова"),
]


@pytest.mark.parametrize(
    ("label", "student"),
    [
        ("KELLER, ANNA", 1),
        ("Keller Anna", 1),
        ("Anna K.", 1),
        ("A. Keller", 1),
        ("Anna", None),
        ("Anna Kern", None),
        ("Anne Keller", None),
        ("Anna Kellner", None),
        ("Anna Maria Keller", 1),
        ("Anna Keller's iPad", None),
        ("Bill Carter", 3),
        ('William "Bill" Carter', 3),
        ("William Carter", 3),
        ("Billy Carter", None),
        ("Jean Sebastien Giguere", 4),
        ("Jean Giguère", None),
        ("Katarzyna Kowalsha", 5),
        ("Katarzyna Kowalski", None),
        ("Martin, Thomas", 6),
        ("李明", 7),
        ("Li Ming (李明)", 7),
        ("李", None),
        ("Mei Chen", 8),
        ("Mei Ling", None),
        ("Mei Hua Chen", None),
        ("Sam 1", 9),
        ("Sam I", 9),
        ("Sam 3", None),
        ("Matthew Stanc...", 11),
        ("Juergen Mueller", 12),
        ("Jürgen Müller (Gast)", 12),
        ("ольга петрова", 13),
        ("8b - Anna Keller", 1),
        ("Zoom user", None),
        ("iPad", None),
        ("...", None),
    ],
)
def test_what_a_label_may_look_like(label: str, student: int | None) -> None:
    assert match_labels([label], CLASS, {}).students.get(label) == student


def test_what_fits_several_is_offered_with_the_likeliest_first() -> None:
    matches = match_labels(["Anna", "Anna Kellner", "Kowalska"], CLASS, {})
    assert matches.students == {}
    assert matches.unsure["Anna"][0] == 1
    assert matches.unsure["Anna Kellner"][0] == 1
    assert matches.unsure["Kowalska"] == (5,)


@pytest.mark.parametrize(
    "label",
    [
        "Tom & Lea Schmidt", "Lea & Tom Schmidt", "Tom und Lea Schmidt", "Tom + Lea Schmidt",
        "Tom Schmidt, Lea Schmidt", "Tom Schmidt / Lea Schmidt",
    ],
)  # fmt: skip
def test_a_tile_of_two_is_no_ones_without_asking(label: str) -> None:
    students = [(1, "Tom Schmidt"), (2, "Lea Schmidt"), (3, "Anna Keller")]
    found = match_labels([label], students, {})
    assert dict(found.students) == {}
    assert set(found.unsure[label]) >= {1, 2}
    # a name that holds such a word is a name
    one = "José Ortega y Gasset"
    assert dict(match_labels([one], [(1, one)], {}).students) == {one: 1}


def test_a_word_that_is_a_particle_in_some_names_is_a_name_in_others() -> None:
    label = "Nguyen An"
    found = match_labels([label], [(1, "Nguyen Van An"), (2, "Nguyen Thi An")], {})
    assert dict(found.students) == {}
    assert set(found.unsure[label]) == {1, 2}
    assert dict(match_labels([label], [(1, "Nguyen Van An")], {}).students) == {label: 1}
    both = [(1, "Jan Dijk"), (2, "Jan van Dijk")]
    assert dict(match_labels(["Jan Dijk", "Jan van Dijk"], both, {}).students) == {
        "Jan Dijk": 1,
        "Jan van Dijk": 2,
    }


def test_two_of_one_name_are_never_matched_in_silence() -> None:
    twins = [(1, "Alex Kim"), (2, "Alex Kim"), (3, "Ben Kim")]
    matches = match_labels(["Alex Kim", "Ben Kim"], twins, {})
    assert matches.students == {"Ben Kim": 3}
    assert set(matches.unsure["Alex Kim"]) == {1, 2}


def test_one_student_gets_one_label_unless_the_teacher_says_otherwise() -> None:
    students = [(1, "Anna Keller"), (2, "Ben Carver")]
    exact_leads = match_labels(["Anna Keller", "Anna K."], students, {})
    assert exact_leads.students == {"Anna Keller": 1}
    assert exact_leads.unsure["Anna K."] == (1,)
    alike = match_labels(["Anna K.", "A. Keller"], students, {})
    assert alike.students == {}
    assert match_labels(["Anna Keller", "Anna Keller"], students, {}).students == {}
    by_hand = match_labels(["Anna Keller", "tablet"], students, {"Tablet": 1})
    assert by_hand.students == {"tablet": 1}
    assert by_hand.unsure == {"Anna Keller": (1,)}
    both = match_labels(["Anna Keller", "tablet"], students, {"Tablet": 1, "Anna Keller": 1})
    assert both.students == {"tablet": 1, "Anna Keller": 1}


def test_nobody_of_the_list_by_hand_is_final() -> None:
    matches = match_labels(["Anna Keller"], [(1, "Anna Keller")], {"anna keller": None})
    assert (matches.students, matches.unsure) == ({}, {})
    gone = match_labels(["Anna Keller"], [(2, "Ben Carver")], {"Anna Keller": 1})
    assert (gone.students, gone.unsure) == ({}, {})


def test_an_empty_list_matches_nobody() -> None:
    assert match_labels(["Anna Keller"], [], {}) == Matches({}, {})


def test_the_teachers_own_tile_is_told_by_the_program_or_by_the_name_that_was_chosen() -> None:
    assert is_own_label(Label("f", "Ada", own=True), None)
    assert is_own_label(Label("f", "ADA  Okafor"), "Ada Okafor")
    assert not is_own_label(Label("f", "Ada Okafor"), None)
    assert not is_own_label(Label("f", None), "Ada Okafor")
    assert not is_own_label(Label("f", "Ada"), "Ada Okafor")

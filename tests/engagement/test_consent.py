import pytest

from engagement.consent import ClassRoll, Look
from engagement.records import Consent, Label

STUDENTS = (
    (1, "Anna Keller", Consent.AGREED),
    (2, "Ben Carver", Consent.REFUSED),
    (3, "Carla Rossi", Consent.UNKNOWN),
)


def looks(roll: ClassRoll, *names: str | None) -> list[str]:
    return [str(look) for look in roll.looks([Label("f", name) for name in names])]


def test_without_a_list_everybody_is_read_but_the_teacher() -> None:
    roll = ClassRoll(own_label="Ada Okafor")
    assert looks(roll, "Anna Keller", None, "ada okafor") == ["read", "read", "left_out"]
    assert roll.looks([Label("f", "Ada", own=True)]) == (Look.LEFT_OUT,)
    assert not roll.needs_names


def test_an_own_tile_makes_names_of_use_but_nobody_waits_for_theirs() -> None:
    assert not ClassRoll().uses_names
    assert not ClassRoll([(1, "Anna Keller", Consent.UNKNOWN)]).uses_names
    own = ClassRoll([(1, "Anna Keller", Consent.AGREED)], own_label="Ada Okafor")
    assert (own.uses_names, own.needs_names) == (True, False)
    assert looks(own, "Ada Okafor", "Anna Keller", None) == ["left_out", "read", "read"]
    for roll in (ClassRoll(STUDENTS), ClassRoll(only_agreed=True)):
        assert (roll.uses_names, roll.needs_names) == (True, True)


def test_who_refused_is_not_looked_at_nor_one_who_may_be_they() -> None:
    roll = ClassRoll(STUDENTS)
    assert roll.needs_names
    assert looks(roll, "Anna Keller", "CARVER, Ben", "Carla Rossi", "Guest") == [
        "read",
        "opted_out",
        "read",
        "read",
    ]
    # a first name alone is not certain, and what could not be read may be anybody's
    assert looks(roll, "Ben", "Anna", None) == ["opted_out", "read", "opted_out"]
    said = ClassRoll(STUDENTS, by_hand={"Ben": None, "tablet": 2})
    assert looks(said, "Ben", "tablet") == ["read", "opted_out"]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("Zoë Quux-Brown", "Zoe Quux, Zoe Brown, Quux Zoe, Zoe QuuxBrown, Quux, Brown, Zoe Q-B, Z Q, ZQB"),
        ("Zoë García López", "Zoë García, Zoe Lopez, García, Zoë G., García López, Z. López"),
        ("Anna-Lena Schmidt", "Anna, Lena, Annalena, AnnaLena Schmidt, AL Schmidt, Schmitd, Schmidt 9b, A."),
        ("Jean-Pierre Dupont", "JP Dupont, JP, Jean, JeanPierre, J-P, Pierre (phone)"),
        ("Mohammed Al-Rashid", "Mohammed Rashid, Muhammad, M. Rashid, alrashid"),
        (
            "Alexander Miller",
            "Alex, Alexander's iPhone, iPhone von Alexander, Sascha Miller, Alexandermiller, Miler",
        ),
        ("Nguyễn Văn An", "Nguyen An, An"),
        ("Mary-Jane O'Neill", "Mary Jane, MJ O'Neill, Mary Oneill, Jane"),
        ("王小明", "小明, 王小明 (phone)"),
        ("Вера Ткаченко", "Bepa, Вера, Вера T."),
        ("Duc Le", "Le's iPhone, Le, Duc"),
        ("Al Smith", "Al's iPad, Al"),
        ("Thi Do", "Do iPad"),
        ("Joanna Berg", "Jo, J., Berg (9b)"),
        ("अनिता शर्मा", "अनिता, शर्मा जी"),
        (
            "Jörg Bär",
            "iPad von Jörg, iPad von Joerg, Jörgs iPhone, Joergs iPhone, Jorgs iPhone, Joerg (9b) Physik, "
            "Joerg Privat, joergbaer2010, jörgbär2010, MacBook von Baer, MacBook von Bar, Joerg, Jorg, jbaer, jbär, "
            "jbaer2010, Bär",
        ),
        ("Joerg Baer", "iPad von Jörg, Jörgs iPhone, Jorgs iPhone, jörgbär2010, MacBook von Bär, jbär"),
        ("Bär, Jörg", "iPad von Joerg, jbaer, MacBook von Baer"),
        ("Max Röhl", "iPad Roehl, iPad Röhl, iPad Rohl, mroehl"),
        ("Max Möller", "iPad Moeller, iPad Moelller, Mueller"),
        ("Gül Yıldız", "Guel's iPhone, Gül's iPhone, iPad Yildiz, YILDIZ Privat"),
        ("Øystein Åse", "Aase, iPad Aase, iPad Ase, Oeystein, Oysteins iPad, Øysteins iPad"),
        ("Đuro Strauß", "Djuro Privat, Duro Privat, iPad Strauss"),
        # strokes that no reader tells apart
        ("Iris Bernd", "iPad von lris, iPad Bemd, lris"),
        ("Emil Roth", "iPad von EmiI, eroth, eroth07"),
    ],
)
def test_a_short_form_of_who_refused_is_not_looked_at(name: str, labels: str) -> None:
    roll = ClassRoll([(1, name, Consent.REFUSED), (2, "Peter Other", Consent.AGREED)])
    shown = labels.split(", ")
    assert dict(zip(shown, looks(roll, *shown), strict=True)) == dict.fromkeys(shown, "opted_out")
    # until the teacher says that they are nobody of the list
    said = ClassRoll([(1, name, Consent.REFUSED)], by_hand=dict.fromkeys(shown))
    assert set(looks(said, *shown)) == {"read"}


def test_who_shares_nothing_with_who_refused_or_is_surely_another_is_read() -> None:
    roll = ClassRoll(
        [
            (1, "Anna-Lena Schmidt", Consent.REFUSED),
            (2, "Anna Schmidt", Consent.AGREED),
            (3, "Lena Vogel", Consent.UNKNOWN),
            (4, "Alma Sander", Consent.AGREED),
        ]
    )
    others = (
        "Anna Schmidt",
        "Lena Vogel",
        "A. Sander",
        "Ben",
        "Carla de la Rossi",
        "Guest",
        "iPad",
        "B.",
        "小明",
    )
    assert dict(zip(others, looks(roll, *others), strict=True)) == dict.fromkeys(others, "read")


ORDINARY = (
    "Joe Miller", "Sue Berger", "Zoe Lang", "Noel Nowak", "Georg Wolf", "Jürg Frei", "Rolf Beck", "Bea Bauer",
    "Ben Baum", "Mia Kühn", "Tim Roth", "Ali Kaya", "Lea Böhm", "Maria Groß", "Lan Nguyen", "Su Min", "Jo Lee",
    "Wei Ma", "Ole Vogel", "Gül Demir", "Hanna Voigt", "Sara Hahn", "Sami Haas", "Erik Busch", "Nolan Kurz",
    "Michal Zając", "Elif Şahin", "Ana Sol",
)  # fmt: skip


@pytest.mark.parametrize(
    ("refused", "theirs"),
    [
        ("Jörg Röhl", []),
        ("Süleyman Öz", []),
        ("Manuel Haug", []),
        ("Mae Lin", []),
        ("Åse Dahl", []),
        ("Anna Li", []),
        ("Max Arko", []),
        ("Bernd Köhn", []),
        ("Guel Yildiz", ["Gül Demir"]),
        ("Saara Otto", ["Sara Hahn"]),
        # I and l are one stroke
        ("Ian Brown", ["Lan Nguyen"]),
    ],
)
def test_one_refusal_does_not_leave_out_a_class_of_ordinary_names(refused: str, theirs: list[str]) -> None:
    # nobody else is on the list, so that the likeness of the names alone decides
    alone = ClassRoll([(1, refused, Consent.REFUSED)])
    found = looks(alone, *ORDINARY)
    assert [name for name, look in zip(ORDINARY, found, strict=True) if look == "opted_out"] == theirs
    # who is surely another on the list is read whatever they have in common
    others = ((2 + at, name, Consent.AGREED) for at, name in enumerate(ORDINARY))
    assert set(looks(ClassRoll([(1, refused, Consent.REFUSED), *others]), *ORDINARY)) == {"read"}


def test_a_slip_in_a_name_of_four_letters_is_another_name() -> None:
    roll = ClassRoll([(1, "Anna Kowalska", Consent.REFUSED)])
    shown = ("Ana", "Anma", "Anja", "Hanna", "Ania")
    assert dict(zip(shown, looks(roll, *shown), strict=True)) == dict.fromkeys(shown, "read")


@pytest.mark.parametrize("label", ["Tom & Lea Schmidt", "Lea & Tom Schmidt", "Tom and Lea"])
def test_a_tile_that_one_who_refused_shares_is_not_looked_at(label: str) -> None:
    roll = ClassRoll([(1, "Tom Schmidt", Consent.AGREED), (2, "Lea Schmidt", Consent.REFUSED)])
    assert looks(roll, label) == ["opted_out"]


def test_a_group_is_no_part_of_a_name() -> None:
    roll = ClassRoll([(1, "Anna (9b) Keller 12", Consent.REFUSED)])
    assert looks(roll, "Tom 12", "Ben (9b)", "Anna 12") == ["read", "read", "opted_out"]


def test_two_of_one_name_of_whom_one_refused_are_both_not_looked_at() -> None:
    roll = ClassRoll([(1, "Alex Kim", Consent.AGREED), (2, "Alex Kim", Consent.REFUSED)])
    assert looks(roll, "Alex Kim", "Alex Kim") == ["opted_out", "opted_out"]


def test_with_only_those_who_agreed_everybody_else_is_opted_out() -> None:
    roll = ClassRoll(STUDENTS, only_agreed=True, own_label="Ada")
    assert looks(roll, "Anna Keller", "Ben Carver", "Carla Rossi", "Guest", None, "Ada") == [
        "read",
        "opted_out",
        "opted_out",
        "opted_out",
        "opted_out",
        "left_out",
    ]
    by_hand = ClassRoll(STUDENTS, only_agreed=True, by_hand={"Ben": 1, "Guest": None})
    assert looks(by_hand, "Ben", "Guest") == ["read", "opted_out"]


@pytest.mark.parametrize("consent", [Consent.AGREED, Consent.UNKNOWN])
def test_where_nobody_refused_no_name_is_waited_for(consent: Consent) -> None:
    roll = ClassRoll([(1, "Anna Keller", consent)])
    assert looks(roll, None, "Anna") == ["read", "read"]


def test_the_teachers_tile_is_no_students() -> None:
    roll = ClassRoll([(1, "Ada Okafor", Consent.AGREED)], own_label="Ada Okafor")
    assert roll.match([Label("f", "Ada Okafor")]).students == {}

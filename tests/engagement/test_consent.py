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

"""Class lists as files: whatever a spreadsheet writes is read, whatever else is told by its line."""

import random

import pytest

from engagement.consent import ClassRoll, Look
from engagement.errors import RosterError
from engagement.records import Consent, Label
from engagement.roster import MAX_BYTES, Remark, RosterRow, read_roster

AGREED, REFUSED, UNKNOWN = Consent.AGREED, Consent.REFUSED, Consent.UNKNOWN


def names(data: bytes) -> list[str]:
    return [row.name for row in read_roster(data).rows]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_read(encoding: str, delimiter: str, line_end: str) -> None:
    lines = [
        ["Name", "Consent", "Group"],
        ["Zoë van Dijk", "yes", "b"],
        ["Rosa Jiménez", "", "a"],
        ["", "", ""],
    ]
    text = line_end.join(delimiter.join(line) for line in lines)
    roster = read_roster(text.encode(encoding))
    assert roster.rows == (RosterRow(2, "Zoë van Dijk", AGREED), RosterRow(3, "Rosa Jiménez", None))
    assert (roster.left_out, roster.hints, roster.with_consent) == ((), (), True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("First name,Last name\nAda,Okafor\n", ["Ada Okafor"]),
        ("last_name;FIRST-NAME\nOkafor;Ada\n", ["Ada Okafor"]),
        ("Vorname;Name\nJürgen;Groß\n", ["Jürgen Groß"]),
        ('no,student\n1,"Okafor, Ada"\n', ["Okafor, Ada"]),
        ("Ada Okafor\nBen\n\n  \nCarla\n", ["Ada Okafor", "Ben", "Carla"]),
        ('name\nOkafor, Ada\n"O\'Brien, Liam"\n', ["Okafor, Ada", "O'Brien, Liam"]),
        ("sep=;\nname;x\nAda;1\n", ["Ada"]),
        ("\n\nname,x\nAda\n", ["Ada"]),
        ("name\n李小龙\nОльга\n", ["李小龙", "Ольга"]),
        ("nom,prénom\nDubois,Quentin\n", ["Quentin Dubois"]),
    ],
)
def test_headings_are_known(text: str, found: list[str]) -> None:
    assert names(text.encode()) == found


def test_consent_is_said_in_many_words() -> None:
    said = {"yes": AGREED, "JA": AGREED, " x ": AGREED, "1": AGREED, "no": REFUSED, "Refused": REFUSED}
    said |= {"0": REFUSED, "?": UNKNOWN, "unknown": UNKNOWN}
    text = "name,consent\n" + "\n".join(f"S{n},{word}" for n, word in enumerate(said))
    assert [row.consent for row in read_roster(text.encode()).rows] == list(said.values())


def test_lines_that_cannot_be_taken_are_told_by_their_number() -> None:
    text = f'name,consent\nAda,yes\n,no\n"Two\nlines",maybe\n{"x" * 65},no\nADA,no\nBen\n'
    roster = read_roster(text.encode())
    assert [(row.line, row.name) for row in roster.rows] == [
        (2, "Ada"),
        (4, "Two lines"),
        (7, "ADA"),
        (8, "Ben"),
    ]
    assert roster.left_out == (
        Remark(3, "there is no name."),
        Remark(6, f"the name has more than 64 characters: “{'x' * 24}…”."),
    )
    assert roster.hints == (
        Remark(
            4,
            "the consent of “Two lines” is “maybe”, which is not understood: they are taken in as refused and not "
            "looked at. If they did not refuse, write agreed or unknown into the file first, or change it on the list.",
        ),
        Remark(7, "“ADA” stands in line 2 too; two of one name are two students."),
    )


@pytest.mark.parametrize(
    "said", ["refused by mother", "no, see letter", "withdrawn", "yes and no", "✗", "9b", "agreed?", "Nein!"]
)
def test_an_answer_that_is_not_understood_counts_as_refused(said: str) -> None:
    roster = read_roster(f"name;consent\nAnna Kowalska;{said}\nBen Meier;yes\n".encode())
    assert roster.rows == (
        RosterRow(2, "Anna Kowalska", REFUSED, unclear=said.casefold()),
        RosterRow(3, "Ben Meier", AGREED),
    )
    assert roster.left_out == ()
    assert [hint.line for hint in roster.hints] == [2]
    assert "taken in as refused" in roster.hints[0].text
    roll = ClassRoll([(row.line, row.name, row.consent or UNKNOWN) for row in roster.rows])
    assert roll.looks([Label("f", "Anna Kowalska"), Label("f", "Ben Meier")]) == (Look.OPTED_OUT, Look.READ)


def test_a_name_with_a_comma_that_nobody_quoted_is_not_read_as_if_it_had_agreed() -> None:
    roster = read_roster(b"name,consent\nKowalska, Anna,no\n")
    assert roster.rows == (RosterRow(2, "Kowalska", REFUSED, unclear="anna"),)


def test_hostile_names_stay_text() -> None:
    hostile = [
        '=HYPERLINK("http://x")',
        "<img src=x onerror=alert(1)>",
        "+1",
        "@SUM(1)",
        "a\u202eb",
        "z\u200bz",
    ]
    text = "name,group\n" + "\n".join('"{}",1'.format(name.replace('"', '""')) for name in hostile)
    assert names(text.encode()) == [*hostile[:4], "ab", "zz"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"name,consent\n\n", "no student below"),
        (b"mark,group\n1,2\n", "Line 1 names no column of names, it has “mark”, “group”"),
        (b'name,x\nAda,1\n"Ben,2\nCarla,3\n', "Line 3 cannot be read as CSV"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00", "no text"),
        (b"\xff\xfe\x00", "no text"),
        (b"name\n" + b"x\n" * 501, "more than 500 students, from line 502 on"),
        (b"x" * (MAX_BYTES + 1), "1.0 MB"),
        (b'name,x\n"' + b"x" * 200_000, "cannot be read as CSV"),
    ],
)
def test_what_is_no_class_list_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(RosterError, match=told):
        read_roster(data)


def test_any_bytes_end_in_a_list_or_an_error() -> None:
    chance = random.Random(5)  # noqa: S311 - no secret
    seeds = [
        b"name;consent\nAda;yes\nBen;no\n",
        "first,last\nZoë,李\n".encode("utf-16"),
        b'"a"\t"b\n',
        b"\x00\xff",
    ]
    for _ in range(2000):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 8)):
            place = chance.randrange(len(data) + 1)
            data[place:place] = chance.choice(
                [b'"', b"\x00", b"\r", b"\n", b",", b";", bytes([chance.randrange(256)])]
            )
        try:
            rows = read_roster(bytes(data)).rows
        except RosterError:
            continue
        assert all(0 < len(row.name) <= 64 and "\x00" not in row.name for row in rows)

"""What the page Students tells of a class, without a browser."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from page_answers import shown
from sqlalchemy import Engine

from dashboard.app import create_app
from dashboard.components.students import preview
from dashboard.pages import students_form as form
from dashboard.pages.students import choice
from dashboard.roll import (
    LooseLabel,
    consent_time,
    loose_labels,
    plan_summary,
    planned,
    student_rows,
    summary,
)
from engagement.records import Consent
from engagement.roster import read_roster
from storage import students
from storage.class_seats import ClassSeat
from storage.students import ClassList, Student

AT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
ADA = Student(1, "Algebra", "Ada", Consent.AGREED, AT, "letter")
BEN = Student(2, "Algebra", "Ben", Consent.UNKNOWN, None, None)


def seat(session_id: int, label: str | None, student_id: int | None = None, *candidates: int) -> ClassSeat:
    at = AT + timedelta(days=session_id)
    return ClassSeat(session_id, at, 1, label, at, None, student_id, candidates)


def test_a_row_tells_when_a_student_was_last_there_on_the_viewers_clock() -> None:
    rows = student_rows((ADA, BEN), [seat(1, "Ada", 1), seat(2, "A.", 1), seat(2, "A. again", 1)], TOKYO)
    assert rows == [
        {
            "id": "1",
            "name": "Ada",
            "consent": "agreed",
            "since": "2026-11-21",
            "source": "letter",
            "last": "2026-11-23  05:00",
            "sessions": 2,
        },
        {
            "id": "2",
            "name": "Ben",
            "consent": "not answered",
            "since": "",
            "source": "",
            "last": "",
            "sessions": 0,
        },
    ]


def test_labels_wait_until_somebody_says_whose_they_are() -> None:
    seats = [
        seat(1, "An old one"),
        *(seat(number, "Ada", 1) for number in range(2, 11)),
        seat(10, "Phone"),
        seat(11, "Phone"),
        seat(11, "B. Carver", None, 2, 1),
        seat(11, "Guest"),
        seat(11, "Me"),
        seat(11, None),
    ]
    roll = ClassList("Algebra", False, "ME", (ADA, BEN), MappingProxyType({"guest": None, "iPad": 1}))
    last = AT + timedelta(days=11)
    assert loose_labels(seats, roll) == [
        LooseLabel("B. Carver", 1, last, (2, 1)),
        LooseLabel("Phone", 2, last, ()),
    ]
    assert [one.label for one in loose_labels(seats, None)] == ["B. Carver", "Guest", "Me", "Phone"]


def test_a_file_is_told_line_by_line_before_it_is_taken() -> None:
    rows = planned(read_roster(b"name,consent\nADA,no\nBen,\nCarla,yes\nAda,\n"), (ADA, BEN))
    assert [(row.line, row.name, row.consent, row.does) for row in rows] == [
        (2, "ADA", "refused", "was agreed"),
        (3, "Ben", "", "as before"),
        (4, "Carla", "agreed", "new"),
        (5, "Ada", "", "new"),
    ]
    assert plan_summary(rows) == "2 new, 1 with another answer, 1 as before"
    assert plan_summary([]) == "nobody"


def test_an_answer_that_is_not_understood_takes_no_agreement_back_in_silence() -> None:
    cara = Student(3, "Algebra", "Cara", Consent.REFUSED, AT, "letter")
    roster = read_roster(b"name,consent\nAda,by mother\nBen,soon\nCara,soon\nDirk,soon\nADA,no\n")
    rows = planned(roster, (ADA, BEN, cara))
    assert [(row.name, row.consent, row.does, row.withdraws) for row in rows] == [
        ("Ada", "refused (not understood)", "was agreed", True),
        ("Ben", "refused (not understood)", "was not answered", False),
        ("Cara", "refused (not understood)", "as before", False),
        ("Dirk", "refused (not understood)", "new", False),
        ("ADA", "refused", "new", False),
    ]
    told = shown(preview(roster, (ADA, BEN, cara)))
    assert "1 agreement would end" in told
    assert "“Ada” agreed so far, and the file's answer is not understood." in told
    assert "Line 2: the consent of “Ada” is “by mother”" in told
    # a withdrawal that is said clearly needs no warning
    clear = read_roster(b"name,consent\nAda,no\n")
    assert "would end" not in shown(preview(clear, (ADA, BEN)))
    many = [Student(number, "Algebra", f"S{number}", Consent.AGREED, AT, None) for number in range(20)]
    lines = "".join(f"S{number},Agreed in May\n" for number in range(20))
    told = shown(preview(read_roster(f"name,consent\n{lines}".encode()), many))
    assert "20 agreements would end" in told
    assert "“S11” and 8 more agreed so far" in told


def test_answers_are_counted() -> None:
    assert summary(()) == "Nobody is on the list"
    assert summary((ADA,)) == "1 student: 1 agreed, 0 refused, 0 have not answered"
    assert summary((ADA, BEN)) == "2 students: 1 agreed, 0 refused, 1 has not answered"


@pytest.mark.parametrize(
    ("day", "at"),
    [
        ("2026-11-21", AT),  # it is the 21st in Tokyo already
        ("2026-11-20", datetime(2026, 11, 20, 3, 0, tzinfo=UTC)),
        ("", None),
        (None, None),
        ("yesterday", None),
    ],
)
def test_a_day_of_consent_is_one_where_the_teacher_is(day: str | None, at: datetime | None) -> None:
    assert consent_time(day, TOKYO, AT) == at


@pytest.mark.parametrize(
    ("search", "chosen", "made", "shown"),
    [
        ("", None, None, "A"),
        ("?class=B%20c", None, None, "B c"),
        ("?class=B%20c", "A", None, "A"),
        ("?class=none", "gone", {"class": "B c"}, "B c"),
        (None, None, {"class": None}, "A"),
        (None, None, "nonsense", "A"),
    ],
)
def test_the_class_that_is_shown(search: str | None, chosen: str | None, made: Any, shown: str) -> None:
    assert choice(["A", "B c"], search, chosen, made) == shown
    assert choice([], search, chosen, made) is None


def test_the_file_of_a_student_is_for_no_disk_and_no_other_site(engine: Engine) -> None:
    number = students.add_student(engine, "Algebra", "<img src=x onerror=alert(1)>")
    client = create_app(engine).server.test_client()
    answer = client.get(f"/students/{number}/student.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="classpulse-student-{number}.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json()["student"]["name"] == "<img src=x onerror=alert(1)>"
    assert client.get("/students/99/student.json").status_code == 404
    assert client.get(f"/students/{number}/student.json", headers={"Host": "evil.example"}).status_code == 421


def use(engine: Engine, store: str, label: str, value: Any) -> int:
    """Change what stands beside a label, as the browser tells it; the status of the answer."""
    app = create_app(engine)
    output = next(name for name, one in app.callback_map.items() if one["inputs"][0]["id"] == store)
    said, changed = (
        {"id": part.component_id, "property": part.component_property}
        for part in app.callback_map[output]["output"]
    )
    press = {"label": label, "value": value, "at": 1}
    answer = app.server.test_client().post(
        "/_dash-update-component",
        headers={"Host": "localhost", "Origin": "http://localhost"},
        json={
            "output": output,
            "outputs": [said, changed],
            "inputs": [{"id": store, "property": "data", "value": press}],
            "state": [{"id": "students-class", "property": "value", "value": "Algebra"}],
            "changedPropIds": [f"{store}.data"],
        },
    )
    return answer.status_code


@pytest.mark.parametrize("label", ["Rosa", "Zoë v. D.", "李小龙", "Yılmaz"])
def test_a_label_is_matched_and_let_go_whatever_its_letters(engine: Engine, label: str) -> None:
    number = students.add_student(engine, "Algebra", "Ada")
    assert use(engine, form.PRESSED_MATCH, label, str(number)) == 200
    kept = students.read_class_list(engine, "Algebra")
    assert kept is not None
    assert dict(kept.labels) == {label: number}
    assert use(engine, form.PRESSED_UNMATCH, label, 1) == 200
    kept = students.read_class_list(engine, "Algebra")
    assert kept is not None
    assert dict(kept.labels) == {}

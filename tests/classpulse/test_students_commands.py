"""Class lists from the command line."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from classpulse.errors import UsageError
from classpulse.students import students_app
from engagement.errors import RosterError
from storage.errors import UnknownStudentError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> Path:
    """A home of its own with an empty database, so that no setting or database of this machine is touched."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("CLASSPULSE_STORAGE__DATABASE", f"sqlite:///{engine.url.database}")
    return tmp_path


def students(*arguments: str, answers: str = "") -> Result:
    result = CliRunner().invoke(students_app, list(arguments), input=answers)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_list_goes_in_is_shown_and_changed(folder: Path) -> None:
    assert students("list").stdout == "No class yet.\n"
    assert "has no list yet" in students("list", "Algebra 9b").stdout
    file = folder / "9b.csv"
    file.write_text("name;consent\nAda Okafor;yes\n;no\n<b>Ben</b>\n", encoding="utf-16")
    asked = students("import", "Algebra 9b", str(file), "--date", "2026-09-01", answers="n\n")
    assert "Line 3: there is no name." in asked.stderr
    assert "9b.csv (UTF-16): 2 new, 0 with another answer, 0 as before, 1 line left out." in asked.stderr
    assert asked.stdout.endswith("Nothing was taken in.\n")
    taken = students("import", "Algebra 9b", str(file), "--date", "2026-09-01", "--yes")
    assert taken.stdout == "Taken in: 2 new, 0 with another answer, 0 as before.\n"
    assert students("list").stdout == "Algebra 9b\n"
    assert students("list", "Algebra 9b").stdout.splitlines() == [
        "    2  unknown              <b>Ben</b>",
        "    1  agreed   2026-09-01  Ada Okafor",
    ]
    said = students("consent", "2", "refused", "--source", "mail", "--date", "2026-09-02")
    assert said.stdout == "<b>Ben</b> of Algebra 9b: refused\n"
    listed = json.loads(students("list", "Algebra 9b", "--json").stdout)
    assert [(one["id"], one["consent"], one["consent_source"]) for one in listed] == [
        (2, "refused", "mail"),
        (1, "agreed", "9b.csv"),
    ]


def test_one_student_is_exported_and_erased(folder: Path) -> None:
    file = folder / "list.csv"
    file.write_text("Ada\nBen\n")
    students("import", "Algebra", str(file), "--yes")
    out = folder / "ada.json"
    students("export", "1", "--out", str(out))
    assert json.loads(out.read_bytes())["student"]["name"] == "Ada"
    assert json.loads(students("export", "2").stdout)["student"]["name"] == "Ben"
    kept = students("erase", "1", answers="n\n")
    assert "Erase Ada of Algebra with 0 readings" in kept.stdout
    assert kept.stdout.endswith("Nothing was erased.\n")
    assert students("erase", "1", "--yes").stdout == "Erased Ada of Algebra.\n"
    assert [one["name"] for one in json.loads(students("list", "Algebra", "--json").stdout)] == ["Ben"]


def test_a_refusal_is_erased_only_where_it_is_asked_to_go(folder: Path) -> None:
    (folder / "list.csv").write_text("name,consent\nAda,refused\nBen,agreed\n")
    students("import", "Algebra", str(folder / "list.csv"), "--yes")
    kept = students("erase", "1", answers="n\n")
    assert "Their refusal stays on the list with the name, so that nobody looks at them" in kept.stderr
    assert "Erase what was read of Ada of Algebra: 0 readings" in kept.stdout
    erased = students("erase", "1", "--yes")
    assert erased.stdout == "Erased what was read of Ada of Algebra. Their refusal stays on the list.\n"
    listed = json.loads(students("list", "Algebra", "--json").stdout)
    assert [(one["name"], one["consent"]) for one in listed] == [("Ada", "refused"), ("Ben", "agreed")]

    gone = students("erase", "1", "--with-refusal", answers="y\n")
    assert "classpulse no longer knows that they may not be looked at" in gone.stderr
    assert "Erase Ada of Algebra with 0 readings" in gone.stdout
    assert gone.stdout.endswith("Erased Ada of Algebra.\n")
    assert students("erase", "2", "--with-refusal", "--yes").stdout == "Erased Ben of Algebra.\n"
    assert json.loads(students("list", "Algebra", "--json").stdout) == []


def test_what_cannot_be_done_is_said_in_a_sentence(folder: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        students("import", "Algebra", str(folder / "none.csv"))
    (folder / "book.xlsx").write_bytes(b"PK\x03\x04" + b"\x00" * 60)
    with pytest.raises(RosterError, match="no text"):
        students("import", "Algebra", str(folder / "book.xlsx"))
    with pytest.raises(UnknownStudentError, match="no student 7"):
        students("export", "7")
    with pytest.raises(UnknownStudentError, match="no student 7"):
        students("erase", "7", "--yes")
    (folder / "list.csv").write_text("Ada\n")
    students("import", "Algebra", str(folder / "list.csv"), "--yes")
    with pytest.raises(UsageError, match="cannot be written"):
        students("export", "1", "--out", str(folder / "no" / "file.json"))

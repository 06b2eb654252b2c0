"""What participants type is text, from the recogniser through the database to every export and the log."""

import csv
import html
import io
import json
import logging
import re
import shutil
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dashboard.exports import export_session
from engagement.names import clean_name
from storage import queries, students
from storage.audit import audit_entries
from storage.database import open_database
from storage.migrate import migrate
from storage.traces import export_student
from tests.trust.hostile_class import CLASS, NOTE, TYPED, read_class


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, int, str]]:
    """The database, the session, and what was logged while it was read."""
    folder = tmp_path_factory.mktemp("hostile")
    engine = open_database(f"sqlite:///{folder / 'class.db'}")
    migrate(engine)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with pytest.MonkeyPatch.context() as patch:
            session_id = read_class(engine, patch)
        for suffix in ("html", "csv", "xlsx", "json"):
            export_session(engine, session_id, suffix)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    yield engine, session_id, said.getvalue()
    engine.dispose()


def seen(engine: Engine, session_id: int) -> list[str]:
    """The names as they were kept."""
    return [str(name) for name in queries.seats(engine, session_id)["name"]]


def test_names_are_cleaned_once_at_the_boundary_and_kept_as_typed(lesson: tuple[Engine, int, str]) -> None:
    engine, session_id, _ = lesson
    names = seen(engine, session_id)
    assert len(names) == len(TYPED)
    # a label begins with its first letter, because icons stand before it; nothing else is taken away
    for name, typed in zip(names, TYPED, strict=True):
        cleaned = clean_name(typed) or ""
        assert cleaned.endswith(name)
        assert re.fullmatch(r"\W*", cleaned.removesuffix(name))
    roll = students.read_class_list(engine, CLASS)
    assert roll is not None
    assert sorted(one.name for one in roll.students) == sorted(clean_name(typed) or "" for typed in TYPED)
    for name in (*names, *(one.name for one in roll.students)):
        assert len(name) <= 64
        assert name.isprintable()
        assert not re.search("[\u200b-\u200f\u202a-\u202e\ufeff\0]", name)


def test_no_name_stands_in_the_log_or_the_audit_log(lesson: tuple[Engine, int, str]) -> None:
    engine, session_id, said = lesson
    assert "session" in said
    audited = json.dumps([dict(entry.detail) | {"who": entry.actor} for entry in audit_entries(engine)])
    for name in (*seen(engine, session_id), *TYPED, NOTE, CLASS):
        assert name[:200] not in said
        assert name[:200] not in audited
    assert "evil.example" not in said + audited


class Tags(HTMLParser):
    """Notes the elements, attributes and text of a page; an element that is unknown stands out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes.extend((name, value or "") for name, value in attrs)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_html_holds_names_as_text_only(lesson: tuple[Engine, int, str]) -> None:
    engine, session_id, _ = lesson
    page = Tags()
    page.feed(export_session(engine, session_id, "html").decode())
    text = "\n".join(page.text)
    assert not page.found & {"img", "iframe", "object", "embed", "base", "form", "b"}
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in {"href", "src", "action"}:
            assert not re.match(r"\s*(javascript|https?|data:text)", value, re.IGNORECASE), value
    for name in seen(engine, session_id):
        assert name in text
    assert NOTE in text


FORMULA = ("=", "+", "-", "@", "\t", "\r")


def test_no_cell_of_the_csv_is_a_formula(lesson: tuple[Engine, int, str]) -> None:
    engine, session_id, _ = lesson
    rows = list(csv.reader(io.StringIO(export_session(engine, session_id, "csv").decode("utf-8-sig"))))
    texts = [cell for row in rows[1:] for cell in row if not re.fullmatch(r"-?[\d.]+(e-?\d+)?|", cell)]
    assert [cell for cell in texts if cell.startswith(FORMULA)] == []
    assert any(cell.startswith("'=cmd|") for cell in texts)


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(lesson: tuple[Engine, int, str]) -> None:
    engine, session_id, _ = lesson
    with zipfile.ZipFile(io.BytesIO(export_session(engine, session_id, "xlsx"))) as book:
        parts = {name: book.read(name).decode("utf-8", "replace") for name in book.namelist()}
    sheets = [text for name, text in parts.items() if name.startswith("xl/worksheets/")]
    assert sheets
    assert not [text for text in sheets if "<f>" in text or "<f " in text or "<hyperlink" in text]
    assert not [
        name
        for name in parts
        if "external" in name.lower() or "macro" in name.lower() or name.endswith(".bin")
    ]
    links = " ".join(text for name, text in parts.items() if name.endswith(".rels"))
    assert "evil.example" not in links
    assert 'TargetMode="External"' not in links
    strings = parts["xl/sharedStrings.xml"]
    cells = [html.unescape(cell) for cell in re.findall(r"<t[^>]*>([^<]*)</t>", strings)]
    assert len(cells) > len(TYPED)
    assert [cell for cell in cells if cell.startswith(FORMULA)] == []
    assert f"'{NOTE}" in cells
    for typed in [NOTE, *seen(engine, session_id)]:
        assert (f"'{typed}" if typed.startswith(FORMULA) else typed) in cells


def test_the_json_says_what_was_kept(lesson: tuple[Engine, int, str]) -> None:
    engine, session_id, _ = lesson
    body = json.loads(export_session(engine, session_id, "json"))
    assert [seat["name"] for seat in body["seats"]] == seen(engine, session_id)
    roll = students.read_class_list(engine, CLASS)
    assert roll is not None
    for one in roll.students:
        assert json.loads(export_student(engine, one.id))["student"]["name"] == one.name


def test_the_pdf_is_a_picture_of_the_text_and_does_nothing(
    lesson: tuple[Engine, int, str], tmp_path: Path
) -> None:
    if not any(map(shutil.which, ("chromium", "google-chrome", "chrome", "msedge"))):
        pytest.skip("needs Chromium, Chrome or Edge")
    engine, session_id, _ = lesson
    printed = export_session(engine, session_id, "pdf")
    assert printed.startswith(b"%PDF")
    for forbidden in (
        b"/JavaScript",
        b"/JS ",
        b"/Launch",
        b"/SubmitForm",
        b"/EmbeddedFile",
        b"evil.example",
        b"/URI",
    ):
        assert forbidden not in printed, forbidden

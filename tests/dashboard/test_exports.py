import csv
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from seed import HOSTILE, NAMES, Lesson, seed
from sqlalchemy import Engine
from werkzeug.test import Client

from dashboard.app import create_app
from dashboard.cells import harmless
from dashboard.exports import (
    CSV_COLUMNS,
    FORMATS,
    csv_cell,
    report_csv,
    report_html,
    report_json,
    report_xlsx,
    script_json,
)
from dashboard.figures import coverage
from dashboard.material import read_material
from dashboard.pages.report import body
from dashboard.shell import viewer_of
from engagement.emotion import EXPRESSIONS
from engagement.records import EpisodeMark, Mode, NoteKind, NotObservedReason
from storage import queries
from storage.errors import UnknownSessionError
from storage.marks import mark_episodes
from storage.notes import add_note, edit_note


@pytest.fixture
def hostile(engine: Engine) -> Lesson:
    lesson = seed(engine, minutes=8, interval=10, names=(*HOSTILE, *NAMES[:4]), name=HOSTILE[3])
    for text in HOSTILE:
        add_note(engine, lesson.session_id, lesson.started_at + timedelta(minutes=2), text)
    add_note(engine, lesson.session_id, lesson.started_at + timedelta(minutes=5), "=1+1")
    lesson.close()
    return lesson


class Page(HTMLParser):
    """The elements, their attributes and the text outside of scripts."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._raw = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._raw = tag if tag in {"script", "style"} else ""

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.text.append(data)


def rows_of(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_csv_has_one_row_per_interval_with_the_documented_columns(lesson_engine: Engine) -> None:
    session = queries.find_session(lesson_engine, "last")
    intervals = queries.intervals_since(lesson_engine, session.id)
    rows = rows_of(report_csv(lesson_engine, session.id))
    assert list(rows[0]) == list(CSV_COLUMNS)
    assert len(rows) == len(intervals)
    assert [int(row["seats_read"]) for row in rows] == intervals["n_seen"].tolist()
    told = [float(row["coverage"] or "nan") for row in rows]
    np.testing.assert_allclose(told, coverage(intervals), rtol=1e-4)
    start = datetime.fromisoformat(rows[0]["started_at_utc"])
    assert start == session.started_at
    assert datetime.fromisoformat(rows[0]["started_at_local"]).astimezone() == start.replace(
        microsecond=start.microsecond // 1000 * 1000
    )
    unseen = [row for row in rows if row["not_observed"]]
    assert unseen
    assert all(row["valence"] == "" and row["coverage"] == "" for row in unseen)
    assert sum(bool(row["notes"]) for row in rows) == 3
    assert any("No face for" in row["episodes"] for row in rows)


def test_topics_edits_and_answers_are_in_every_export(engine: Engine) -> None:
    lesson = seed(engine, minutes=8, interval=10)
    at = lesson.started_at + timedelta(minutes=5)
    add_note(engine, lesson.session_id, at, "=Vectors", NoteKind.TOPIC)
    edited = add_note(engine, lesson.session_id, at, "Quizz")
    edit_note(engine, edited, "Quiz", lesson.now)
    open_now = queries.episodes(engine, lesson.session_id, open_only=True)
    mark_episodes(engine, lesson.session_id, [int(open_now["id"].iloc[0])], EpisodeMark.SEEN, lesson.now)
    rows = rows_of(report_csv(engine, lesson.session_id))
    assert [row["topics"] for row in rows if row["topics"]] == ["'=Vectors"]
    assert [row["notes"] for row in rows if row["notes"]] == ["Homework back", "Quiz"]
    told = json.loads(report_json(engine, lesson.session_id))
    assert [(note["kind"], note["edited_at"] is not None) for note in told["notes"]] == [
        ("note", False),
        ("topic", False),
        ("note", True),
    ]
    assert [episode["mark"] for episode in told["episodes"] if episode["mark"]] == ["seen"]
    sheets = sheets_of(report_xlsx(engine, lesson.session_id))
    assert [row[1:3] for row in sheets["Notes"][1:]] == [
        ["note", "Homework back"],
        ["topic", "'=Vectors"],
        ["note", "Quiz"],
    ]
    assert [row[-2] for row in sheets["Episodes"][1:] if len(row) > 6] == ["seen"]
    page = report_html(engine, lesson.session_id)
    assert '<span class="badge">topic</span> =Vectors' in page
    assert f"<td>seen at {lesson.now.astimezone():%H:%M}</td>" in page


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\r=1", "'\r'=1"),
        ("＝1", "'＝1"),
        ("Ada = Eve", "Ada = Eve"),
        ("x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"),
        (";=cmd|' /C calc'!A0;", ";'=cmd|' /C calc'!A0;"),
        ("|=1", "|'=1"),
        ("\t=1", "'\t'=1"),
        ('x; "+1', "x; \"'+1"),
        ("Lee, Ann-Marie", "Lee, Ann-Marie"),
        (-0.5, "-0.5"),
        (float("nan"), ""),
        (None, ""),
        (3, "3"),
    ],
)
def test_no_cell_is_a_formula_and_numbers_stay_numbers(value: object, cell: str) -> None:
    assert csv_cell(value) == cell


def test_hostile_names_are_no_formulas_in_the_csv(engine: Engine, hostile: Lesson) -> None:
    text = report_csv(engine, hostile.session_id)
    for row in rows_of(text):
        for cell in row.values():
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), cell
    assert any(row["notes"] == "'=1+1" for row in rows_of(text))


def test_hostile_names_are_text_in_the_html(engine: Engine, hostile: Lesson) -> None:
    source = report_html(engine, hostile.session_id)
    page = Page(source)
    text = " ".join(page.text)
    for name in HOSTILE:
        assert name in text
    assert not [tag for tag, _ in page.elements if tag in {"img", "b", "a", "iframe", "object", "link"}]
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    scripts = [attrs for tag, attrs in page.elements if tag == "script"]
    assert all(set(attrs) <= {"type", "id"} for attrs in scripts)
    assert len([one for one in scripts if not one]) == 2  # Plotly, and the lines that draw


def test_the_html_asks_nothing_of_any_server(engine: Engine, hostile: Lesson) -> None:
    source = report_html(engine, hostile.session_id)
    page = Page(source)
    policy = next(a["content"] for tag, a in page.elements if tag == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert not [
        value for _, attrs in page.elements for name, value in attrs.items() if name in {"src", "href"}
    ]
    assert source.count("Copyright 2012-") >= 1
    assert len(re.findall(r"plotly\.js \(cartesian[^)]*\) v\d", source)) == 1


def test_the_html_tells_in_the_order_in_which_one_asks(lesson_engine: Engine) -> None:
    text = " ".join(Page(report_html(lesson_engine, 1)).text)
    places = [
        text.index(title)
        for title in (
            "Observed for",
            "The lesson over time",
            "Low moments",
            "Expressions over the lesson",
            "Seats",
            "How much was seen",
            "Method and limits",
        )
    ]
    assert places == sorted(places)
    assert "An expression is not a feeling" in text


def test_the_json_is_json_and_complete(lesson_engine: Engine) -> None:
    session = queries.find_session(lesson_engine, "last")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    report = json.loads(report_json(lesson_engine, session.id), parse_constant=refuse)
    assert report["session"]["name"] == session.name
    assert report["summary"]["sentences"]
    assert len(report["intervals"]) == len(queries.intervals_since(lesson_engine, session.id))
    assert len(report["seats"]) == 27
    assert all(sum(seat["states"].values()) == pytest.approx(1) for seat in report["seats"])
    assert len(report["notes"]) == 3
    assert {episode["rule"] for episode in report["episodes"]} >= {"absent", "camera_off"}
    assert datetime.fromisoformat(report["intervals"][0]["started_at"]).tzinfo == UTC


@pytest.mark.parametrize("mode", [Mode.AGGREGATE, Mode.PARTICIPATION])
def test_no_export_holds_more_than_the_mode_allows(engine: Engine, mode: Mode) -> None:
    session = seed(engine, minutes=3, interval=10, mode=mode).session_id
    exports = [report_html(engine, session), report_csv(engine, session), report_json(engine, session)]
    assert not [name for name in NAMES for text in exports if name in text]
    report = json.loads(exports[2])
    assert report["seats"] == []
    read = [interval for interval in report["intervals"] if interval["neutral"] is not None]
    assert bool(read) == (mode is Mode.AGGREGATE)
    if mode is Mode.PARTICIPATION:
        assert all(interval["valence"] is None for interval in report["intervals"])
        assert "Expressions over the lesson" not in exports[0]


def test_a_session_without_a_single_reading_can_be_exported(engine: Engine) -> None:
    lesson = Lesson(engine, datetime.now(UTC))
    assert rows_of(report_csv(engine, lesson.session_id)) == []
    assert json.loads(report_json(engine, lesson.session_id))["intervals"] == []
    assert "Nothing was recorded" in report_html(engine, lesson.session_id)
    lesson.commit(NotObservedReason.BLACK)
    assert rows_of(report_csv(engine, lesson.session_id))[0]["not_observed"] == "black"
    assert "Nothing was observed" in report_html(engine, lesson.session_id)


def test_a_report_tells_the_pace_that_was_kept_without_the_breaks(engine: Engine) -> None:
    lesson = Lesson(engine, datetime.now(UTC) - timedelta(hours=1))
    assert read_material(engine, lesson.session_id).kept_interval is None
    for place in (0, 2, 4, 6, 900, 902):
        lesson.index = place
        lesson.commit()
    assert read_material(engine, lesson.session_id).kept_interval == 4
    assert "kept up with one every 4 s" in report_html(engine, lesson.session_id)


def test_one_interval_is_told_in_words_and_two_are_drawn(engine: Engine) -> None:
    lesson = Lesson(engine, datetime.now(UTC) - timedelta(hours=1))
    lesson.commit()
    viewer = viewer_of(None)
    for shown in (report_html(engine, lesson.session_id), str(body(read_material(engine, 1), viewer))):
        assert shown.count("Too short for a chart.") == 3
    lesson.commit()
    lesson.close()
    page = report_html(engine, lesson.session_id)
    assert "Too short" not in page
    charts = re.findall(r'<script type="application/json" id="data-\w+">(.*?)</script>', page, re.DOTALL)
    ranges = {tuple(json.loads(chart)["layout"]["xaxis"]["range"]) for chart in charts}
    assert (len(charts), len(ranges)) == (4, 1)


@pytest.mark.parametrize("make", [report_html, report_csv, report_json])
def test_an_unknown_session_is_said_so(engine: Engine, make: object) -> None:
    assert callable(make)
    with pytest.raises(UnknownSessionError, match="99"):
        make(engine, 99)


def test_a_number_is_an_id_and_never_a_name(engine: Engine) -> None:
    Lesson(engine, datetime.now(UTC), name="99").close()
    with pytest.raises(UnknownSessionError):
        report_csv(engine, 99)


def test_json_in_a_script_cannot_leave_it() -> None:
    text = script_json({"name": "</script><script>alert(1)</script><!--", "and": "a & b \u2028"})
    assert "<" not in text
    assert json.loads(text) == {"name": "</script><script>alert(1)</script><!--", "and": "a & b \u2028"}


def test_reports_are_downloads(lesson_engine: Engine) -> None:
    client = Client(create_app(lesson_engine).server)
    for suffix, media in (
        ("html", "text/html"),
        ("csv", "text/csv"),
        ("json", "application/json"),
        ("xlsx", FORMATS["xlsx"].media),
    ):
        answer = client.get(f"/sessions/1/report.{suffix}", headers={"Host": "127.0.0.1"})
        assert answer.status_code == 200
        assert answer.mimetype == media
        assert (
            answer.headers["Content-Disposition"] == f'attachment; filename="classpulse-session-1.{suffix}"'
        )
        assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/sessions/99/report.csv", headers={"Host": "127.0.0.1"}).status_code == 404
    missing = client.get("/sessions/1/report.exe", headers={"Host": "127.0.0.1"})
    assert missing.status_code == 404
    assert missing.mimetype == "text/plain"
    assert "html, pdf, xlsx, csv, json" in missing.get_data(as_text=True)


def test_every_documented_expression_has_a_column() -> None:
    assert set(EXPRESSIONS) <= set(CSV_COLUMNS)


def _tree(source: bytes) -> ET.Element:
    return ET.fromstring(source)  # noqa: S314  our own workbook


def sheets_of(contents: bytes) -> dict[str, list[list[str]]]:
    """Every sheet as rows of text, empty cells left out."""
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(io.BytesIO(contents)) as parts:
        shared = [
            "".join(piece.itertext())
            for piece in _tree(parts.read("xl/sharedStrings.xml")).findall("m:si", space)
        ]
        names = [
            str(sheet.get("name"))
            for sheet in _tree(parts.read("xl/workbook.xml")).iterfind(".//m:sheet", space)
        ]
        found = {}
        for number, name in enumerate(names, start=1):
            source = parts.read(f"xl/worksheets/sheet{number}.xml")
            assert b"<f>" not in source, "a formula"
            assert b"<hyperlink" not in source, "a link"
            found[name] = [
                [
                    shared[int(value)] if cell.get("t") == "s" else value
                    for cell in row
                    if (value := cell.findtext("m:v", namespaces=space)) is not None
                ]
                for row in _tree(source).iterfind(".//m:row", space)
            ]
    return found


def test_the_workbook_holds_what_the_csv_holds(lesson_engine: Engine) -> None:
    sheets = sheets_of(report_xlsx(lesson_engine, 1))
    assert list(sheets) == ["Summary", "Intervals", "Seats", "Episodes", "Low moments", "Notes", "Columns"]
    header, *rows = sheets["Intervals"]
    assert header == list(CSV_COLUMNS)
    expected = rows_of(report_csv(lesson_engine, 1))
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        kept = [cell for cell in wanted.values() if cell != ""]
        assert row[:2] == kept[:2]
        numbers = [(float(a), float(b)) for a, b in zip(row[2:], kept[2:], strict=True) if _is_number(b)]
        assert np.allclose(*zip(*numbers, strict=True), rtol=1e-5)
    assert dict(sheets["Columns"][1:]) == dict(CSV_COLUMNS)
    assert [row[1] for row in sheets["Seats"][1:]] == list(NAMES)
    assert len(sheets["Episodes"]) == 1 + len(queries.episodes(lesson_engine, 1))
    assert len(sheets["Notes"]) == 1 + len(queries.notes(lesson_engine, 1))


def test_the_files_say_whose_face_was_read_with_a_calibration(engine: Engine) -> None:
    lesson = seed(engine, minutes=2, interval=10, mode=Mode.INDIVIDUAL)
    lesson.close()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE seats SET calibrated = TRUE WHERE number = 2")
    header, *seats = sheets_of(report_xlsx(engine, lesson.session_id))["Seats"]
    assert header[:3] == ["seat", "name", "calibrated"]
    assert [row[0] for row in seats if row[2] == "1"] == ["2"]
    told = json.loads(report_json(engine, lesson.session_id))["seats"]
    assert [seat["seat"] for seat in told if seat["calibrated"]] == [2]
    page = report_html(engine, lesson.session_id)
    assert "Read with a calibration" in page


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_names_and_notes_are_plain_text_in_the_workbook(engine: Engine, hostile: Lesson) -> None:
    sheets = sheets_of(report_xlsx(engine, hostile.session_id))
    assert [row[1] for row in sheets["Seats"][1 : 1 + len(HOSTILE)]] == [
        harmless(name, parted=False) for name in HOSTILE
    ]
    assert "'=1+1" in {row[-1] for row in sheets["Notes"]}
    starts = [cell[0] for rows in sheets.values() for row in rows for cell in row if not _is_number(cell)]
    assert not set(starts) & set("=+-@\t\r\n")


def test_a_session_without_rows_makes_a_workbook(engine: Engine) -> None:
    lesson = Lesson(engine, datetime(2026, 11, 20, 9, tzinfo=UTC))
    lesson.close()
    sheets = sheets_of(report_xlsx(engine, lesson.session_id))
    assert sheets["Intervals"] == [list(CSV_COLUMNS)]

"""What a mode forbids is not made, not kept, and so not shown: from the real models to the rows."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Set
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine, inspect

from capture.class_script import SeatTruth
from capture.classroom import Classroom
from classpulse import watching
from classpulse.settings import settings_with
from classpulse.shared_view import VIEW_VARIABLE, SharedView
from dashboard.exports import FORMATS, export_session
from dashboard.wording import MODE_MEANINGS
from engagement.records import Consent, Face, IntervalRecord, Mode
from inference.faces import DETECTORS, FaceDetector, load_detector
from inference.reader import MIN_FACE
from storage import queries, students
from storage.recorder import Recorder
from tests.dashboard.seed import NAMES, Lesson, seed

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PER_SEAT = ("seats", "readings", "seat_offers")
RED = (250, 10, 10)


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, list[SeatTruth]]]:
    """Six pictures of a class of nine, and what is in them."""
    with Classroom(seats=9, width=1280, height=720) as classroom:
        return [(classroom.draw(3.0 + index), classroom.truth(3.0 + index)) for index in range(6)]


@pytest.fixture
def names(drawn: list[tuple[np.ndarray, list[SeatTruth]]]) -> list[str]:
    """On the tiles."""
    return [truth.name for truth in drawn[0][1]]


Draw = Callable[[Set[str]], Path]


@pytest.fixture
def draw(drawn: list[tuple[np.ndarray, list[SeatTruth]]], tmp_path: Path) -> Draw:
    """Puts the pictures into a folder, with something red on the tiles of some."""

    def write(red: Set[str]) -> Path:
        folder = tmp_path / "lesson"
        folder.mkdir()
        for index, (image, truths) in enumerate(drawn):
            marked = image.copy()
            for box in (truth.box for truth in truths if truth.name in red):
                marked[box.top + 40 : box.top + 100, box.left + 40 : box.left + 100] = RED
            Image.fromarray(marked).save(folder / f"{index}.png")
        return folder

    return write


@pytest.fixture
def pictures(draw: Draw) -> Path:
    """The pictures of the class in a folder."""
    return draw(frozenset())


def watch(source: Path, mode: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As `classpulse watch` does, in this process."""
    (tmp_path / "settings.toml").write_text('[session]\nplace = "elsewhere"\ninstitution = "school"\n')
    monkeypatch.setenv("CLASSPULSE_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setattr("classpulse.logs.configure", lambda _part: None)
    monkeypatch.setattr("classpulse.watching.keep_no_dump", lambda: None)
    chosen = settings_with(source=str(source), mode=mode, database=f"sqlite:///{engine.url.database}")
    watching.watch(chosen, seconds=None, headless=True, supervised=False)


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0)  # noqa: S608


def test_in_participation_expressions_are_not_even_loaded_nor_is_a_name_read(
    engine: Engine, pictures: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def never(*_args: object, **_options: object) -> Any:
        raise AssertionError("it was loaded")

    monkeypatch.setattr("inference.reader.ExpressionClassifier", never)
    monkeypatch.setattr("inference.recognition.TextRecognizer.read", never)
    opened: list[str] = []
    monkeypatch.setattr("inference.reader.resolve", lambda name: opened.append(name) or never())
    watch(pictures, "participation", engine, monkeypatch, tmp_path)
    assert opened == []
    kept = queries.intervals_since(engine, queries.find_session(engine, "last").id)
    # it is of use by itself
    assert len(kept) == 6
    assert kept["tiles"].tolist() == [9] * 6
    assert (kept["n_seen"] >= 5).all()
    assert kept["facing"].notna().all()
    assert kept["faces_read"].sum() == 0
    assert kept[["happy", "neutral", "angry"]].isna().all(axis=None)
    assert kept[["valence", "arousal", "mood_faces"]].isna().all(axis=None)
    assert [count(engine, table) for table in PER_SEAT] == [0, 0, 0]


class Watching:
    """The product's own detector; it notes how often it was asked and whether it was shown red."""

    def __init__(self, inside: FaceDetector) -> None:
        self.inside = inside
        self.runs = self.saw_red = 0

    def detect(self, image: np.ndarray) -> list[Face]:
        self.runs += 1
        self.saw_red += bool((np.abs(image.astype(int) - RED).max(axis=2) < 40).any())
        return self.inside.detect(image)


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> Watching:
    watching = Watching(load_detector(DETECTORS[0], min_face=MIN_FACE))
    monkeypatch.setattr("inference.reader.load_detector", lambda *_args, **_options: watching)
    return watching


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedView]:
    """What the pages would see of a class, asked for now."""
    made = SharedView()
    monkeypatch.setattr("classpulse.shared_view.LEASE_SECONDS", 600.0)
    monkeypatch.setenv(VIEW_VARIABLE, made.name)
    made.ask(blurred=False)
    yield made
    made.close()


def kept_of_readings(engine: Engine) -> str:
    """All that stands in the database but for the class list, which the teacher typed."""
    tables = set(inspect(engine).get_table_names()) - {"students", "class_lists", "student_labels"}
    assert {"intervals", "sessions", "seats", "episodes", "heartbeats", "audit_log"} <= tables
    with engine.connect() as connection:
        rows = [connection.exec_driver_sql(f'SELECT * FROM "{table}"').all() for table in sorted(tables)]  # noqa: S608
    return str(rows)


@pytest.mark.parametrize("rule", ["refused", "only_agreed", None])
def test_consent_holds_in_participation_and_leaves_no_name_behind(
    engine: Engine,
    detector: Watching,
    view: SharedView,
    names: list[str],
    draw: Draw,
    rule: str | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    first, *others = names
    lesson = draw({first} if rule == "refused" else set(others))
    student = students.add_student(engine, "Class", first)
    consent = Consent.REFUSED if rule == "refused" else Consent.AGREED
    students.set_consent(engine, student, consent if rule else Consent.UNKNOWN, "letter", START)
    if rule == "only_agreed":
        students.update_class_list(engine, "Class", only_agreed=True)
    watch(lesson, "participation", engine, monkeypatch, tmp_path)

    kept = queries.intervals_since(engine, queries.find_session(engine, "last").id)
    left_out = {"refused": 1, "only_agreed": 8, None: 0}[rule]
    assert detector.runs >= 6
    assert bool(detector.saw_red) == (rule is None)
    assert kept["tiles"].tolist() == [9] * 6
    assert kept["n_opted_out"].tolist() == [left_out] * 6
    assert (kept["faces"] > 0).all()
    assert (kept["faces"] <= 9 - left_out).all()

    assert [count(engine, table) for table in PER_SEAT] == [0, 0, 0]
    shown = view.read()
    assert shown is not None
    assert [tile.name for tile in shown.tiles] == [None] * 9
    picture = np.asarray(Image.open(io.BytesIO(shown.picture)).convert("RGB")).astype(int)
    # a red microphone stands beside every name
    assert ((np.abs(picture - RED).max(axis=2) < 60).sum() > 2000) == (rule is None)
    told = (
        kept_of_readings(engine)
        + caplog.text
        + "".join(capfd.readouterr())
        + bytes(view._bytes).decode("latin-1")
    )
    assert [name for name in names if name in told] == []
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("class.db*"))
    assert [name for name in others if name.encode() in stored] == []
    assert first.encode() in stored  # on the list


@pytest.mark.parametrize("class_name", ["Class", "CLASS"])
def test_who_refuses_while_a_class_is_read_in_participation_is_masked_from_then_on(
    engine: Engine,
    detector: Watching,
    names: list[str],
    draw: Draw,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    class_name: str,
) -> None:
    lesson = draw({names[0]})
    seen: list[int] = []
    commit = Recorder.commit

    def refuse_after_the_third(
        recorder: Recorder, record: IntervalRecord, calibrations: Mapping[int, int | None]
    ) -> int:
        seen.append(detector.saw_red)
        if len(seen) == 3:
            student = students.add_student(engine, class_name, names[0])
            students.set_consent(engine, student, Consent.REFUSED, "told me", START)
        return commit(recorder, record, calibrations)

    monkeypatch.setattr(Recorder, "commit", refuse_after_the_third)
    watch(lesson, "participation", engine, monkeypatch, tmp_path)
    kept = queries.intervals_since(engine, queries.find_session(engine, "last").id)
    assert kept["n_opted_out"].tolist() == [0, 0, 0, 1, 1, 1]
    assert 0 < seen[0] < seen[1] < seen[2] == seen[3] == seen[5] == detector.saw_red


def test_in_aggregate_no_row_per_seat_reaches_the_database(
    engine: Engine, pictures: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    watch(pictures, "aggregate", engine, monkeypatch, tmp_path)
    kept = queries.intervals_since(engine, queries.find_session(engine, "last").id)
    read = kept["faces_read"] >= 5
    assert read.any()
    assert kept.loc[read, ["valence", "happy"]].notna().all(axis=None)
    assert [count(engine, table) for table in PER_SEAT] == [0, 0, 0]
    assert queries.episodes(engine, queries.find_session(engine, "last").id)["seat"].isna().all()


class Opposite(Lesson):
    """The same class, seen and turned away at the same times, whose expressions are others."""

    def _probabilities(self, seat: int, minute: float) -> np.ndarray:
        return np.ascontiguousarray(super()._probabilities(seat, minute)[::-1])


def rows_of(engine: Engine, session_id: int) -> list[list[Any]]:
    """All that was kept of a session's intervals, but for the numbers of the rows."""
    kept = queries.intervals_since(engine, session_id).drop(columns="id")
    return kept.astype(object).where(kept.notna(), None).to_numpy().tolist()


@pytest.mark.parametrize(("seats", "same"), [(4, True), (6, False)])
def test_below_five_faces_nothing_that_is_kept_depends_on_an_expression(
    engine: Engine, seats: int, same: bool
) -> None:
    """What is shown and exported is made of these rows, so that no page, export or JSON can tell the two apart."""
    made = []
    for number, kind in enumerate((Lesson, Opposite)):
        lesson = kind(
            engine,
            START,
            names=NAMES[:seats],
            mode=Mode.AGGREGATE,
            interval=10.0,
            name=f"Class {number}",
            minutes=20,
        )
        lesson.run(20)
        lesson.close()
        made.append(lesson.session_id)
    first, second = (rows_of(engine, session_id) for session_id in made)
    assert len(first) == 120
    assert (first == second) is same
    episodes = [queries.episodes(engine, session_id).drop(columns="id") for session_id in made]
    if same:
        assert episodes[0].equals(episodes[1])
        kept = queries.intervals_since(engine, made[0])
        assert kept["valence"].isna().all()
        assert kept["happy"].isna().all()


def text_of(export: bytes, report_format: str) -> str:
    """All text in an export; a workbook is a folder of files."""
    if report_format != "xlsx":
        return export.decode("utf-8-sig")
    with zipfile.ZipFile(io.BytesIO(export)) as book:
        return "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())


@pytest.mark.parametrize("mode", list(Mode))
def test_the_mode_is_written_in_every_report(engine: Engine, mode: Mode) -> None:
    session_id = seed(engine, minutes=3, interval=10, mode=mode).session_id
    texts = {}
    # a PDF is the same page as the HTML, printed
    for report_format in sorted({*FORMATS} - {"pdf"}):
        texts[report_format] = text_of(
            export_session(engine, session_id, report_format, actor="test"), report_format
        )
    assert set(texts) == {"csv", "html", "json", "xlsx"}
    assert {row["mode"] for row in csv.DictReader(io.StringIO(texts["csv"]))} == {str(mode)}
    assert json.loads(texts["json"])["session"]["mode"] == str(mode)
    for text in (texts["html"], texts["xlsx"]):
        assert [one for one in Mode if MODE_MEANINGS[one] in text] == [mode]

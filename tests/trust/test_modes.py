"""What a mode forbids is not made, not kept, and so not shown: from the real models to the rows."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine

from capture.classroom import Classroom
from classpulse import run
from engagement.records import Mode
from storage import queries
from tests.dashboard.seed import NAMES, Lesson

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PER_SEAT = ("seats", "readings", "seat_offers")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Six pictures of a class of nine, in a folder."""
    folder = tmp_path / "lesson"
    folder.mkdir()
    with Classroom(seats=9, width=1280, height=720) as classroom:
        for index in range(6):
            Image.fromarray(classroom.draw(3.0 + index)).save(folder / f"{index}.png")
    return folder


def watch(source: Path, mode: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As `classpulse watch` does, in this process."""
    (tmp_path / "settings.toml").write_text('[session]\nplace = "elsewhere"\ninstitution = "school"\n')
    monkeypatch.setenv("CLASSPULSE_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setattr("classpulse.logs.configure", lambda _part: None)
    monkeypatch.setattr("classpulse.run.keep_no_dump", lambda: None)
    chosen = run.settings_with(source=str(source), mode=mode, database=f"sqlite:///{engine.url.database}")
    run.watch(chosen, seconds=None, headless=True, supervised=False)


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0)  # noqa: S608


def test_in_participation_neither_expressions_nor_names_are_even_loaded(
    engine: Engine, pictures: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def never(*_args: object, **_options: object) -> Any:
        raise AssertionError("it was loaded")

    monkeypatch.setattr("inference.reader.ExpressionClassifier", never)
    monkeypatch.setattr("inference.reader.LabelReader", never)
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

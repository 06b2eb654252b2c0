"""The report on the page: its order, what it says of short and little-read sessions, episodes on the strips."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from dash.development.base_component import Component
from seed import HOSTILE, NAMES, Lesson, seed
from sqlalchemy import Engine

from dashboard import figures
from dashboard.exports import low_rows, no_low_text, quality_rows
from dashboard.material import Material, read_material
from dashboard.pages import report
from dashboard.shell import Viewer
from engagement.records import Mode, NotObservedReason, Rule
from engagement.summary import LowMoment

VIEWER = Viewer("light", UTC)
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def headings(part: Any) -> Iterator[str]:
    if isinstance(part, list | tuple):
        for one in part:
            yield from headings(one)
    elif isinstance(part, Component):
        if type(part).__name__ in {"H1", "H2"}:
            yield str(part.children)
        yield from headings(getattr(part, "children", None))


@pytest.fixture(scope="module")
def lesson(lesson_engine: Engine) -> Material:
    return read_material(lesson_engine, 1, UTC)


def test_the_report_answers_in_the_order_in_which_one_asks(lesson: Material) -> None:
    assert list(headings(report.body(lesson, VIEWER))) == [
        "Algebra 9b",
        "The lesson over time",
        "Low moments",
        "Notes",
        "Expressions over the lesson",
        "Seats",
        "Attention episodes",
        "How much was seen",
        "Method and limits",
    ]


@pytest.mark.parametrize(
    ("mode", "hidden"),
    [
        (Mode.PARTICIPATION, {"Low moments", "Expressions over the lesson", "Seats"}),
        (Mode.AGGREGATE, {"Seats"}),
    ],
)
def test_a_mode_reports_no_more_than_it_may(engine: Engine, mode: Mode, hidden: set[str]) -> None:
    seed(engine, minutes=6, interval=10, mode=mode).close()
    found = set(headings(report.body(read_material(engine, 1, UTC), VIEWER)))
    assert not found & hidden
    assert {"The lesson over time", "How much was seen", "Method and limits"} <= found


def test_hostile_sessions_have_a_report_that_claims_nothing(engine: Engine) -> None:
    def made(
        name: str, names: tuple[str, ...], intervals: int, reason: NotObservedReason | None = None
    ) -> Material:
        lesson = Lesson(engine, START, name=name, names=names, interval=2)
        for _ in range(intervals):
            lesson.commit(reason)
        lesson.close()
        return read_material(engine, lesson.session_id, UTC)

    one = made("one interval", NAMES[:20], 1)
    five_seconds = made("five seconds", NAMES[:20], 3)
    three = made("three people", HOSTILE[:3], 150)
    paused = made("paused", NAMES[:20], 30, NotObservedReason.PAUSED)
    nothing = made("nothing", NAMES[:20], 0)
    for material in (one, five_seconds, three, paused, nothing):
        body = str(report.body(material, VIEWER))
        assert not material.summary.tells_course
        assert "fell from" not in body
        assert "clearly under its usual" not in body
        if not material.intervals.empty:
            assert no_low_text(material) in body
    assert paused.summary.sentences == ("Nothing was observed in the 1 min of this session.",)
    assert ("Not observed", "1 min (paused 1 min)") in quality_rows(paused)
    assert list(headings(report.body(nothing, VIEWER))) == ["nothing"]


def test_how_much_and_how_well(lesson: Material) -> None:
    rows = dict(quality_rows(lesson))
    assert rows["Observed"] == "29 min"
    assert rows["Seats read, of those present"].endswith(" %")
    assert rows["Not observed"].startswith("40 s (another window covers the gallery")
    assert 0.7 < float(rows["Quality of the faces read, 0 to 1"].split()[0]) < 0.9
    assert rows["Time to read a frame"] == "0.21 s (median)"


def test_whose_face_was_read_with_a_calibration_is_said(lesson: Material) -> None:
    assert "Read with a calibration" not in dict(quality_rows(lesson))
    some = replace(lesson, calibrated=frozenset({3, 1}))
    assert dict(quality_rows(some))["Read with a calibration"] == f"{lesson.names[1]}, {lesson.names[3]}"
    assert f"{lesson.names[1]}, {lesson.names[3]}" in str(report.body(some, VIEWER))


def test_list_and_sentence_give_a_low_moment_the_same_length(lesson: Material) -> None:
    start = lesson.session.started_at
    moment = LowMoment(1, start, start + timedelta(minutes=3, seconds=48), -0.2, None)
    material = replace(lesson, summary=replace(lesson.summary, low_moments=(moment,)))
    assert low_rows(material, UTC)[0]["length"] == "4 min"
    real = low_rows(lesson, UTC)
    assert real
    longest = max(lesson.summary.low_moments, key=lambda low: low.end - low.start)
    assert f"for {real[longest.number - 1]['length']}." in " ".join(lesson.summary.sentences)


def test_episodes_lie_on_the_strip_of_their_seat(lesson: Material) -> None:
    episodes = pd.DataFrame(
        {
            "rule": [Rule.ABSENT, Rule.CAMERA_OFF, Rule.CLASS_DIP, Rule.LOW_MOOD, Rule.ABSENT],
            "seat": pd.array([3, 3, None, 5, 99], dtype="Int64"),
            "reason": ["No face for 2 min", "off", "class", "<b>odd</b>", "gone"],
            "started_at": pd.to_datetime([lesson.session.started_at] * 5, utc=True),
            "ended_at": pd.to_datetime([lesson.ended_at, None, None, None, None], utc=True),
        }
    )
    names = {3: "Carla", 5: "Elif"}
    figure = figures.seat_strips_figure(lesson.readings, names, "light", UTC, lesson.span, episodes)
    (marks,) = [trace for trace in figure["data"] if trace.get("name") == "episode"]
    assert marks["y"] == [0, 0, None, 1, 1, None]
    assert marks["customdata"] == ["No face for 2 min"] * 2 + [""] + ["&lt;b&gt;odd&lt;/b&gt;"] * 2 + [""]
    assert None not in (marks["x"][0], marks["x"][1], marks["x"][4])
    bare = figures.seat_strips_figure(lesson.readings, names, "light", UTC, lesson.span, episodes.iloc[:0])
    assert [trace.get("name") for trace in bare["data"]].count("episode") == 0


def test_a_table_is_exported_without_the_pages() -> None:
    heavy = ("dash", "dash_mantine_components", "dash_ag_grid", "plotly", "jinja2", "flask", "xlsxwriter")
    code = f"import dashboard.exports, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

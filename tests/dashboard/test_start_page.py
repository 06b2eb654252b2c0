"""The page that starts a class, and the class in the bar of every page, without a browser."""

import base64
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hands import Hands
from plotly.utils import PlotlyJSONEncoder
from seed import HOSTILE, Lesson
from sqlalchemy import Engine

from dashboard.components.running import IDLE, PAUSED, state_of, stop_class
from dashboard.controls import (
    Choice,
    Choices,
    Findings,
    Line,
    Phase,
    RunStatus,
    SourceKind,
    View,
    ViewTile,
)
from dashboard.forwarding import is_from_here
from dashboard.pages.start import (
    DEMO,
    PATH,
    REGION,
    counts,
    first_source,
    lines,
    mark_of,
    panel,
    picture,
    problem_of,
    source_of,
    source_options,
    view,
)
from engagement.records import Mode
from storage import queries
from storage.pause import pause
from storage.queries import Condition

MEETING = Choice("window", SourceKind.MEETING, "Zoom Meeting", "1280 x 720")
NOTES = Choice("window:Notes", SourceKind.WINDOW, "Notes", "800 x 600")
SCREEN = Choice("monitor:1", SourceKind.MONITOR, "Screen 1", "1920 x 1080 at 0,0")


def told(component: Any) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def a_lesson(engine: Engine, name: str = "Physics 9b") -> Lesson:
    return Lesson(engine, datetime.now(UTC) - timedelta(seconds=30), name=name, names=("Ada",), interval=2)


def test_what_is_there_is_listed_in_groups_and_the_meeting_is_chosen() -> None:
    choices = Choices((MEETING, NOTES, SCREEN))
    groups = {one["group"]: [item["value"] for item in one["items"]] for one in source_options(choices)}
    assert groups == {
        "Meetings": ["window"],
        "Other windows": ["window:Notes"],
        "Whole screens": ["monitor:1"],
        "Elsewhere": [REGION, PATH, "camera:0", DEMO],
    }
    assert source_options(choices)[0]["items"][0]["label"] == "Zoom Meeting (1280 x 720)"
    assert problem_of(choices) == ""
    assert first_source(choices, "window") == "window"
    assert first_source(choices, "monitor:1") == "monitor:1"
    # what the settings name has gone: the meeting it is
    assert first_source(choices, "monitor:4") == "window"
    assert first_source(choices, "region:0,0,10,10") == REGION
    assert first_source(choices, "lesson.mp4") == PATH
    assert first_source(choices, "demo:12") == DEMO


def test_without_a_meeting_nothing_else_is_chosen_and_the_way_is_named() -> None:
    without = Choices((NOTES, SCREEN))
    assert first_source(without, "window") is None
    assert "gallery view" in problem_of(without)
    no_display = Choices((), "This is a Wayland session: log out and choose Xorg.")
    assert problem_of(no_display) == "This is a Wayland session: log out and choose Xorg."
    assert [one["group"] for one in source_options(no_display)] == ["Elsewhere"]


@pytest.mark.parametrize(
    ("value", "place", "source"),
    [
        ("window", "", "window"),
        (REGION, " 10,20,300,200 ", "region:10,20,300,200"),
        (PATH, "C:\\lessons\\one.mp4", "C:\\lessons\\one.mp4"),
        (PATH, "  ", None),
        (REGION, None, None),
        (None, "lesson.mp4", None),
    ],
)
def test_the_source_is_named_in_full_or_not_at_all(
    value: str | None, place: str | None, source: str | None
) -> None:
    assert source_of(value, place) == source


@pytest.mark.parametrize(
    ("tiles", "faces", "sentence"),
    [
        (27, 24, "27 tiles, 24 faces"),
        (1, 1, "1 tile, 1 face"),
        (12, 0, "12 tiles, no face"),
        (0, 3, "No gallery, 3 faces"),
        (0, 0, "No gallery, no face"),
        (None, None, ""),
    ],
)
def test_the_sentence_before_class(tiles: int | None, faces: int | None, sentence: str) -> None:
    assert counts(Findings(1, "window", tiles=tiles, faces=faces)) == sentence


def test_what_is_to_be_mended_stands_before_what_is_fine() -> None:
    found = Findings(
        1,
        "window",
        lines=(
            Line("display", "ok", "X11 :0", ""),
            Line("meeting window", "warn", "40 % covered", "Move it."),
            Line("disk", "ok", "66 GB free", ""),
        ),
    )
    first, second = lines(found)
    assert "Move it." in told(first)
    assert "to look at" in told(first)
    assert "What is fine (2)" in told(second)
    (alone,) = lines(Findings(1, "window", lines=found.lines[:1]))
    assert "All that was looked at is fine (1)" in told(alone)
    (still,) = lines(Findings(1, "window", lines=found.lines[:1], doing="disk and database"))
    assert "What is fine (1)" in told(still)
    assert lines(Findings(1, "window")) == []


def test_the_picture_comes_within_the_page() -> None:
    shown = told(picture(Findings(1, "window", picture=b"\x89PNG...", tiles=27, faces=24)))
    assert "data:image/png;base64," + base64.b64encode(b"\x89PNG...").decode() in shown
    assert "27 tiles, 24 faces" in shown
    assert "No picture yet" in told(picture(Findings(1, "window")))


def test_each_step_of_a_look_is_told_from_the_one_before() -> None:
    steps = [
        None,
        Findings(1, "window", doing="the screen"),
        Findings(1, "window", doing="the screen, for 9 s already"),
        Findings(1, "window", lines=(Line("a", "ok", "b", ""),), doing="disk"),
        Findings(1, "window", lines=(Line("a", "ok", "b", ""),), picture=b"x"),
        Findings(2, "window", lines=(Line("a", "ok", "b", ""),), picture=b"x"),
    ]
    marks = [mark_of(step) for step in steps]
    assert all(one != other for one, other in pairwise(marks))
    # as the browser gives it back
    assert json.loads(json.dumps(marks[3])) == marks[3]


def test_the_state_is_that_of_the_session_and_its_agent(engine: Engine) -> None:
    assert state_of(engine, None) == {**IDLE, "name": "", "stage": None, "reason": None}
    starting = state_of(engine, Hands(RunStatus(Phase.STARTING, "Physics 9b", stage="loading the models")))
    assert (starting["phase"], starting["name"], starting["session"]) == ("starting", "Physics 9b", None)
    assert "loading the models" in told(panel(starting, None))
    lesson = a_lesson(engine)
    running = Hands(RunStatus(Phase.RUNNING, "Physics 9b"))
    assert state_of(engine, running)["last"] is None
    lesson.commit()
    state = state_of(engine, running)
    assert (state["phase"], state["session"], state["stale_after"]) == ("running", lesson.session_id, 10.0)
    assert abs(state["last"] / 1000 - datetime.now(UTC).timestamp()) < 60
    pause(engine, lesson.session_id, paused=True)
    assert state_of(engine, running)["phase"] == PAUSED
    pause(engine, lesson.session_id, paused=False)
    lesson.recorder.say_condition(Condition.RESTARTING, "It gave no sign.", datetime.now(UTC))
    restarting = state_of(engine, running)
    assert (restarting["phase"], restarting["reason"]) == ("restarting", "It gave no sign.")
    assert state_of(engine, Hands(RunStatus(Phase.STOPPING, "Physics 9b")))["phase"] == "stopping"
    lesson.close()
    # for a moment its agent still runs, and then there is a report to read
    assert state_of(engine, running, state)["phase"] == "stopping"
    ended = state_of(engine, Hands(RunStatus(Phase.IDLE, "Physics 9b")), state)
    assert (ended["phase"], ended["ended"], ended["name"]) == ("idle", lesson.session_id, "Physics 9b")
    assert f"/sessions/{lesson.session_id}" in told(panel(ended, None))
    # it stays said until another class begins
    again = state_of(engine, Hands(RunStatus(Phase.IDLE, "Physics 9b")), ended)
    assert again == ended
    assert state_of(engine, Hands(RunStatus(Phase.STARTING, "Art")), ended)["ended"] is None


def test_a_class_that_another_program_reads_is_shown_and_its_name_kept(engine: Engine) -> None:
    lesson = a_lesson(engine, "Chemistry")
    lesson.commit()
    state = state_of(engine, None)
    assert (state["phase"], state["name"]) == ("running", "Chemistry")
    lesson.close()
    assert state_of(engine, None, state)["name"] == "Chemistry"


def asked_to_stop(engine: Engine, session_id: int) -> bool:
    from sqlalchemy import select

    from storage.database import reading
    from storage.schema import SessionTable

    with reading(engine) as connection:
        query = select(SessionTable.stop_requested_at).where(SessionTable.id == session_id)
        return connection.scalar(query) is not None


def test_a_stop_goes_to_who_reads_the_class(engine: Engine) -> None:
    lesson = a_lesson(engine)
    own = Hands(RunStatus(Phase.RUNNING, "Physics 9b"))
    stop_class(engine, own)
    assert own.stopped == 1
    assert not asked_to_stop(engine, lesson.session_id)
    # one that another program reads is asked through the database
    stop_class(engine, Hands(RunStatus(Phase.IDLE), own=False))
    assert asked_to_stop(engine, lesson.session_id)
    assert queries.live_session(engine) is not None
    lesson.close()
    stop_class(engine, None)


def test_an_agent_that_is_dead_needs_not_be_asked(engine: Engine) -> None:
    from storage.recorder import NewSession, Recorder

    new = NewSession("Physics 9b", Mode.AGGREGATE, 2.0, "demo", datetime.now(UTC), "test", 4_000_001)
    Recorder(engine).open_session(new)
    stop_class(engine, None)
    assert queries.live_session(engine) is None


@pytest.mark.parametrize("phase", [Phase.FAILED, Condition.STOPPED, Condition.RESTARTING])
def test_why_it_does_not_get_on_is_said_as_text(phase: str) -> None:
    state = {**IDLE, "phase": str(phase), "name": HOSTILE[0], "reason": "The camera is away."}
    shown = panel(state, None)
    assert "The camera is away." in told(shown)
    # a component of text, which React escapes: never markup
    assert f"{HOSTILE[0]} " in told(shown).replace('\\"', '"')
    assert "dangerously" not in told(shown)


def test_pages_that_cannot_start_say_what_can() -> None:
    assert "classpulse start" in told(panel(dict(IDLE), "classpulse start"))
    assert panel(dict(IDLE), None) is None


def test_the_last_frame_is_shown_with_what_was_read_on_it() -> None:
    tiles = (
        ViewTile((0.0, 0.0, 0.5, 0.5), (0.1, 0.1, 0.2, 0.25), HOSTILE[0], "seen", "happy"),
        ViewTile((0.5, 0.0, 0.5, 0.5), None, None, "no_face", None),
    )
    shown = told(view(View(5.0, b"\xff\xd8...", 960, 540, tiles)))
    assert "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8...").decode() in shown
    assert "The last frame: 2 tiles, 1 face" in shown
    assert json.dumps(HOSTILE[0])[1:-1] in shown
    assert "dangerously" not in shown
    assert '"Happy"' in shown
    assert '"no face"' in shown
    assert '{"left": "10.00%", "top": "10.00%", "width": "20.00%", "height": "25.00%"}' in shown
    assert shown.count("cp-view-face") == 1


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("192.168.1.7", False),
        (None, False),
        ("", False),
        ("nobody", False),
    ],
)
def test_pictures_are_shown_on_this_computer_only(address: str | None, is_ours: bool) -> None:
    assert is_from_here(address, {}) is is_ours
    assert not is_from_here(address, {"X-Forwarded-For": "127.0.0.1"})

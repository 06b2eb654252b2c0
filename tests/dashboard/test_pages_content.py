from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from page_answers import ask, look, shown, texts
from seed import HOSTILE, NAMES, Lesson, seed
from sqlalchemy import Engine

from dashboard.app import DashboardSettings, create_app, page
from dashboard.components.looks import sparkline
from dashboard.components.seats import columns, seat_map
from dashboard.components.tiles import glance_tiles
from dashboard.figures import NOTES, ROOM, TOPICS
from dashboard.glance import glance, sentence, trend
from dashboard.health import health, stale_after, take_pulse
from dashboard.live import chart
from dashboard.live.notes import NOTED
from dashboard.live.pulse import PULSE, pulse_data, running
from dashboard.names import seat_names
from dashboard.pages import now, sessions
from dashboard.shell import viewer_of
from engagement.records import NotObservedReason, State
from storage import queries

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def live(engine: Engine) -> Lesson:
    return seed(engine, minutes=6, interval=10)


def test_the_glance_says_mood_coverage_and_facing(engine: Engine, live: Lesson) -> None:
    intervals = queries.intervals_since(engine, live.session_id)
    state = glance(intervals)
    last = intervals.iloc[-1]
    assert state.coverage == f"{last['n_seen']} of 27"
    assert state.mood in {"Mostly neutral", "Leaning positive", "Mostly positive"}
    assert state.valence == last["valence"]
    assert sum(state.states.values()) == 27
    text = shown(glance_tiles(state, with_mood=True))
    assert "Mood" in text
    assert f"{last['n_seen']} of 27" in text
    assert "camera off" in text
    assert "Mood" not in shown(glance_tiles(state, with_mood=False))
    assert f"{last['n_seen']} of 27 seats read" in sentence(state)


@pytest.mark.parametrize(
    ("change", "mood"),
    [
        ({"valence": 0.5, "low": 0.4, "high": 0.6}, "Mostly positive"),
        ({"valence": 0.2, "low": 0.1, "high": 0.3}, "Leaning positive"),
        ({"valence": 0.0, "low": -0.1, "high": 0.1}, "Mostly neutral"),
        ({"valence": -0.2, "low": -0.3, "high": -0.1}, "Leaning negative"),
        ({"valence": -0.5, "low": -0.6, "high": -0.4}, "Mostly negative"),
        ({"valence": 0.5, "low": -1.0, "high": 1.0}, "Too few faces"),
        ({"valence": 0.5, "low": -0.2, "high": 0.9}, "Not clear"),
        ({"valence": 0.3, "low": -0.05, "high": 0.65}, "Not clear"),
        ({"valence": -0.3, "low": -0.65, "high": 0.05}, "Not clear"),
        ({"valence": 0.4, "low": 0.05, "high": 0.75}, "Leaning positive"),
        ({"valence": -0.4, "low": -0.75, "high": -0.05}, "Leaning negative"),
        ({"valence": None, "low": None, "high": None}, "Not read"),
        ({"valence": None, "low": None, "high": None, "n_seen": 3}, "Too few faces"),
        ({"not_observed": "covered", "tiles": 0, "n_seen": 0}, "Not observed"),
    ],
)
def test_the_mood_in_words(lesson_engine: Engine, change: dict[str, Any], mood: str) -> None:
    intervals = queries.intervals_since(lesson_engine, 1)
    for name, value in change.items():
        intervals.loc[intervals.index[-1], name] = value
    state = glance(intervals)
    assert state.mood == mood
    # no number is told where there is no mood
    too_wide = change.get("high", 0) is not None and change.get("high", 0) - change.get("low", 0) > 1
    assert (state.valence is None) == (too_wide or mood in {"Too few faces", "Not read", "Not observed"})


def test_with_low_coverage_the_mood_is_that_of_those_who_were_read(lesson_engine: Engine) -> None:
    intervals = queries.intervals_since(lesson_engine, 1)
    last = intervals.index[-1]
    for seen, of_class in ((14, True), (13, False)):
        intervals.loc[last, "n_seen"] = seen
        state = glance(intervals)
        assert state.of_class is of_class
        assert ("Mood of those who were read" in shown(glance_tiles(state, with_mood=True))) is not of_class
        assert ("of those who were read" in sentence(state)) is not of_class


def test_the_trend_compares_with_five_minutes_ago() -> None:
    def line(values: list[float]) -> pd.DataFrame:
        times = [START + timedelta(seconds=10 * n) for n in range(len(values))]
        table = pd.DataFrame({"started_at": pd.to_datetime(times, utc=True), "valence": values})
        return table.assign(low=table["valence"] - 0.1, high=table["valence"] + 0.1)

    assert trend(line([0.0] * 40)) == "steady for 5 min"
    assert trend(line([0.0] * 20 + [0.3] * 20)) == "rising over 5 min"
    assert trend(line([0.0] * 20 + [-0.3] * 20)) == "falling over 5 min"
    assert trend(line([0.0] * 12)) == "just begun"
    crash = [0.3] * 20 + [-0.5] * 10 + [0.3] * 10
    assert trend(line(crash)) == "as 5 min ago"
    wavering = [0.06 * (-1) ** n for n in range(40)]
    assert trend(line(wavering)) == "steady for 5 min"
    # five minutes ago so few were read that nobody can tell the mood
    few = line([-0.6] * 15 + [0.2] * 25)
    few.loc[:14, ["low", "high"]] = [-1.0, 1.0]
    assert trend(few) == "just begun"


def test_the_sparkline_holds_numbers_and_colours_only(engine: Engine, live: Lesson) -> None:
    readings = queries.readings_since(engine, live.session_id, seat=1)
    picture = sparkline(readings, readings["started_at"].iloc[-1], "dark")
    assert picture.startswith("data:image/svg+xml,")
    drawing = unquote(picture)
    assert drawing.count("<rect") == 30  # five minutes of ten seconds
    assert "nan" not in drawing
    assert "<script" not in drawing


def test_the_seat_map_keeps_the_order_of_the_window_and_says_every_state(
    engine: Engine, live: Lesson
) -> None:
    states = queries.seat_states(engine, live.session_id)
    names = seat_names(queries.seats(engine, live.session_id))
    text = shown(seat_map(states, names, {3}))
    places = [text.index(name) for name in NAMES]
    assert places == sorted(places)
    assert "camera off" in text
    assert text.count("⚑") == 1
    assert [columns(seats) for seats in (1, 2, 9, 25, 27, 49)] == [1, 2, 3, 5, 6, 7]


def test_a_seat_without_a_name_has_its_number() -> None:
    seats = pd.DataFrame({"seat": [1, 7], "name": ["Ada", None]})
    assert seat_names(seats) == {1: "Ada", 7: "Seat 7"}


def test_components_take_names_as_plain_children(engine: Engine) -> None:
    lesson = seed(engine, minutes=2, interval=10, names=HOSTILE)
    names = seat_names(queries.seats(engine, lesson.session_id))
    layout = seat_map(queries.seat_states(engine, lesson.session_id), names, set())
    assert all(name in list(texts(layout)) for name in HOSTILE)
    assert "dangerously" not in str(layout.to_plotly_json())


def test_health_tells_the_time_since_the_last_interval(engine: Engine) -> None:
    assert health(engine) == ({"status": "idle", "session": None}, 200)
    lesson = Lesson(engine, datetime.now(UTC), interval=2)
    lesson.commit()
    body, status = health(engine)
    assert (status, body["status"], body["stage"]) == (200, "ok", "committed")
    assert 0 <= body["seconds_since_last_interval"] < 60
    assert body["stale_after_seconds"] == 10
    lesson.recorder.heartbeat(lesson.session_id, "read", datetime.now(UTC))
    assert health(engine)[0]["stage"] == "read"


def test_health_is_bad_when_nothing_comes_any_more_whatever_the_heartbeat_says(engine: Engine) -> None:
    lesson = Lesson(engine, datetime.now(UTC) - timedelta(minutes=5), interval=2)
    lesson.commit()
    lesson.last_commit_was(datetime.now(UTC) - timedelta(minutes=5))
    lesson.recorder.heartbeat(lesson.session_id, "read", datetime.now(UTC))
    body, status = health(engine)
    assert (status, body["status"]) == (503, "stale")
    assert body["seconds_since_last_interval"] > 200
    answer = create_app(engine).server.test_client().get("/health", headers={"Host": "localhost"})
    assert answer.status_code == 503
    assert answer.get_json()["status"] == "stale"


def test_stale_is_three_intervals_and_at_least_ten_seconds() -> None:
    assert [stale_after(interval) for interval in (0.5, 2, 3.5, 60)] == [10, 10, 10.5, 180]


def test_a_recording_is_as_fresh_as_its_last_commit(engine: Engine) -> None:
    lesson = Lesson(engine, datetime(2020, 1, 1, 9, 0, tzinfo=UTC), interval=2)
    lesson.run(1)
    # the agent's heartbeat comes every few seconds whatever it is doing
    lesson.recorder.heartbeat(lesson.session_id, "read", datetime.now(UTC))
    body, status = health(engine)
    assert (status, body["status"], body["stage"]) == (200, "ok", "read")
    pulse = take_pulse(engine)
    assert pulse is not None
    assert not pulse.is_stale(datetime.now(UTC))
    # also where the clock was set back after the last commit
    assert pulse.is_stale(datetime.now(UTC) - timedelta(hours=1))
    # while an agent on another computer may be a little ahead
    assert not pulse.is_stale(datetime.now(UTC) - timedelta(minutes=1))
    told = pulse_data(pulse, datetime.now(UTC))
    # a note that is written now belongs to the moment of the recording that was read last
    noted = running(told).session_time(datetime.now(UTC))
    assert abs(noted - lesson.now) < timedelta(minutes=1)


def test_a_pulse_reads_the_last_row_however_long_the_session_is(engine: Engine) -> None:
    lesson = Lesson(engine, datetime.now(UTC), interval=2)
    lesson.run(2)
    fetched: list[int] = []
    intervals_since = queries.intervals_since

    def counted(*arguments: Any, **options: Any) -> pd.DataFrame:
        rows = intervals_since(*arguments, **options)
        fetched.append(len(rows))
        return rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "intervals_since", counted)
        pulse = take_pulse(engine)
        assert health(engine)[1] == 200
    assert fetched == []
    assert pulse is not None
    assert pulse.last_id == queries.intervals_since(engine, lesson.session_id)["id"].iloc[-1]
    last = lesson.commit(NotObservedReason.BLACK)
    after = take_pulse(engine)
    assert after is not None
    assert (after.last_id, after.not_observed) == (last, NotObservedReason.BLACK)
    assert after.observed_until == lesson.now - timedelta(seconds=2)


def draw(engine: Engine, cursor: Any) -> Any:
    """What the chart's callback answers to a page with this cursor."""
    return ask(
        engine,
        [f"{chart.CHART}.figure", f"{chart.CURSOR}.data", f"{chart.CHART_TEXT}.children"],
        {
            f"{PULSE}.data": pulse_data(take_pulse(engine), datetime.now(UTC)),
            "shell-viewer.data": {"scheme": "light", "zone": "UTC"},
            f"{chart.VIEW}.value": "mood",
            f"{NOTED}.data": 0,
        },
        {f"{chart.CURSOR}.data": cursor},
    )


@pytest.fixture
def crowded(engine: Engine) -> Lesson:
    """A class that runs for seven minutes, in one database with another whose agent is four times as fast."""
    start = datetime.now(UTC) - timedelta(minutes=7)
    other = Lesson(engine, start, name="Chemistry", names=NAMES[:5], interval=2.5)
    lesson = Lesson(engine, start, names=NAMES[:6], interval=10)
    while lesson.index < 42:
        for _ in range(4):
            other.commit()
        lesson.commit()
    return lesson


def test_the_trend_reaches_back_beside_another_class(engine: Engine, crowded: Lesson) -> None:
    told = str(look(engine)[now.GLANCE])
    assert "over 5 min" in told or "steady for 5 min" in told


def drawn_parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every component in what a drawing was told."""
    for one in part if isinstance(part, list) else [part]:
        if isinstance(one, dict):
            yield one
            yield from drawn_parts(one["props"].get("children"))


def test_a_drawing_is_told_plain_html_with_ids_of_the_browser(engine: Engine, live: Lesson) -> None:
    told = [given["parts"] for given in look(engine).values() if "parts" in given]
    found = [one for parts in told for one in drawn_parts(parts)]
    assert len(found) > 27 * 3
    # what stands in a drawing is nothing that Dash knows: it has no callbacks, and its id is the browser's own
    assert {one["namespace"] for one in found} == {"dash_html_components"}
    assert all(isinstance(one["props"].get("id", ""), str) for one in found)
    assert any("data-mark" in one["props"] for one in found)


def test_the_lines_go_on_as_if_drawn_at_once_beside_another_class(engine: Engine, crowded: Lesson) -> None:
    first = draw(engine, None)
    crowded.commit()
    patch = draw(engine, first[chart.CURSOR]["data"])
    whole = draw(engine, None)
    added = {
        tuple(step["location"]): step["params"]["value"]
        for step in patch[chart.CHART]["figure"]["operations"]
        if step["operation"] == "Extend"
    }
    for place, trace in enumerate(whole[chart.CHART]["figure"]["data"]):
        if trace["name"] not in {NOTES, TOPICS, ROOM}:
            assert added["data", place, "y"] == trace["y"][-1:], trace["name"]


def test_the_chart_is_told_in_words_from_its_start_to_its_end(engine: Engine, crowded: Lesson) -> None:
    first = draw(engine, None)
    begun = f"From {crowded.started_at:%H:%M} to "
    assert first[chart.CHART_TEXT]["children"].startswith(begun)
    crowded.commit()
    second = draw(engine, first[chart.CURSOR]["data"])
    # nobody needs it every other second
    assert chart.CHART_TEXT not in second
    for _ in range(5):
        crowded.commit()
    third = draw(engine, second[chart.CURSOR]["data"])
    last = crowded.now - timedelta(seconds=10)
    assert third[chart.CHART_TEXT]["children"].startswith(f"{begun}{last:%H:%M}, 8 min.")


def test_the_list_of_sessions(lesson_engine: Engine) -> None:
    row = sessions.rows(queries.sessions(lesson_engine), ZoneInfo("Asia/Tokyo"))[0]
    session = queries.find_session(lesson_engine, "last")
    assert row["started"] == f"{session.started_at.astimezone(ZoneInfo('Asia/Tokyo')):%Y-%m-%d  %H:%M}"
    assert (row["name"], row["length"], row["seats"], row["notes"]) == ("Algebra 9b", 1800.0, 27, 3)
    assert 0.8 < row["coverage"] < 0.95
    assert " to " in row["mood"]
    assert sessions.mood_range(float("nan"), float("nan")) == "–"


@pytest.mark.parametrize("path", ["/nope", "/sessions/x", "/sessions/1/2", "/sessions/²", "/../etc"])
def test_an_address_that_leads_nowhere_says_so(path: str, engine: Engine) -> None:
    assert "no such page" in shown(page(path, engine, DashboardSettings()))


@pytest.mark.parametrize(
    "told", [None, {}, [], "dark", {"scheme": 7, "zone": 9}, {"scheme": "x", "zone": "../x"}]
)
def test_an_odd_viewer_gets_the_light_page(told: object) -> None:
    viewer = viewer_of(told)
    assert (viewer.scheme, viewer.zone) == ("light", None)


def test_states_have_their_colours_in_the_sheet() -> None:
    from dashboard.components.tiles import state_colour
    from dashboard.theme import css_variables

    sheet = css_variables()
    for state in State:
        assert state_colour(state).removeprefix("var(").removesuffix(")") + ":" in sheet

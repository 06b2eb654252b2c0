from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from dash.development.base_component import Component
from seed import HOSTILE, NAMES, Lesson, seed
from sqlalchemy import Engine

from dashboard.app import DashboardSettings, create_app, page
from dashboard.components.looks import heading, look_cards, sparkline
from dashboard.components.seats import columns, seat_map
from dashboard.components.tiles import glance_tiles
from dashboard.glance import glance, sentence, trend
from dashboard.health import Known, health, stale_after, take_pulse
from dashboard.names import seat_names
from dashboard.pages import now, sessions
from dashboard.shell import viewer_of
from engagement.records import NotObservedReason, Rule, State
from storage import queries

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def texts(component: Any) -> Iterator[str]:
    """Every string that a component shows, in order."""
    if isinstance(component, str):
        yield component
    elif isinstance(component, list | tuple):
        for part in component:
            yield from texts(part)
    elif isinstance(component, Component):
        yield from texts(getattr(component, "children", None))


def shown(component: Any) -> str:
    return " ".join(texts(component))


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
    assert (state.valence is None) == (mood in {"Too few faces", "Not read", "Not observed"})


def test_the_trend_compares_with_five_minutes_ago() -> None:
    def line(values: list[float]) -> pd.DataFrame:
        times = [START + timedelta(seconds=10 * n) for n in range(len(values))]
        return pd.DataFrame({"started_at": pd.to_datetime(times, utc=True), "valence": values})

    assert trend(line([0.0] * 40)) == "steady for 5 min"
    assert trend(line([0.0] * 20 + [0.3] * 20)) == "rising over 5 min"
    assert trend(line([0.0] * 20 + [-0.3] * 20)) == "falling over 5 min"
    assert trend(line([0.0] * 12)) == "just begun"


def make_episodes(*rows: tuple[Rule, int | None, int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rule": [str(rule) for rule, _, _ in rows],
            "seat": pd.array([seat for _, seat, _ in rows], dtype="Int64"),
            "reason": [f"reason {n}" for n in range(len(rows))],
            "started_at": pd.to_datetime([START + timedelta(minutes=at) for _, _, at in rows], utc=True),
            "ended_at": pd.to_datetime([None] * len(rows), utc=True),
        }
    )


def test_cards_come_by_how_recent_and_cameras_off_last(engine: Engine) -> None:
    episodes = make_episodes(
        (Rule.CAMERA_OFF, 1, 9), (Rule.ABSENT, 2, 3), (Rule.CLASS_DIP, None, 5), (Rule.TURNED_AWAY, 3, 7)
    )
    cards = look_cards(
        episodes,
        {1: "Ada", 2: "Ben"},
        queries.readings_since(engine, 1),
        START + timedelta(minutes=10),
        "light",
        ZoneInfo("Europe/Paris"),
    )
    said = [shown(card) for card in cards]
    assert [text.split(" ")[0] for text in said] == ["Seat", "The", "Ben", "Ada"]
    assert "since 10:07 (3 min)" in said[0]
    assert "reason 1" in said[2]
    assert heading(episodes) == "3 need a look"
    assert heading(episodes.iloc[:1]) == "Nobody needs a look"
    assert heading(episodes.iloc[1:2]) == "1 needs a look"


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
    readings = queries.latest_readings(engine, live.session_id).sample(frac=1, random_state=3)
    names = seat_names(queries.seats(engine, live.session_id))
    text = shown(seat_map(readings, names, {3}))
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
    layout = seat_map(queries.latest_readings(engine, lesson.session_id), names, set())
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
    told = now.pulse_data(pulse)
    # a note that is written now belongs to the moment of the recording that was read last
    noted = now.session_time(told, datetime.now(UTC))
    assert abs(noted - lesson.now) < timedelta(minutes=1)


def test_the_next_pulse_reads_only_what_is_new(engine: Engine) -> None:
    lesson = Lesson(engine, datetime.now(UTC), interval=2)
    first = lesson.commit()
    pulse = take_pulse(engine)
    assert pulse is not None
    assert pulse.last_id == first
    same = take_pulse(engine, now.known(now.pulse_data(pulse)))
    assert same is not None
    assert same.last_id == first
    assert abs(same.taken_at - lesson.started_at) < timedelta(milliseconds=1)  # as finely as it is kept
    last = lesson.commit(NotObservedReason.BLACK)
    assert take_pulse(engine, Known(pulse.session.id, first, None, None)).last_id == last


def ask(engine: Engine, outputs: list[str], inputs: dict[str, Any], state: dict[str, Any]) -> Any:
    """What the page gets from one callback."""

    def props(values: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            dict(zip(("id", "property"), key.split("."), strict=True), value=values[key]) for key in values
        ]

    answer = (
        create_app(engine)
        .server.test_client()
        .post(
            "/_dash-update-component",
            headers={"Host": "localhost"},
            json={
                "output": f"..{'...'.join(outputs)}..",
                "outputs": [{"id": one.split(".")[0], "property": one.split(".")[1]} for one in outputs],
                "inputs": props(inputs),
                "state": props(state),
                "changedPropIds": list(inputs)[:1],
            },
        )
    )
    assert answer.status_code == 200
    return answer.get_json()["response"]


def draw(engine: Engine, cursor: Any) -> Any:
    """What the chart's callback answers to a page with this cursor."""
    return ask(
        engine,
        [f"{now.CHART}.figure", f"{now.CURSOR}.data", f"{now.CHART_TEXT}.children"],
        {
            f"{now.PULSE}.data": now.pulse_data(take_pulse(engine)),
            "shell-viewer.data": {"scheme": "light", "zone": "UTC"},
            f"{now.VIEW}.value": "mood",
            f"{now.NOTED}.data": 0,
        },
        {f"{now.CURSOR}.data": cursor},
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
    answer = ask(
        engine,
        [f"{now.GLANCE}.children", f"{now.NOTICE}.children", f"{now.SPOKEN}.children"],
        {f"{now.PULSE}.data": now.pulse_data(take_pulse(engine))},
        {},
    )
    assert "over 5 min" in str(answer) or "steady for 5 min" in str(answer)


def test_the_lines_go_on_as_if_drawn_at_once_beside_another_class(engine: Engine, crowded: Lesson) -> None:
    first = draw(engine, None)
    crowded.commit()
    patch = draw(engine, first[now.CURSOR]["data"])
    whole = draw(engine, None)
    added = {
        tuple(step["location"]): step["params"]["value"]
        for step in patch[now.CHART]["figure"]["operations"]
        if step["operation"] == "Extend"
    }
    for place, trace in enumerate(whole[now.CHART]["figure"]["data"]):
        if trace["name"] != "Notes":
            assert added["data", place, "y"] == trace["y"][-1:], trace["name"]


def test_the_chart_is_told_in_words_from_its_start_to_its_end(engine: Engine, crowded: Lesson) -> None:
    first = draw(engine, None)
    begun = f"From {crowded.started_at:%H:%M} to "
    assert first[now.CHART_TEXT]["children"].startswith(begun)
    crowded.commit()
    second = draw(engine, first[now.CURSOR]["data"])
    # nobody needs it every other second
    assert now.CHART_TEXT not in second
    for _ in range(5):
        crowded.commit()
    third = draw(engine, second[now.CURSOR]["data"])
    last = crowded.now - timedelta(seconds=10)
    assert third[now.CHART_TEXT]["children"].startswith(f"{begun}{last:%H:%M}, 7 min.")


def test_a_dip_that_lasts_is_shaded_until_now() -> None:
    episodes = make_episodes((Rule.CLASS_DIP, None, 1), (Rule.ABSENT, 2, 2))
    end = START + timedelta(minutes=9)
    assert now.dips(episodes, end) == [(START + timedelta(minutes=1), end)]


def test_every_reason_for_no_observation_says_what_to_do() -> None:
    for reason in NotObservedReason:
        assert len(shown(now.notice_of(reason.value))) > 40
    assert now.notice_of(None) is None


def test_the_list_of_sessions(lesson_engine: Engine) -> None:
    row = sessions.rows(queries.sessions(lesson_engine), ZoneInfo("Asia/Tokyo"))[0]
    session = queries.find_session(lesson_engine, "last")
    assert row["started"] == f"{session.started_at.astimezone(ZoneInfo('Asia/Tokyo')):%Y-%m-%d  %H:%M}"
    assert (row["name"], row["length"], row["seats"], row["notes"]) == ("Algebra 9b", 1800.0, 27, 3)
    assert 0.8 < row["coverage"] < 0.95
    assert " to " in row["mood"]
    assert sessions.mood_range(float("nan"), float("nan")) == "–"


@pytest.mark.parametrize("path", ["/nope", "/sessions/x", "/sessions/1/2", "/sessions/²", "/../etc"])
def test_an_address_that_leads_nowhere_says_so(path: str) -> None:
    assert "no such page" in shown(page(path, DashboardSettings()))


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

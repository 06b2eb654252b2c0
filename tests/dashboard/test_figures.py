import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dashboard.figures import (
    COVERAGE,
    FACING,
    FIRST_SPAN,
    MOOD_TRACES,
    NOTES,
    ROOM,
    SHARE_TRACES,
    TOPICS,
    Figure,
    Timeline,
    coverage,
    describe_shares,
    describe_states,
    describe_timeline,
    every,
    expression_shares,
    seat_strips_figure,
    states_figure,
)
from engagement.emotion import EXPRESSIONS
from engagement.records import State

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NO_NOTES = pd.DataFrame({"id": [], "at": pd.to_datetime([], utc=True), "text": [], "kind": []})
MakeIntervals = Callable[..., pd.DataFrame]


@pytest.fixture
def intervals() -> MakeIntervals:
    def make(count: int, **columns: Any) -> pd.DataFrame:
        table = pd.DataFrame(
            {
                "id": np.arange(1, count + 1),
                "started_at": pd.to_datetime(
                    [START + timedelta(seconds=2 * n) for n in range(count)], utc=True
                ),
                "seconds": 2.0,
                "not_observed": pd.Series([None] * count, dtype="str"),
                "tiles": 10,
                **{f"n_{state}": 0 for state in State},
                "n_seen": 8,
                "n_camera_off": 2,
                **{name: pd.Series([0] * count, dtype="Int64") for name in EXPRESSIONS},
                "neutral": pd.Series([6] * count, dtype="Int64"),
                "happy": pd.Series([2] * count, dtype="Int64"),
                "valence": np.linspace(-0.2, 0.2, count),
                "low": np.linspace(-0.3, 0.1, count),
                "high": np.linspace(-0.1, 0.3, count),
                "facing": 0.75,
            }
        )
        return table.assign(**columns)

    return make


def trace(figure: Figure, name: str) -> Figure:
    return next(item for item in figure["data"] if item["name"] == name)


@pytest.mark.parametrize(
    ("view", "names"),
    [
        ("mood", MOOD_TRACES),
        ("shares", SHARE_TRACES),
        ("presence", ("Read, area", COVERAGE, FACING, NOTES, TOPICS)),
    ],
)
def test_traces_stand_where_the_updates_look_for_them(
    intervals: MakeIntervals, view: str, names: tuple[str, ...]
) -> None:
    figure = Timeline(view, "light", UTC).figure(intervals(3), NO_NOTES, [], "key")
    assert tuple(item["name"] for item in figure["data"]) == (*names, ROOM)
    assert figure["layout"]["uirevision"] == "key"


def test_the_mood_line_lies_in_its_band(intervals: MakeIntervals) -> None:
    figure = Timeline("mood", "dark", UTC).figure(intervals(5), NO_NOTES, [], "key")
    line, low, high = trace(figure, "Mood"), trace(figure, "low"), trace(figure, "95 % band")
    assert high["fill"] == "tonexty"
    assert figure["data"].index(high) == figure["data"].index(low) + 1
    assert all(a <= b <= c for a, b, c in zip(low["y"], line["y"], high["y"], strict=True))
    assert line["x"][0] == "2026-11-20 09:00:00.000"
    assert line["customdata"] == ["8 of 10"] * 5


def test_what_was_not_read_is_a_gap_and_the_band_has_no_width_there(intervals: MakeIntervals) -> None:
    table = intervals(5)
    table.loc[2, ["valence", "low", "high", "facing"]] = np.nan
    table.loc[2, ["tiles", "n_seen", "n_camera_off"]] = 0
    figure = Timeline("mood", "light", UTC).figure(table, NO_NOTES, [], "key")
    assert trace(figure, "Mood")["y"][2] is None
    assert trace(figure, COVERAGE)["y"][2] is None
    assert trace(figure, FACING)["y"][2] is None
    assert trace(figure, "low")["y"][2] == trace(figure, "95 % band")["y"][2] == trace(figure, "Mood")["y"][1]
    assert trace(figure, "Mood")["connectgaps"] is False


def test_of_a_long_lesson_every_second_or_third_interval_is_drawn_up_to_the_last(
    intervals: MakeIntervals,
) -> None:
    table = intervals(100)
    table.loc[50, ["valence", "low", "high"]] = np.nan
    whole = Timeline("mood", "light", UTC).figure(table, NO_NOTES, [], "key")
    thin = Timeline("mood", "light", UTC).figure(table, NO_NOTES, [], "key", most=40)
    for name in (COVERAGE, FACING, "low", "95 % band", "Mood"):
        assert trace(thin, name)["x"] == trace(whole, name)["x"][::3], name
        assert len(trace(thin, name)["y"]) == 34
    assert trace(thin, "Mood")["x"][-1] == trace(whole, "Mood")["x"][-1]
    # 50 is not drawn itself, but what stands for it is a gap
    assert [place for place, value in enumerate(trace(thin, "Mood")["y"]) if value is None] == [17]
    assert every([1, 2, 3, None, 5, 6, 7], 2) == [1, 3, None, 7]
    assert every([], 3) == []


def test_an_update_carries_the_new_rows_only(intervals: MakeIntervals) -> None:
    timeline = Timeline("mood", "light", UTC)
    table = intervals(40)
    patch = timeline.extension(table, 2, NO_NOTES, [], START).to_plotly_json()
    extended = [step for step in patch["operations"] if step["operation"] == "Extend"]
    assert extended
    assert {len(step["params"]["value"]) for step in extended} == {2}
    touched = {tuple(step["location"][:1]) for step in patch["operations"]}
    assert touched == {("data",), ("layout",)}
    assert all(
        step["location"][1] in {"shapes", "annotations"}
        for step in patch["operations"]
        if step["location"][0] == "layout"
    )


@pytest.mark.parametrize("view", ["mood", "shares", "presence"])
def test_a_figure_that_was_extended_equals_one_drawn_at_once(intervals: MakeIntervals, view: str) -> None:
    timeline = Timeline(view, "light", UTC)
    table = intervals(60)
    at_once = timeline.figure(table, NO_NOTES, [], "key")["data"]
    grown = json.loads(json.dumps(timeline.figure(table.iloc[:40], NO_NOTES, [], "key")["data"]))
    for seen in range(41, 61):
        for step in timeline.extension(
            table.iloc[max(0, seen - 18) : seen], 1, NO_NOTES, [], START
        ).to_plotly_json()["operations"]:
            if step["operation"] == "Extend":
                _, place, column = step["location"]
                grown[place][column] += step["params"]["value"]
    for one, other in zip(grown, at_once, strict=True):
        assert one["x"] == other["x"]
        np.testing.assert_allclose(np.array(one["y"], float), np.array(other["y"], float), atol=1e-3)


def test_notes_are_shown_as_text(intervals: MakeIntervals) -> None:
    notes = pd.DataFrame(
        {
            "id": [1, 2],
            "at": pd.to_datetime([START, START], utc=True),
            "text": ["<b>x</b><a href='//e'>y</a>"] * 2,
            "kind": ["note", "topic"],
        }
    )
    figure = Timeline("mood", "light", UTC).figure(intervals(3), notes, [], "key")
    assert trace(figure, NOTES)["customdata"] == ["&lt;b&gt;x&lt;/b&gt;&lt;a href='//e'&gt;y&lt;/a&gt;"]
    assert trace(figure, TOPICS)["customdata"] == trace(figure, NOTES)["customdata"]
    assert "<b>" not in str(figure["layout"]["annotations"])
    patch = Timeline("mood", "light", UTC).extension(intervals(3), 0, notes, [], START).to_plotly_json()
    assert "<b>" not in str(patch)


def make_topics(*minutes: float) -> pd.DataFrame:
    times = [START + timedelta(minutes=minute) for minute in minutes]
    names = [f"Topic {minute} with a long name" for minute in minutes]
    return pd.DataFrame(
        {"id": range(len(times)), "at": pd.to_datetime(times, utc=True), "text": names, "kind": "topic"}
    )


def test_topics_are_lines_with_names_where_there_is_room(intervals: MakeIntervals) -> None:
    topics = make_topics(1, 1.5, 6, 9.5)
    figure = Timeline("mood", "light", UTC).figure(intervals(300), topics, [(START, START)], "key")
    assert trace(figure, NOTES)["x"] == []
    assert (trace(figure, NOTES)["showlegend"], trace(figure, TOPICS)["showlegend"]) == (False, True)
    lines = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    assert [line["x0"] for line in lines] == trace(figure, TOPICS)["x"]
    names = figure["layout"]["annotations"]
    # the first is followed at once, the last has no room to its right
    assert [name["text"] for name in names] == [
        "Topic 1.5 with a lo…",
        "Topic 6 with a long…",
        "Topic 9.5 with a lo…",
    ]
    assert [name["xanchor"] for name in names] == ["left", "left", "right"]
    patch = Timeline("mood", "light", UTC).extension(intervals(300), 1, topics, [(START, START)], START)
    steps = {
        tuple(step["location"]): step["params"]["value"]
        for step in patch.to_plotly_json()["operations"]
        if step["operation"] == "Assign"
    }
    assert steps["layout", "annotations"] == names
    assert steps["layout", "shapes"] == figure["layout"]["shapes"]


def test_low_stretches_are_shaded_and_numbered(intervals: MakeIntervals) -> None:
    lows = [
        (START, START + timedelta(minutes=1)),
        (START + timedelta(minutes=3), START + timedelta(minutes=4)),
    ]
    layout = Timeline("mood", "light", UTC).figure(intervals(9), NO_NOTES, lows, "key", numbered=True)[
        "layout"
    ]
    assert [shape["x0"][11:16] for shape in layout["shapes"]] == ["09:00", "09:03"]
    assert [note["text"] for note in layout["annotations"]] == ["<b>1</b>", "<b>2</b>"]


def test_the_first_minutes_do_not_fill_the_axis(intervals: MakeIntervals) -> None:
    room = trace(Timeline("mood", "light", UTC).figure(intervals(3), NO_NOTES, [], "key"), ROOM)
    ends = [f"{at:%Y-%m-%d %H:%M:%S}.000" for at in (START, START + FIRST_SPAN)]
    assert (room["x"], room["showlegend"], room["line"]["width"]) == (ends, False, 0)


def test_the_charts_of_a_report_end_with_it_and_show_single_readings(intervals: MakeIntervals) -> None:
    span = (START, START + timedelta(seconds=30))
    table = intervals(6)
    table.loc[[1, 3], "valence"] = np.nan
    figure = Timeline("mood", "light", UTC).figure(table, NO_NOTES, [], "key", span=span)
    readings = pd.DataFrame({"started_at": table["started_at"].iloc[:1], "seat": 1, "state": "seen"})
    seats = seat_strips_figure(readings, {1: "Ada"}, "light", UTC, span)
    for made in (figure, states_figure(table, "light", UTC, span), seats):
        assert made["layout"]["xaxis"]["range"] == ["2026-11-20 09:00:00.000", "2026-11-20 09:00:30.000"]
        assert ROOM not in [item.get("name") for item in made["data"]]
        # ticks below a minute say their seconds
        assert made["layout"]["xaxis"]["tickformatstops"][1] == {
            "dtickrange": [1000, 59_999],
            "value": "%H:%M:%S",
        }
    assert trace(figure, "Mood")["marker"] == {"size": [6, 0, 6, 0, 0, 0]}
    assert trace(figure, COVERAGE)["mode"] == "lines"
    # edges, so that one step alone is seen
    assert seats["data"][0]["x"] == ["2026-11-20 09:00:00.000", "2026-11-20 09:00:05.000"]


def test_coverage_is_seats_read_of_seats_present(intervals: MakeIntervals) -> None:
    table = intervals(3)
    table.loc[1, ["tiles", "n_seen", "n_camera_off"]] = 0
    np.testing.assert_array_equal(coverage(table).to_numpy(), [0.8, np.nan, 0.8])


def test_shares_sum_to_one_and_know_nothing_where_nothing_was_read(intervals: MakeIntervals) -> None:
    table = intervals(40)
    table.loc[20:, list(EXPRESSIONS)] = pd.NA
    shares = expression_shares(table)
    np.testing.assert_allclose(shares.iloc[:20].sum(axis="columns"), 1)
    assert shares.iloc[20:].isna().all(axis=None)
    assert shares["happy"].iloc[0] == pytest.approx(0.25)


def test_expressions_are_told_apart_without_colour(intervals: MakeIntervals) -> None:
    figure = Timeline("shares", "light", UTC).figure(intervals(3), NO_NOTES, [], "key")
    patterns = [item["fillpattern"]["shape"] for item in figure["data"] if "fillpattern" in item]
    assert len(patterns) == len(set(patterns)) == len(EXPRESSIONS)
    dashes = {
        item["name"]: item["line"].get("dash")
        for item in figure["data"]
        if item["name"] in (COVERAGE, FACING)
    }
    assert len(set(dashes.values())) == 2


def test_states_are_stacked_where_they_occur(intervals: MakeIntervals) -> None:
    figure = states_figure(intervals(30), "light", UTC)
    assert [item["name"] for item in figure["data"]] == ["Seen", "Camera off"]
    assert figure["data"][0]["y"][0] == 8


def test_what_was_not_observed_makes_no_seats_fewer(intervals: MakeIntervals) -> None:
    table = intervals(1350)
    blind = (table.index // 3 % 2 == 1) | ((table.index > 600) & (table.index < 700))
    table.loc[blind, "not_observed"] = "covered"
    table.loc[blind, ["tiles", *(f"n_{state}" for state in State)]] = 0
    seen, off = (item["y"] for item in states_figure(table, "light", UTC)["data"])
    assert {value for value in seen if value is not None} == {8}
    assert {value for value in off if value is not None} == {2}
    assert [value is None for value in seen] == [value is None for value in off]
    assert 8 <= seen.count(None) <= 12


def test_coverage_in_words_is_that_of_the_reports_sentence(intervals: MakeIntervals) -> None:
    table = intervals(300)
    table.loc[::2, ["tiles", "n_seen"]] = [40, 10]
    table.loc[1::2, ["tiles", "n_seen"]] = [1, 1]
    assert "On average 27 % of the seats were read" in describe_timeline(table, UTC)


def test_seat_strips_show_the_most_frequent_state_and_names_as_text() -> None:
    times = pd.to_datetime([START + timedelta(seconds=2 * n) for n in range(6)], utc=True)
    readings = pd.DataFrame(
        {
            "started_at": list(times) * 2,
            "seat": [1] * 6 + [2] * 6,
            "state": ["seen"] * 5 + ["no_face"] + ["camera_off"] * 6,
        }
    )
    figure = seat_strips_figure(readings, {1: "<i>Ada</i>", 2: "Ben"}, "light", UTC)
    long = seat_strips_figure(readings, {1: "Ada and Ben from room <7>", 2: "& " * 10}, "light", UTC)
    # cut as it is read, never inside of what stands for one letter
    assert long["layout"]["yaxis"]["ticktext"] == ["Ada and Ben from room …", "&amp; " * 10]
    heat = figure["data"][0]
    states = list(State)
    assert heat["z"][0][0] == states.index(State.SEEN)
    assert set(heat["z"][1]) == {states.index(State.CAMERA_OFF)}
    assert figure["layout"]["yaxis"]["ticktext"] == ["&lt;i&gt;Ada&lt;/i&gt;", "Ben"]
    assert "<i>" not in str(figure["data"])
    assert [item["name"] for item in figure["data"][1:]] == ["seen", "no face", "camera off"]


def test_seat_strips_are_empty_where_nothing_was_read() -> None:
    times = [START + timedelta(seconds=seconds) for seconds in (0, 5, 10, 15, 120, 125)]
    readings = pd.DataFrame({"started_at": pd.to_datetime(times, utc=True), "seat": 1, "state": "seen"})
    heat = seat_strips_figure(readings, {1: "Ada"}, "light", UTC)["data"][0]
    assert heat["z"] == [[0, 0, 0, 0, None, 0, 0]]
    assert [at[14:19] for at in heat["x"]] == [
        "00:00",
        "00:05",
        "00:10",
        "00:15",
        "00:20",
        "02:00",
        "02:05",
        "02:10",
    ]


def test_charts_are_told_in_words(intervals: MakeIntervals) -> None:
    table = intervals(31)
    table.loc[30, ["valence", "low", "high"]] = np.nan
    table.loc[5, "not_observed"] = "covered"
    text = describe_timeline(table, UTC)
    assert text.startswith(
        "From 09:00 to 09:01, 1 min. Mood between −0.20 and +0.19, lowest at 09:00, not read at the"
    )
    assert "80 % of the seats were read" in text
    assert text.endswith("1 interval could not be observed.")
    assert describe_timeline(table.iloc[:0], UTC) == "Nothing was read yet."
    assert describe_shares(table).startswith(
        "Expressions among the faces read: neutral 75 %, happy 25 %, surprise 0 %,"
    )
    assert describe_states(table) == "Seats over the lesson: seen 80 %, camera off 20 %."


def test_a_session_without_rows_draws_nothing(intervals: MakeIntervals) -> None:
    for view in ("mood", "shares", "presence"):
        figure = Timeline(view, "light", UTC).figure(intervals(0), NO_NOTES, [], "key")
        assert all(item["x"] == [] for item in figure["data"])
        assert figure["layout"]["annotations"] == []

"""What the page Trends says and draws of a class."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dash import html
from seed import HOSTILE

from dashboard import trends
from dashboard.pages import trends as page
from engagement.records import Mode
from engagement.trends import Comparison, Measure, MoodGap, SessionFigures

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def sessions(*changes: dict[str, Any]) -> list[SessionFigures]:
    """One session a day, each with its changes."""
    first = SessionFigures(
        id=1,
        mode=Mode.INDIVIDUAL,
        started_at=START,
        ended_at=START + timedelta(minutes=45),
        runs=False,
        observed=2700,
        not_observed=0,
        most_tiles=27,
        coverage=0.85,
        facing=0.9,
        mood_seconds=2600,
        mood=0.1,
        low=0.05,
        high=0.15,
    )
    return [
        replace(
            first,
            id=number + 1,
            started_at=START + timedelta(days=number),
            ended_at=START + timedelta(days=number, minutes=45),
            **change,
        )
        for number, change in enumerate(changes)
    ]


NO_MOOD = {"mood": None, "low": None, "high": None, "mood_seconds": 0}
SILENT = {"mode": Mode.PARTICIPATION, **NO_MOOD}


def test_the_sentences_give_ranges_with_what_stands_behind_them() -> None:
    told = trends.sentences(
        sessions({}, {"mood": -0.05, "coverage": 0.4}, SILENT, {**NO_MOOD, "most_tiles": 4}), UTC
    )
    assert told == [
        "4 sessions from Mon 2 Mar 2026 to Thu 5 Mar 2026, 45 min long on average.",
        "The mean mood of 2 of 4 sessions lay between −0.05 and +0.10. In 1 of these, fewer than half of the seats "
        "were read (hollow marks). The others have none (participation mode 1, too few faces read 1).",
        "Of the seats shown, 40 % to 85 % could be read. The most shown at once: 4 to 27.",
        "Of the faces found, 90 % faced the screen.",
    ]


def test_a_class_in_participation_mode_has_nothing_of_a_mood() -> None:
    table = sessions(SILENT, SILENT)
    said = " ".join(trends.sentences(table, UTC))
    assert "mood" not in said
    assert "could be seen" in said
    figure = trends.course_figure(table, "light", UTC)
    assert [trace["name"] for trace in figure["data"]] == ["Read", "Facing"]
    assert figure["layout"]["yaxis2"]["visible"] is False


def test_without_any_mood_the_reason_is_said() -> None:
    table = sessions(NO_MOOD, {"observed": 0, "most_tiles": 0, "coverage": None, "facing": None, **NO_MOOD})
    assert trends.sentences(table, UTC)[1] == (
        "No session has a mood that could be told (too few faces read 1, nothing observed 1)."
    )
    nothing = sessions({"observed": 0, "most_tiles": 0, "coverage": None, "facing": None, **NO_MOOD})
    assert len(trends.sentences(nothing, UTC)) == 2


def test_nothing_is_called_rising_falling_best_or_worst() -> None:
    said = " ".join(trends.sentences(sessions(*({"mood": value / 10} for value in range(-3, 4))), UTC))
    assert not re.search(r"ris|rose|fell|fall|best|worst|better|improv|declin|rank", said)


def test_sessions_without_a_mood_are_gaps_and_little_read_ones_are_hollow() -> None:
    figure = trends.course_figure(sessions({}, SILENT, {"coverage": 0.2}), "dark", UTC)
    mood = next(trace for trace in figure["data"] if trace["name"] == "Mood")
    assert mood["y"] == [0.1, None, 0.1]
    assert mood["marker"]["symbol"] == ["circle", "circle", "circle-open"]
    assert mood["error_y"]["array"] == [0.05, None, 0.05]
    assert mood["customdata"] == ["85 %", "85 %", "20 %"]
    assert not mood["connectgaps"]
    json.dumps(figure, allow_nan=False)


def test_every_session_has_its_own_place_and_few_have_their_day_written() -> None:
    many = sessions(*({} for _ in range(200)))
    twice = [many[0], replace(many[1], started_at=START)]
    axis = trends.course_figure(many, "light", UTC)["layout"]["xaxis"]
    assert len(set(axis["categoryarray"])) == 200
    assert len(axis["tickvals"]) <= 6
    assert axis["tickvals"][-1] == axis["categoryarray"][-1]
    assert len(set(trends.attendance_figure(twice, "light", UTC)["data"][0]["x"])) == 2


def test_attendance_and_length_per_session() -> None:
    table = sessions({}, {"most_tiles": 0})
    assert trends.attendance_figure(table, "light", UTC)["data"][0]["y"] == [27, None]
    assert trends.length_figure(table, "light", UTC)["data"][0]["y"] == [45, 45]


def comparison(**changes: Any) -> Comparison:
    ones = {
        "measure": Measure.MOOD,
        "values": (0.1, None, 0.3, 0.3),
        "coverage": (0.8, 0.0, 0.9, 0.9),
        "low": (0.0, 0.0, None, 0.1),
        "middle": (0.1, 0.1, None, 0.15),
        "high": (0.2, 0.2, None, 0.2),
        "earlier": 5,
        "is_half": True,
        "above": (),
        "below": (),
    }
    return Comparison(**{**ones, **changes})


def test_the_band_has_gaps_where_it_has_no_figures() -> None:
    figure = trends.comparison_figure(comparison(), "light")
    bands = [trace for trace in figure["data"] if trace["name"] == "Earlier ones"]
    assert [trace["x"] for trace in bands] == [[0, 1], [2.8, 3.2]]
    assert [trace["showlegend"] for trace in bands] == [True, False]
    own = next(trace for trace in figure["data"] if trace["name"] == "This lesson")
    assert own["y"] == [0.1, None, 0.3, 0.3]
    assert own["customdata"][2] == "90 %"
    # a lone value would have no line
    assert own["marker"]["size"] == [6, 0, 0, 0]
    json.dumps(figure, allow_nan=False)


@pytest.mark.parametrize("measure", list(Measure))
def test_coverage_stands_below_every_measure(measure: Measure) -> None:
    figure = trends.comparison_figure(comparison(measure=measure), "light")
    strip = [trace for trace in figure["data"] if trace["name"] == "Read"]
    assert len(strip) == (0 if measure is Measure.COVERAGE else 1)


def test_a_comparison_in_words() -> None:
    told = trends.comparison_sentences(comparison(below=((3, 6), (12, 14)), above=((20, 30),)))
    assert told[0] == "From minute 20 to 31 the mood was above the middle half of 5 earlier sessions."
    assert (
        told[1] == "From minute 3 to 7 and 12 to 15 the mood was below the middle half of 5 earlier sessions."
    )
    quiet = trends.comparison_sentences(comparison(is_half=False, earlier=2))
    assert quiet[0] == "For no three minutes in a row was the mood clearly outside all of 2 earlier sessions."
    nothing = trends.comparison_sentences(comparison(values=(None,) * 4))
    assert nothing == [
        "No mood was kept in this lesson: its mode keeps none, or too few faces were read at once."
    ]
    first = trends.comparison_sentences(comparison(earlier=0))
    assert first == ["No earlier session of this class has a figure for mood."]


def test_the_table_says_why_there_is_no_mood() -> None:
    table = sessions(
        {}, *({"mode": Mode.PARTICIPATION} if gap is MoodGap.MODE else NO_MOOD for gap in MoodGap)
    )
    rows = trends.session_rows(table, UTC)
    assert rows[-1]["mood"] == "+0.10 (+0.05 to +0.15)"
    assert rows[-1]["when"] == "Mon 2 Mar 2026, 09:00"
    assert "participation mode" in rows[-2]["mood"]
    assert set(trends.GAPS) == set(MoodGap)


def test_the_class_of_the_address_is_shown_until_another_is_chosen() -> None:
    names = ["Chemistry", "Algebra 9b & c", *HOSTILE]
    for name in names:
        assert page.choice(names, page.address(name).removeprefix("/trends"), None) == name
    assert page.choice(names, "?class=Algebra%209b%20%26%20c", "Chemistry") == "Chemistry"
    assert page.choice(names, "?class=gone&x", "gone too") == "Chemistry"
    assert page.choice(names, None, None) == "Chemistry"
    assert page.choice([], "?class=x", None) is None


def test_one_session_is_no_trend() -> None:
    assert isinstance(page.layout(), html.Div)
    empty = page._empty(())
    one = page._empty(tuple(sessions({})))
    assert "begins with the second one" in str(empty)
    assert "/sessions/1" in str(one)

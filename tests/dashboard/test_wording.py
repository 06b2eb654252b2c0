from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from dashboard.wording import (
    EXPRESSIONS,
    MODES,
    NOT_OBSERVED,
    RULES,
    STATE_SYMBOLS,
    STATES,
    clock,
    count,
    duration,
    local_times,
    method,
    mode_meaning,
    percent,
    plotly_text,
    signed,
    zone_of,
)
from engagement.emotion import EXPRESSIONS as ALL_EXPRESSIONS
from engagement.records import Mode, NotObservedReason, Rule, State


def test_every_value_has_its_words() -> None:
    assert set(STATES) == set(STATE_SYMBOLS) == set(State)
    assert len(set(STATE_SYMBOLS.values())) == len(State)
    assert set(EXPRESSIONS) == set(ALL_EXPRESSIONS)
    assert set(MODES) == set(Mode)
    assert set(RULES) == set(Rule)
    assert set(NOT_OBSERVED) == set(NotObservedReason)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_consent_is_asked_for_and_never_claimed() -> None:
    told = mode_meaning(Mode.INDIVIDUAL, 'window "Zoom Meeting"')
    assert told.endswith("Only for a class that was told and agreed.")
    assert mode_meaning(Mode.INDIVIDUAL, "synthetic class of 27").endswith(
        "The people of this session are made up."
    )


def test_the_method_tells_the_pace_that_was_kept() -> None:
    assert method(2, 2.1).startswith("Every 2 s one frame of the gallery was read, in memory only")
    assert method(2, None).startswith("Every 2 s")
    assert "to be read every 2 s (it kept up with one every 4 s on average)" in method(2, 4.04)


def test_figures_in_words() -> None:
    assert (percent(0.914), percent(None), percent(float("nan"))) == ("91 %", "–", "–")
    assert (signed(0.123), signed(-0.05), signed(-0.001)) == ("+0.12", "−0.05", "0.00")
    assert (count(1, "seat"), count(3, "seat"), count(2, "needs", "need")) == ("1 seat", "3 seats", "2 need")


def test_times_are_those_of_the_viewer_also_over_a_change_of_the_clock() -> None:
    before, after = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    zone = ZoneInfo("Europe/Berlin")
    times = pd.Series(pd.to_datetime([before, after], utc=True))
    assert local_times(times, zone) == ["2026-10-25 02:30:00.000", "2026-10-25 02:30:00.000"]
    assert clock(datetime(2026, 7, 1, 10, 0, tzinfo=UTC), zone) == "12:00"
    assert local_times(times.iloc[:0], zone) == []


@pytest.mark.parametrize(
    "name", [None, "", "Nowhere/Else", "../../etc/passwd", "/etc/localtime", "a" * 5000, "\x00"]
)
def test_a_zone_that_is_none_counts_as_the_computers_own(name: str | None) -> None:
    assert zone_of(name) is None


def test_plotly_shows_markup_as_text() -> None:
    assert plotly_text("<b>x</b> & 'y'") == "&lt;b&gt;x&lt;/b&gt; &amp; 'y'"

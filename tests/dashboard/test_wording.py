import time
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
    local_time,
    local_times,
    method,
    mode_meaning,
    percent,
    plotly_text,
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


def test_a_share_that_is_not_there_is_a_dash() -> None:
    told = [percent(share) for share in (0.914, 0.9958, None, float("nan"))]
    assert told == ["91 %", "over 99 %", "–", "–"]


def test_times_of_the_computer_are_one_by_one_what_a_time_alone_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        times = pd.Series(pd.date_range("2026-10-24 23:30", periods=6, freq="30min", tz="UTC"))
        alone = [local_time(at.to_pydatetime(), None) for at in times]
        assert local_times(times, None) == alone == local_times(times, ZoneInfo("Europe/Berlin"))
        assert alone[2].endswith("02:30:00.000")
        assert alone[4].endswith("02:30:00.000")
    finally:
        monkeypatch.undo()
        time.tzset()


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

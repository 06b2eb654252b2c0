"""What the page says while nothing is known of the class: why, and since when."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.health import health, take_pulse
from dashboard.live.pulse import pulse_data, running
from dashboard.wording import NO_DATA, NOT_OBSERVED
from engagement.records import NotObservedReason
from storage.database import open_database
from storage.migrate import migrate
from storage.pause import pause
from storage.queries import Condition
from tests.dashboard.seed import Lesson


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    engine = open_database(f"sqlite:///{tmp_path / 'class.db'}")
    migrate(engine)
    lesson = Lesson(engine, datetime.now(UTC) - timedelta(seconds=20), interval=2)
    lesson.commit()
    return lesson


def told(engine: Engine, now: datetime | None = None) -> dict[str, Any]:
    return pulse_data(take_pulse(engine), now or datetime.now(UTC))


def test_a_restart_is_a_calm_notice_and_goes_with_the_next_interval(lesson: Lesson) -> None:
    assert told(lesson.engine)["unknown"] is None
    reason = "The reading gave no sign for 5 seconds in stage grab."
    lesson.recorder.say_condition(Condition.RESTARTING, reason, datetime.now(UTC))
    pulse = told(lesson.engine)
    assert (pulse["condition"], pulse["reason"]) == ("restarting", reason)
    assert pulse["unknown"]["title"] == "The reading is starting again"
    assert reason in pulse["unknown"]["text"]
    assert health(lesson.engine)[0]["condition"] == "restarting"
    lesson.commit()
    assert told(lesson.engine)["unknown"] is None
    assert health(lesson.engine)[0]["condition"] is None


def test_giving_up_is_said_with_what_to_do(lesson: Lesson) -> None:
    lesson.recorder.say_condition(Condition.STOPPED, "The agent failed 5 times.", datetime.now(UTC))
    unknown = told(lesson.engine)["unknown"]
    assert "given up" in unknown["title"]
    assert "The agent failed 5 times." in unknown["text"]
    assert "Ctrl-C" in unknown["text"]


def test_a_pause_is_a_state_of_its_own(lesson: Lesson) -> None:
    pause(lesson.engine, lesson.session_id, paused=True)
    pulse = told(lesson.engine)
    assert pulse["paused"]
    assert pulse["unknown"]["title"] == "Paused"
    assert health(lesson.engine)[0]["paused"]
    pause(lesson.engine, lesson.session_id, paused=False)
    assert told(lesson.engine)["unknown"] is None


@pytest.mark.parametrize("reason", list(NotObservedReason))
def test_every_reason_for_no_observation_says_what_to_do_and_since_when(
    lesson: Lesson, reason: NotObservedReason
) -> None:
    known_until = lesson.now
    lesson.commit(reason)
    lesson.commit(reason)
    here = running(told(lesson.engine))
    assert here.unknown == NOT_OBSERVED[reason]
    assert len(here.unknown.title + here.unknown.text) > 40
    assert here.known_until is not None
    assert abs(here.known_until - known_until) < timedelta(milliseconds=1)


def test_old_data_are_no_knowledge(lesson: Lesson) -> None:
    later = datetime.now(UTC) + timedelta(seconds=11)
    here = running(told(lesson.engine, later))
    assert here.unknown == NO_DATA
    assert here.known_until is not None
    # the same pulse a second later is equal, so that an open page is left alone
    assert told(lesson.engine, later) == told(lesson.engine, later + timedelta(seconds=1))


def test_before_the_first_interval_nothing_is_known_and_the_stage_is_said(lesson: Lesson) -> None:
    lesson.close()
    begun = Lesson(lesson.engine, datetime.now(UTC), interval=2, name="Chemistry")
    begun.recorder.heartbeat(begun.session_id, "loading models", datetime.now(UTC))
    here = running(told(lesson.engine))
    assert here.unknown is not None
    assert here.unknown.text == "The agent is at: loading models."
    assert here.known_until is None

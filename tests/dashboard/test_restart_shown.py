"""What the page says while an agent is being started again, once that was given up, and while the class is paused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dashboard.health import health, take_pulse
from dashboard.pages import now
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


def pulse(engine: Engine) -> dict[str, object]:
    return now.pulse_data(take_pulse(engine))


def test_a_restart_is_a_calm_notice_and_goes_with_the_next_interval(lesson: Lesson) -> None:
    assert now.trouble_of(pulse(lesson.engine)) is None
    reason = "The reading gave no sign for 5 seconds in stage grab."
    lesson.recorder.say_condition(Condition.RESTARTING, reason, datetime.now(UTC))
    told = pulse(lesson.engine)
    assert (told["condition"], told["reason"]) == ("restarting", reason)
    notice = str(now.trouble_of(told))
    assert "The reading is starting again" in notice
    assert reason in notice
    assert health(lesson.engine)[0]["condition"] == "restarting"
    lesson.commit()
    assert now.trouble_of(pulse(lesson.engine)) is None
    assert health(lesson.engine)[0]["condition"] is None


def test_giving_up_is_said_with_what_to_do(lesson: Lesson) -> None:
    lesson.recorder.say_condition(Condition.STOPPED, "The agent failed 5 times.", datetime.now(UTC))
    notice = str(now.trouble_of(pulse(lesson.engine)))
    assert "given up" in notice
    assert "The agent failed 5 times." in notice
    assert "Ctrl-C" in notice


def test_a_pause_is_a_state_of_its_own(lesson: Lesson) -> None:
    pause(lesson.engine, lesson.session_id, paused=True)
    told = pulse(lesson.engine)
    assert told["paused"]
    assert "Paused" in str(now.trouble_of(told))
    assert health(lesson.engine)[0]["paused"]
    pause(lesson.engine, lesson.session_id, paused=False)
    assert now.trouble_of(pulse(lesson.engine)) is None

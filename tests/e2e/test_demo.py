"""The demo as a new user starts it."""

import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from storage import queries
from storage.database import open_database
from tests.e2e.conftest import Home, last_interval

pytestmark = pytest.mark.timeout(600)


def test_the_demo_shows_a_class_and_ends_cleanly(home: Home, browser: Any) -> None:
    """Started in a folder with a module named as one of ours, which must not be imported by page or agent."""
    from playwright.sync_api import expect

    trap = home.folder / "storage.py"
    trap.write_text("import pathlib\npathlib.Path(__file__).with_suffix('.sprung').write_text('')\n")
    with home.serving("demo", "--seats", "12", "--interval", "1") as (address, process):
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(address)
        expect(page.get_by_text(re.compile(r"of 12"))).not_to_have_count(0, timeout=180_000)
        page.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not trap.with_suffix(".sprung").exists()
    engine = open_database(home.database)
    session = queries.find_session(engine, "Demo")
    kept = queries.intervals_since(engine, session.id)
    engine.dispose()
    assert session.ended_at is not None
    assert session.mode == "individual"
    assert set(kept["tiles"]) == {12}
    assert kept["faces"].min() >= 9


def test_the_demo_ends_by_itself_when_its_time_is_up(home: Home) -> None:
    result = home.run("demo", "--seats", "4", "--seconds", "10", "--no-browser", "--port", "0")
    assert result.returncode == 0, result.stderr
    assert "restarting" not in result.stderr
    assert "Fatal" not in result.stderr
    assert "intervals kept" in result.stderr


def test_a_second_agent_on_a_session_is_refused_and_a_term_signal_closes_it(
    home: Home, tmp_path: Path
) -> None:
    engine = open_database(home.database)
    with home.watching("--source", "demo:4", "--session", "Physics", "--interval", "1") as process:
        for _ in range(240):
            if (tmp_path / "class.db").exists() and has_interval(engine):
                break
            threading.Event().wait(0.5)
        second = home.run("watch", "--source", "demo:4", "--session", "Physics", "--seconds", "5")
        assert second.returncode == 1
        assert "Physics" in second.stderr
        assert str(process.pid) in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    session = queries.find_session(engine, "Physics")
    assert session.ended_at is not None
    engine.dispose()


def has_interval(engine: Any) -> bool:
    from engagement.errors import ClasspulseError

    try:
        return last_interval(engine) is not None
    except ClasspulseError:  # the agent is only making the tables
        return False

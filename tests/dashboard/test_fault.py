"""What a page says when a question to the server goes wrong."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_answers import ask, ask_whole
from sqlalchemy import Engine, text

from dashboard.app import create_app
from dashboard.components.fault import Teller, words
from dashboard.pages import sessions
from engagement.errors import ClasspulseError
from storage.database import open_database
from storage.errors import StorageError
from storage.migrate import migrate


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Engine]:
    """A database whose sessions are gone."""
    engine = open_database(f"sqlite:///{tmp_path / 'class.db'}")
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE sessions RENAME TO gone"))
    yield engine
    engine.dispose()


def fill_sessions(engine: Engine) -> Any:
    outputs = [f"{sessions.GRID}.rowData", f"{sessions.EMPTY}.children", f"{sessions.GRID}.className"]
    return ask(
        engine,
        [*outputs, f"{sessions.GRID}.selectedRows"],
        {"shell-viewer.data": {}, f"{sessions.ERASED}.data": None},
        {},
    )


def test_the_sentence_of_the_database_reaches_the_page(broken: Engine) -> None:
    assert fill_sessions(broken) == {}


def test_the_banner_is_told_with_the_answer(broken: Engine) -> None:
    answer = ask_whole(
        broken,
        "running-state.data",
        {"id": "running-state", "property": "data"},
        {"running-beat-poll.data": 1, "running-stopped.data": None},
        {"running-state.data": None},
    )
    told = answer["sideUpdate"]["fault"]["data"]
    assert told["title"] == "The database cannot be read"
    assert "no such table" in told["text"]
    assert told["polled"] is True


def test_each_kind_of_error_has_its_words() -> None:
    assert words(StorageError("The file is damaged."))["text"] == "The file is damaged."
    assert words(ClasspulseError("No window."))["title"] == "That did not work"
    # the words of an exception that nobody wrote for a teacher stay in the log
    odd = words(KeyError("secret name"))
    assert "secret" not in odd["text"]
    assert "KeyError" in odd["text"]


@pytest.mark.logs_errors
def test_a_fault_that_stays_is_logged_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.components.fault.set_props", lambda *_: None)
    monkeypatch.setattr("dashboard.components.fault.ctx", type("Asked", (), {"triggered_id": "now-poll"}))
    now = 1000.0
    monkeypatch.setattr("dashboard.components.fault.time.monotonic", lambda: now)
    teller = Teller()
    for _ in range(5):
        teller(StorageError("The file is damaged."))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    now += 61
    teller(StorageError("The file is damaged."))
    teller(ZeroDivisionError())
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2 + [logging.ERROR]
    assert caplog.records[-1].exc_info


def test_a_report_that_cannot_be_made_is_said_so(broken: Engine) -> None:
    answer = (
        create_app(broken).server.test_client().get("/sessions/1/report.csv", headers={"Host": "localhost"})
    )
    assert answer.status_code == 503
    assert answer.mimetype == "text/plain"
    assert b"no such table" in answer.data

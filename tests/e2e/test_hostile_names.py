"""What participants type is text on every page of a real browser: no dialog, no request off the host, nothing run."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, update

from dashboard.app import DashboardSettings, PageServer
from storage import queries, students
from storage.database import open_database, writing
from storage.migrate import migrate
from storage.schema import EpisodeTable, HeartbeatTable, SessionTable
from tests.e2e.test_pages import SLOW, tab
from tests.trust.hostile_class import CLASS, FRAMES, NOTE, read_class

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, int]]:
    """The class of hostile names as one that is read now, everybody of it gone for some minutes."""
    engine = open_database(f"sqlite:///{tmp_path / 'class.db'}")
    migrate(engine)
    now = datetime.now(UTC)
    session_id = read_class(engine, monkeypatch, now - timedelta(seconds=20 * FRAMES))
    with writing(engine) as connection:
        connection.execute(update(SessionTable).values(ended_at=None, agent_pid=os.getpid()))
        connection.execute(update(EpisodeTable).values(ended_at=None))
        connection.execute(update(HeartbeatTable).values(at=now, committed_at=now))
    yield engine, session_id
    engine.dispose()


def test_every_page_shows_what_was_typed_as_text(running: tuple[Engine, int], browser: Any) -> None:
    engine, session_id = running
    names = [str(name) for name in queries.seats(engine, session_id)["name"]]
    roll = students.read_class_list(engine, CLASS)
    assert roll is not None
    listed = [student.name for student in roll.students]
    settings = DashboardSettings(poll_seconds=0.5)
    with PageServer(engine, settings=settings) as server, tab(browser, server) as page:

        def nothing_ran() -> None:
            assert page.evaluate("window.hacked") is None
            assert (
                page.evaluate("document.querySelectorAll('img[src=x], iframe, b[onmouseover]').length") == 0
            )
            links = page.evaluate("[...document.querySelectorAll('[href]')].map((one) => one.href)")
            assert not [link for link in links if not link.startswith((server.url, "data:", "blob:"))]

        # Now: the list of who needs a look names them
        for name in names:
            expect(page.get_by_text(name, exact=True).first).to_be_attached(timeout=SLOW)
        nothing_ran()
        for path in ("/sessions", "/trends", "/settings", "/about", "/start"):
            page.goto(server.url + path)
            expect(page.locator("h1").first).to_be_visible(timeout=SLOW)
            if path == "/sessions":
                expect(page.get_by_role("link", name=CLASS, exact=True)).to_be_visible(timeout=SLOW)
            nothing_ran()
        page.goto(f"{server.url}/sessions/{session_id}")
        expect(page.get_by_role("heading", name=CLASS)).to_be_visible(timeout=SLOW)
        expect(page.get_by_text(NOTE).first).to_be_attached(timeout=SLOW)
        for name in names:
            expect(page.get_by_text(name, exact=True).first).to_be_attached(timeout=SLOW)
        nothing_ran()
        page.goto(f"{server.url}/students")
        for name in listed:
            expect(page.get_by_text(name, exact=True).first).to_be_attached(timeout=SLOW)
        nothing_ran()

"""The page Sessions in a real browser: choose, save, erase."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from seed import HOSTILE, NAMES, seed

from dashboard.app import PageServer
from storage import queries
from tests.e2e.test_pages import SLOW, tab


@pytest.fixture
def served(engine: Engine) -> Iterator[PageServer]:
    with PageServer(engine) as server:
        yield server


def test_a_session_is_chosen_saved_and_erased_after_asking(
    engine: Engine, served: PageServer, browser: Any
) -> None:
    ended = datetime.now(UTC) - timedelta(hours=2)
    seed(engine, minutes=3, interval=10, names=NAMES[:6], name=HOSTILE[0], end=ended).close()
    seed(engine, minutes=3, interval=10, names=NAMES[:6], name="Runs still")
    with tab(browser, served, "/sessions") as page:
        expect(page.get_by_role("link", name=HOSTILE[0])).to_be_visible(timeout=SLOW)
        expect(page.get_by_role("button", name="Erase…")).to_be_hidden()
        # by keyboard: into the grid, down to the second row, chosen with the space bar
        page.locator(".ag-row[row-index='0'] .ag-cell[col-id='length']").click()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        expect(page.get_by_role("group", name="The chosen session")).to_contain_text(HOSTILE[0], timeout=SLOW)
        with page.expect_download() as loading:
            page.get_by_role("link", name="CSV").click()
        assert loading.value.suggested_filename == "classpulse-session-1.csv"

        page.get_by_role("button", name="Erase…").click()
        expect(page.get_by_role("dialog")).to_contain_text(HOSTILE[0], timeout=SLOW)
        page.get_by_role("button", name="Keep it", exact=True).click()
        expect(page.get_by_role("dialog")).to_be_hidden(timeout=SLOW)
        assert len(queries.sessions(engine)) == 2

        page.get_by_role("button", name="Erase…").click()
        page.get_by_role("button", name="Erase for good").click()
        expect(page.get_by_text(f"Erased: {HOSTILE[0]}")).to_be_visible(timeout=SLOW)
        expect(page.get_by_role("link", name=HOSTILE[0])).to_have_count(0, timeout=SLOW)
        expect(page.get_by_role("button", name="Erase…")).to_be_hidden()
        assert queries.sessions(engine)["name"].tolist() == ["Runs still"]

        # one that runs is not erased, and why is said
        page.locator(".ag-row .ag-cell[col-id='length']").click()
        page.get_by_role("button", name="Erase…").click()
        page.get_by_role("button", name="Erase for good").click()
        expect(page.get_by_role("status").filter(has_text="still open")).to_be_visible(timeout=SLOW)
        assert len(queries.sessions(engine)) == 1


def test_without_sessions_the_page_says_what_will_stand_here(
    engine: Engine, served: PageServer, browser: Any
) -> None:
    with tab(browser, served, "/sessions") as page:
        expect(page.get_by_role("heading", name="No session yet")).to_be_visible(timeout=SLOW)
        expect(page.locator("h1:visible")).to_have_count(1)


def test_sessions_are_found_by_what_their_row_shows(engine: Engine, served: PageServer, browser: Any) -> None:
    now = datetime.now(UTC)
    for minutes, name in ((3, "Algebra"), (5, "Biology")):
        seed(engine, minutes=minutes, interval=10, names=NAMES[:6], name=name, end=now).close()
    with tab(browser, served, "/sessions") as page:
        algebra, biology = (page.get_by_role("link", name=name) for name in ("Algebra", "Biology"))
        expect(algebra).to_be_visible(timeout=SLOW)
        page.get_by_label("Search sessions").fill("algebra min")
        expect(biology).to_have_count(0, timeout=SLOW)
        expect(algebra).to_be_visible()
        # the seconds by which they are sorted stand nowhere
        page.get_by_label("Search sessions").fill("180")
        expect(algebra).to_have_count(0, timeout=SLOW)

"""axe-core on every page that the navigation leads to, in both themes."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from seed import seed

from dashboard.app import DashboardSettings, PageServer
from engagement.records import NotObservedReason
from storage.database import open_database
from storage.migrate import migrate
from tests.e2e.test_pages import SLOW, tab

# what axe calls best practice is left to judgement; the WCAG rules are not
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_database(f"sqlite:///{tmp_path / 'class.db'}")
    migrate(made)
    yield made
    made.dispose()


@pytest.fixture
def served(engine: Engine) -> Iterator[PageServer]:
    with PageServer(engine, settings=DashboardSettings(poll_seconds=1)) as server:
        yield server


def faults(page: Any) -> list[str]:
    """What axe finds, one line per element."""
    # colours fade in, and a colour on its way is no colour
    page.wait_for_timeout(500)
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_clean(engine: Engine, served: PageServer, browser: Any, scheme: str) -> None:
    seed(engine, minutes=4, interval=20, end=datetime.now(UTC) - timedelta(hours=1)).close()
    lesson = seed(engine, minutes=8, interval=20)
    with tab(browser, served, color_scheme=scheme) as page:
        expect(page.locator(".cp-look").first).to_be_visible(timeout=SLOW)
        expect(page.locator(".cp-notes li").first).to_be_visible(timeout=SLOW)
        wrong = {"/": faults(page)}
        links = page.get_by_role("navigation", name="Pages").get_by_role("link")
        paths = [link.get_attribute("href") for link in links.all()]
        assert len(paths) >= 3
        for path in [*paths[1:], "/sessions/1", "/nowhere"]:
            page.goto(served.url + path)
            expect(page.locator("h1:visible").first).to_be_visible(timeout=SLOW)
            page.wait_for_load_state("networkidle" if path == "/sessions/1" else "load")
            wrong[path] = faults(page)
        lesson.commit(NotObservedReason.COVERED)
        page.goto(served.url)
        expect(page.locator(".cp-notice")).to_be_visible(timeout=SLOW)
        wrong["covered"] = faults(page)
        lesson.close()
        expect(page.get_by_role("heading", name="No class is running")).to_be_visible(timeout=SLOW)
        wrong["empty"] = faults(page)
    assert not {path: found for path, found in wrong.items() if found}

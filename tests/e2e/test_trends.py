"""The page Trends in a real browser."""

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
from engagement.records import Mode
from tests.e2e.conftest import fits_a_phone
from tests.e2e.test_pages import SLOW, tab

NAMES_OF = """(part) => {
    const plot = document.querySelector(part + " .js-plotly-plot");
    return plot && plot.data ? plot.data.map((one) => one.name) : [];
}"""


@pytest.fixture
def served(engine: Engine) -> Iterator[PageServer]:
    with PageServer(engine) as server:
        yield server


def lessons(engine: Engine, days: int, **options: Any) -> None:
    for day in range(days, 0, -1):
        end = datetime.now(UTC) - timedelta(days=day)
        seed(engine, minutes=12, interval=20, end=end, **{"names": NAMES[:8], "seed": day, **options}).close()


def wait_for(page: Any, part: str, names: list[str]) -> None:
    page.wait_for_function(
        f"([part, names]) => names.every((name) => ({NAMES_OF})(part).includes(name))", arg=[part, names]
    )


def test_a_class_over_its_sessions_and_a_lesson_against_those_before(
    engine: Engine, served: PageServer, browser: Any
) -> None:
    lessons(engine, 5, name=HOSTILE[0])
    lessons(engine, 3, name="Chemistry", mode=Mode.PARTICIPATION)
    with tab(browser, served, "/trends?class=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E") as page:
        expect(page.get_by_text("5 sessions from")).to_be_visible(timeout=SLOW)
        wait_for(page, "#trends-course", ["Read", "Facing", "Mood"])
        wait_for(page, "#trends-against", ["Earlier ones", "This lesson", "Read"])
        expect(page.get_by_text("of 4 earlier sessions.").first).to_be_visible()
        page.get_by_label("What is compared").get_by_text("Read", exact=True).click()
        expect(page.get_by_text("the share of the seats read").first).to_be_visible(timeout=SLOW)
        # the oldest has nothing before it
        page.locator("#trends-lesson").click()
        page.get_by_role("option").last.click()
        expect(page.get_by_text("No earlier session of this class")).to_be_visible(timeout=SLOW)
        page.locator("#trends-class").click()
        page.get_by_role("option", name="Chemistry").click()
        expect(page.get_by_text("3 sessions from")).to_be_visible(timeout=SLOW)
        wait_for(page, "#trends-course", ["Read", "Facing"])
        assert "Mood" not in page.evaluate(NAMES_OF, "#trends-course")
        expect(page.get_by_label("What is compared").get_by_text("Mood")).to_have_count(0)
        page.get_by_role("row").nth(1).get_by_role("link").click()
        expect(page.get_by_role("heading", name="Method and limits")).to_be_visible(timeout=SLOW)


def test_trends_begin_with_the_second_session(engine: Engine, served: PageServer, browser: Any) -> None:
    with tab(browser, served, "/trends") as page:
        expect(page.get_by_role("heading", name="No session yet")).to_be_visible(timeout=SLOW)
        lessons(engine, 1)
        page.reload()
        expect(page.get_by_role("heading", name="One session so far")).to_be_visible(timeout=SLOW)
        expect(page.get_by_role("link", name="Read its report")).to_be_visible()
        lessons(engine, 1)
        page.reload()
        expect(page.get_by_text("2 sessions on")).to_be_visible(timeout=SLOW)
        page.set_viewport_size({"width": 390, "height": 844})
        wait_for(page, "#trends-course", ["Mood"])
        fits_a_phone(page)

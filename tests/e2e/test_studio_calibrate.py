"""A seat is calibrated in a real browser, while its student sits before the camera."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from hands import Hands
from sitting import FIGURES, Sitting

from dashboard.app import DashboardSettings, PageServer
from dashboard.pages import studio_calibrate
from engagement.emotion import EXPRESSIONS
from storage import students
from tests.e2e.conftest import fits_a_phone
from tests.e2e.test_accessibility import faults
from tests.e2e.test_pages import SLOW, tab


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_student_is_calibrated_and_read_as_everybody_again(
    engine: Engine, browser: Any, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    # a minute is long for a test
    monkeypatch.setattr(studio_calibrate, "SECONDS", dict.fromkeys(EXPRESSIONS, 3))
    ada = students.add_student(engine, "Physics", "Ada Okafor")
    sitting = Sitting(engine, ada)
    sitting.show("neutral", 1, datetime.now(UTC) - timedelta(minutes=1))
    settings = DashboardSettings(controls=Hands(), accuracy=FIGURES)
    with (
        PageServer(engine, settings=settings) as served,
        tab(browser, served, "/studio", color_scheme=scheme) as page,
    ):
        section = page.get_by_role("region", name="Calibrate a seat")
        section.get_by_role("button", name="Begin").click()
        expect(section.get_by_role("status")).to_have_text("Choose a seat first.", timeout=SLOW)
        section.get_by_role("textbox", name="Seat").click()
        page.get_by_role("option", name="Ada Okafor").click()
        for word, expression, looks in (("Neutral", "neutral", 20), ("Happy", "happy", 6), ("Sad", "sad", 6)):
            section.get_by_role("textbox", name="Expression that is shown").click()
            page.get_by_role("option", name=f"{word}, 3 s").click()
            section.get_by_role("button", name="Begin").click()
            expect(section.get_by_role("status")).to_have_text(
                f"Ada Okafor shows {expression} now.", timeout=SLOW
            )
            sitting.show(expression, looks)  # type: ignore[arg-type]
            expect(section.get_by_role("progressbar")).to_be_visible(timeout=SLOW)
            if expression == "happy":
                assert not faults(page)
            expect(section.get_by_role("listitem").filter(has_text=f"{word}: {looks} looks")).to_be_visible(
                timeout=SLOW
            )
        # an answer that was under way when the state became another one changes nothing
        assert page.evaluate(
            """() => [
                [{ begun: 1 }, { begun: null }], [{ begun: 1 }, { begun: 1 }], [null, undefined],
            ].map(([before, state]) =>
                dash_clientside.classpulseStudio.ended({ before: before, state: 7, said: "" }, state)[0] === 7)"""
        ) == [False, True, True]
        section.get_by_role("button", name="Work it out").click()
        expect(section.get_by_text("It helps: Ada Okafor is read better with it.")).to_be_visible(
            timeout=SLOW
        )
        assert not faults(page)
        fits_a_phone(page)
        section.get_by_role("button", name="Keep it").click()
        expect(section.get_by_role("listitem").filter(has_text="Ada Okafor, Physics")).to_be_visible(
            timeout=SLOW
        )
        assert students.read_student(engine, ada).bias is not None
        section.get_by_role("button", name="Remove the calibration of Ada Okafor").click()
        expect(section.get_by_role("status")).to_contain_text("read as everybody else again", timeout=SLOW)
        expect(section.get_by_role("button", name="Remove the calibration")).to_have_count(0, timeout=SLOW)
        assert students.read_student(engine, ada).bias is None

"""The first start in the browser: where the class is, is asked once and decides which modes can be pressed."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from capture.classroom import Classroom
from storage.audit import AuditAction, audit_entries
from storage.database import open_database
from tests.e2e.conftest import Home
from tests.e2e.test_start_page import NO_DISPLAY, SLOW, choose, tab

pytestmark = pytest.mark.timeout(900)

MORE = ("Aggregate", "Individual")


def untold(home: Home) -> Path:
    """Let nothing be said yet; the settings file that will be written."""
    for name in [name for name in home.environment if name.startswith("CLASSPULSE_SESSION__")]:
        del home.environment[name]
    file = home.folder / "classpulse.toml"
    file.touch()
    home.environment["CLASSPULSE_SETTINGS"] = str(file)
    return file


def answer(page: Any, where: str, institution: str) -> None:
    page.get_by_role("radio", name=where).check()
    page.locator("#place-institution").click()
    page.get_by_role("option", name=institution).click()
    page.get_by_role("button", name="Keep this answer").click()


def test_the_place_is_asked_once_and_decides_what_can_be_chosen(
    home: Home, browser: Any, tmp_path: Path
) -> None:
    file, picture = untold(home), tmp_path / "gallery.png"
    with Classroom(seats=6, width=960, height=540) as classroom:
        Image.fromarray(classroom.draw(3.0)).save(picture)
    with home.serving("start", **NO_DISPLAY) as (address, _process):
        with tab(browser, f"{address}/start") as page:
            choose(page, "A recording or pictures")
            page.get_by_label("Path of a video").fill(str(picture))
            page.get_by_role("textbox", name="Name").fill("Physics 9b")
            for mode in MORE:
                expect(page.get_by_role("radio", name=mode)).to_be_disabled(timeout=SLOW)
            page.get_by_role("button", name="Start", exact=True).click()
            expect(page.locator("#start-answer")).to_contain_text(
                "Say first where the class is", timeout=SLOW
            )
            page.get_by_role("button", name="Keep this answer").click()
            expect(page.locator("#place-answer")).to_contain_text("Answer both", timeout=SLOW)

            answer(page, "In the EU or the EEA", "A school")
            line = page.locator("#place-line")
            expect(line).to_have_text("In the EU or the EEA, a school: participation only.", timeout=SLOW)
            for mode in MORE:
                expect(page.get_by_role("radio", name=mode)).to_be_disabled()
            assert tomllib.loads(file.read_text())["session"] == {"place": "eu", "institution": "school"}

            page.get_by_role("button", name="Change").click()
            answer(page, "Elsewhere", "A school")
            expect(line).to_contain_text("every mode may be chosen", timeout=SLOW)
            expect(page.get_by_role("radio", name="Individual")).to_be_enabled(timeout=SLOW)
            page.get_by_role("radio", name="Individual").check()
            page.get_by_role("button", name="Start", exact=True).click()
            expect(page.locator("#start-answer")).to_contain_text("told and agreed", timeout=SLOW)
            page.get_by_label("The class was told and agreed").check(force=True)
            # what is no longer allowed is let go of by itself
            page.get_by_role("button", name="Change").click()
            page.get_by_role("radio", name="Rather not say").check()
            page.get_by_role("button", name="Keep this answer").click()
            expect(line).to_contain_text("participation only", timeout=SLOW)
            expect(page.get_by_role("radio", name="Participation")).to_be_checked(timeout=SLOW)
            # people who are made up may be read in every mode
            choose(page, "The demo")
            expect(page.get_by_role("radio", name="Individual")).to_be_enabled(timeout=SLOW)
            choose(page, "A recording or pictures")
            expect(page.get_by_role("radio", name="Individual")).to_be_disabled(timeout=SLOW)
            page.get_by_role("button", name="Start", exact=True).click()
            expect(page.locator("#start-panel")).to_contain_text("Physics 9b", timeout=SLOW)
        with tab(browser, f"{address}/start") as page:
            # asked once
            expect(page.locator("#place-line")).to_contain_text("Rather not say, a school", timeout=SLOW)
            expect(page.locator("#place-questions")).to_be_hidden()
    engine = open_database(home.database)
    told = [
        entry.detail["place"] for entry in audit_entries(engine) if entry.action is AuditAction.PLACE_TOLD
    ]
    assert told == ["unsaid", "elsewhere", "eu"]
    engine.dispose()

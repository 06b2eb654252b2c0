"""A class that is started, paused and stopped in the browser, as a teacher does it before and after a lesson."""

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from hands import Hands

from dashboard.app import DashboardSettings, PageServer
from dashboard.controls import Choice, Choices, SourceKind
from storage import queries
from storage.database import open_database
from tests.capture.synthetic_gallery import Look, compose_gallery
from tests.e2e.conftest import Home, Pictures, fits_a_phone
from tests.x11 import X11Window

pytestmark = pytest.mark.timeout(900)

SLOW = 120_000
"""Milliseconds that a step may take on a machine that does something else as well."""

NO_DISPLAY = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "XDG_SESSION_TYPE": ""}


@contextmanager
def tab(browser: Any, address: str) -> Iterator[Any]:
    """A page without an error in its console."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(SLOW)
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    try:
        yield page
    finally:
        page.close()
    assert not wrong, wrong


def choose(page: Any, source: str) -> None:
    page.get_by_role("combobox", name="What is read").or_(page.locator("#start-source")).first.click()
    page.get_by_role("option", name=source).click()


def intervals(home: Home) -> Any:
    """Those of the newest session."""
    engine = open_database(home.database)
    try:
        return queries.intervals_since(engine, queries.find_session(engine, "last").id)
    finally:
        engine.dispose()


def test_the_demo_is_started_paused_and_stopped_from_the_page(
    home: Home, browser: Any, tmp_path: Path
) -> None:
    with home.serving("start", **NO_DISPLAY) as (address, _process), tab(browser, f"{address}/start") as page:
        # what is missing is said, with what to do, and nothing is started
        expect(page.locator("#start-problem")).to_contain_text("DISPLAY is not set", timeout=SLOW)
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator("#start-answer")).to_contain_text("Choose what is read", timeout=SLOW)
        choose(page, "A recording or pictures")
        page.get_by_label("Path of a video").fill(str(tmp_path / "lesson.mp4"))
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator("#start-answer")).to_contain_text("There is no file or folder", timeout=SLOW)

        choose(page, "The demo")
        # the sentence that a teacher wants to see before class
        expect(page.locator("#start-counts")).to_have_text(re.compile(r"^27 tiles, 2\d faces$"), timeout=SLOW)
        expect(page.locator("#start-picture img")).to_be_visible()
        fits_a_phone(page)
        page.set_viewport_size({"width": 1280, "height": 720})

        page.get_by_role("textbox", name="Name").fill("Physics 9b")
        page.get_by_role("radio", name="Individual").check()
        page.get_by_role("textbox", name="One look every").fill("1")
        page.get_by_role("button", name="Start", exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.locator("#start-panel")).to_contain_text("Physics 9b", timeout=SLOW)
        # it shows the class by itself, as soon as there is something to see
        page.wait_for_url(f"{address}/")
        expect(page.locator(".cp-tile-big", has_text="of 27")).to_be_visible(timeout=SLOW)

        page.goto(f"{address}/start")
        expect(page.get_by_role("heading", level=1)).to_have_text("Physics 9b", timeout=SLOW)
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_hidden()
        page.locator("#start-pause").click()
        expect(page.locator("#start-panel")).to_contain_text("is paused", timeout=SLOW)
        expect(page.locator("#running-age")).to_have_text("paused", timeout=SLOW)
        for _ in range(240):
            if "paused" in set(intervals(home)["not_observed"]):
                break
            page.wait_for_timeout(500)
        page.locator("#start-pause").click()
        expect(page.locator("#running-age")).to_have_text(re.compile(r"\d+ s ago"), timeout=SLOW)

        # the last frame is shown only where it is asked for, from memory
        expect(page.locator(".cp-view-picture")).to_have_count(0)
        expect(page.locator("#start-view-section")).to_be_visible(timeout=SLOW)
        page.get_by_label("Show it").check(force=True)
        expect(page.locator(".cp-view-picture img")).to_be_visible(timeout=SLOW)
        expect(page.locator(".cp-view-tile")).to_have_count(27, timeout=SLOW)
        expect(page.locator(".cp-view-face").first).to_be_visible()

        # a stop asks once: who says no goes on
        page.goto(f"{address}/about")
        stop = page.locator("#running-stop")
        stop.click()
        page.get_by_role("button", name="Go on reading").click()
        expect(page.get_by_role("dialog")).to_have_count(0, timeout=SLOW)
        stop.click()
        page.get_by_role("dialog").get_by_role("button", name="Stop", exact=True).click()
        expect(page.locator("#running-chip")).to_contain_text("has ended", timeout=SLOW)
        page.get_by_role("link", name="Its report").click()
        expect(page.get_by_role("heading", name="Physics 9b")).to_be_visible(timeout=SLOW)
        page.goto(f"{address}/start")
        # the next one begins with what was
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible(timeout=SLOW)
    engine = open_database(home.database)
    session = queries.find_session(engine, "Physics 9b")
    engine.dispose()
    assert (session.mode, session.interval) == ("individual", 1.0)
    assert session.ended_at is not None
    assert session.interrupted_at is None
    assert "paused" in set(intervals(home)["not_observed"])
    # no picture of the class is left anywhere
    kept = {file: file.read_bytes() for file in home.folder.rglob("*") if file.is_file()}
    assert kept
    assert not [file for file, data in kept.items() if b"\x89PNG" in data or b"JFIF" in data]


def test_a_meeting_that_is_opened_appears_and_starts_with_one_press(
    xvfb: str, home: Home, browser: Any, face_pictures: Callable[[int, int], Pictures]
) -> None:
    """The class is named at the terminal; there is no window yet, which is no reason to fail."""
    gallery = compose_gallery([*face_pictures(9, 4), None, None], look=Look(size=(1280, 720), gap=6))
    arguments = ("start", "--session", "Physics")
    with (
        home.serving(*arguments, DISPLAY=xvfb) as (address, _process),
        tab(browser, f"{address}/start") as page,
    ):
        expect(page.locator("#start-panel")).to_contain_text("No window was found", timeout=SLOW)
        expect(page.locator("#start-problem")).to_contain_text("gallery view", timeout=SLOW)
        with X11Window(xvfb, "Zoom Meeting", gallery.image, x=410, y=230) as window:
            expect(page.locator("#start-counts")).to_have_text("11 tiles, 9 faces", timeout=SLOW)
            expect(page.get_by_role("textbox", name="Name")).to_have_value("Physics")
            page.get_by_role("button", name="Start", exact=True).click()
            page.wait_for_url(f"{address}/")
            expect(page.locator(".cp-tile-big", has_text="of 11")).to_be_visible(timeout=SLOW)
            window.show(gallery.image)
    engine = open_database(home.database)
    session = queries.find_session(engine, "Physics")
    kept = queries.intervals_since(engine, session.id)
    engine.dispose()
    assert session.mode == "participation"
    assert session.source.startswith("window")
    assert kept["tiles"].iloc[0] == 11


class Slow(Hands):
    """Controls that take their time to list what is on the screen, though less than from one question to the next."""

    def choices(self) -> Choices:
        time.sleep(0.5)
        return super().choices()


QUICK = """() => {
    const wait = setInterval(() => {
        if (!document.querySelector("#start-source") || !window.dash_clientside.set_props) return;
        clearInterval(wait);
        window.dash_clientside.set_props("start-source", { value: "demo" });
    }, 20);
}"""
"""A teacher who knows what they want before the page knows what is there."""


@pytest.mark.parametrize("found", [(), (Choice("window", SourceKind.MEETING, "Zoom Meeting", "1280 x 720"),)])
def test_what_was_chosen_while_the_screen_was_looked_at_stays_chosen(
    engine: Engine, browser: Any, found: tuple[Choice, ...]
) -> None:
    settings = DashboardSettings(controls=Slow(choices=Choices(found)))
    with PageServer(engine, settings=settings) as served, tab(browser, f"{served.url}/about") as page:
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=SLOW)
        page.evaluate(QUICK)
        page.get_by_role("link", name="Start").click()
        page.wait_for_timeout(4000)
        expect(page.locator("#start-source")).to_have_value("The demo: a made-up class")

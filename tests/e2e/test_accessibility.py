"""axe-core on every page in its states, in both themes, and a walk through every control by keyboard."""

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from hands import Hands
from seed import seed

from classpulse.settings import Settings
from classpulse.settings_editor import SettingsEditor
from dashboard.app import DashboardSettings, PageServer
from dashboard.controls import (
    Choice,
    Choices,
    Controls,
    Findings,
    Line,
    Phase,
    RunStatus,
    SourceKind,
    Told,
    View,
    ViewTile,
)
from engagement.place import Institution, Place
from engagement.records import Mode, NotObservedReason
from models.registry import read_figures
from tests.e2e.test_pages import SLOW, rename_sessions, tab

# what axe calls best practice is left to judgement; the WCAG rules are not
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}

PAGES = (
    "/",
    "/start",
    "/sessions",
    "/sessions/1",
    "/trends",
    "/students",
    "/studio",
    "/settings",
    "/about",
    "/nowhere",
)
SCHEMES = ("light", "dark")


def image_bytes(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 36), (120, 130, 140)).save(file, kind)
    return file.getvalue()


FOUND = Findings(
    number=1,
    source="window",
    lines=(
        Line("window", "ok", "Zoom Meeting, 1280 x 720", ""),
        Line("names", "warn", "5 of 24 read", "Let the meeting show names."),
        Line("faces", "fail", "3 of 24 cameras show one", "Make the window larger."),
    ),
    picture=image_bytes("PNG"),
    tiles=27,
    faces=24,
)
SCREEN = Choices(
    (
        Choice("window", SourceKind.MEETING, "Zoom Meeting", "1280 x 720"),
        Choice("monitor:1", SourceKind.MONITOR, "Screen 1", "1920 x 1080 at 0,0"),
    )
)


def idle() -> Hands:
    """A computer with a meeting on it, elsewhere than in the EU."""
    return Hands(choices=SCREEN, findings=FOUND, told=Told(Place.ELSEWHERE, Institution.UNIVERSITY))


def reading() -> Hands:
    """A class that is read, with a frame to show."""
    tiles = tuple(
        ViewTile((left, 0.1, 0.4, 0.4), (left + 0.1, 0.15, 0.1, 0.2), name, "seen", None)
        for left, name in ((0.05, "Ada Okafor"), (0.55, "Ben Carver"))
    )
    frame = View(time.time() + 600, image_bytes("JPEG"), 64, 36, tiles)
    return Hands(RunStatus(Phase.RUNNING, "Algebra 9b"), view=frame)


@pytest.fixture
def serve(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Serves the pages with everything that `classpulse start` gives them."""
    monkeypatch.setenv("CLASSPULSE_SETTINGS", str(tmp_path / "classpulse.toml"))

    @contextmanager
    def make(controls: Controls) -> Iterator[PageServer]:
        settings = DashboardSettings(
            poll_seconds=1,
            controls=controls,
            book=SettingsEditor(Settings()),
            accuracy=read_figures("expression"),
        )
        with PageServer(engine, settings=settings) as server:
            yield server

    return make


def faults(page: Any) -> list[str]:
    """What axe finds, one line per element."""
    # colours fade in, and a colour on its way is no colour
    page.wait_for_timeout(500)
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


def opened(page: Any, address: str) -> None:
    page.goto(address)
    expect(page.locator("h1:visible").first).to_be_visible(timeout=SLOW)
    page.wait_for_timeout(300)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_every_page_is_clean(
    engine: Engine, serve: Callable[..., Any], browser: Any, scheme: str, width: int
) -> None:
    for days in (2, 1):
        seed(engine, minutes=4, interval=20, end=datetime.now(UTC) - timedelta(days=days)).close()
    seed(engine, minutes=8, interval=20)
    wrong: dict[str, list[str]] = {}
    with serve(reading()) as served, tab(browser, served, color_scheme=scheme) as page:
        expect(page.locator(".cp-look").first).to_be_visible(timeout=SLOW)
        expect(page.locator(".cp-notes li").first).to_be_visible(timeout=SLOW)
        links = page.get_by_role("navigation", name="Pages").get_by_role("link")
        assert {link.get_attribute("href") for link in links.all()} <= set(PAGES)
        page.set_viewport_size({"width": width, "height": 800})
        for path in PAGES:
            opened(page, served.url + path)
            wrong[path] = faults(page)
    assert not {path: found for path, found in wrong.items() if found}


INSIDE = """() => {
    const header = document.querySelector(".cp-header"), room = header.getBoundingClientRect();
    const boxes = [...header.children]
        .flatMap((part) => (part.matches(".cp-nav, .cp-running") ? [...part.children] : part))
        .map((part) => [part.textContent || part.id, part.getBoundingClientRect()])
        .filter(([, at]) => at.width);
    const out = boxes.filter(([, at]) => at.left < 0 || at.right > innerWidth || at.top < room.top
        || at.bottom > room.bottom);
    const over = boxes.filter(([, one], n) => boxes.slice(n + 1).some(([, other]) => one.left < other.right - 1
        && other.left < one.right - 1 && one.top < other.bottom - 1 && other.top < one.bottom - 1));
    return [...out, ...over].map(([name]) => name);
}"""
"""What of the bar on top lies outside of it, or over something else."""


def test_the_bar_of_every_page_is_whole_at_every_width(
    engine: Engine, serve: Callable[..., Any], browser: Any
) -> None:
    seed(engine, minutes=2, interval=20)
    with serve(reading()) as served, tab(browser, served) as page:
        expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=SLOW)
        wrong = {}
        for width in (768, 800, 960, 1024, 1100, 1200, 1280, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(150)
            wrong[width] = page.evaluate(INSIDE)
        assert not {width: found for width, found in wrong.items() if found}
        for name in ("Sessions", "Try it"):
            page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
            expect(page).to_have_title(f"{name} · classpulse", timeout=SLOW)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_class_that_is_not_observed_and_none_at_all_are_clean(
    engine: Engine, serve: Callable[..., Any], browser: Any, scheme: str
) -> None:
    lesson = seed(engine, minutes=8, interval=20)
    wrong: dict[str, list[str]] = {}
    with serve(reading()) as served, tab(browser, served, color_scheme=scheme) as page:
        lesson.commit(NotObservedReason.COVERED)
        page.goto(served.url)
        expect(page.locator(".cp-notice")).to_be_visible(timeout=SLOW)
        wrong["covered"] = faults(page)
        lesson.close()
        expect(page.get_by_role("heading", name="No class is running")).to_be_visible(timeout=SLOW)
        wrong["no class"] = faults(page)
    assert not {path: found for path, found in wrong.items() if found}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_pages_with_nothing_on_them_are_clean(serve: Callable[..., Any], browser: Any, scheme: str) -> None:
    wrong: dict[str, list[str]] = {}
    with serve(Hands()) as served, tab(browser, served, color_scheme=scheme) as page:
        for path in PAGES:
            opened(page, served.url + path)
            wrong[path] = faults(page)
    assert not {path: found for path, found in wrong.items() if found}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_opens_on_a_page_is_clean(
    engine: Engine, serve: Callable[..., Any], browser: Any, scheme: str
) -> None:
    seed(engine, minutes=4, interval=20, end=datetime.now(UTC) - timedelta(days=1)).close()
    lesson = seed(engine, minutes=8, interval=20)
    wrong: dict[str, list[str]] = {}
    with serve(reading()) as served, tab(browser, served, color_scheme=scheme) as page:
        opened(page, served.url + "/start")
        expect(page.locator("#start-view-section")).to_be_visible(timeout=SLOW)
        page.get_by_label("Show it").check(force=True)
        expect(page.locator(".cp-view-picture img")).to_be_visible(timeout=SLOW)
        wrong["live view"] = faults(page)
        page.locator("#start-stop").click()
        expect(page.get_by_role("dialog")).to_be_visible(timeout=SLOW)
        wrong["stop?"] = faults(page)
        opened(page, served.url + "/sessions")
        page.get_by_role("checkbox").nth(1).check()
        page.get_by_role("button", name="Erase…").click()
        expect(page.get_by_role("dialog")).to_be_visible(timeout=SLOW)
        wrong["erase?"] = faults(page)
        lesson.last_commit_was(datetime.now(UTC) - timedelta(minutes=3))
        page.goto(served.url)
        expect(page.locator(".cp-stale-note")).to_be_visible(timeout=SLOW)
        wrong["stale"] = faults(page)
        rename_sessions(engine, "sessions", "elsewhere")
        opened(page, served.url + "/sessions")
        expect(page.get_by_text("The database cannot be read")).to_be_visible(timeout=SLOW)
        wrong["error"] = faults(page)
    assert not {state: found for state, found in wrong.items() if found}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("mode", [Mode.PARTICIPATION, Mode.AGGREGATE])
def test_other_modes_and_the_page_before_class_are_clean(
    engine: Engine, serve: Callable[..., Any], browser: Any, scheme: str, mode: Mode
) -> None:
    lesson = seed(engine, minutes=4, interval=20, mode=mode)
    wrong: dict[str, list[str]] = {}
    with serve(idle()) as served, tab(browser, served, color_scheme=scheme) as page:
        expect(page.locator(".cp-tile").first).to_be_visible(timeout=SLOW)
        wrong["now"] = faults(page)
        lesson.close()
        opened(page, served.url + "/sessions/1")
        wrong["report"] = faults(page)
        opened(page, served.url + "/start")
        expect(page.locator("#start-counts")).to_have_text("27 tiles, 24 faces", timeout=SLOW)
        page.get_by_text("What is fine").click()
        page.get_by_role("radio", name="Individual").check()
        expect(page.get_by_label("The class was told and agreed")).to_be_visible(timeout=SLOW)
        wrong["before class"] = faults(page)
        opened(page, served.url + "/studio")
        page.locator("#studio-upload input").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": image_bytes("PNG")}
        )
        expect(page.locator(".cp-try-out")).to_be_visible(timeout=SLOW)
        page.get_by_role("radio", name="Individual").check()
        page.get_by_label("Those on it were told and agreed").check()
        expect(page.locator(".cp-try-bars").first).to_be_visible(timeout=SLOW)
        wrong["picture"] = faults(page)
    assert not {state: found for state, found in wrong.items() if found}


# what a click or a key can do something with; a grid is one stop, inside it one goes with the arrows
_CONTROLS = """() => Array.from(
    document.querySelectorAll("button, input, textarea, summary, a[href]")
).filter((one) => {
    const box = one.getBoundingClientRect();
    const hidden = !one.offsetParent || getComputedStyle(one).visibility === "hidden" || !box.width;
    const folded = one.tagName !== "SUMMARY" && one.closest("details:not([open])");
    const apart = folded || one.closest(".ag-root-wrapper, svg, .modebar") || one.type === "file" || one.tabIndex < 0;
    return !hidden && !apart && !one.disabled && (one.type !== "radio" || one.checked) && !one.closest("[inert]");
})"""

_COUNT = f"() => ({_CONTROLS})().length"

_FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    one.dataset.reached = "yes";
    const style = getComputedStyle(one), label = one.getAttribute("aria-label") || one.textContent
        || (one.labels && one.labels.length && one.labels[0].textContent) || one.getAttribute("title");
    // a field shows the focus by its border, a switch and a radio by what is drawn beside them, a grid by its own
    const grid = Boolean(one.closest(".ag-root-wrapper"));
    const outlined = grid || style.outlineStyle !== "none" || ["INPUT", "TEXTAREA"].includes(one.tagName);
    return [grid || Boolean(label && label.trim()), outlined, one.outerHTML.slice(0, 200)];
}"""


@pytest.mark.parametrize("path", PAGES[:-1])
def test_every_control_is_reached_by_keyboard_and_has_a_name(
    engine: Engine, serve: Callable[..., Any], browser: Any, path: str
) -> None:
    for days in (2, 1):
        seed(engine, minutes=4, interval=20, end=datetime.now(UTC) - timedelta(days=days)).close()
    hands = idle() if path == "/start" else reading()
    if path != "/start":
        seed(engine, minutes=8, interval=20)
    with serve(hands) as served, tab(browser, served, path) as page:
        expect(page.locator("h1:visible").first).to_be_visible(timeout=SLOW)
        # all are there once there are as many as a second before
        wanted, deadline = 0, time.monotonic() + SLOW / 1000
        while wanted != (wanted := page.evaluate(_COUNT)) or wanted <= 8:
            assert time.monotonic() < deadline, f"{wanted} controls"
            page.wait_for_timeout(1000)
        for _ in range(2 * wanted + 40):
            page.keyboard.press("Tab")
            focused = page.evaluate(_FOCUSED)
            if focused is None:
                break
            named, outlined, markup = focused
            assert named, f"no name: {markup}"
            assert outlined, f"no outline: {markup}"
        missed = page.evaluate(
            f"() => ({_CONTROLS})().filter((one) => !one.dataset.reached).map((one) => one.outerHTML.slice(0, 160))"
        )
        assert not missed
        if path in {"/sessions", "/students"}:
            inside = "() => Boolean(document.querySelector('.ag-root-wrapper [data-reached]'))"
            assert page.evaluate(inside) or not page.locator(".ag-root-wrapper:visible").count()

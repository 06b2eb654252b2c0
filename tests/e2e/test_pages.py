"""The pages in a real browser: what a teacher sees and does."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, text

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from seed import HOSTILE, NAMES, Lesson, seed

from dashboard.app import DashboardSettings, PageServer
from dashboard.pages import now
from dashboard.theme import PALETTES
from engagement.records import Mode, NotObservedReason
from storage import queries
from storage.queries import Condition
from storage.requests import read_requests
from tests.e2e.conftest import fits_a_phone

SLOW = 60_000
"""Milliseconds that a page may take on a machine that does something else as well."""

TRACE = """(name) => {
    const plot = document.querySelector("#now-chart .js-plotly-plot");
    return (plot && plot.data && plot.data.find((one) => one.name === name)) || null;
}"""
"""A series of the chart on the page Now."""


@pytest.fixture
def served(engine: Engine) -> Iterator[PageServer]:
    with PageServer(engine, settings=DashboardSettings(poll_seconds=0.3)) as server:
        yield server


@contextmanager
def tab(browser: Any, server: PageServer, path: str = "/", **options: Any) -> Iterator[Any]:
    """A page that asks nothing of anyone else, has no dialog and no error in its console."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, **options)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith((server.url, "data:", "blob:")) else wrong.append(asked.url)
        ),
    )
    page.set_default_timeout(SLOW)
    page.goto(server.url + path)
    try:
        yield page
    finally:
        context.close()
    assert not wrong, wrong


def wait_for_points(page: Any, count: int) -> None:
    page.wait_for_function(
        f"(count) => {{ const one = ({TRACE})('Mood'); return one && one.x.length === count; }}", arg=count
    )


def test_the_class_moves_without_a_reload_and_keeps_the_zoom(
    engine: Engine, served: PageServer, browser: Any
) -> None:
    lesson = seed(engine, minutes=3, interval=5)
    with tab(browser, served) as page:
        expect(page.get_by_role("heading", name="Algebra 9b")).to_be_visible(timeout=SLOW)
        expect(page.locator(".cp-tile-big", has_text="of 27")).to_be_visible(timeout=SLOW)
        wait_for_points(page, lesson.index)
        expect(page.locator(".cp-seat")).to_have_count(27)
        expect(page.get_by_text("last data")).to_be_visible()
        page.evaluate("window.stays = true")
        zoomed = page.evaluate("""() => {
            const plot = document.querySelector("#now-chart .js-plotly-plot"), x = plot.data[0].x;
            return Plotly.relayout(plot, {"xaxis.range": [x[3], x[9]]}).then(() => plot.layout.xaxis.range.slice());
        }""")
        ground = page.locator("#now-chart .nsewdrag").first.bounding_box()
        assert ground is not None
        for step in (0.50, 0.51):
            page.mouse.move(ground["x"] + ground["width"] * step, ground["y"] + ground["height"] / 2)
        hovered = page.locator("#now-chart .hoverlayer")
        expect(hovered).to_contain_text("read)", timeout=SLOW)
        told = hovered.text_content()
        for _ in range(3):
            lesson.commit()
        wait_for_points(page, lesson.index)
        assert page.evaluate("window.stays") is True
        assert hovered.text_content() == told
        assert (
            page.evaluate("document.querySelector('#now-chart .js-plotly-plot').layout.xaxis.range") == zoomed
        )
        lesson.close()
        expect(page.get_by_role("heading", name="No class is running")).to_be_visible(timeout=SLOW)
        page.get_by_role("link", name="Read its report").click()
        expect(page.get_by_role("heading", name="Method and limits")).to_be_visible(timeout=SLOW)


def test_a_class_that_begins_appears_by_itself(engine: Engine, served: PageServer, browser: Any) -> None:
    with tab(browser, served) as page:
        expect(page.get_by_text("classpulse start")).to_be_visible(timeout=SLOW)
        loaded = "performance.getEntriesByType('resource').map((one) => one.name).join()"
        scripts = page.evaluate(loaded)
        assert "dash-renderer" in scripts
        assert not [heavy for heavy in ("plotly.min", "dash_ag_grid") if heavy in scripts]
        lesson = Lesson(engine, datetime.now(UTC), name="Chemistry", names=NAMES[:3], interval=2)
        lesson.recorder.heartbeat(lesson.session_id, "loading models", datetime.now(UTC))
        expect(page.get_by_text("The agent is at: loading models.")).to_be_visible(timeout=SLOW)
        lesson.commit()
        expect(page.get_by_text("Too few faces", exact=True)).to_be_visible(timeout=SLOW)
        wait_for_points(page, 1)
        lesson.commit(NotObservedReason.MINIMISED)
        expect(page.locator(".cp-notice")).to_contain_text("Nothing is known since", timeout=SLOW)
        expect(page.locator(".cp-notice")).to_contain_text("The meeting window is minimised")
        expect(page.locator(".cp-looks")).to_contain_text("Nothing is known since")
        lesson.commit()
        expect(page.get_by_text("The meeting window is minimised")).to_have_count(0, timeout=SLOW)


def test_a_note_goes_on_the_timeline(engine: Engine, served: PageServer, browser: Any) -> None:
    lesson = seed(engine, minutes=2, interval=5)
    text = "<b>Group work</b> begins"
    with tab(browser, served) as page:
        wait_for_points(page, lesson.index)
        page.locator("h1").first.click()
        page.keyboard.press("n")
        expect(page.get_by_label("Note, key n")).to_be_focused()
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(page.locator(".cp-notes li", has_text=text)).to_be_visible(timeout=SLOW)
        expect(page.get_by_label("Note, key n")).to_have_value("")
        page.wait_for_function(f"() => ({TRACE})('Notes').x.length === 1")
        page.get_by_role("button", name="Add note").click()
        expect(page.get_by_text("A note needs some text")).to_be_visible(timeout=SLOW)
    kept = queries.notes(engine, lesson.session_id)
    assert kept["text"].tolist() == [text]
    assert abs(kept["at"].iloc[0] - datetime.now(UTC)) < timedelta(minutes=2)


def test_the_theme_is_remembered_and_never_flashes(engine: Engine, served: PageServer, browser: Any) -> None:
    lesson = seed(engine, minutes=2, interval=5)
    seen_before_paint = """() => {
        window.grounds = [];
        const look = () => window.grounds.push(getComputedStyle(document.documentElement).backgroundColor);
        new MutationObserver(() => { if (document.body) look(); }).observe(document, {childList: true, subtree: true});
    }"""
    with tab(browser, served, color_scheme="light", reduced_motion="reduce") as page:
        wait_for_points(page, lesson.index)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
        # as long as nothing was chosen the page and its chart follow the system, also in the middle of a class
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(f"() => ({TRACE})('Mood').line.color === '{PALETTES[scheme].mood}'")
        page.get_by_role("button", name="Switch between light and dark").click()
        page.wait_for_function(f"() => ({TRACE})('Mood').line.color === '{PALETTES['dark'].mood}'")
        page.add_init_script(f"({seen_before_paint})()")
        page.reload()
        wait_for_points(page, lesson.index)
        assert page.evaluate("document.documentElement.getAttribute('data-mantine-color-scheme')") == "dark"
        assert set(page.evaluate("window.grounds")) == {"rgb(20, 22, 26)"}


def test_old_data_turn_grey_and_say_since_when(engine: Engine, served: PageServer, browser: Any) -> None:
    lesson = seed(engine, minutes=2, interval=5, end=datetime.now(UTC) - timedelta(minutes=7))
    last = queries.intervals_since(engine, lesson.session_id)["started_at"].iloc[-1]
    lesson.last_commit_was(last.to_pydatetime())
    lesson.recorder.heartbeat(lesson.session_id, "read", datetime.now(UTC))
    with tab(browser, served, timezone_id="Asia/Kolkata") as page:
        expect(page.locator(".cp-live.cp-stale")).to_be_visible(timeout=SLOW)
        local = last.tz_convert("Asia/Kolkata")
        expect(page.get_by_role("alert")).to_contain_text(f"No data since {local:%H:%M}")
        # the axis too is on the browser's clock
        wait_for_points(page, lesson.index)
        first = page.evaluate(f"({TRACE})('Mood').x[0]")
        assert first.startswith(f"{lesson.started_at.astimezone(local.tzinfo):%Y-%m-%d %H:%M}")


def test_recovery_is_said_before_the_alarm_and_a_pause_is_no_alarm(
    engine: Engine, served: PageServer, browser: Any
) -> None:
    lesson = seed(engine, minutes=2, interval=5, end=datetime.now(UTC) - timedelta(seconds=40))
    lesson.last_commit_was(datetime.now(UTC) - timedelta(seconds=40))
    reason = "The reading gave no sign for 5 seconds in stage grab."
    lesson.recorder.say_condition(Condition.RESTARTING, reason, datetime.now(UTC))
    with tab(browser, served) as page:
        expect(page.locator(".cp-notice")).to_contain_text(reason, timeout=SLOW)
        expect(page.locator(".cp-last")).to_have_text("starting again", timeout=SLOW)
        expect(page.locator(".cp-live.cp-stale")).to_have_count(0, timeout=SLOW)
        lesson.recorder.say_condition(Condition.STOPPED, "The agent failed 5 times.", datetime.now(UTC))
        expect(page.get_by_role("alert")).to_contain_text("The agent failed 5 times.", timeout=SLOW)
        lesson.commit()
        expect(page.locator(".cp-live.cp-stale")).to_have_count(0, timeout=SLOW)
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".cp-notice")).to_contain_text("Paused", timeout=SLOW)
        page.get_by_role("button", name="Go on").click()
        expect(page.locator(".cp-notice")).to_have_count(0, timeout=SLOW)
    assert not read_requests(lesson.recorder.engine, lesson.session_id).paused


@pytest.mark.parametrize("mode", [Mode.AGGREGATE, Mode.PARTICIPATION])
def test_a_mode_shows_no_more_than_it_may(
    engine: Engine, served: PageServer, browser: Any, mode: Mode
) -> None:
    seed(engine, minutes=2, interval=5, mode=mode)
    with tab(browser, served) as page:
        expect(page.get_by_text("In " + mode.value + " mode nothing is kept per seat.")).to_be_visible(
            timeout=SLOW
        )
        expect(page.locator(".cp-tile-big", has_text="of 27")).to_be_visible(timeout=SLOW)
        expect(page.locator(".cp-seat")).to_have_count(0)
        moods = page.locator(".cp-tile-label", has_text="Mood")
        expect(moods).to_have_count(0 if mode is Mode.PARTICIPATION else 1)


def test_hostile_names_are_text_everywhere(
    engine: Engine, served: PageServer, browser: Any, tmp_path: Path
) -> None:
    seed(engine, minutes=6, interval=5, names=(*HOSTILE, *NAMES[:6]), name=HOSTILE[0]).close()
    lesson = seed(engine, minutes=6, interval=5, names=(*HOSTILE, *NAMES[:6]), name=HOSTILE[3])
    with tab(browser, served) as page:
        for name in HOSTILE:
            expect(page.get_by_text(name, exact=True).first).to_be_visible(timeout=SLOW)
        page.goto(f"{served.url}/sessions")
        expect(page.get_by_role("link", name=HOSTILE[0])).to_be_visible(timeout=SLOW)
        page.get_by_label("Search sessions").fill("hacked")
        expect(page.get_by_role("link", name=HOSTILE[0])).to_have_count(0)
        page.get_by_role("link", name=HOSTILE[3], exact=True).click()
        expect(page.get_by_role("heading", name=HOSTILE[3])).to_be_visible(timeout=SLOW)
        page.wait_for_selector(".heatmaplayer image", state="attached")
        assert page.evaluate("window.hacked") is None
        with page.expect_download() as loading:
            page.get_by_role("link", name="HTML").click()
        kept = tmp_path / "report.html"
        loading.value.save_as(kept)
    assert queries.seats(engine, lesson.session_id)["name"].tolist()[:6] == list(HOSTILE)
    context = browser.new_context(offline=True)
    offline, wrong = context.new_page(), []
    offline.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    offline.on("pageerror", lambda error: wrong.append(str(error)))
    offline.on(
        "request",
        lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else wrong.append(asked.url),
    )
    offline.goto(kept.as_uri())
    offline.wait_for_function("document.querySelectorAll('.chart .main-svg').length >= 4", timeout=SLOW)
    assert offline.evaluate("window.hacked") is None
    expect(offline.get_by_role("heading", name=HOSTILE[3])).to_be_visible()
    expect(offline.locator("td", has_text=HOSTILE[2]).first).to_be_visible()
    context.close()
    assert not wrong, wrong


def rename_sessions(engine: Engine, before: str, after: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))


def test_a_database_that_cannot_be_read_is_said_on_every_page_and_nothing_is_claimed(
    engine: Engine, served: PageServer, browser: Any
) -> None:
    seed(engine, minutes=2, interval=5).close()
    banner = "The database cannot be read"
    rename_sessions(engine, "sessions", "elsewhere")
    with tab(browser, served) as page:
        for path in ("/", "/sessions", "/sessions/1", "/trends", "/students", "/studio", "/start"):
            page.goto(served.url + path)
            expect(page.get_by_role("alert").filter(has_text=banner)).to_be_visible(timeout=SLOW)
            # an empty page would say that there never was a session
            for claim in (
                "No session yet",
                "No class yet",
                "No class is running",
                "No Rows",
                "no such session",
            ):
                expect(page.get_by_text(claim).locator("visible=true")).to_have_count(0)
        page.goto(served.url + "/sessions")
        expect(page.get_by_text(banner)).to_be_visible(timeout=SLOW)
        rename_sessions(engine, "elsewhere", "sessions")
        page.get_by_role("link", name="Try again").click()
        expect(page.get_by_role("link", name="Algebra 9b")).to_be_visible(timeout=SLOW)
        expect(page.get_by_text(banner)).to_be_hidden()
        # on a page that asks every second the banner comes and goes by itself
        page.goto(served.url)
        expect(page.get_by_role("heading", name="No class is running")).to_be_visible(timeout=SLOW)
        with page.expect_response(lambda answer: now.BEAT in (answer.request.post_data or "")):
            pass  # what it asks once is answered by then
        rename_sessions(engine, "sessions", "elsewhere")
        expect(page.get_by_text(banner)).to_be_visible(timeout=SLOW)
        rename_sessions(engine, "elsewhere", "sessions")
        expect(page.get_by_text(banner)).to_be_hidden(timeout=SLOW)


def test_a_phone_shows_in_the_bar_which_page_is_open(served: PageServer, browser: Any) -> None:
    with tab(browser, served, "/about") as page:
        page.set_viewport_size({"width": 390, "height": 844})
        page.reload()
        bar = page.get_by_role("navigation", name="Pages")
        for name in ("About", "Now", "Settings"):
            link = bar.get_by_role("link", name=name)
            if name != "About":
                link.click()
            expect(link).to_have_attribute("aria-current", "page", timeout=SLOW)
            page.wait_for_function(
                "(link) => { const at = link.getBoundingClientRect(); return at.left >= 0 && at.right <= 390 - 30; }",
                arg=link.element_handle(),
                timeout=SLOW,
            )


@pytest.mark.parametrize("path", ["/", "/sessions", "/sessions/1", "/about", "/sessions/99", "/nowhere"])
def test_every_page_fits_a_phone(engine: Engine, served: PageServer, browser: Any, path: str) -> None:
    seed(engine, minutes=2, interval=10, end=datetime.now(UTC) - timedelta(hours=1)).close()
    seed(engine, minutes=2, interval=10)
    with tab(browser, served, path) as page:
        expect(page.locator("h1:visible")).to_have_count(1, timeout=SLOW)
        fits_a_phone(page)

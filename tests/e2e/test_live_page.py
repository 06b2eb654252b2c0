"""The live page in a real browser: answers to cards, notes and topics, sound and notification, keyboard."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from seed import Lesson, seed

from dashboard.app import DashboardSettings, PageServer
from dashboard.components import running
from dashboard.live import chart
from dashboard.pages import now
from engagement.records import Episode, EpisodeMark, NotObservedReason, Rule
from storage import queries
from storage.marks import mark_episodes
from tests.e2e.test_pages import SLOW, TRACE, tab, wait_for_points

RINGS = """() => {
    window.rung = [];
    const real = window.AudioContext.prototype.createOscillator;
    window.AudioContext.prototype.createOscillator = function () { window.rung.push("sound"); return real.call(this); };
    window.Notification = class { constructor(title, said) { window.rung.push(said.body); } };
    window.Notification.permission = "granted";
}"""
"""Notes what would be heard and shown."""


@pytest.fixture
def served(engine: Engine) -> Iterator[PageServer]:
    with PageServer(engine, settings=DashboardSettings(poll_seconds=0.5)) as server:
        yield server


@pytest.fixture
def lesson(engine: Engine) -> Lesson:
    """Eight minutes of a class, in which at least two seats ask for a look."""
    return seed(engine, minutes=8, interval=20)


def marks(engine: Engine, lesson: Lesson) -> list[Any]:
    episodes = queries.episodes(engine, lesson.session_id, open_only=True)
    return sorted(episodes["mark"].dropna().tolist())


def opened(lesson: Lesson, rule: Rule, seat: int) -> Episode:
    return Episode(rule, seat, "a reason", lesson.now, None, {})


def test_a_card_that_was_answered_steps_back_and_can_be_called_again(
    engine: Engine, served: PageServer, browser: Any, lesson: Lesson
) -> None:
    with tab(browser, served) as page:
        cards = page.locator(".cp-look")
        expect(cards.nth(1)).to_be_visible(timeout=SLOW)
        before = cards.count()
        names = cards.locator(".cp-look-name").all_inner_texts()
        assert len(set(names)) == before, "two cards of one seat"
        # the focus stays on the same button while the list is drawn anew
        second = page.get_by_role("button", name=f"Seen: {names[1]} leaves the list until something new")
        second.focus()
        page.evaluate("() => { window.before = document.activeElement; }")
        since = cards.nth(1).locator(".cp-look-since").first
        told = since.inner_text()
        for _ in range(4):
            lesson.commit()
        wait_for_points(page, lesson.index)
        expect(since).not_to_have_text(told, timeout=SLOW)
        expect(second).to_be_focused()
        assert page.evaluate("window.before.isConnected")
        page.keyboard.press("Enter")
        expect(page.get_by_role("list", name="Set aside")).to_contain_text(f"{names[1]}seen", timeout=SLOW)
        expect(cards).to_have_count(before - 1)
        assert marks(engine, lesson)[-1] == "seen"
        page.get_by_role("button", name=f"Not now: {names[0]} comes back in 5 minutes").click()
        expect(page.get_by_role("list", name="Set aside")).to_contain_text(f"{names[0]}back at", timeout=SLOW)
        expect(page.get_by_role("heading", name="a look")).to_contain_text(
            "Nobody" if before == 2 else f"{before - 2} need"
        )
        for name in names[:2]:
            page.get_by_role("button", name=f"Undo: {name} is shown again").click()
            expect(page.get_by_role("button", name=f"Undo: {name} is shown again")).to_have_count(
                0, timeout=SLOW
            )
        expect(cards).to_have_count(before)
    assert marks(engine, lesson) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [("denied", "The browser forbids notifications"), ("default", "The browser's question was not answered")],
)
def test_a_notification_that_is_not_allowed_is_told(
    served: PageServer, browser: Any, lesson: Lesson, answer: str, said: str
) -> None:
    with tab(browser, served) as page:
        page.evaluate(
            """answer => { window.Notification = class {}; window.Notification.permission = "default";
                window.Notification.requestPermission = () => Promise.resolve(answer); }""",
            answer,
        )
        switch = page.get_by_role("switch", name="Notify")
        expect(switch).to_be_visible(timeout=SLOW)
        switch.click()
        expect(page.locator("#now-alerts-answer")).to_contain_text(said, timeout=SLOW)
        expect(switch).to_have_attribute("aria-checked", "false")


def test_sound_and_notification_are_off_until_asked_for_and_ring_for_new_ones_only(
    engine: Engine, served: PageServer, browser: Any, lesson: Lesson
) -> None:
    with tab(browser, served) as page:
        page.add_init_script(f"({RINGS})()")
        page.reload()
        expect(page.locator(".cp-look").first).to_be_visible(timeout=SLOW)
        for name in ("Sound", "Notify"):
            switch = page.get_by_role("switch", name=name)
            expect(switch).to_have_attribute("aria-checked", "false")
            switch.click()
            expect(switch).to_have_attribute("aria-checked", "true")
        page.reload()
        expect(page.locator(".cp-look").first).to_be_visible(timeout=SLOW)
        for name in ("Sound", "Notify"):
            expect(page.get_by_role("switch", name=name)).to_have_attribute("aria-checked", "true")
        # what stood there rings no more, nor does what was answered and undone
        ids = queries.episodes(engine, lesson.session_id, open_only=True)["id"].tolist()
        mark_episodes(engine, lesson.session_id, ids, EpisodeMark.SEEN, datetime.now(UTC))
        lesson.commit()
        expect(page.locator(".cp-look")).to_have_count(0, timeout=SLOW)
        mark_episodes(engine, lesson.session_id, ids, None, datetime.now(UTC))
        lesson.commit()
        expect(page.locator(".cp-look").first).to_be_visible(timeout=SLOW)
        assert page.evaluate("window.rung") == []
        # a camera that is off is no news, and while nothing is observed nothing rings
        lesson.commit(more_episodes=[opened(lesson, Rule.CAMERA_OFF, 1)])
        lesson.commit(NotObservedReason.COVERED, more_episodes=[opened(lesson, Rule.ABSENT, 2)])
        expect(page.locator(".cp-look-name", has_text="Ben Carver")).to_be_visible(timeout=SLOW)
        assert page.evaluate("window.rung") == []
        lesson.commit(more_episodes=[opened(lesson, Rule.ABSENT, 3)])
        expect(page.locator(".cp-look-name", has_text="Carla Rossi")).to_be_visible(timeout=SLOW)
        page.wait_for_function("() => window.rung.length > 0")
        # it names nobody: a shared screen would show it
        assert page.evaluate("window.rung") == ["sound", "sound", "Somebody new needs a look."]


def test_notes_are_edited_deleted_and_put_back_and_topics_take_one_press(
    engine: Engine, served: PageServer, browser: Any, lesson: Lesson
) -> None:
    with tab(browser, served) as page:
        page.get_by_role("button", name="Exercise").click()
        topic = page.locator(".cp-notes li", has_text="Exercise")
        expect(topic.locator(".cp-topic")).to_be_visible(timeout=SLOW)
        page.wait_for_function(
            f"() => {{ const one = ({TRACE})('Topics'); return one && one.x.length === 1; }}"
        )
        page.keyboard.press("n")
        field = page.get_by_label("Note, key n")
        expect(field).to_be_focused()
        page.keyboard.type("Vectors")
        page.get_by_role("button", name="As topic").click()
        # the teacher's own topic is offered from now on
        expect(page.get_by_role("button", name="Vectors", exact=True)).to_be_visible(timeout=SLOW)
        page.keyboard.press("n")
        page.keyboard.type("Quizz")
        page.keyboard.press("Enter")
        note = page.locator(".cp-notes li", has_text="Quizz")
        expect(note).to_be_visible(timeout=SLOW)
        note.get_by_role("button", name="Edit").click()
        expect(field).to_have_value("Quizz", timeout=SLOW)
        expect(field).to_be_focused()
        expect(page.get_by_role("button", name="As topic")).to_be_hidden()
        field.fill("Quiz")
        page.get_by_role("button", name="Save").click()
        edited = page.locator(".cp-notes li", has_text="Quizedited")
        expect(edited).to_be_visible(timeout=SLOW)
        edited.get_by_role("button", name="Edit").click()
        expect(page.get_by_role("button", name="Save")).to_be_visible(timeout=SLOW)
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Add note")).to_be_visible(timeout=SLOW)
        expect(field).to_have_value("")
        edited.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("Deleted: Quiz")).to_be_visible(timeout=SLOW)
        expect(edited).to_have_count(0)
        page.get_by_role("button", name="Undo", exact=True).click()
        expect(edited).to_be_visible(timeout=SLOW)
        expect(page.get_by_role("button", name="Undo", exact=True)).to_be_hidden()
    kept = queries.notes(engine, lesson.session_id)
    assert sorted(zip(kept["kind"], kept["text"], strict=True)) == [
        ("note", "Homework back"),
        ("note", "Quiz"),
        ("topic", "Exercise"),
        ("topic", "Vectors"),
    ]
    assert abs(kept["at"].max() - datetime.now(UTC)) < timedelta(minutes=3)


def test_nothing_moves_between_intervals(served: PageServer, browser: Any, lesson: Lesson) -> None:
    with tab(browser, served) as page:
        expect(page.locator(".cp-tile-big", has_text="of 27")).to_be_visible(timeout=SLOW)
        expect(page.locator(".cp-seat")).to_have_count(27, timeout=SLOW)
        wait_for_points(page, lesson.index)
        tops = """() => [".cp-glance", ".cp-chart", ".cp-note", ".cp-seats", ".cp-looks"].map(
            (one) => Math.round(document.querySelector(one).getBoundingClientRect().top))"""
        before = page.evaluate(tops)
        for reason in (None, NotObservedReason.COVERED, None):
            lesson.commit(reason)
            expect(page.locator(".cp-notice")).to_have_count(int(reason is not None), timeout=SLOW)
            wait_for_points(page, lesson.index)
            assert page.evaluate(tops) == before


def test_answers_that_take_longer_than_the_clock_arrive_all_the_same(
    served: PageServer, browser: Any, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a computer that has much to do: the browser drops the answer to what is asked again meanwhile."""

    def slowly(real: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*args: Any, **options: Any) -> Any:
            time.sleep(0.8)
            return real(*args, **options)

        return answer

    with tab(browser, served) as page:
        wait_for_points(page, lesson.index)
        for part, name in ((now, "take_pulse"), (now, "glance"), (chart, "dips"), (running, "state_of")):
            monkeypatch.setattr(part, name, slowly(getattr(part, name)))
        lesson.commit(NotObservedReason.COVERED)
        expect(page.locator(".cp-notice")).to_have_count(1, timeout=SLOW)
        wait_for_points(page, lesson.index)


def test_a_page_goes_on_by_itself_once_its_server_is_back(
    engine: Engine, browser: Any, lesson: Lesson
) -> None:
    settings = DashboardSettings(poll_seconds=0.5)
    page = browser.new_page()
    with PageServer(engine, settings=settings) as first:
        page.goto(first.url)
        wait_for_points(page, lesson.index)
        port = int(first.url.rpartition(":")[2])
    lesson.commit()
    page.wait_for_timeout(3000)  # asks, and nobody answers
    with PageServer(engine, port=port, settings=settings):
        wait_for_points(page, lesson.index)
        page.close()

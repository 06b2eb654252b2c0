"""Try it, as a new user does: a gallery, a photo that is too large, the camera of the browser, a recording."""

import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from capture.classroom import Classroom
from engagement.records import Consent
from storage import queries
from storage.audit import AuditAction, audit_entries
from storage.database import open_database
from storage.students import add_student, set_consent
from tests.capture.synthetic_gallery import Look, compose_gallery
from tests.e2e.conftest import QUIET, Home, Pictures, chromium, fits_a_phone
from tests.e2e.test_no_pixels import WRITTEN, images_in, opened_by, watched
from tests.e2e.test_start_page import NO_DISPLAY, SLOW, tab

pytestmark = pytest.mark.timeout(900)

CARDS = ".cp-try-card"
LOOKS = 400
STREAMS = "window.streams.map((one) => one.getVideoTracks()[0].readyState)"


def give(page: Any, name: str, data: bytes) -> None:
    page.locator("#studio-upload input").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": data}
    )


def become(page: Any, wanted: list[str]) -> None:
    """Waits until the camera's streams, in the order in which they were opened, are in these states."""
    deadline = time.monotonic() + SLOW / 1000
    while (states := page.evaluate(STREAMS)) != wanted:
        assert time.monotonic() < deadline, f"the camera's streams are {states}"
        page.wait_for_timeout(100)


def said(page: Any, words: str) -> None:
    expect(page.locator("#studio-said")).to_have_text(re.compile(words), timeout=SLOW)


def log(home: Home) -> list[dict[str, Any]]:
    engine = open_database(home.database)
    try:
        found = audit_entries(engine)
        return [dict(entry.detail) for entry in found if entry.action is AuditAction.PICTURE_READ]
    finally:
        engine.dispose()


def test_a_gallery_is_read_as_the_mode_allows_and_nothing_of_it_is_written(
    home: Home, browser: Any, face_pictures: Callable[[int, int], Pictures]
) -> None:
    gallery = compose_gallery(face_pictures(20, 11), look=Look(size=(1600, 900), gap=6))
    kept = io.BytesIO()
    Image.fromarray(gallery.image).save(kept, "PNG")
    # more than the server takes in one request: the browser makes it smaller
    assert len(kept.getvalue()) > 1_000_000
    with (
        watched(home.folder, images_in) as (names, wrong),
        home.serving("start", **NO_DISPLAY) as (address, process),
        opened_by(process.pid) as held,
        tab(browser, f"{address}/studio") as page,
    ):
        give(page, "gallery.png", kept.getvalue())
        said(page, "^20 tiles, 20 faces$")
        expect(page.locator(".cp-try-stored")).to_contain_text("No expression: in participation mode")
        expect(page.locator("#studio-image")).to_be_visible()
        expect(page.locator(".cp-view-face")).to_have_count(20)
        expect(page.locator(".cp-try-bars")).to_have_count(0)

        page.get_by_role("radio", name="Individual").check()
        expect(page.locator("#studio-problem")).to_contain_text("told and agreed", timeout=SLOW)
        expect(page.locator("#studio-image")).to_be_hidden()
        assert log(home) == []
        page.get_by_label("Those on it were told and agreed").check()
        said(page, r"^20 tiles, 20 faces, \d+ read$")
        read = int(page.locator("#studio-said").inner_text().split()[-2])
        assert read >= 10
        expect(page.locator(".cp-try-bars")).to_have_count(read)
        expect(page.locator(CARDS)).to_have_count(20)
        expect(page.locator(".cp-try-stored")).to_contain_text("20 rows")
        assert log(home) == [{"mode": "individual", "class_agreed": True}]

        # who refused is covered on the page and not looked at
        name = gallery.names[4]
        engine = open_database(home.database)
        set_consent(engine, add_student(engine, "Chess", name), Consent.REFUSED, None, None)
        engine.dispose()
        give(page, "gallery.png", kept.getvalue())
        # the tick was for the people of the picture before
        expect(page.locator("#studio-problem")).to_contain_text("told and agreed", timeout=SLOW)
        page.get_by_label("Those on it were told and agreed").check()
        expect(page.locator(".cp-try-out")).to_have_count(1, timeout=SLOW)
        expect(page.locator(CARDS, has_text=name)).to_contain_text("opted out")
        expect(page.locator(CARDS, has_text=name).locator("dl")).to_have_count(0)

        give(page, "notes.png", b"no picture at all")
        expect(page.locator("#studio-problem")).to_contain_text("told and agreed", timeout=SLOW)
        page.get_by_label("Those on it were told and agreed").check()
        expect(page.locator("#studio-problem")).to_contain_text("notes.png cannot be decoded", timeout=SLOW)
        expect(page.locator("#studio-image")).to_be_hidden()

        fits_a_phone(page)
    assert wrong == []
    assert [name for name in sorted(names) if not WRITTEN.fullmatch(name)] == []
    assert {path for path in held if not Path(path).is_relative_to(home.folder)} == set()
    engine = open_database(home.database)
    assert len(queries.sessions(engine)) == 0
    engine.dispose()


def test_a_picture_is_pasted(home: Home, browser: Any) -> None:
    kept = io.BytesIO()
    with Classroom(seats=4, width=960, height=540) as classroom:
        Image.fromarray(classroom.draw(3.0)).save(kept, "PNG")
    with (
        home.serving("start", **NO_DISPLAY) as (address, _process),
        tab(browser, f"{address}/studio") as page,
    ):
        expect(page.get_by_role("radio", name="Individual")).to_be_enabled(timeout=SLOW)
        page.locator("#studio-upload input").set_input_files(
            {"name": "talk.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}
        )
        expect(page.locator("#studio-problem")).to_contain_text("talk.pdf is no picture", timeout=SLOW)
        page.evaluate(
            """(bytes) => {
                const held = new DataTransfer();
                held.items.add(new File([new Uint8Array(bytes)], "shot.png", { type: "image/png" }));
                document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: held, bubbles: true }));
            }""",
            list(kept.getvalue()),
        )
        said(page, "^4 tiles, ")
        expect(page.locator("#studio-problem")).to_have_text("")


def test_where_expressions_are_prohibited_none_can_be_chosen(home: Home, browser: Any) -> None:
    with (
        home.serving("start", **NO_DISPLAY, CLASSPULSE_SESSION__PLACE="eu") as (address, _process),
        tab(browser, f"{address}/studio") as page,
    ):
        expect(page.locator("#place-line")).to_contain_text("participation only", timeout=SLOW)
        expect(page.get_by_role("radio", name="Aggregate")).to_be_disabled()
        expect(page.get_by_role("radio", name="Individual")).to_be_disabled()


def test_the_camera_is_read_until_it_is_stopped_or_the_page_is_left(
    home: Home, browser: Any, face_pictures: Callable[[int, int], Pictures], tmp_path_factory: Any
) -> None:
    film = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    (face,) = face_pictures(1, 3)
    face = cv2.resize(np.ascontiguousarray(face), (640, 360), interpolation=cv2.INTER_AREA)
    with film.open("wb") as file:
        for shift in range(20):
            Image.fromarray(np.roll(face, shift, axis=1)).save(file, "JPEG", quality=90)
    with_camera = browser.browser_type.launch(
        executable_path=chromium(),
        args=[
            *QUIET,
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        ],
    )
    try:
        with (
            home.serving("start", **NO_DISPLAY) as (address, _process),
            tab(with_camera, f"{address}/about") as page,
        ):
            page.evaluate(
                """() => {
                    window.streams = [];
                    const devices = navigator.mediaDevices, asked = devices.getUserMedia.bind(devices);
                    devices.getUserMedia = async (wanted) => {
                        await new Promise((then) => setTimeout(then, window.slow || 0));
                        const stream = await asked(wanted);
                        window.streams.push(stream);
                        return stream;
                    };
                }"""
            )
            page.get_by_role("link", name="Try it").click()
            page.get_by_role("radio", name="Individual").check()
            page.get_by_label("Those on it were told and agreed").check()
            page.get_by_role("button", name="Use the camera").click()
            said(page, "^No gallery, 1 face")
            first = page.locator("#studio-image").get_attribute("src")
            expect(page.locator("#studio-image")).not_to_have_attribute("src", first, timeout=SLOW)
            page.get_by_role("button", name="Stop the camera").click()
            expect(page.get_by_role("button", name="Use the camera")).to_be_visible()
            assert page.evaluate(STREAMS) == ["ended"]
            # one line for the whole turn
            assert log(home) == [{"mode": "individual", "class_agreed": True}]

            page.get_by_role("button", name="Use the camera").click()
            said(page, "^No gallery, 1 face")
            become(page, ["ended", "live"])
            page.get_by_role("link", name="About").click()
            become(page, ["ended", "ended"])

            # who presses again while the browser still asks has changed their mind, and so has who leaves
            page.evaluate("window.slow = 1500; window.streams = []")
            page.get_by_role("link", name="Try it").click()
            page.locator("#studio-camera").click()
            expect(page.locator("#studio-camera")).to_have_text("Stop the camera")
            page.locator("#studio-camera").click()
            expect(page.locator("#studio-camera")).to_have_text("Use the camera")
            become(page, ["ended"])
            page.wait_for_timeout(2500)
            assert page.evaluate(STREAMS) == ["ended"]  # and stay so
            page.locator("#studio-camera").click()
            page.get_by_role("link", name="About").click()
            expect(page.locator("#studio-camera")).to_have_count(0)
            page.get_by_role("link", name="Try it").click()
            become(page, ["ended", "ended"])
            page.wait_for_timeout(3000)
            assert page.evaluate(STREAMS) == ["ended", "ended"]  # and stay so
            expect(page.locator("#studio-camera")).to_have_text("Use the camera")
            # three presses in a row leave one camera on, and one press takes it away
            for _ in range(3):
                page.locator("#studio-camera").click()
                page.wait_for_timeout(300)
            become(page, ["ended", "ended", "ended", "live"])
            page.wait_for_timeout(3000)
            assert page.evaluate(STREAMS) == ["ended", "ended", "ended", "live"]  # and stay so
            page.get_by_role("button", name="Stop the camera").click()
            become(page, ["ended"] * 4)
    finally:
        with_camera.close()


def test_a_recording_is_analysed_with_its_progress_paused_and_opened(
    home: Home, browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lesson = tmp_path_factory.mktemp("lesson") / "Physics 9b.avi"
    writer = cv2.VideoWriter(str(lesson), cv2.VideoWriter.fourcc(*"MJPG"), 2.0, (640, 400))
    with Classroom(seats=4, width=640, height=400) as classroom:
        drawn = [classroom.draw(second)[..., ::-1].copy() for second in range(8)]
    for index in range(LOOKS):
        writer.write(drawn[index // 4 % 8])
    writer.release()
    with (
        home.serving("start", **NO_DISPLAY) as (address, _process),
        tab(browser, f"{address}/studio") as page,
    ):
        expect(page.get_by_role("radio", name="Aggregate")).to_be_enabled(timeout=SLOW)
        page.get_by_role("radio", name="Aggregate").check()
        page.get_by_role("textbox", name="One look every").fill("0.5")
        page.get_by_role("button", name="Analyse").click()
        expect(page.locator("#studio-analyse-said")).to_contain_text(
            "Write where the recording lies", timeout=SLOW
        )
        page.get_by_label("Path of a video").fill(str(lesson.with_name("gone.avi")))
        page.get_by_role("button", name="Analyse").click()
        expect(page.locator("#studio-analyse-said")).to_contain_text(
            "There is no file or folder", timeout=SLOW
        )

        page.get_by_label("Path of a video").fill(str(lesson))
        page.get_by_role("button", name="Analyse").click()
        done = page.locator("#studio-done")
        expect(done).to_have_text(re.compile(r"^\d+ of 400 looks$"), timeout=SLOW)
        expect(page.get_by_role("progressbar", name="Read so far")).to_be_visible()
        page.locator("#studio-pause").click()
        expect(done).to_have_text(re.compile(r"^\d+ of 400 looks, paused$"), timeout=SLOW)
        page.get_by_role("button", name="Go on").click()
        page.locator("#studio-stop").click()
        page.locator("#running-stop-yes").click()
        report = page.get_by_role("link", name="The report of Physics 9b")
        expect(report).to_be_visible(timeout=SLOW)
        engine = open_database(home.database)
        left = queries.find_session(engine, "last")
        read_before = len(queries.intervals_since(engine, left.id))
        assert 0 < read_before < LOOKS
        # it is read on from there
        page.get_by_role("button", name="Analyse").click()
        expect(done).to_have_text(re.compile(r"^\d+ of 400 looks$"), timeout=SLOW)
        assert int((done.text_content() or "").split()[0]) >= read_before
        report.click(timeout=SLOW)
        expect(page.get_by_role("heading", name="Physics 9b")).to_be_visible(timeout=SLOW)
        session = queries.find_session(engine, "last")
        assert session.id == left.id
        kept = queries.intervals_since(engine, session.id)
        engine.dispose()
        assert (session.name, session.mode, session.interval) == ("Physics 9b", "aggregate", 0.5)
        assert len(kept) == LOOKS
        assert page.url.endswith(f"/sessions/{session.id}")

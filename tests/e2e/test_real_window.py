"""A class of real faces in a real window: found by its title, grabbed, read, kept and shown."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine

from engagement.errors import ClasspulseError
from storage import queries
from storage.database import open_database
from tests.capture.synthetic_gallery import Gallery, Look, compose_gallery
from tests.e2e.conftest import Home, Pictures, last_interval
from tests.x11 import X11Window, run_openbox

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def gallery(face_pictures: Callable[[int, int], Pictures]) -> Gallery:
    """Nine real faces and two cards, 1280 x 720."""
    pictures = [*face_pictures(9, 4), None, None]
    return compose_gallery(pictures, look=Look(size=(1280, 720), gap=6))


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    engine = open_database(home.database)
    yield engine
    engine.dispose()


def test_a_class_in_a_window_appears_on_the_dashboard(
    xvfb: str, gallery: Gallery, home: Home, engine: Engine, browser: Any
) -> None:
    from playwright.sync_api import expect

    with run_openbox(xvfb), X11Window(xvfb, "Zoom Meeting", gallery.image, x=410, y=230) as window:
        arguments = ("start", "--interval", "1", "--mode", "individual", "--session", "Physics")
        with home.serving(*arguments, DISPLAY=xvfb) as (address, _process):
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(address)
            shown = page.get_by_text(re.compile(r"of 11"))
            noise = np.random.default_rng(1)
            deadline = time.monotonic() + 180
            # the window plays: the cameras' pictures differ a little every time, as video does
            while shown.count() == 0 or (last_interval(engine) or 0) < 3:
                assert time.monotonic() < deadline, "the class did not appear"
                window.show(with_noise(gallery, noise))
                page.wait_for_timeout(500)
            expect(page.get_by_text("Physics").first).to_be_visible()
            page.close()
    session = queries.find_session(engine, "Physics")
    assert session.ended_at is not None
    kept = queries.intervals_since(engine, session.id)
    assert len(kept) >= 3
    assert kept["not_observed"].isna().all()
    assert kept["grid"].all()
    assert set(kept["tiles"]) == {11}
    assert set(kept["faces"]) == {9}
    assert set(kept["n_camera_off"]) == {2}
    names = set(queries.seats(engine, session.id)["name"])
    assert len(names & set(gallery.names)) >= 10


def with_noise(gallery: Gallery, noise: np.random.Generator) -> NDArray[np.uint8]:
    image = gallery.image.copy()
    for box, camera_on in zip(gallery.boxes, gallery.camera_on, strict=True):
        if camera_on:
            tile = image[box.top : box.bottom, box.left : box.right]
            tile[:] = np.clip(tile + noise.integers(-3, 4, tile.shape), 0, 255)
    return image


def test_a_window_that_closes_is_kept_as_not_observed(
    xvfb: str, gallery: Gallery, home: Home, engine: Engine
) -> None:
    with X11Window(xvfb, "Zoom Meeting", gallery.image, x=100, y=50) as window:

        def close_after_the_first_interval() -> None:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline:
                # the database is made by the agent that is only starting
                with suppress(ClasspulseError):
                    if last_interval(engine):
                        break
                time.sleep(0.5)
            window.close()

        closer = threading.Thread(target=close_after_the_first_interval)
        closer.start()
        result = home.run("watch", "--interval", "1", "--seconds", "15", "--headless", DISPLAY=xvfb)
        closer.join()
    assert result.returncode == 0, result.stderr
    kept = queries.intervals_since(engine, queries.find_session(engine, "last").id)
    assert kept["tiles"].iloc[0] == 11
    assert kept["not_observed"].isna().iloc[0]
    assert kept["not_observed"].iloc[-1] == "window_closed"
    assert kept["tiles"].iloc[-1] == 0


def test_no_meeting_window_is_one_sentence(xvfb: str, home: Home) -> None:
    result = home.run("watch", "--seconds", "5", DISPLAY=xvfb)
    assert result.returncode == 1
    assert "Zoom Meeting" in result.stderr
    assert "Traceback" not in result.stderr

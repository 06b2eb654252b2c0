"""Finding the meeting window: titles, order, cover, and the windows of a real X server."""

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from capture.errors import DisplayError
from capture.windows import (
    MEETING_TITLES,
    DesktopWindow,
    Rank,
    Sighting,
    X11Desk,
    covered_share,
    desktop_session,
    locate,
    off_screen_share,
    overlap,
    rank_title,
)
from engagement.records import Box
from tests.x11 import X11Window, has, run_openbox, run_xvfb, wait_until

PLACE = Box(0, 0, 640, 480)


class Windows:
    """A desktop of given windows, bottom to top."""

    def __init__(self, *windows: DesktopWindow, stacked: bool = True) -> None:
        self.all = list(windows)
        self.stacked = stacked

    def windows(self) -> list[DesktopWindow]:
        return self.all

    def close(self) -> None:
        self.all = []


def window(handle: int, title: str, box: Box = PLACE, *, minimised: bool = False) -> DesktopWindow:
    return DesktopWindow(handle, title, box, box, minimised)


def picture(width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(40, 255, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("title", "rank"),
    [
        ("Zoom Meeting", Rank(0, 0)),
        ("ZOOM MEETING", Rank(0, 0)),
        ("Zoom Meeting 40-Minutes", Rank(0, 1)),
        ("Physics 9b: Zoom Meeting", Rank(0, 2)),
        ("Zoom Webinar", Rank(1, 0)),
        ("Meet - abc-defg-hij - Chromium", Rank(2, 1)),
        ("Meet – abc-defg-hij — Mozilla Firefox", Rank(2, 1)),
        ("Class 9b | Microsoft Teams", Rank(3, 2)),
        ("Zoom - Free account", Rank(4, 1)),
        ("Zoomed Meeting", None),
        ("notes of a helmeet - x", None),
        ("classpulse", None),
        ("", None),
    ],
)
def test_titles_of_meetings_are_told_from_others(title: str, rank: Rank | None) -> None:
    assert rank_title(title, MEETING_TITLES) == rank


def test_the_meeting_comes_before_the_home_window_and_an_exact_title_before_a_part() -> None:
    desk = Windows(
        window(1, "Zoom - Free account"),
        window(2, "vim notes on Zoom Meeting"),
        window(3, "Zoom Meeting"),
    )
    found = locate(desk, MEETING_TITLES)
    assert found is not None
    assert found.window.handle == 3


def test_of_two_that_fit_the_one_that_shows_and_is_larger_is_taken() -> None:
    large, small = Box(0, 0, 1600, 900), Box(0, 0, 300, 200)
    desk = Windows(
        window(1, "Zoom Meeting", large, minimised=True),
        window(2, "Zoom Meeting", small),
        window(3, "Zoom Meeting", PLACE),
    )
    found = locate(desk, MEETING_TITLES)
    assert found is not None
    assert found.window.handle == 3


def test_nothing_that_fits_is_nothing() -> None:
    assert locate(Windows(window(1, "Terminal")), MEETING_TITLES) is None
    assert locate(Windows(), MEETING_TITLES) is None


def test_a_window_is_kept_when_its_title_changes_or_a_like_one_opens() -> None:
    first = locate(Windows(window(7, "Zoom Meeting")), MEETING_TITLES)
    desk = Windows(
        window(7, "Talking: Ada - Zoom Meeting"),
        window(8, "Zoom Meeting", Box(0, 0, 2000, 1000)),
    )
    found = locate(desk, MEETING_TITLES, first)
    assert found is not None
    assert found.window.handle == 7


def test_a_window_is_not_seen_while_its_title_fits_nothing() -> None:
    """The browser in which the meeting runs is the same window when its mail is in front."""
    first = locate(Windows(window(7, "Meet - abc-defg-hij - Chromium")), MEETING_TITLES)
    worse = window(8, "Zoom - Free account")
    assert locate(Windows(window(7, "Inbox (3) - Chromium"), worse), MEETING_TITLES, first) is None
    again = locate(Windows(window(7, "Physics: Meet - abc"), worse), MEETING_TITLES, first)
    assert again is not None
    assert again.window.handle == 7


def test_a_meeting_that_moves_to_a_window_of_its_own_is_followed() -> None:
    first = locate(Windows(window(7, "Meet - abc-defg-hij - Chromium")), MEETING_TITLES)
    desk = Windows(window(7, "Inbox (3) - Chromium"), window(8, "Meet - abc-defg-hij - Chromium"))
    found = locate(desk, MEETING_TITLES, first)
    assert found is not None
    assert found.window.handle == 8


def test_a_kept_window_gives_way_to_a_better_title_only() -> None:
    home = locate(Windows(window(1, "Zoom - Free account")), MEETING_TITLES)
    both = Windows(window(1, "Zoom - Free account"), window(2, "Zoom Meeting"))
    meeting = locate(both, MEETING_TITLES, home)
    assert meeting is not None
    assert meeting.window.handle == 2
    assert locate(Windows(window(1, "Zoom - Free account")), MEETING_TITLES, meeting) is None


def test_a_meeting_that_is_opened_again_is_found_again() -> None:
    first = locate(Windows(window(1, "Zoom Meeting")), MEETING_TITLES)
    again = locate(Windows(window(2, "Zoom Meeting")), MEETING_TITLES, first)
    assert again is not None
    assert again.window.handle == 2


def test_only_windows_above_that_show_cover_it() -> None:
    half = Box(0, 0, 320, 480)
    below, meeting, above = window(1, "a", half), window(2, "Zoom Meeting"), window(3, "b", half)
    hidden = window(4, "c", half, minimised=True)

    def covered(*windows: DesktopWindow, stacked: bool = True) -> float:
        found = locate(Windows(*windows, stacked=stacked), MEETING_TITLES)
        assert found is not None
        return found.covered

    assert covered(below, meeting) == 0.0
    assert covered(meeting, above) == 0.5
    assert covered(meeting, hidden) == 0.0
    assert covered(meeting, above, stacked=False) == 0.0


def test_the_covered_share_is_that_of_the_union() -> None:
    random = np.random.default_rng(11)
    box = Box(-20, 10, 60, 50)
    for _case in range(50):
        above = [
            Box(*(int(v) for v in random.integers(-40, 60, 2)), *(int(v) for v in random.integers(1, 50, 2)))
            for _one in range(int(random.integers(0, 6)))
        ]
        pixels = np.zeros((50, 60), dtype=bool)
        for other in above:
            rows = slice(max(0, other.top - 10), max(0, other.bottom - 10))
            columns = slice(max(0, other.left + 20), max(0, other.right + 20))
            pixels[rows, columns] = True
        assert covered_share(box, above) == pytest.approx(pixels.mean())


def test_what_lies_on_no_monitor_is_off_the_screen() -> None:
    monitors = [Box(0, 0, 1000, 900), Box(-800, -100, 800, 600)]
    assert off_screen_share(Box(-100, 0, 300, 200), monitors) == 0.0
    assert off_screen_share(Box(900, 0, 200, 100), monitors) == 0.5
    assert off_screen_share(Box(-200, 450, 100, 100), monitors) == 0.5
    assert off_screen_share(Box(-500, 600, 50, 50), monitors) == 1.0


def test_boxes_that_touch_share_nothing() -> None:
    assert overlap(Box(0, 0, 10, 10), Box(10, 0, 10, 10)) is None
    assert overlap(Box(-5, -5, 10, 10), Box(0, 0, 10, 10)) == Box(0, 0, 5, 5)


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "x11"}, "linux", (True, ":0", False)),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, "linux", (True, ":0", True)),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", (True, None, True)),
        ({"WAYLAND_DISPLAY": "wayland-0", "XDG_SESSION_TYPE": "x11", "DISPLAY": ":1"}, "linux", (True, ":1", False)),
        ({"XDG_SESSION_TYPE": "tty", "DISPLAY": ""}, "linux", (True, None, False)),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "x"}, "darwin", (False, None, False)),
        ({}, "win32", (False, None, False)),
    ],
)  # fmt: skip
def test_the_session_is_read_from_the_environment(
    environ: dict[str, str], platform: str, expected: tuple[bool, str | None, bool]
) -> None:
    session = desktop_session(environ, platform)
    assert (session.x11, session.display, session.wayland) == expected


@pytest.fixture(params=["bare", "managed"])
def display(request: pytest.FixtureRequest, xvfb: str) -> Iterator[str]:
    """An X server without and with a window manager."""
    if request.param == "bare":
        yield xvfb
        return
    if not has("openbox"):
        pytest.skip("needs openbox")
    with run_openbox(xvfb):
        yield xvfb


@pytest.fixture
def managed(xvfb: str) -> Iterator[str]:
    if not has("openbox"):
        pytest.skip("needs openbox")
    with run_openbox(xvfb):
        yield xvfb


def sight(desk: X11Desk, title: str = "Zoom Meeting") -> Sighting:
    found = locate(desk, (title,))
    assert found is not None
    return found


def test_a_real_window_is_found_where_it_is(display: str) -> None:
    title = "Zoom Meeting – Größe 日本"
    with X11Desk(display) as desk, X11Window(display, title, picture(), 300, 200) as shown:
        seen = sight(desk)
        assert seen.window.title == title
        assert seen.window.handle == shown.handle
        assert seen.window.box == Box(300, 200, 320, 240)
        assert seen.covered == 0.0
        shown.move(-100, 900)
        assert sight(desk).window.box == Box(-100, 900, 320, 240)
        shown.resize(500, 400)
        assert sight(desk).window.box == Box(-100, 900, 500, 400)


def test_a_minimised_window_is_told_from_a_closed_one(display: str) -> None:
    with X11Desk(display) as desk, X11Window(display, "Zoom Meeting", picture(), 300, 200) as shown:
        shown.minimise()
        assert sight(desk).window.minimised
        shown.restore()
        assert not sight(desk).window.minimised
        shown.close()
        assert locate(desk, MEETING_TITLES) is None


def test_the_window_above_covers_it(display: str) -> None:
    with (
        X11Desk(display) as desk,
        X11Window(display, "Zoom Meeting", picture(400, 200), 300, 300) as shown,
        X11Window(display, "Notes", picture(200, 200), 500, 300) as notes,
    ):
        # a window manager adds a border to what lies above
        assert sight(desk).covered == pytest.approx(0.5, abs=0.02)
        notes.minimise()
        wait_until(lambda: sight(desk).covered == 0.0)
        notes.restore()
        shown.raise_()
        wait_until(lambda: sight(desk).covered == 0.0)


def test_a_window_on_another_desktop_is_not_there_to_see(managed: str) -> None:
    with X11Desk(managed) as desk, X11Window(managed, "Zoom Meeting", picture(), 300, 200) as shown:
        shown.send_to_desktop(1)
        assert sight(desk).window.minimised
        shown.send_to_desktop(0)
        assert not sight(desk).window.minimised


def test_the_shadow_that_a_program_draws_itself_is_left_out(managed: str) -> None:
    with X11Desk(managed) as desk, X11Window(managed, "Meet - class", picture(), 300, 200) as shown:
        shown.set_numbers("_GTK_FRAME_EXTENTS", [10, 12, 14, 16])
        assert sight(desk, "Meet -").window.box == Box(310, 214, 298, 210)


def test_the_list_that_a_dead_window_manager_left_is_not_believed(xvfb: str) -> None:
    if not has("openbox"):
        pytest.skip("needs openbox")
    with X11Desk(xvfb) as desk:
        with run_openbox(xvfb):
            pass
        with X11Window(xvfb, "Zoom Meeting", picture(), 30, 20) as shown:
            assert sight(desk).window.handle == shown.handle


def test_a_display_that_is_lost_is_said_in_words(xvfb: str) -> None:
    with run_xvfb(320, 240) as own:
        desk = X11Desk(own)
        assert desk.windows() == []
    with desk, pytest.raises(DisplayError, match="was lost: log in"):
        desk.windows()


def test_an_x_server_of_its_own_is_not_xwayland(xvfb: str) -> None:
    with X11Desk(xvfb) as desk:
        assert not desk.is_xwayland


# PyWinCtl connects to the display of the process when it is imported, so it has a process of its own.
PYWINCTL = """
from capture.windows import PyWinCtlDesk, locate
desk = PyWinCtlDesk()
seen = locate(desk, ("Zoom Meeting",))
box = seen.window.box
print(seen.window.title, box.left, box.top, box.right, box.bottom, seen.window.minimised, seen.covered, sep="|")
"""


def test_pywinctl_shows_a_real_window_too(managed: str) -> None:
    with X11Window(managed, "Zoom Meeting", picture(), 300, 200):
        environ = {**os.environ, "DISPLAY": managed, "XDG_SESSION_TYPE": "x11"}
        done = subprocess.run(
            [sys.executable, "-c", PYWINCTL], env=environ, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    title, left, top, right, bottom, minimised, covered = done.stdout.strip().split("|")
    assert (title, minimised, covered) == ("Zoom Meeting", "False", "0.0")
    # on X11 it guesses the size of the title bar, one reason not to use it there
    assert 300 <= int(left) < int(right) <= 620
    assert 200 <= int(top) < int(bottom) <= 440

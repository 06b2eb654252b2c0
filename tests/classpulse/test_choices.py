"""What the page offers to read: the windows and monitors of a real X server."""

import numpy as np
import pytest
from numpy.typing import NDArray

from capture.windows import MEETING_TITLES
from classpulse.choices import find_choices
from dashboard.controls import SourceKind
from tests.x11 import X11Window


def picture(width: int = 640, height: int = 400) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(40, 255, (height, width, 3), dtype=np.uint8)


def test_the_meeting_comes_first_then_windows_then_monitors(xvfb: str) -> None:
    with (
        X11Window(xvfb, "Notes\u202e of 9b", picture(1200, 800), 900, 500),
        X11Window(xvfb, "Zoom - Free account", picture(), 0, 0),
        X11Window(xvfb, "a hint", picture(60, 60), 0, 600),
        X11Window(xvfb, "Zoom Meeting", picture(), 100, 50),
        X11Window(xvfb, "Calculator", picture(400, 300), 150, 60),
    ):
        choices = find_choices(MEETING_TITLES, xvfb)
    assert choices.problem is None
    assert [(one.source, one.kind, one.title, one.detail) for one in choices.found] == [
        ("window", SourceKind.MEETING, "Zoom Meeting", "640 x 400, 47% covered"),
        ("window:Zoom - Free account", SourceKind.MEETING, "Zoom - Free account", "640 x 400"),
        ("window:Notes\u202e of 9b", SourceKind.WINDOW, "Notes of 9b", "1200 x 800"),
        ("window:Calculator", SourceKind.WINDOW, "Calculator", "400 x 300"),
        ("monitor:1", SourceKind.MONITOR, "Screen 1", "2560 x 1440 at 0,0"),
    ]


def test_two_windows_of_one_title_are_one_choice_and_a_minimised_one_says_so(xvfb: str) -> None:
    with (
        X11Window(xvfb, "Notes", picture()),
        X11Window(xvfb, "Notes", picture(800, 600)),
        X11Window(xvfb, "Zoom Meeting", picture()) as meeting,
    ):
        meeting.minimise()
        found = find_choices(MEETING_TITLES, xvfb).found
    assert [(one.source, one.detail) for one in found] == [
        ("window", "minimised"),
        ("window:Notes", "800 x 600"),
        ("monitor:1", "2560 x 1440 at 0,0"),
    ]


def test_without_a_display_the_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    choices = find_choices(MEETING_TITLES)
    assert choices.found == ()
    assert "DISPLAY is not set" in (choices.problem or "")

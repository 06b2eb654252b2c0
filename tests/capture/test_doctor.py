"""What the doctor finds on a desktop, and what it tells to do."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from capture.doctor import (
    Check,
    check_desktop,
    check_permission,
    check_picture,
    check_source,
    describe_session,
    run_checks,
)
from capture.windows import DesktopSession
from tests.x11 import X11Window


def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(40, 255, (240, 320, 3), dtype=np.uint8)


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_all_is_well_with_a_meeting_on_the_screen(xvfb: str) -> None:
    with X11Window(xvfb, "Zoom Meeting", picture(), 30, 40):
        found, frame = check_source("window", display=xvfb)
    checks = by_name(found)
    assert {name: check.state for name, check in checks.items()} == {
        "display": "ok", "permission": "ok", "monitors": "ok", "meeting window": "ok", "source": "ok",
    }  # fmt: skip
    assert frame is not None
    assert np.array_equal(frame.image, picture())
    assert checks["monitors"].found == "monitor:1 (2560 x 1440 at 0,0)"
    assert checks["meeting window"].found == '"Zoom Meeting", 320 x 240 at 30,40'
    assert checks["source"].found == 'window "Zoom Meeting", 320 x 240 pixels'
    assert not any(check.advice for check in checks.values())


def test_no_meeting_fails_the_window_source_only(xvfb: str) -> None:
    checks = by_name(run_checks("window", titles=("Zoom Meeting",), display=xvfb))
    assert checks["meeting window"].state == "fail"
    assert 'holds "Zoom Meeting"' in checks["meeting window"].found
    assert "gallery view" in checks["meeting window"].advice
    with X11Window(xvfb, "Notes", picture()):
        checks = by_name(check_source("monitor:1", display=xvfb)[0])
    assert checks["meeting window"].state == "warn"
    assert checks["source"].state == "ok"


def test_a_window_that_cannot_be_seen_says_why(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with X11Window(xvfb, "Physics 9b", picture()) as shown:
        with X11Window(xvfb, "Notes", picture()[:, :160]):
            apart = by_name(run_checks("window:Physics 9b", display=xvfb))["meeting window"]
            with monkeypatch.context() as patch:
                patch.setattr("capture.doctor.open_pictures", lambda _display: None)
                covered = by_name(run_checks("window:Physics 9b", display=xvfb))["meeting window"]
        assert (apart.state, apart.advice) == ("ok", "")
        assert apart.found.endswith("50% covered, read all the same")
        assert covered.state == "fail"
        assert "50% covered" in covered.found
        assert "until it can be seen whole" in covered.advice
        shown.minimise()
        minimised = by_name(run_checks("window:Physics 9b", display=xvfb))["meeting window"]
        assert minimised.state == "fail"
        assert minimised.found.endswith("minimised")
        assert "task bar" in minimised.advice


def test_a_black_source_is_a_warning(xvfb: str) -> None:
    with X11Window(xvfb, "Zoom Meeting", np.zeros((240, 320, 3), np.uint8)):
        check, frame = check_picture("window", display=xvfb)
    assert frame is None
    assert (check.state, check.found) == ("warn", 'window "Zoom Meeting", no picture: black')
    assert "allow classpulse to record the screen" in check.advice


def test_no_display_fails_what_needs_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    (display,) = run_checks("region:0,0,10,10")
    assert (display.name, display.state) == ("display", "fail")
    assert "DISPLAY is not set" in display.advice
    Image.fromarray(picture()).save(tmp_path / "class.png")
    (display, source), frame = check_source(str(tmp_path / "class.png"))
    assert frame is not None
    assert (display.state, source.state) == ("warn", "ok")
    assert source.found == "class.png, 320 x 240 pixels"


def test_a_source_that_cannot_be_read_fails(tmp_path: Path) -> None:
    check, frame = check_picture(str(tmp_path))
    assert frame is None
    assert check.state == "fail"
    assert "holds no picture" in check.advice
    assert check_picture("monitor:x")[0].state == "fail"


def test_the_desktop_alone_never_fails(xvfb: str) -> None:
    assert {check.state for check in check_desktop(("no such window",), xvfb)} == {"ok", "warn"}


class Quartz:
    """What macOS answers."""

    def __init__(self, allowed: bool) -> None:
        self.CGPreflightScreenCaptureAccess = lambda: allowed


def test_the_permission_that_macos_does_not_mention_is_asked_for() -> None:
    refused = check_permission(Quartz(False))
    assert refused.state == "fail"
    assert "wallpaper" in refused.found
    assert "Privacy & Security" in refused.advice
    assert check_permission(Quartz(True)).state == "ok"
    # before macOS 10.15 nobody had to ask
    assert check_permission(object()) == Check("permission", "ok", "this system does not say", "")


def test_the_kind_of_session_is_named() -> None:
    assert describe_session(DesktopSession(True, ":0", False)) == "X11 :0, x11 session"
    assert "wayland session" in describe_session(DesktopSession(True, ":1", True))
    assert describe_session(DesktopSession(False, None, False)) == "of the system"

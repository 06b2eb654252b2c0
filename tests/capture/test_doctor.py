"""What the doctor finds on a desktop, and what it tells to do."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from capture.doctor import Check, check_desktop, check_picture, run_checks
from tests.x11 import X11Window


def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(40, 255, (240, 320, 3), dtype=np.uint8)


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_all_is_well_with_a_meeting_on_the_screen(xvfb: str) -> None:
    with X11Window(xvfb, "Zoom Meeting", picture(), 30, 40):
        checks = by_name(run_checks("window", display=xvfb))
    assert {name: check.state for name, check in checks.items()} == {
        "display": "ok", "monitors": "ok", "meeting window": "ok", "source": "ok",
    }  # fmt: skip
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
        checks = by_name(run_checks("monitor:1", display=xvfb))
    assert checks["meeting window"].state == "warn"
    assert checks["source"].state == "ok"


def test_a_window_that_cannot_be_seen_says_why(xvfb: str) -> None:
    with X11Window(xvfb, "Physics 9b", picture()) as shown:
        with X11Window(xvfb, "Notes", picture()[:, :160]):
            covered = by_name(run_checks("window:Physics 9b", display=xvfb))["meeting window"]
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
        check = check_picture("window", display=xvfb)
    assert (check.state, check.found) == ("warn", 'window "Zoom Meeting", no picture: black')
    assert "allow classpulse to record the screen" in check.advice


def test_no_display_fails_what_needs_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    (display,) = run_checks("region:0,0,10,10")
    assert (display.name, display.state) == ("display", "fail")
    assert "DISPLAY is not set" in display.advice
    Image.fromarray(picture()).save(tmp_path / "class.png")
    display, source = run_checks(str(tmp_path / "class.png"))
    assert (display.state, source.state) == ("warn", "ok")
    assert source.found == "class.png, 320 x 240 pixels"


def test_a_source_that_cannot_be_read_fails(tmp_path: Path) -> None:
    check = check_picture(str(tmp_path))
    assert check.state == "fail"
    assert "holds no picture" in check.advice
    assert check_picture("monitor:x").state == "fail"


def test_the_desktop_alone_never_fails(xvfb: str) -> None:
    assert {check.state for check in check_desktop(("no such window",), xvfb)} == {"ok", "warn"}

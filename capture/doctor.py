"""What of this computer a source needs, as data: the command line and the first page show it."""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from capture.errors import SourceError
from capture.frame import Frame
from capture.quartz import may_record
from capture.screen import COVERED_SHARE, Grabber, describe_monitors
from capture.sources import open_source
from capture.window_pictures import open_pictures
from capture.windows import (
    MEETING_TITLES,
    DesktopSession,
    Sighting,
    desktop_session,
    locate,
    open_desk,
)
from engagement.records import NotObservedReason


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor.

    Attributes:
        name: what was looked at.
        state: `ok`; `warn` where classpulse runs but something will be missing; `fail` where it cannot run.
        found: what was found.
        advice: what to do now; "" if nothing.
    """

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    advice: str


_ADVICE: Final = {
    NotObservedReason.WINDOW_CLOSED: "Open the meeting.",
    NotObservedReason.MINIMISED: "Restore the meeting window from the task bar.",
    NotObservedReason.COVERED: "Move the meeting window, or what lies over it, until it can be seen whole.",
    NotObservedReason.BLACK: "Switch the screen or camera on, and allow classpulse to record the screen.",
}
_OTHER_ADVICE: Final = "Check that another program can show it, and try again."


def check_source(
    source: str = "window", *, titles: Sequence[str] = MEETING_TITLES, display: str | None = None
) -> tuple[list[Check], Frame | None]:
    """Look at the display, the permission, the monitors, the meeting window and one picture of `source`.

    Returns:
        The lines, and the picture for those who read it; None where there is none.
    """
    checks = run_checks(source, titles=titles, display=display)
    if any(check.state == "fail" for check in checks):
        return checks, None
    check, frame = check_picture(source, titles, display)
    return [*checks, check], frame


def run_checks(
    source: str = "window", *, titles: Sequence[str] = MEETING_TITLES, display: str | None = None
) -> list[Check]:
    """Look at the display, the permission, the monitors and the meeting window.

    Args:
        source: as for `open_source`. Display and meeting window are looked at whatever it is, but are a failure
            only if the source needs them.
        titles: parts of the titles of meeting windows.
        display: X display; default: of the session.
    """
    kind, _colon, title = source.strip().partition(":")
    kind = kind.lower()
    if kind == "window" and title:
        titles = (title,)
    checks = check_desktop(titles, display)
    needed = {"window": ("display", "meeting window"), "monitor": ("display",), "region": ("display",)}
    return [
        replace(check, state="fail")
        if check.state == "warn" and check.name in needed.get(kind, ())
        else check
        for check in checks
    ]


def check_desktop(titles: Sequence[str], display: str | None = None) -> list[Check]:
    """The display and, if it can be used, the monitors and the meeting window; what is missing is a warning."""
    try:
        with Grabber(display) as grabber:
            monitors = grabber.monitors
            desk = open_desk(display)
            try:
                sighting = locate(desk, titles)
            finally:
                desk.close()
        apart = sighting is not None and sighting.covered > COVERED_SHARE and _is_given(sighting, display)
    except SourceError as problem:
        return [Check("display", "warn", "none that can be used", str(problem))]
    return [
        Check("display", "ok", describe_session(desktop_session(), display), ""),
        check_permission(),
        Check("monitors", "ok", describe_monitors(monitors), ""),
        check_window(sighting, titles, apart=apart),
    ]


def _is_given(sighting: Sighting, display: str | None) -> bool:
    """Whether the system gives the window's own picture, whatever lies over it."""
    pictures = open_pictures(display)
    if pictures is None:
        return False
    try:
        return pictures.grab(sighting.window) is not None
    finally:
        pictures.close()


def describe_session(session: DesktopSession, display: str | None = None) -> str:
    """Which display, and what kind of session, such as `X11 :0, x11 session`."""
    if not session.x11:
        return "of the system"
    kind = "wayland session, of which only X11 windows are seen" if session.wayland else "x11 session"
    return f"X11 {display or session.display}, {kind}"


def check_permission(quartz: Any = None) -> Check:
    """Whether the system lets us record the screen; only macOS asks, and it gives the wallpaper without an error.

    Args:
        quartz: the module `Quartz`; default: that of the system, where there is one.
    """
    name = "permission"
    if quartz is None and sys.platform == "darwin":
        quartz = importlib.import_module("Quartz")
    if quartz is None:
        return Check(name, "ok", "this system asks for none", "")
    allowed = may_record(quartz)
    if allowed is None:
        return Check(name, "ok", "this system does not say", "")
    if not allowed:
        advice = (
            "Open System Settings, Privacy & Security, Screen & System Audio Recording, switch on the program in which "
            "classpulse runs (such as Terminal), and start that program again."
        )
        return Check(
            name, "fail", "not allowed to record the screen: it would show the wallpaper only", advice
        )
    return Check(name, "ok", "allowed to record the screen", "")


def check_window(sighting: Sighting | None, titles: Sequence[str], *, apart: bool = False) -> Check:
    """Whether the meeting window is there and can be seen.

    Args:
        sighting: of it, if there is any.
        titles: that were looked for.
        apart: it is covered, and the system gives its own picture all the same.
    """
    name = "meeting window"
    if sighting is None:
        wanted = ", ".join(f'"{title.strip()}"' for title in titles)
        advice = "Open the meeting in gallery view, or choose its window: on the page, or with --source window:TITLE."
        return Check(name, "warn", f"none whose title holds {wanted}", advice)
    window = sighting.window
    found = (
        f'"{window.title}", {window.box.width} x {window.box.height} at {window.box.left},{window.box.top}'
    )
    if window.minimised:
        return Check(name, "warn", f"{found}, minimised", _ADVICE[NotObservedReason.MINIMISED])
    if sighting.covered > COVERED_SHARE:
        found = f"{found}, {sighting.covered:.0%} covered"
        if apart:
            return Check(name, "ok", f"{found}, read all the same", "")
        return Check(name, "warn", found, _ADVICE[NotObservedReason.COVERED])
    return Check(name, "ok", found, "")


def check_picture(
    spec: str, titles: Sequence[str] = MEETING_TITLES, display: str | None = None
) -> tuple[Check, Frame | None]:
    """Whether a source gives a picture now, and that picture."""
    try:
        with open_source(spec, titles=titles, display=display) as source:
            seen = next(source.frames(1.0))
            name = source.name
    except SourceError as problem:
        return Check("source", "fail", f"{spec} cannot be read", str(problem)), None
    if isinstance(seen, Frame):
        scale = f", {seen.scale:g} real for one nominal" if seen.scale != 1.0 else ""
        return Check("source", "ok", f"{name}, {seen.width} x {seen.height} pixels{scale}", ""), seen
    found = f"{name}, no picture: {seen.reason.replace('_', ' ')}"
    return Check("source", "warn", found, _ADVICE.get(seen.reason, _OTHER_ADVICE)), None

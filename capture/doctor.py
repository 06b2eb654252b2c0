"""What of this computer a source needs, as data: the command line and the first page show it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from capture.errors import SourceError
from capture.frame import Frame
from capture.screen import COVERED_SHARE, Grabber, describe_monitors
from capture.sources import open_source
from capture.windows import MEETING_TITLES, Sighting, desktop_session, locate, open_desk
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


def run_checks(
    source: str = "window", *, titles: Sequence[str] = MEETING_TITLES, display: str | None = None
) -> list[Check]:
    """Look at the display, the monitors, the meeting window and one picture of `source`.

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
    checks = [
        replace(check, state="fail")
        if check.state == "warn" and check.name in needed.get(kind, ())
        else check
        for check in checks
    ]
    if all(check.state != "fail" for check in checks):
        checks.append(check_picture(source, titles, display))
    return checks


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
    except SourceError as problem:
        return [Check("display", "warn", "none that can be used", str(problem))]
    session = desktop_session()
    return [
        Check("display", "ok", f"X11 {display or session.display}" if session.x11 else "of the system", ""),
        Check("monitors", "ok", describe_monitors(monitors), ""),
        check_window(sighting, titles),
    ]


def check_window(sighting: Sighting | None, titles: Sequence[str]) -> Check:
    """Whether the meeting window is there and can be seen."""
    name = "meeting window"
    if sighting is None:
        wanted = ", ".join(f'"{title.strip()}"' for title in titles)
        advice = "Open the meeting in gallery view, or name its window with --source window:TITLE."
        return Check(name, "warn", f"none whose title holds {wanted}", advice)
    window = sighting.window
    found = (
        f'"{window.title}", {window.box.width} x {window.box.height} at {window.box.left},{window.box.top}'
    )
    if window.minimised:
        return Check(name, "warn", f"{found}, minimised", _ADVICE[NotObservedReason.MINIMISED])
    if sighting.covered > COVERED_SHARE:
        found = f"{found}, {sighting.covered:.0%} covered"
        return Check(name, "warn", found, _ADVICE[NotObservedReason.COVERED])
    return Check(name, "ok", found, "")


def check_picture(spec: str, titles: Sequence[str] = MEETING_TITLES, display: str | None = None) -> Check:
    """Whether a source gives a picture now."""
    try:
        with open_source(spec, titles=titles, display=display) as source:
            seen = next(source.frames(1.0))
            name = source.name
    except SourceError as problem:
        return Check("source", "fail", f"{spec} cannot be read", str(problem))
    if isinstance(seen, Frame):
        return Check("source", "ok", f"{name}, {seen.width} x {seen.height} pixels", "")
    found = f"{name}, no picture: {seen.reason.replace('_', ' ')}"
    return Check("source", "warn", found, _ADVICE.get(seen.reason, _OTHER_ADVICE))

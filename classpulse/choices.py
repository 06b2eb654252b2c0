"""What is on the screen that could be read, for the page that starts a class."""

from collections.abc import Sequence
from typing import Final

from capture.errors import SourceError
from capture.screen import COVERED_SHARE, Grabber
from capture.windows import DesktopWindow, locate, open_desk, rank_title
from dashboard.controls import Choice, Choices, SourceKind
from engagement.names import clean_name
from engagement.records import Box

MOST_WINDOWS: Final = 30
_LEAST_WIDTH, _LEAST_HEIGHT = 320, 200


def find_choices(titles: Sequence[str], display: str | None = None) -> Choices:
    """The meeting windows, the other windows and the monitors, without a picture of any.

    Args:
        titles: parts of the titles of meeting windows, best first.
        display: X display; default: of the session.
    """
    try:
        with Grabber(display) as grabber:
            monitors = grabber.monitors
            desk = open_desk(display)
            try:
                windows, best = desk.windows(), locate(desk, titles)
            finally:
                desk.close()
    except SourceError as problem:
        return Choices((), str(problem))
    found: list[Choice] = []
    if best is not None:
        note = f", {best.covered:.0%} covered" if best.covered > COVERED_SHARE else ""
        # by the titles of the settings, so that it is found again when its own changes
        found.append(_choice("window", SourceKind.MEETING, best.window, note))
    for window in sorted(windows, key=_importance):
        if clean_name(window.title) is None or "\0" in window.title:
            continue
        if best is not None and window.handle == best.window.handle:
            continue
        is_meeting = rank_title(window.title, titles) is not None
        if not is_meeting and min(window.box.width - _LEAST_WIDTH, window.box.height - _LEAST_HEIGHT) < 0:
            continue
        kind = SourceKind.MEETING if is_meeting else SourceKind.WINDOW
        found.append(_choice(f"window:{window.title.strip()}", kind, window, ""))
    found = sorted(found, key=lambda choice: list(SourceKind).index(choice.kind))[:MOST_WINDOWS]
    found += [
        Choice(f"monitor:{number}", SourceKind.MONITOR, f"Screen {number}", _place(box))
        for number, box in enumerate(monitors, start=1)
    ]
    # two windows of one title are one source: the first that fits is read
    return Choices(tuple({choice.source: choice for choice in reversed(found)}.values())[::-1])


def _importance(window: DesktopWindow) -> tuple[bool, int]:
    return window.minimised, -window.box.area


def _choice(source: str, kind: SourceKind, window: DesktopWindow, note: str) -> Choice:
    box = window.box
    detail = "minimised" if window.minimised else f"{box.width} x {box.height}{note}"
    return Choice(source, kind, clean_name(window.title) or "a window without a title", detail)


def _place(box: Box) -> str:
    return f"{box.width} x {box.height} at {box.left},{box.top}"

"""The picture of one window on macOS, whatever lies over it, and the permission for it. Not yet run on that system.

Quartz is handed over (the module `Quartz` of pyobjc, which PyWinCtl brings), so that tests can record its calls.
Without the permission to record the screen macOS gives the wallpaper and no error, which is why it is asked for first.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Box

_BYTES_PER_PIXEL: Final = 4
_SLACK: Final = 2
"""Points by which two ways to ask for the place of a window may differ."""


def may_record(quartz: Any) -> bool | None:
    """Whether this program may record the screen; None where the system (before 10.15) does not say."""
    ask = getattr(quartz, "CGPreflightScreenCaptureAccess", None)
    return None if ask is None else bool(ask())


def find_window(quartz: Any, title: str, box: Box) -> int | None:
    """The system's number of the window with this title whose picture lies at `box` (points); None if none does.

    The list has outer rectangles, with title bars, so that `box` has to lie in one of them.
    """
    listed = quartz.CGWindowListCopyWindowInfo(quartz.kCGWindowListOptionAll, quartz.kCGNullWindowID)
    for window in listed or ():
        if window.get("kCGWindowLayer") != 0 or window.get("kCGWindowName") != title:
            continue
        bounds = window["kCGWindowBounds"]
        left, top = bounds["X"] - _SLACK, bounds["Y"] - _SLACK
        right, bottom = (
            bounds["X"] + bounds["Width"] + _SLACK,
            bounds["Y"] + bounds["Height"] + _SLACK,
        )
        if left <= box.left and box.right <= right and top <= box.top and box.bottom <= bottom:
            return int(window["kCGWindowNumber"])
    return None


def grab(quartz: Any, number: int, box: Box) -> NDArray[np.uint8] | None:
    """The part `box` (points) of a window in its real resolution, uint8 (H, W, 3) RGB; None where it is not given.

    Args:
        quartz: the module.
        number: from `find_window`.
        box: of its picture on the desktop.
    """
    picture = quartz.CGWindowListCreateImage(
        quartz.CGRectMake(box.left, box.top, box.width, box.height),
        quartz.kCGWindowListOptionIncludingWindow,
        number,
        quartz.kCGWindowImageBoundsIgnoreFraming | quartz.kCGWindowImageBestResolution,
    )
    if picture is None:
        return None
    width, height = quartz.CGImageGetWidth(picture), quartz.CGImageGetHeight(picture)
    stride = quartz.CGImageGetBytesPerRow(picture)
    data = quartz.CGDataProviderCopyData(quartz.CGImageGetDataProvider(picture))
    # a row may be longer than its pixels; the last one need not be
    if width <= 0 or height <= 0 or len(data) < stride * (height - 1) + width * _BYTES_PER_PIXEL:
        return None
    rows = np.frombuffer(bytes(data).ljust(stride * height, b"\0"), np.uint8)[: stride * height]
    bgra = rows.reshape(height, stride)[:, : width * _BYTES_PER_PIXEL].reshape(
        height, width, _BYTES_PER_PIXEL
    )
    return np.ascontiguousarray(bgra[..., 2::-1])

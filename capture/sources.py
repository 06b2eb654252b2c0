"""From what the user wrote after `--source` to a source."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from capture.errors import InvalidSourceError, SourceNotFoundError, UnreadableSourceError
from capture.frame import FrameSource
from capture.replay import IMAGE_SUFFIXES, CameraSource, FolderSource, ImageSource, VideoSource
from capture.screen import MonitorSource, RegionSource, WindowSource
from capture.windows import MEETING_TITLES
from engagement.records import Box

SOURCES: Final = (
    "window, window:TITLE, monitor:N, region:X,Y,W,H, camera:N, demo, demo:SEATS, or the path of a picture, of a "
    "folder of pictures or of a video"
)

_LIVE: Final = ("window", "monitor", "region", "camera", "demo")


def open_source(
    spec: str,
    *,
    titles: Sequence[str] = MEETING_TITLES,
    display: str | None = None,
    started_at: datetime | None = None,
) -> FrameSource:
    """Make the source that `spec` names. It opens when it is entered; only then are screen and files looked into.

    Args:
        spec: `window` (a meeting by its title), `window:TITLE`, `monitor:N` (1 is the first), `region:X,Y,W,H`
            (nominal pixels of the desktop; X and Y may be negative), `camera:N` (0 is the first), `demo`, `demo:SEATS`,
            or a path.
        titles: parts of the titles of meeting windows, best first; for `window`, and to name a window without more of
            its title.
        display: X display of the desktop sources; default: of the session.
        started_at: aware UTC time at which a picture or a recording begins; default: from the file's own time.

    Raises:
        InvalidSourceError: `spec` is malformed.
        SourceNotFoundError: the path does not exist.
        UnreadableSourceError: the path may not be entered.
    """
    if not spec.strip():
        raise InvalidSourceError(f"--source names nothing: it takes {SOURCES}.")
    kind, colon, rest = spec.strip().partition(":")
    kind = kind.lower()
    if kind not in _LIVE:
        return _open_path(spec, started_at)
    if kind == "window":
        if colon and not rest.strip():
            raise InvalidSourceError("--source window: names no title: write window:TITLE, or window alone.")
        return WindowSource((rest,) if colon else titles, known=titles, display=display)
    if kind == "monitor":
        return MonitorSource(_number(spec, rest, 1), display=display)
    if kind == "region":
        return RegionSource(_region(spec, rest), display=display)
    if kind == "camera":
        return CameraSource(_number(spec, rest, 0))
    from capture.classroom import Classroom

    return Classroom(_number(spec, rest, 2)) if colon else Classroom()


def is_synthetic(spec: str) -> bool:
    """Whether `spec` names the synthetic class, whose people are made up; a file called demo.mp4 is none."""
    return spec.strip().partition(":")[0].lower() == "demo"


def _number(spec: str, text: str, first: int) -> int:
    if not re.fullmatch(r"\d{1,4}", text) or int(text) < first:
        kind = spec.strip().partition(":")[0].lower()
        raise InvalidSourceError(f"--source {spec} is malformed: write {kind}:N, with N from {first} on.")
    return int(text)


def _region(spec: str, text: str) -> Box:
    match = re.fullmatch(r"\s*(-?\d{1,6})\s*,\s*(-?\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*", text)
    numbers = [int(number) for number in match.groups()] if match else []
    if not match or min(numbers[2:]) == 0:
        raise InvalidSourceError(
            f"--source {spec} is malformed: write region:X,Y,W,H with the left and top edge, the width and the "
            "height in pixels, such as region:100,50,1280,720."
        )
    return Box(*numbers)


def _open_path(spec: str, started_at: datetime | None) -> FrameSource:
    try:
        path = Path(spec).expanduser()
        is_folder, is_file = path.is_dir(), path.is_file()
        if not (is_folder or is_file):
            path.stat()
    except PermissionError as problem:
        raise UnreadableSourceError(
            f"{spec} may not be entered: give yourself the right to read it."
        ) from problem
    # there is no home of ~nobody
    except (OSError, ValueError, RuntimeError) as problem:
        raise SourceNotFoundError(
            f"There is no file or folder {spec!r}: --source takes {SOURCES}."
        ) from problem
    if is_folder:
        return FolderSource(path, started_at=started_at)
    if not is_file:
        raise UnreadableSourceError(f"{path} is neither a file nor a folder: --source takes {SOURCES}.")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageSource(path, started_at=started_at)
    return VideoSource(path, started_at=started_at)

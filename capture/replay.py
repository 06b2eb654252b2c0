"""Sources that are not the desktop: a picture, a folder of pictures, a recording, a camera."""

import logging
import os
import re
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

from capture.errors import SourceError, SourceNotFoundError, UnreadableSourceError
from capture.frame import Frame, NotObserved
from capture.liveness import Look, check_interval, is_black, live_frames
from engagement.records import NotObservedReason

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES: Final = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
#: A picture with more pixels than this is refused before it is decoded: a small file can hold gigabytes.
MAX_PIXELS: Final = 100_000_000
MAX_SIDE: Final = 32_767
"""Pixels of the longer side; OpenCV counts no further in a picture that is warped."""
_FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Of pictures, whatever their names say: Pillow hands some others, such as EPS, to programs that it finds here."""
# Recordings stamp their frames in whole milliseconds.
_TICK: Final = 0.0015
_RUN_UP: Final = 5.0
"""Seconds before a wanted picture at which a recording is entered: that can be done at some pictures only."""
_USUAL_RATE: Final = 25.0
# Outside of these the header of a recording is wrong (some state a time base in place of a rate).
_SLOWEST, _FASTEST, _SANE_FRAMES = 0.01, 1000.0, 1e9
# How many pictures a camera driver keeps; they are as old as the last look.
_CAMERA_BUFFER: Final = 4


def load_image(path: Path) -> NDArray[np.uint8]:
    """Decode a picture, turned upright as its EXIF tag says.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        SourceNotFoundError: there is no such file.
        UnreadableSourceError: it is no file, cannot be entered or decoded, or is larger than `check_pixels` allows.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableSourceError(f"{path} is no file that holds a picture: give a picture.")
        with path.open("rb") as file:
            return decode_image(file, path.name)
    except FileNotFoundError as problem:
        raise SourceNotFoundError(f"There is no picture {path}: check the path.") from problem
    except PermissionError as problem:
        raise UnreadableSourceError(
            f"The picture {path} may not be read: give yourself the right to read it."
        ) from problem
    except (OSError, ValueError) as problem:
        raise _undecodable(path.name, problem) from problem


def decode_image(file: BinaryIO, name: str) -> NDArray[np.uint8]:
    """As `load_image`, of a picture that is open or in memory.

    Args:
        file: at its beginning.
        name: of the picture, for errors.

    Raises:
        UnreadableSourceError: it cannot be decoded, or is larger than `check_pixels` allows.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow warns below our own limit, which is checked two lines on, before anything is decoded
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(file, formats=_FORMATS)
        with opened as picture:
            check_pixels(name, picture.width, picture.height)
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            return np.array(upright, dtype=np.uint8)
    except Image.DecompressionBombError as problem:
        raise UnreadableSourceError(
            f"The picture {name} has more than {MAX_PIXELS // 1_000_000} megapixels: scale it down first."
        ) from problem
    except UnidentifiedImageError as problem:
        # its own words name the object that was read
        raise _undecodable(name, "it does not begin like one") from problem
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error, zlib.error) as problem:
        raise _undecodable(name, problem) from problem


def _undecodable(name: str, problem: object) -> UnreadableSourceError:
    return UnreadableSourceError(
        f"The picture {name} cannot be decoded ({problem}): it is damaged or of another kind, save it again as PNG or "
        "JPEG."
    )


def check_pixels(name: str, width: int, height: int) -> None:
    """Raise UnreadableSourceError if a picture would hold more than 100 megapixels, or a side of over 32,767 pixels."""
    if width * height > MAX_PIXELS:
        raise UnreadableSourceError(
            f"{name} has {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels: scale it down "
            "first."
        )
    if max(width, height) > MAX_SIDE:
        raise UnreadableSourceError(
            f"{name} has {width} x {height} pixels, and a side at most {MAX_SIDE}: cut it first."
        )


class ImageSource:
    """One picture, one frame.

    Args:
        path: the file.
        started_at: aware UTC time of the frame; default: when the file was last changed.
    """

    live = False

    def __init__(self, path: Path, *, started_at: datetime | None = None) -> None:
        self._path = path
        self._started_at = started_at
        self._image: NDArray[np.uint8] | None = None

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._path.name

    def frame_count(self, interval: float) -> int | None:
        """One, whatever the interval."""
        check_interval(interval)
        return 1

    def __enter__(self) -> Self:
        self._image = load_image(self._path)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._image = None

    def frames(self, interval: float) -> Iterator[Frame | NotObserved]:
        """The picture, once; see `FrameSource`."""
        check_interval(interval)
        if self._image is None:
            raise SourceError(f"{self.name} is not open: use it in a `with` block.")
        return iter((Frame(self._image, self._started_at or _changed_at(self._path), 0),))


class FolderSource:
    """The pictures of a folder in the order of their names (numbers by value), one per interval.

    A picture that cannot be decoded is an interval that was not observed.

    Args:
        path: the folder; folders inside it, hidden files and files of other kinds are left out.
        started_at: aware UTC time of the first frame; default: when the first picture was last changed.
    """

    live = False

    def __init__(self, path: Path, *, started_at: datetime | None = None) -> None:
        self._path = path
        self._started_at = started_at
        self._files: list[Path] | None = None

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self._path.resolve().name

    def frame_count(self, interval: float) -> int | None:
        """How many pictures there are."""
        check_interval(interval)
        return len(_pictures(self._path) if self._files is None else self._files)

    def __enter__(self) -> Self:
        self._files = _pictures(self._path)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._files = None

    def frames(self, interval: float) -> Iterator[Frame | NotObserved]:
        """One picture per interval; see `FrameSource`.

        Raises:
            UnreadableSourceError: after the last one, if none of them could be decoded.
        """
        return self.frames_from(0, interval)

    def frames_from(self, index: int, interval: float) -> Iterator[Frame | NotObserved]:
        """See `Recording`."""
        check_interval(interval)
        if self._files is None:
            raise SourceError(f"{self.name} is not open: use it in a `with` block.")
        return self._frames(self._files, interval, index)

    def _frames(self, files: list[Path], interval: float, first: int) -> Iterator[Frame | NotObserved]:
        started_at = self._started_at or _changed_at(files[0])
        decoded = 0
        for index, file in enumerate(files[first:], start=first):
            taken_at = started_at + timedelta(seconds=index * interval)
            try:
                image = load_image(file)
            except SourceError as problem:
                logger.warning("%s", problem)
                yield NotObserved(NotObservedReason.SOURCE_FAILED, taken_at, index)
            else:
                decoded += 1
                yield Frame(image, taken_at, index)
        if not (decoded or first):
            raise UnreadableSourceError(
                f"None of the {len(files)} pictures in {self.name} can be decoded: save them again as PNG or JPEG."
            )


class VideoSource:
    """A recording, stepped through in media time.

    Args:
        path: the file.
        started_at: aware UTC time at which the recording begins; default: so that it ends when the file was last
            changed.
    """

    live = False

    def __init__(self, path: Path, *, started_at: datetime | None = None) -> None:
        self._path = path
        self._started_at = started_at
        self._is_open = False
        self._header: _VideoHeader | None = None

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._path.name

    @property
    def duration(self) -> float | None:
        """Seconds of media time as the file states it; None where it does not."""
        if self._header is None:
            self._header = _read_header(self._path)
        return self._header.duration

    def frame_count(self, interval: float) -> int | None:
        """How many steps of `interval` fit in; fewer come if the file is cut off. None where it states no duration."""
        check_interval(interval)
        duration = self.duration
        if duration is None or self._header is None:
            return None
        return int((duration - self._header.frame_seconds + _TICK) / interval) + 1

    def __enter__(self) -> Self:
        self._header = _read_header(self._path)
        self._is_open = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._is_open = False

    def frames(self, interval: float) -> Iterator[Frame | NotObserved]:
        """The picture at 0, `interval`, 2 `interval`, ... of media time; see `FrameSource`."""
        return self.frames_from(0, interval)

    def frames_from(self, index: int, interval: float) -> Iterator[Frame | NotObserved]:
        """See `Recording`."""
        check_interval(interval)
        if self._header is None or not self._is_open:
            raise SourceError(f"{self.name} is not open: use it in a `with` block.")
        return self._frames(interval, self._header, index)

    def _frames(self, interval: float, header: "_VideoHeader", first: int) -> Iterator[Frame | NotObserved]:
        started_at = self._started_at or _changed_at(self._path) - timedelta(seconds=header.duration or 0.0)
        with ExitStack() as opened:
            film = _Film(opened.enter_context(_opened_video(self._path)), header.frame_seconds)
            if first and not film.jump(first * interval):
                film = _Film(opened.enter_context(_opened_video(self._path)), header.frame_seconds)
            for index in count(first):
                image = film.at(index * interval)
                if image is None or not self._is_open:
                    break
                taken_at = started_at + timedelta(seconds=index * interval)
                if is_black(image):
                    yield NotObserved(NotObservedReason.BLACK, taken_at, index)
                else:
                    yield Frame(image, taken_at, index)
        if self._is_open and header.duration and film.seconds + 2 * header.frame_seconds < header.duration:
            logger.warning(
                "%s ends after %.1f of %.1f seconds: the file is cut off or damaged there.",
                self.name,
                film.seconds,
                header.duration,
            )


@dataclass(frozen=True, slots=True)
class _VideoHeader:
    """What a recording says of itself.

    Attributes:
        duration: seconds; None where it is not stated.
        frame_seconds: mean time from one picture to the next.
    """

    duration: float | None
    frame_seconds: float


class _Film:
    """A recording that runs forward only.

    Attributes:
        seconds: media time of the picture it stands at.
    """

    def __init__(self, capture: Any, frame_seconds: float) -> None:
        self.seconds = -1.0
        self._capture = capture
        self._frame_seconds = frame_seconds
        self._first_stamp = 0.0
        self._image: NDArray[np.uint8] | None = None

    def jump(self, wanted: float) -> bool:
        """Stand shortly before `wanted` seconds; False where it did not come there: it is to be opened anew then."""
        import cv2

        if self.at(0.0) is None:
            return False
        aim = wanted - _RUN_UP
        if aim <= _RUN_UP:
            return True
        self._capture.set(cv2.CAP_PROP_POS_MSEC, (self._first_stamp + aim) * 1000)
        if not self._capture.grab():
            return False
        # streams without time stamps say 0, wherever they stand
        self.seconds = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 - self._first_stamp
        return aim - _RUN_UP <= self.seconds < wanted - _TICK

    def at(self, wanted: float) -> NDArray[np.uint8] | None:
        """The first picture at or after `wanted` seconds, uint8 (H, W, 3) RGB; None behind the end."""
        import cv2

        if self.seconds >= wanted - _TICK:
            # nothing was recorded since: the picture stood still
            return self._image
        while self.seconds < wanted - _TICK:
            if not self._capture.grab():
                return None
            stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if self.seconds < 0:
                self._first_stamp, self.seconds = stamp, 0.0
            else:
                # Streams without time stamps say 0 for every picture: there the frame rate counts.
                elapsed = stamp - self._first_stamp
                self.seconds = elapsed if elapsed > self.seconds else self.seconds + self._frame_seconds
        decoded, bgr = self._capture.retrieve()
        self._image = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8) if decoded else None
        return self._image


def _read_header(path: Path) -> _VideoHeader:
    """Open a recording, decode its first picture and read what it says of itself.

    Raises:
        SourceNotFoundError: there is no such file.
        UnreadableSourceError: it cannot be entered or decoded.
    """
    import cv2

    try:
        with path.open("rb") as file:
            is_empty = not file.read(1)
    except FileNotFoundError as problem:
        raise SourceNotFoundError(f"There is no recording {path}: check the path.") from problem
    except OSError as problem:
        raise UnreadableSourceError(
            f"The recording {path} may not be read ({problem.strerror}): give yourself the right to read it."
        ) from problem
    if is_empty:
        raise UnreadableSourceError(f"The recording {path.name} is empty: choose another file.")
    with _opened_video(path) as capture:
        width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        check_pixels(path.name, int(width), int(height))
        if not (capture.isOpened() and capture.grab()):
            raise UnreadableSourceError(
                f"The recording {path.name} cannot be decoded: it is damaged, cut off, or neither a video nor a "
                "picture; play it in a video player and export it again as MP4."
            )
        rate, frames = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    if not (np.isfinite(rate) and _SLOWEST <= rate <= _FASTEST):
        return _VideoHeader(None, 1 / _USUAL_RATE)
    return _VideoHeader(frames / rate if 0 < frames < _SANE_FRAMES else None, 1 / rate)


@contextmanager
def _opened_video(path: Path) -> Iterator[Any]:
    import cv2

    # The decoder would write into the terminal what the errors and the log already say in words.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    with _quiet_opencv():
        capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    try:
        yield capture
    finally:
        capture.release()


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Keep OpenCV from writing into the terminal what the errors already say in words."""
    from cv2.utils import logging as opencv_log

    before = opencv_log.setLogLevel(opencv_log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        opencv_log.setLogLevel(before)


class CameraSource:
    """A camera of this computer. Enter it, use it and leave it in one thread. Not yet run on a real camera.

    Args:
        number: 0 is the first.
    """

    live = True

    def __init__(self, number: int) -> None:
        self._number = number
        self._capture: Any = None

    @property
    def name(self) -> str:
        """Such as `camera 0`."""
        return f"camera {self._number}"

    def frame_count(self, interval: float) -> int | None:
        """None: a camera does not end."""
        check_interval(interval)
        return None

    def __enter__(self) -> Self:
        import cv2

        with _quiet_opencv():
            capture = cv2.VideoCapture(self._number)
            is_readable = capture.isOpened() and capture.grab()
        if not is_readable:
            capture.release()
            raise SourceNotFoundError(
                f"There is no {self.name}, or another program holds it: plug it in, close the other program, or try "
                "--source camera:0."
            )
        self._capture = capture
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def frames(self, interval: float) -> Iterator[Frame | NotObserved]:
        """The newest picture each time the caller asks; see `FrameSource`."""
        check_interval(interval)
        return live_frames(self._look)

    def _look(self) -> Look | NotObservedReason:
        import cv2

        if self._capture is None:
            raise SourceError(f"{self.name} is not open: use it in a `with` block.")
        # What the driver has kept since the last look is let go.
        for _stale in range(_CAMERA_BUFFER):
            self._capture.grab()
        decoded, bgr = self._capture.read()
        if not decoded:
            # one that was unplugged never gives anything again, also where it is back
            with _quiet_opencv():
                self._capture.open(self._number)
            return NotObservedReason.SOURCE_FAILED
        return Look(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8))


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _pictures(folder: Path) -> list[Path]:
    """The pictures of a folder, `frame2` before `frame10`.

    Raises:
        SourceNotFoundError: there is no such folder, or it holds no picture.
        UnreadableSourceError: it may not be read.
    """
    try:
        files = [
            file
            for file in folder.iterdir()
            if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".") and file.is_file()
        ]
    except FileNotFoundError as problem:
        raise SourceNotFoundError(f"There is no folder {folder}: check the path.") from problem
    except OSError as problem:
        raise UnreadableSourceError(
            f"The folder {folder} may not be read ({problem.strerror}): give yourself the right to read it."
        ) from problem
    if not files:
        kinds = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
        raise SourceNotFoundError(
            f"The folder {folder} holds no picture: expected files of the kinds {kinds}."
        )
    return sorted(files, key=_by_number)


def _by_number(file: Path) -> list[tuple[int, str]]:
    """Numbers in the name count by their value."""
    parts = re.split(r"(\d+)", file.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts] + [(-2, file.name)]

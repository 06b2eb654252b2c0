"""The pictures of windows on Windows and macOS, against recorded shapes of what their calls give."""

import ctypes
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from capture import printwindow, quartz
from capture.window_pictures import MacPictures, WindowsPictures
from capture.windows import DesktopWindow
from engagement.records import Box


def picture(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 255, (height, width, 3), dtype=np.uint8)


def bgra(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.dstack([image[..., ::-1], np.full(image.shape[:2], 255, np.uint8)])


def window(box: Box, title: str = "Zoom Meeting") -> DesktopWindow:
    return DesktopWindow(0x2041A, title, box, box, False)


class User32:
    """user32.dll with one window; `rect` as GetClientRect writes it."""

    def __init__(self, width: int, height: int, prints: bool = True) -> None:
        self.size, self.prints = (width, height), prints
        self.asked: list[int] = []
        self.released = 0

    def GetClientRect(self, handle: int, rect: Any) -> int:
        rect._obj.left = rect._obj.top = 0
        rect._obj.right, rect._obj.bottom = self.size
        return int(handle == 0x2041A)

    def GetDC(self, handle: int) -> int:
        return 0x0B0111F7

    def PrintWindow(self, handle: int, context: int, flags: int) -> int:
        self.asked.append(flags)
        return int(self.prints)

    def ReleaseDC(self, handle: int, context: int) -> int:
        self.released += 1
        return 1


class Gdi32:
    """gdi32.dll; a bitmap gives the rows from the top where the height is negative."""

    def __init__(self, image: NDArray[np.uint8]) -> None:
        self.image, self.objects = image, 0
        self.selected = 0x0185000F

    def CreateCompatibleDC(self, context: int) -> int:
        self.objects += 1
        return 0x1B0112AA

    def CreateCompatibleBitmap(self, context: int, width: int, height: int) -> int:
        self.objects += 1
        return 0x2E0514DD

    def SelectObject(self, context: int, chosen: int) -> int:
        before, self.selected = self.selected, chosen
        return before

    def GetDIBits(
        self,
        context: int,
        bitmap: int,
        first: int,
        rows: int,
        pixels: ctypes.c_void_p,
        header: Any,
        usage: int,
    ) -> int:
        info = header._obj
        assert isinstance(pixels, ctypes.c_void_p), "an int is cut to 32 bits on the way"
        assert (info.biSize, info.biPlanes, info.biBitCount, info.biCompression, usage) == (40, 1, 32, 0, 0)
        assert (info.biWidth, info.biHeight) == (self.image.shape[1], -self.image.shape[0])
        assert self.selected != bitmap, "the bitmap is still in a context"
        data = bgra(self.image).tobytes()
        ctypes.memmove(pixels, data, len(data))
        return rows

    def DeleteObject(self, what: int) -> int:
        assert self.selected != what, "the bitmap is still in a context"
        self.objects -= 1
        return 1

    def DeleteDC(self, context: int) -> int:
        self.objects -= 1
        return 1


def test_windows_prints_a_window_and_everything_is_given_back() -> None:
    user32, gdi32 = User32(40, 30), Gdi32(picture(40, 30))
    image = WindowsPictures(user32, gdi32).grab(window(Box(-1920, 40, 40, 30)))
    assert image is not None
    assert np.array_equal(image, picture(40, 30))
    assert user32.asked == [3]
    assert (gdi32.objects, user32.released) == (0, 1)


@pytest.mark.parametrize(
    ("user32", "handle"),
    [(User32(40, 30, prints=False), 0x2041A), (User32(0, 0), 0x2041A), (User32(40, 30), 7)],
)
def test_windows_refuses_without_leaving_anything(user32: User32, handle: int) -> None:
    gdi32 = Gdi32(picture(40, 30))
    assert printwindow.grab(handle, user32, gdi32) is None
    assert gdi32.objects == 0


class RecordedQuartz:
    """Quartz on a Retina display: points are half the pixels, and a row is longer than its pixels."""

    kCGWindowListOptionAll = 0  # noqa: N815
    kCGWindowListOptionIncludingWindow = 8  # noqa: N815
    kCGNullWindowID = 0  # noqa: N815
    kCGWindowImageBoundsIgnoreFraming = 1  # noqa: N815
    kCGWindowImageBestResolution = 8  # noqa: N815

    def __init__(self, image: NDArray[np.uint8] | None, padding: int = 16) -> None:
        self.image, self.padding = image, padding
        self.asked: list[tuple[Any, int, int, int]] = []

    def CGWindowListCopyWindowInfo(self, option: int, relative: int) -> list[dict[str, Any]]:
        return [
            entry(11, "Menubar", (0, 0, 1512, 37), layer=24),
            entry(52, "Zoom Meeting", (-800, 10, 400, 328)),
            entry(53, "Zoom Meeting", (100, 60, 200, 178)),
            entry(54, None, (0, 0, 1512, 982)),
        ]

    def CGRectMake(self, *numbers: float) -> tuple[float, ...]:
        return numbers

    def CGWindowListCreateImage(self, rect: Any, option: int, number: int, flags: int) -> Any:
        self.asked.append((rect, option, number, flags))
        return self.image

    def CGImageGetWidth(self, image: NDArray[np.uint8]) -> int:
        return image.shape[1]

    def CGImageGetHeight(self, image: NDArray[np.uint8]) -> int:
        return image.shape[0]

    def CGImageGetBytesPerRow(self, image: NDArray[np.uint8]) -> int:
        return image.shape[1] * 4 + self.padding

    def CGImageGetDataProvider(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image

    def CGDataProviderCopyData(self, image: NDArray[np.uint8]) -> bytes:
        rows = bgra(image).reshape(image.shape[0], -1)
        return np.pad(rows, ((0, 0), (0, self.padding))).tobytes()


def entry(number: int, name: str | None, bounds: tuple[int, int, int, int], layer: int = 0) -> dict[str, Any]:
    left, top, width, height = bounds
    found: dict[str, Any] = {
        "kCGWindowNumber": number,
        "kCGWindowLayer": layer,
        "kCGWindowBounds": {"X": left, "Y": top, "Width": width, "Height": height},
    }
    return found if name is None else {**found, "kCGWindowName": name}


@pytest.mark.parametrize("scale", [1, 2])
def test_macos_gives_the_window_in_its_real_resolution(scale: int) -> None:
    recorded = RecordedQuartz(picture(200 * scale, 150 * scale))
    image = MacPictures(recorded).grab(window(Box(100, 88, 200, 150)))
    assert image is not None
    assert np.array_equal(image, picture(200 * scale, 150 * scale))
    # this window alone, without shadow, in real pixels
    assert recorded.asked == [((100, 88, 200, 150), 8, 53, 9)]


def test_macos_finds_the_window_by_title_and_place() -> None:
    recorded = RecordedQuartz(picture(10, 10))
    assert quartz.find_window(recorded, "Zoom Meeting", Box(-800, 38, 400, 300)) == 52
    assert quartz.find_window(recorded, "Zoom Meeting", Box(500, 500, 400, 300)) is None
    assert quartz.find_window(recorded, "Mail", Box(100, 88, 200, 150)) is None
    assert MacPictures(recorded).grab(window(Box(500, 500, 40, 30))) is None


def test_macos_that_gives_nothing_or_too_little_gives_nothing() -> None:
    assert quartz.grab(RecordedQuartz(None), 53, Box(0, 0, 10, 10)) is None
    short = RecordedQuartz(picture(10, 10))
    short.CGDataProviderCopyData = lambda image: b"\0" * 100  # type: ignore[method-assign]
    assert quartz.grab(short, 53, Box(0, 0, 10, 10)) is None
    assert quartz.may_record(SimpleNamespace(CGPreflightScreenCaptureAccess=lambda: 0)) is False

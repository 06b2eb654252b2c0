"""Windows and macOS against recorded shapes of their APIs: which windows there are, and how they are followed."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from capture import windows as windows_module
from capture.errors import DisplayError
from capture.frame import Frame, NotObserved
from capture.screen import Grabber, WindowSource
from capture.window_pictures import MacPictures, WindowsPictures, X11Pictures, open_pictures
from capture.windows import DesktopSession, PyWinCtlDesk, locate, open_desk
from engagement.records import Box, NotObservedReason
from tests.capture.test_window_pictures import Gdi32, RecordedQuartz, User32


def picture(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(40, 255, (height, width, 3), dtype=np.uint8)


class Listed:
    """A window as PyWinCtl gives it."""

    def __init__(
        self, handle: object, title: str, frame: tuple[int, int, int, int], minimised: bool = False
    ) -> None:
        self.handle, self.title, self.frame, self.isMinimized = handle, title, frame, minimised

    def getHandle(self) -> object:
        return self.handle

    def getClientFrame(self) -> tuple[int, int, int, int]:
        return self.frame


WINDOWS = (
    Listed(0x2041A, "Zoom Meeting", (-1900, 71, -1260, 431)),
    Listed(0x10010, "", (0, 0, 1920, 1080)),
    # a window without a surface shows nothing
    Listed(0x10054, "Zoom Meeting", (0, 0, 0, 0)),
    # a minimised one has an empty frame and is there all the same
    Listed(0x30422, "Mail - Inbox", (-32000, -32000, -32000, -32000), minimised=True),
)
MACOS = (
    Listed(("zoom.us", "Zoom Meeting"), "Zoom Meeting", (100, 88, 300, 238)),
    Listed(("Mail", "Inbox"), "Inbox", (0, 25, 800, 600)),
)


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretends that this is another system with these windows."""

    def pretend(platform: str, *listed: Listed) -> None:
        api = ModuleType("pywinctl")
        api.getAllWindows = lambda: list(listed)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "pywinctl", api)
        monkeypatch.setattr(sys, "platform", platform)
        for place in ("capture.windows", "capture.window_pictures", "capture.screen"):
            monkeypatch.setattr(f"{place}.desktop_session", lambda: DesktopSession(False, None, False))

    return pretend


def test_windows_lists_its_windows(system: Callable[..., None]) -> None:
    system("win32", *WINDOWS)
    desk = open_desk()
    assert isinstance(desk, PyWinCtlDesk)
    found = desk.windows()
    assert [(one.handle, one.title, one.minimised) for one in found] == [
        (0x2041A, "Zoom Meeting", False),
        (0x10010, "", False),
        (0x30422, "Mail - Inbox", True),
    ]
    assert found[0].box == Box(-1900, 71, 640, 360)
    # nobody tells what lies over what there
    sighting = locate(desk, ("Zoom Meeting",))
    assert sighting is not None
    assert (sighting.window.handle, sighting.covered) == (0x2041A, 0.0)
    minimised = locate(desk, ("Mail -",))
    assert minimised is not None
    assert minimised.window.minimised
    desk.close()


def test_a_window_that_closes_while_it_is_looked_at_is_left_out(system: Callable[..., None]) -> None:
    class Closed(Listed):
        def getClientFrame(self) -> tuple[int, int, int, int]:
            raise OSError(1400, "Invalid window handle")

    system("win32", Closed(0x50AA2, "Chat", (0, 0, 400, 300)), *WINDOWS)
    assert [one.handle for one in open_desk().windows()] == [0x2041A, 0x10010, 0x30422]


def test_macos_windows_have_a_number_that_stays(system: Callable[..., None]) -> None:
    system("darwin", *MACOS)
    desk = open_desk()
    first, second = ([one.handle for one in desk.windows()] for _look in range(2))
    assert first == second
    assert len(set(first)) == 2


def test_a_desktop_whose_windows_cannot_be_listed_says_so(
    system: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    system("darwin")
    monkeypatch.setitem(sys.modules, "pywinctl", None)
    with pytest.raises(DisplayError, match=r"cannot be listed .* --source region"):
        open_desk()


def test_each_system_has_its_way_to_the_picture_of_a_window(
    system: Callable[..., None], monkeypatch: pytest.MonkeyPatch, xvfb: str
) -> None:
    x11 = open_pictures(xvfb)
    assert isinstance(x11, X11Pictures)
    x11.close()
    system("win32")
    libraries = SimpleNamespace(user32=User32(4, 3), gdi32=Gdi32(picture(4, 3)))
    monkeypatch.setattr("ctypes.windll", libraries, raising=False)
    assert isinstance(open_pictures(), WindowsPictures)
    system("darwin")
    monkeypatch.setitem(sys.modules, "Quartz", ModuleType("Quartz"))
    assert isinstance(open_pictures(), MacPictures)
    # without pyobjc there is none, and the window is looked at on the screen
    monkeypatch.setitem(sys.modules, "Quartz", None)
    assert open_pictures() is None


class NativeMss:
    """mss with a monitor at the left of the first one, whose places are negative."""

    monitors = (
        {"left": -1920, "top": 0, "width": 3840, "height": 1080},
        {"left": 0, "top": 0, "width": 1920, "height": 1080},
        {"left": -1920, "top": 0, "width": 1920, "height": 1080},
    )

    def grab(self, _box: dict[str, int]) -> Any:
        raise AssertionError("the screen shows what lies over the window, too")

    def close(self) -> None:
        pass


@pytest.fixture
def native_mss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mss.MSS", NativeMss)


def outcome(seen: Frame | NotObserved) -> object:
    return seen.followed if isinstance(seen, Frame) else seen.reason


@pytest.mark.usefixtures("native_mss")
def test_a_window_on_windows_is_printed_and_followed_over_the_left_monitor(
    system: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Listed(0x2041A, "Zoom Meeting", (-1900, 71, -1260, 431))
    system("win32", meeting)
    user32 = User32(640, 360)
    gdi32 = Gdi32(picture(640, 360))
    monkeypatch.setattr("ctypes.windll", SimpleNamespace(user32=user32, gdi32=gdi32), raising=False)
    with WindowSource() as source:
        frames = source.frames(1.0)
        seen = next(frames)
        assert isinstance(seen, Frame)
        assert np.array_equal(seen.image, picture(640, 360))
        assert seen.scale == 1.0
        meeting.frame = (200, 100, 840, 460)
        assert outcome(next(frames)) == "moved"
        # on a display of 150 % the frame is given in real pixels, as the picture is
        meeting.frame = (200, 100, 1160, 640)
        user32.size, gdi32.image = (960, 540), picture(960, 540)
        grown = next(frames)
        assert isinstance(grown, Frame)
        assert (grown.followed, grown.width, grown.scale) == ("resized", 960, 1.0)
        # what the system does not print is never taken from the screen instead
        user32.prints = False
        assert outcome(next(frames)) == NotObservedReason.COVERED
        user32.prints = True
        gdi32.image = np.zeros((540, 960, 3), np.uint8)
        assert outcome(next(frames)) == NotObservedReason.BLACK
        meeting.isMinimized = True
        meeting.frame = (-32000, -32000, -32000, -32000)
        assert outcome(next(frames)) == NotObservedReason.MINIMISED
        meeting.title = "Inbox - Mail"
        assert outcome(next(frames)) == NotObservedReason.WINDOW_CLOSED


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.usefixtures("native_mss")
def test_a_window_on_macos_is_read_in_its_real_resolution(
    system: Callable[..., None], monkeypatch: pytest.MonkeyPatch, scale: int
) -> None:
    system("darwin", *MACOS)
    darwin = ModuleType("mss.darwin")
    darwin.IMAGE_OPTIONS = 1 | 16  # type: ignore[attr-defined]
    darwin.kCGWindowImageNominalResolution = 16  # type: ignore[attr-defined]
    monkeypatch.setattr("mss.darwin", darwin, raising=False)
    monkeypatch.setitem(sys.modules, "mss.darwin", darwin)
    recorded = RecordedQuartz(picture(200 * scale, 150 * scale))
    quartz = ModuleType("Quartz")
    for name in dir(recorded):
        if name.startswith(("CG", "kCG")):
            setattr(quartz, name, getattr(recorded, name))
    monkeypatch.setitem(sys.modules, "Quartz", quartz)
    with WindowSource() as source:
        seen = next(source.frames(1.0))
    assert isinstance(seen, Frame)
    assert np.array_equal(seen.image, picture(200 * scale, 150 * scale))
    assert seen.scale == scale
    # a whole monitor would be grabbed so, too
    assert darwin.IMAGE_OPTIONS == 1  # type: ignore[attr-defined]


def test_a_desktop_that_may_not_be_grabbed_says_where_to_allow_it(
    system: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mss.exception import ScreenShotError

    def refuse() -> None:
        raise ScreenShotError("CGDisplayCreateImage failed")

    system("win32")
    monkeypatch.setattr("mss.MSS", refuse)
    with pytest.raises(DisplayError, match="privacy settings"), Grabber():
        pass


def test_the_session_of_another_system_is_not_x11() -> None:
    assert not windows_module.desktop_session({"DISPLAY": ":0"}, "win32").x11

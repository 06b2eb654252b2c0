"""The picture of a window by itself, where the system can give it: nothing that lies over it, nothing behind it."""

import sys
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from capture.windows import DesktopWindow, desktop_session


class WindowPictures(Protocol):
    """Where pictures of windows come from."""

    @property
    def always(self) -> bool:
        """Whether to ask for every picture: the system does not tell when a window is covered."""
        ...

    def watch(self, window: DesktopWindow) -> None:
        """Prepare for a window that will be asked for."""
        ...

    def grab(self, window: DesktopWindow) -> NDArray[np.uint8] | None:
        """Its picture in real pixels, uint8 (H, W, 3) RGB; None where it cannot be had."""
        ...

    def close(self) -> None:
        """Release what it holds; may be called again."""
        ...


def open_pictures(display: str | None = None) -> WindowPictures | None:
    """The way of this system, None where it has none; the X display is that of the session unless named."""
    if desktop_session().x11:
        return X11Pictures(display)
    if sys.platform == "darwin":
        try:
            import Quartz
        except ImportError:
            return None
        return MacPictures(Quartz)
    import ctypes

    libraries: Any = vars(ctypes)["windll"]
    return WindowsPictures(libraries.user32, libraries.gdi32)


class X11Pictures:
    """Through the Composite extension; only for a window that cannot be seen whole, since the screen is quicker."""

    always = False

    def __init__(self, display: str | None) -> None:
        from capture.composite import CompositePictures

        self._composite = CompositePictures(display)

    def watch(self, window: DesktopWindow) -> None:
        """Have the server keep the window apart."""
        self._composite.watch(window.handle)

    def grab(self, window: DesktopWindow) -> NDArray[np.uint8] | None:
        """Its picture."""
        return self._composite.grab(window.handle, window.box)

    def close(self) -> None:
        """Give the window back to the screen."""
        self._composite.close()


class WindowsPictures:
    """Through `PrintWindow`. Not yet run on that system."""

    always = True

    def __init__(self, user32: Any, gdi32: Any) -> None:
        self._user32, self._gdi32 = user32, gdi32

    def watch(self, window: DesktopWindow) -> None:
        """There is nothing to prepare."""

    def grab(self, window: DesktopWindow) -> NDArray[np.uint8] | None:
        """Its picture."""
        from capture import printwindow

        return printwindow.grab(window.handle, self._user32, self._gdi32)

    def close(self) -> None:
        """There is nothing to release."""


class MacPictures:
    """Through `CGWindowListCreateImage`. Not yet run on that system."""

    always = True

    def __init__(self, quartz: Any) -> None:
        self._quartz = quartz

    def watch(self, window: DesktopWindow) -> None:
        """There is nothing to prepare."""

    def grab(self, window: DesktopWindow) -> NDArray[np.uint8] | None:
        """Its picture."""
        from capture import quartz

        number = quartz.find_window(self._quartz, window.title, window.box)
        return None if number is None else quartz.grab(self._quartz, number, window.box)

    def close(self) -> None:
        """There is nothing to release."""

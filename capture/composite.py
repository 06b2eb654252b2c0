"""The picture of one window on X11, whatever lies over it or beyond the edge of the screen (extension Composite).

The server keeps the window's pixels apart from the screen for as long as this connection lives; nothing else of the
desktop is in them. It works with and without a compositing window manager, and not for a window that is minimised.
"""

from contextlib import suppress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Box

_STRIP_BYTES: Final = 200_000
"""Of one request: python-xlib puts a larger answer together too slowly."""

_BYTES_PER_PIXEL: Final = 4


class CompositePictures:
    """Pictures of windows of one X display, over a connection of its own. Use it in one thread."""

    def __init__(self, display: str | None = None) -> None:
        from Xlib import X, error
        from Xlib.display import Display

        self._x, self._error = X, error
        self._display: Any = Display(display)
        self._redirected: set[int] = set()
        self._fits = self._display.display.info.image_byte_order == X.LSBFirst and bool(
            self._display.query_extension("Composite")
        )

    def close(self) -> None:
        """Let the server paint as before; may be called again."""
        if self._display is not None:
            display, self._display = self._display, None
            with suppress(self._error.ConnectionClosedError):
                display.close()

    def watch(self, handle: int) -> bool:
        """Have a window kept apart from now on, so that it is whole when it is asked for; whether that is so."""
        from Xlib.ext.composite import RedirectAutomatic

        if not self._fits:
            return False
        if handle not in self._redirected:
            refused = self._error.CatchError()
            try:
                self._window(handle).composite_redirect_window(RedirectAutomatic, onerror=refused)
                self._display.sync()
            except (self._error.ConnectionClosedError, OSError):
                return False
            if refused.get_error() is not None:
                return False
            self._redirected.add(handle)
        return True

    def grab(self, handle: int, box: Box) -> NDArray[np.uint8] | None:
        """The part `box` of a window, uint8 (H, W, 3) RGB; None where the server cannot give it.

        Args:
            handle: of the window.
            box: of its picture on the desktop; what of it is not the window's own is left away.
        """
        try:
            return self._grab(handle, box) if self.watch(handle) else None
        except (self._error.XError, self._error.ConnectionClosedError, OSError):
            return None

    def _grab(self, handle: int, box: Box) -> NDArray[np.uint8] | None:
        window = self._window(handle)
        size = window.get_geometry()
        if size.depth not in {24, 32}:
            return None
        origin = self._display.screen().root.translate_coords(window, 0, 0)
        inside = Box(box.left - origin.x, box.top - origin.y, box.width, box.height)
        if inside.left < 0 or inside.top < 0 or inside.right > size.width or inside.bottom > size.height:
            return None  # it has changed since it was looked for
        pixmap = window.composite_name_window_pixmap(onerror=self._error.CatchError())
        try:
            return self._read(pixmap, inside, size.border_width)
        finally:
            pixmap.free(onerror=self._error.CatchError())

    def _read(self, pixmap: Any, inside: Box, border: int) -> NDArray[np.uint8]:
        rows = max(1, _STRIP_BYTES // (inside.width * _BYTES_PER_PIXEL))
        image = np.empty((inside.height, inside.width, 3), np.uint8)
        for top in range(0, inside.height, rows):
            height = min(rows, inside.height - top)
            reply = pixmap.get_image(
                border + inside.left,
                border + inside.top + top,
                inside.width,
                height,
                self._x.ZPixmap,
                0xFFFFFFFF,
            )
            bgrx = np.frombuffer(reply.data, np.uint8).reshape(height, inside.width, _BYTES_PER_PIXEL)
            image[top : top + height] = bgrx[..., 2::-1]
        return image

    def _window(self, handle: int) -> Any:
        return self._display.create_resource_object("window", handle)

"""The picture of one window on Windows, whatever lies over it (`PrintWindow`). Not yet run on that system.

Only Win32 calls of user32 and gdi32 are made, through ctypes; they are handed over, so that tests can record them.
Sizes are real pixels: the process has to be aware of the dots per inch, which mss sees to.
"""

import ctypes
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_CLIENT_ONLY: Final = 1
_RENDER_FULL_CONTENT: Final = 2  # what is drawn by the graphics card, too
_RGB_COLORS: Final = 0


class _Header(ctypes.Structure):
    """BITMAPINFOHEADER, which says how the pixels are to be given."""

    _fields_ = (
        ("biSize", ctypes.c_uint32),
        ("biWidth", ctypes.c_int32),
        ("biHeight", ctypes.c_int32),
        ("biPlanes", ctypes.c_uint16),
        ("biBitCount", ctypes.c_uint16),
        ("biCompression", ctypes.c_uint32),
        ("biSizeImage", ctypes.c_uint32),
        ("biXPelsPerMeter", ctypes.c_int32),
        ("biYPelsPerMeter", ctypes.c_int32),
        ("biClrUsed", ctypes.c_uint32),
        ("biClrImportant", ctypes.c_uint32),
    )


class _Rect(ctypes.Structure):
    """RECT."""

    _fields_ = (
        ("left", ctypes.c_long),
        ("top", ctypes.c_long),
        ("right", ctypes.c_long),
        ("bottom", ctypes.c_long),
    )


def grab(handle: int, user32: Any, gdi32: Any) -> NDArray[np.uint8] | None:
    """The inside of a window without title bar, uint8 (H, W, 3) RGB; None where the system cannot give it.

    Args:
        handle: HWND of the window.
        user32, gdi32: the libraries, such as `ctypes.windll.user32`.
    """
    rect = _Rect()
    if not user32.GetClientRect(handle, ctypes.byref(rect)):
        return None
    width, height = rect.right - rect.left, rect.bottom - rect.top
    if width <= 0 or height <= 0:
        return None
    of_window = user32.GetDC(handle)
    if not of_window:
        return None
    context = gdi32.CreateCompatibleDC(of_window)
    bitmap = gdi32.CreateCompatibleBitmap(of_window, width, height)
    before = gdi32.SelectObject(context, bitmap)
    try:
        printed = user32.PrintWindow(handle, context, _CLIENT_ONLY | _RENDER_FULL_CONTENT)
        # a bitmap that is in a context can be neither read nor deleted
        gdi32.SelectObject(context, before)
        if not printed:
            return None
        # a negative height gives the rows from the top
        header = _Header(ctypes.sizeof(_Header), width, -height, 1, 32)
        pixels = np.zeros((height, width, 4), np.uint8)
        # a plain int would be handed over as 32 bits
        target = pixels.ctypes.data_as(ctypes.c_void_p)
        rows = gdi32.GetDIBits(context, bitmap, 0, height, target, ctypes.byref(header), _RGB_COLORS)
        return np.ascontiguousarray(pixels[..., 2::-1]) if rows == height else None
    finally:
        gdi32.DeleteObject(bitmap)
        gdi32.DeleteDC(context)
        user32.ReleaseDC(handle, of_window)

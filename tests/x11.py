"""A real X server and real windows for tests. Not a test."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from Xlib import X, Xatom, Xutil
from Xlib.display import Display
from Xlib.error import BadWindow
from Xlib.protocol import event, rq

SCREEN = (2560, 1440)
_PATIENCE = 10.0


@contextmanager
def run_xvfb(width: int = SCREEN[0], height: int = SCREEN[1]) -> Iterator[str]:
    """A virtual X server without a window manager on a free display; gives its name such as ":5"."""
    reading, writing = os.pipe()
    try:
        server = subprocess.Popen(
            [
                "Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24",
                "-nolisten", "tcp", "-noreset",
            ],
            pass_fds=(writing,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        assert number, f"Xvfb ended with {server.poll()} before it had a display"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(_PATIENCE)


@contextmanager
def run_openbox(display: str) -> Iterator[None]:
    """A window manager on `display`."""
    manager = subprocess.Popen(
        ["openbox", "--sm-disable"],
        env={**os.environ, "DISPLAY": display},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    connection = Display(display)
    try:
        wait_until(lambda: _is_managed(connection, connection.screen().root) and _maps_windows(connection))
        yield
    finally:
        connection.close()
        manager.terminate()
        manager.wait(_PATIENCE)


def _maps_windows(connection: Any) -> bool:
    """Whether a new window appears soon: openbox loses what is asked of it while it starts."""
    screen = connection.screen()
    window = screen.root.create_window(0, 0, 10, 10, 0, screen.root_depth)
    try:
        window.map()
        for _look in range(20):
            if window.get_attributes().map_state == X.IsViewable:
                return True
            time.sleep(0.01)
        return False
    finally:
        window.destroy()
        connection.sync()


class _SetMonitor(rq.Request):
    """RandR 1.5's RRSetMonitor; the one of python-xlib 0.33 cannot be sent."""

    _request = rq.Struct(
        rq.Card8("opcode"), rq.Opcode(43), rq.RequestLength(), rq.Window("window"),
        rq.Card32("name"), rq.Bool("primary"), rq.Bool("automatic"), rq.LengthOf("outputs", 2),
        rq.Int16("x"), rq.Int16("y"), rq.Card16("width"), rq.Card16("height"),
        rq.Card32("width_mm"), rq.Card32("height_mm"), rq.List("outputs", rq.Card32Obj),
    )  # fmt: skip


@contextmanager
def split_into_monitors(display: str, *widths: int, height: int) -> Iterator[None]:
    """Let an X server show monitors side by side, the first one being its own output."""
    connection = Display(display)
    try:
        root = connection.screen().root
        outputs = root.xrandr_get_screen_resources().outputs[:1]
        for number, width in enumerate(widths):
            _SetMonitor(
                display=connection.display,
                opcode=connection.display.get_extension_major("RANDR"),
                window=root,
                name=connection.get_atom(f"monitor{number}"),
                primary=number == 0,
                automatic=False,
                x=sum(widths[:number]),
                y=0,
                width=width,
                height=height,
                width_mm=width // 4,
                height_mm=height // 4,
                outputs=outputs if number == 0 else [],
            )
        connection.sync()
        yield
    finally:
        connection.close()


def has(program: str) -> bool:
    return shutil.which(program) is not None


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for the X server and the window manager, which work beside us."""
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "the X server did not get there"
        time.sleep(0.01)


class X11Window:
    """A real window that shows a picture; the X server itself repaints it, so nothing has to run beside.

    Args:
        display: such as ":5".
        title: in the title bar.
        image: uint8 (H, W, 3), RGB; the window has its size.
        x, y: left and top edge of the picture on the desktop.
    """

    def __init__(self, display: str, title: str, image: NDArray[np.uint8], x: int = 0, y: int = 0) -> None:
        self._display = Display(display)
        screen = self._display.screen()
        self._root = screen.root
        self._depth = screen.root_depth
        try:
            self._open(title, image, x, y)
        except BaseException:
            self._display.close()
            raise

    def _open(self, title: str, image: NDArray[np.uint8], x: int, y: int) -> None:
        height, width = image.shape[:2]
        self._window = self._root.create_window(
            x,
            y,
            width,
            height,
            0,
            self._depth,
            X.InputOutput,
            X.CopyFromParent,
            event_mask=X.StructureNotifyMask,
        )
        self._set_title(title)
        self._window.set_wm_normal_hints(
            flags=Xutil.USPosition | Xutil.USSize | Xutil.PWinGravity, x=x, y=y, win_gravity=X.StaticGravity
        )
        self.show(image)
        self._window.map()
        self._wait_viewable(True)
        self.move(x, y)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def handle(self) -> int:
        return int(self._window.id)

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the picture on the desktop."""
        size, origin = self._window.get_geometry(), self._root.translate_coords(self._window, 0, 0)
        return origin.x, origin.y, size.width, size.height

    def show(self, image: NDArray[np.uint8]) -> None:
        """Show another picture; one of another size is scaled to the window."""
        size = self._window.get_geometry()
        rows = np.arange(size.height) * image.shape[0] // size.height
        columns = np.arange(size.width) * image.shape[1] // size.width
        self._image = image
        bgrx = np.zeros((size.height, size.width, 4), np.uint8)
        bgrx[..., :3] = image[rows][:, columns, ::-1]
        pixmap = self._window.create_pixmap(size.width, size.height, self._depth)
        context = pixmap.create_gc()
        # one request may hold 256 KB
        step = max(1, 250_000 // (size.width * 4))
        for top in range(0, size.height, step):
            part = bgrx[top : top + step]
            pixmap.put_image(
                context, 0, top, size.width, len(part), X.ZPixmap, self._depth, 0, part.tobytes()
            )
        self._window.change_attributes(background_pixmap=pixmap)
        self._window.clear_area()
        context.free()
        pixmap.free()
        self._display.sync()

    def rename(self, title: str) -> None:
        self._set_title(title)
        self._display.sync()

    def move(self, x: int, y: int) -> None:
        self._window.configure(x=x, y=y)
        wait_until(lambda: self.place[:2] == (x, y))

    def resize(self, width: int, height: int) -> None:
        """Resize the window; the picture is scaled with it."""
        self._window.configure(width=width, height=height)
        wait_until(lambda: self.place[2:] == (width, height))
        self.show(self._image)

    def raise_(self) -> None:
        self._window.configure(stack_mode=X.Above)
        self._display.sync()

    def minimise(self) -> None:
        """Minimise it; without a window manager it is unmapped, which is all there is."""
        if _is_managed(self._display, self._root):
            self._ask_manager("WM_CHANGE_STATE", Xutil.IconicState)
        else:
            self._window.unmap()
        self._wait_viewable(False)

    def send_to_desktop(self, number: int) -> None:
        """Send it to another virtual desktop; needs a window manager."""
        self._ask_manager("_NET_WM_DESKTOP", number)
        wait_until(lambda: _property(self._display, self._window, "_NET_WM_DESKTOP") == [number])

    def restore(self) -> None:
        self._window.map()
        self._wait_viewable(True)

    def close(self) -> None:
        """Close it; may be called again."""
        if self._display is not None:
            self._window.destroy()
            self._display.sync()
            self._display.close()
            self._display = None

    def set_numbers(self, name: str, values: list[int]) -> None:
        """Set a property of whole numbers, such as `_GTK_FRAME_EXTENTS`."""
        self._window.change_property(self._display.get_atom(name), Xatom.CARDINAL, 32, values)
        self._display.sync()

    def _set_title(self, title: str) -> None:
        self._window.set_wm_name(title.encode("latin-1", errors="replace"))
        name, utf8 = (self._display.get_atom(atom) for atom in ("_NET_WM_NAME", "UTF8_STRING"))
        self._window.change_property(name, utf8, 8, title.encode())

    def _ask_manager(self, what: str, value: int) -> None:
        message = event.ClientMessage(
            window=self._window, client_type=self._display.get_atom(what), data=(32, [value, 0, 0, 0, 0])
        )
        self._root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self._display.sync()

    def _wait_viewable(self, viewable: bool) -> None:
        wait_until(lambda: (self._window.get_attributes().map_state == X.IsViewable) == viewable)


def _property(display: Any, window: Any, name: str) -> list[int] | None:
    try:
        reply = window.get_full_property(display.get_atom(name), X.AnyPropertyType)
    except BadWindow:
        return None
    return None if reply is None else list(reply.value)


def _is_managed(display: Any, root: Any) -> bool:
    """Whether a window manager is there: one that has gone leaves its mark on the root, but not its own window."""
    mark = _property(display, root, "_NET_SUPPORTING_WM_CHECK")
    if not mark:
        return False
    own = display.create_resource_object("window", mark[0])
    return _property(display, own, "_NET_SUPPORTING_WM_CHECK") == mark

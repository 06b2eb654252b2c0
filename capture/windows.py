"""Find the meeting window by its title, and tell where it is and whether it can be seen.

On X11 the server is asked directly (python-xlib): with a window manager through `_NET_CLIENT_LIST_STACKING`, without
one through the tree of windows. PyWinCtl serves Windows and macOS only: on X11 it connects to every display of the
machine when it is imported, never lets go of them, and sees nothing where there is no window manager.
The Windows and macOS path has not yet run on those systems.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

import numpy as np

from capture.errors import DisplayError
from engagement.records import Box

#: In the order of preference: a gallery stands in the first ones, the last one is Zoom's home window.
MEETING_TITLES: Final = (
    "Zoom Meeting",
    "Zoom Webinar",
    "Meet -",
    "Microsoft Teams",
    "Zoom -",
)

WAYLAND_ADVICE: Final = (
    'log out, choose "Xorg" (X11) behind the gear of the login screen and log in again, or use a recording '
    "(--source FILE)"
)

_DASHES: Final = str.maketrans("\u2010\u2011\u2012\u2013\u2014", "-----")
_ALL_DESKTOPS: Final = 0xFFFFFFFF
_TREE_DEPTH: Final = 3


@dataclass(frozen=True, slots=True)
class DesktopSession:
    """What the environment says about the desktop.

    Attributes:
        x11: True where windows are reached through an X server (Linux, BSD).
        display: the X display such as ":0"; None where none is set.
        wayland: whether the user is logged in to a Wayland session.
    """

    x11: bool
    display: str | None
    wayland: bool


def desktop_session(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> DesktopSession:
    """Read the facts of the session from `environ` (default: of this process)."""
    environ = os.environ if environ is None else environ
    x11 = platform not in ("win32", "darwin")
    kind = environ.get("XDG_SESSION_TYPE", "").lower()
    wayland = x11 and (kind == "wayland" or (kind != "x11" and bool(environ.get("WAYLAND_DISPLAY"))))
    return DesktopSession(x11, environ.get("DISPLAY") or None if x11 else None, wayland)


@dataclass(frozen=True, slots=True)
class DesktopWindow:
    """One window of the desktop.

    Attributes:
        handle: its number in the system.
        title: as in its title bar; "" if it has none.
        box: its picture on the desktop, without title bar and shadow; may reach over the edge or be negative.
        outer: its picture with title bar and border: what it hides of others.
        minimised: True if it is minimised, hidden or on another virtual desktop.
    """

    handle: int
    title: str
    box: Box
    outer: Box
    minimised: bool


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """How well a title fits, smaller is better: which pattern, then equal (0), at the start (1), inside (2)."""

    pattern: int
    place: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """The meeting window at one moment.

    Attributes:
        window: where it is.
        rank: how well its title fitted at its best.
        covered: share of its picture that other windows hide, 0..1; 0 where the system cannot tell.
    """

    window: DesktopWindow
    rank: Rank
    covered: float


class Desk(Protocol):
    """The windows of a desktop.

    Attributes:
        stacked: whether `windows` comes in stacking order, so that covered windows can be told.
    """

    @property
    def stacked(self) -> bool:
        """Whether the stacking order is known."""
        ...

    def windows(self) -> list[DesktopWindow]:
        """All windows, bottom to top where `stacked`."""
        ...

    def close(self) -> None:
        """Release what it holds; may be called again."""
        ...


def rank_title(title: str, patterns: Sequence[str]) -> Rank | None:
    """How well `title` fits the first pattern that it holds at the beginning of a word; None if it fits none.

    Case and the kind of dash do not matter ("Meet – abc" fits "Meet -").
    """
    folded = title.translate(_DASHES).casefold().strip()
    for number, pattern in enumerate(patterns):
        wanted = pattern.translate(_DASHES).casefold().strip()
        if folded == wanted:
            return Rank(number, 0)
        if folded.startswith(wanted):
            return Rank(number, 1)
        start = folded.find(wanted)
        while start > 0:
            if not folded[start - 1].isalnum():
                return Rank(number, 2)
            start = folded.find(wanted, start + 1)
    return None


def locate(desk: Desk, patterns: Sequence[str], current: Sighting | None = None) -> Sighting | None:
    """Find the meeting window.

    A window once found is kept for as long as its title fits somehow; it gives way only to one whose title fits
    better (the meeting that opens after Zoom's home window). While its title fits no pattern it shows something else,
    such as the mail in the next tab of the browser, and is not looked at. When it has gone, no window that fits worse
    takes its place: the home window that stays after a meeting is not the meeting.

    Args:
        desk: where to look.
        patterns: parts of titles, best first.
        current: the last sighting, if any.

    Returns:
        None if no window fits now; the last sighting stays good for the next call.
    """
    windows = desk.windows()
    ranked: list[tuple[Rank, bool, bool, int, int]] = []
    for place, window in enumerate(windows):
        rank = rank_title(window.title, patterns)
        if rank is None:
            continue
        is_current = current is not None and window.handle == current.window.handle
        if current is not None and is_current:
            rank = min(rank, current.rank)
        if current is not None and rank > current.rank:
            continue
        ranked.append((rank, not is_current, window.minimised, -window.box.area, place))
    if not ranked:
        return None
    rank, *_, place = min(ranked)
    above = [window.outer for window in windows[place + 1 :] if not window.minimised] if desk.stacked else []
    return Sighting(windows[place], rank, covered_share(windows[place].box, above))


def overlap(one: Box, other: Box) -> Box | None:
    """The rectangle that two boxes share; None if they share none."""
    left, top = max(one.left, other.left), max(one.top, other.top)
    width, height = min(one.right, other.right) - left, min(one.bottom, other.bottom) - top
    return Box(left, top, width, height) if width > 0 and height > 0 else None


def covered_share(box: Box, above: Iterable[Box]) -> float:
    """Share of `box` that the union of `above` hides, 0..1, exact."""
    parts = [part for other in above if (part := overlap(box, other)) is not None]
    xs = np.unique([edge for part in parts for edge in (part.left, part.right)])
    ys = np.unique([edge for part in parts for edge in (part.top, part.bottom)])
    hidden = np.zeros((max(len(ys) - 1, 0), max(len(xs) - 1, 0)), dtype=bool)
    for part in parts:
        rows = slice(*np.searchsorted(ys, (part.top, part.bottom)))
        columns = slice(*np.searchsorted(xs, (part.left, part.right)))
        hidden[rows, columns] = True
    return float((hidden * np.outer(np.diff(ys), np.diff(xs))).sum()) / box.area


def off_screen_share(box: Box, monitors: Iterable[Box]) -> float:
    """Share of `box` that lies on no monitor, 0..1: monitors of different sizes leave corners that show nothing."""
    return 1.0 - covered_share(box, monitors)


def open_desk(display: str | None = None) -> Desk:
    """The windows of this desktop.

    Args:
        display: the X display; default: the one of the session. Ignored on Windows and macOS.

    Raises:
        DisplayError: the X server cannot be reached.
    """
    return X11Desk(display) if desktop_session().x11 else PyWinCtlDesk()


class X11Desk:
    """The windows of an X server, over one connection of its own."""

    stacked = True

    def __init__(self, display: str | None = None) -> None:
        from Xlib import error
        from Xlib.display import Display

        try:
            self._display = Display(display)
        except (error.DisplayError, OSError) as problem:
            raise DisplayError(
                f"The X display {display or 'of this session'} cannot be reached ({problem}): start classpulse from "
                "a terminal on the desktop itself, or use a recording (--source FILE)."
            ) from problem
        self._root = self._display.screen().root
        self._gone = (error.BadWindow, error.BadDrawable, error.BadMatch)
        self._lost = error.ConnectionClosedError
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; may be called again."""
        if not self._closed:
            self._closed = True
            # a server that has gone has closed it already
            with suppress(self._lost):
                self._display.close()

    @property
    def is_xwayland(self) -> bool:
        """Whether this X server only serves X programs inside a Wayland session and cannot see the others."""
        return bool(self._display.query_extension("XWAYLAND"))

    def windows(self) -> list[DesktopWindow]:
        """All windows, bottom to top.

        Raises:
            DisplayError: the X server has gone.
        """
        try:
            clients = self._clients()
            found = self._managed(clients) if clients is not None else self._tree()
        except (self._lost, OSError) as problem:
            raise DisplayError(
                "The X display was lost: log in to the desktop again and start classpulse again."
            ) from problem
        return [window for window in found if window is not None]

    def _clients(self) -> list[int] | None:
        """Numbers of the managed windows, bottom to top; None without a (living) window manager."""
        # The property outlives a window manager that has crashed, its check window does not.
        check = self._numbers(self._root, "_NET_SUPPORTING_WM_CHECK")
        if not check:
            return None
        try:
            if self._numbers(self._window(check[0]), "_NET_SUPPORTING_WM_CHECK") != check:
                return None
        except self._gone:
            return None
        stacking = self._numbers(self._root, "_NET_CLIENT_LIST_STACKING")
        return stacking if stacking is not None else self._numbers(self._root, "_NET_CLIENT_LIST")

    def _managed(self, clients: list[int]) -> list[DesktopWindow | None]:
        current = self._numbers(self._root, "_NET_CURRENT_DESKTOP")
        return [self._describe_managed(self._window(number), current) for number in clients]

    def _describe_managed(self, window: Any, current: list[int] | None) -> DesktopWindow | None:
        try:
            desktop = self._numbers(window, "_NET_WM_DESKTOP")
            elsewhere = bool(desktop and current and desktop[0] not in (_ALL_DESKTOPS, current[0]))
            states = self._numbers(window, "_NET_WM_STATE") or []
            hidden = self._display.get_atom("_NET_WM_STATE_HIDDEN") in states
            box = self._box(window)
            # Programs that draw their own title bar and shadow say how wide the shadow is.
            left, right, top, bottom = self._extents(window, "_GTK_FRAME_EXTENTS")
            if box.width > left + right and box.height > top + bottom:
                box = Box(box.left + left, box.top + top, box.width - left - right, box.height - top - bottom)
            left, right, top, bottom = self._extents(window, "_NET_FRAME_EXTENTS")
            outer = Box(box.left - left, box.top - top, box.width + left + right, box.height + top + bottom)
            minimised = elsewhere or hidden or not self._is_viewable(window)
            return DesktopWindow(window.id, self._title(window), box, outer, minimised)
        except self._gone:
            return None

    def _tree(self) -> list[DesktopWindow | None]:
        return [self._describe_top_level(window) for window in self._root.query_tree().children]

    def _describe_top_level(self, top_level: Any) -> DesktopWindow | None:
        from Xlib import X

        try:
            if top_level.get_attributes().win_class != X.InputOutput:
                return None
            named = self._named_within(top_level, _TREE_DEPTH) or top_level
            return DesktopWindow(
                named.id,
                self._title(named),
                self._box(named),
                self._box(top_level),
                not self._is_viewable(named),
            )
        except self._gone:
            return None

    def _named_within(self, window: Any, depth: int) -> Any | None:
        """The window itself or the first below it that has a title (a simple window manager frames its clients)."""
        if self._title(window):
            return window
        for child in window.query_tree().children if depth else ():
            if (named := self._named_within(child, depth - 1)) is not None:
                return named
        return None

    def _window(self, number: int) -> Any:
        return self._display.create_resource_object("window", number)

    def _numbers(self, window: Any, name: str) -> list[int] | None:
        reply = window.get_full_property(self._display.get_atom(name), 0)
        return None if reply is None or reply.format == 8 else [int(value) for value in reply.value]

    def _extents(self, window: Any, name: str) -> tuple[int, int, int, int]:
        """Width of the frame at the left, right, top and bottom."""
        match self._numbers(window, name):
            case [left, right, top, bottom]:
                return left, right, top, bottom
        return 0, 0, 0, 0

    def _title(self, window: Any) -> str:
        for name, encoding in (("_NET_WM_NAME", "utf-8"), ("WM_NAME", "latin-1")):
            reply = window.get_full_property(self._display.get_atom(name), 0)
            if reply is not None and reply.format == 8 and reply.value:
                value = reply.value
                return value if isinstance(value, str) else bytes(value).decode(encoding, errors="replace")
        return ""

    def _box(self, window: Any) -> Box:
        size = window.get_geometry()
        origin = self._root.translate_coords(window, 0, 0)
        return Box(origin.x, origin.y, size.width, size.height)

    def _is_viewable(self, window: Any) -> bool:
        from Xlib import X

        return bool(window.get_attributes().map_state == X.IsViewable)


class PyWinCtlDesk:
    """The windows of Windows or macOS. PyWinCtl does not give their stacking order."""

    stacked = False

    def __init__(self) -> None:
        try:
            import pywinctl
        except (ImportError, OSError, NotImplementedError) as problem:
            raise DisplayError(
                f"The windows of this desktop cannot be listed ({problem}): use --source region:X,Y,W,H."
            ) from problem
        self._api = pywinctl

    def close(self) -> None:
        """There is nothing to release."""

    def windows(self) -> list[DesktopWindow]:
        """All windows in no particular order."""
        found = []
        for window in self._api.getAllWindows():
            try:
                left, top, right, bottom = (int(edge) for edge in window.getClientFrame())
                minimised, title, number = bool(window.isMinimized), window.title, _number(window)
            except Exception:  # noqa: BLE001, S112 - a window that has just closed, in the words of its system
                continue
            # Windows gives a minimised window an empty frame; any other window without a surface shows nothing.
            if minimised or (right > left and bottom > top):
                box = Box(left, top, max(1, right - left), max(1, bottom - top))
                found.append(DesktopWindow(number, title, box, box, minimised))
        return found


def _number(window: Any) -> int:
    """A number that stays the same for a window: its handle (Windows), on macOS a hash of program and title."""
    handle = window.getHandle()
    return handle if isinstance(handle, int) else hash(str(handle))

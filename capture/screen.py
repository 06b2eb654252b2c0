"""Live sources from the desktop: the meeting window, a monitor, a region. Pixels come from mss, only to memory."""

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any, Final, Self

import numpy as np

from capture.errors import DisplayError, SourceError, SourceNotFoundError, UnreadableSourceError
from capture.frame import Frame, NotObserved
from capture.liveness import Look, check_interval, live_frames
from capture.window_pictures import WindowPictures, open_pictures
from capture.windows import (
    MEETING_TITLES,
    WAYLAND_ADVICE,
    Desk,
    Sighting,
    X11Desk,
    desktop_session,
    locate,
    off_screen_share,
    open_desk,
    overlap,
    rank_title,
)
from engagement.names import clean_name
from engagement.records import Box, NotObservedReason, WindowChange

logger = logging.getLogger(__name__)

#: Share of the window that others may hide, or that may lie on no monitor, before it counts as covered.
COVERED_SHARE: Final = 0.1
# A window that moves is looked at again at once; one that is dragged for longer is left until the next interval.
_ATTEMPTS: Final = 5
# For so long the monitors are taken to be arranged as they were.
_ARRANGED_SECONDS: Final = 10.0


class Grabber:
    """One mss instance. Enter it, use it and leave it in one thread."""

    def __init__(self, display: str | None = None) -> None:
        self._display = display
        self._mss: Any = None
        self._opened_at = 0.0

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the grabber; may be called again."""
        if self._mss is None:
            return
        from mss.exception import ScreenShotError

        grabber, self._mss = self._mss, None
        # a display that has gone has nothing left to release, and mss complains of that
        with suppress(ScreenShotError):
            grabber.close()

    @property
    def desktop(self) -> Box:
        """The rectangle that holds all monitors, in nominal pixels; left and top may be negative."""
        return _box(self._current.monitors[0])

    @property
    def monitors(self) -> tuple[Box, ...]:
        """The monitors from the first one on, in nominal pixels; the desktop itself where none is listed."""
        return tuple(_box(monitor) for monitor in self._current.monitors[1:]) or (self.desktop,)

    def grab(self, box: Box) -> Look | None:
        """Grab the part of `box` (nominal pixels) that lies on the desktop; None if none of it does.

        Raises:
            DisplayError: the display has gone.
            SourceError: the system refused the grab twice.
        """
        from mss.exception import ScreenShotError

        # mss meets a connection that was lost with a bare assertion
        refusals = (ScreenShotError, AssertionError)
        try:
            return self._grab(box)
        except refusals:
            # the arrangement of the monitors may have changed
            self._open()
        try:
            return self._grab(box)
        except refusals as problem:
            raise SourceError(
                f"The system refused to give a picture of the desktop ({problem}): check that the screen is not "
                "locked and that classpulse may record it."
            ) from problem

    def _open(self) -> None:
        self.close()
        self._mss, self._opened_at = _open_mss(self._display), time.monotonic()

    @property
    def _current(self) -> Any:
        """mss asks once how the monitors are arranged, so now and then another one asks."""
        if time.monotonic() - self._opened_at > _ARRANGED_SECONDS:
            self._open()
        return self._mss

    def _grab(self, box: Box) -> Look | None:
        import cv2

        visible = overlap(box, self.desktop)
        if visible is None:
            return None
        shot = self._mss.grab(
            {"left": visible.left, "top": visible.top, "width": visible.width, "height": visible.height}
        )
        bgra = np.frombuffer(shot.bgra, dtype=np.uint8).reshape(shot.height, shot.width, 4)
        image = np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB), dtype=np.uint8)
        return Look(image, shot.width / visible.width)


def _open_mss(display: str | None) -> Any:
    """Open mss on a display that can be grabbed, or say why there is none."""
    session = desktop_session()
    if not session.x11:
        return _open_native_mss()
    display = display or session.display
    if display is None and session.wayland:
        raise DisplayError(f"This is a Wayland session, which shows no window to programs: {WAYLAND_ADVICE}.")
    if display is None:
        raise DisplayError(
            "There is no display to grab (DISPLAY is not set): start classpulse from a terminal on the desktop "
            "itself, or use a recording (--source FILE) or --source demo."
        )
    import mss
    from mss.exception import ScreenShotError

    try:
        grabber = mss.MSS(display=display)
    except ScreenShotError as problem:
        if session.wayland:
            raise DisplayError(
                f"This is a Wayland session and its X display {display} cannot be reached: {WAYLAND_ADVICE}."
            ) from problem
        raise DisplayError(
            f"The X display {display} cannot be reached: start classpulse from a terminal on the desktop itself, "
            "or use a recording (--source FILE)."
        ) from problem
    try:
        with X11Desk(display) as desk:
            is_xwayland = desk.is_xwayland
    except BaseException:
        grabber.close()
        raise
    if is_xwayland or any(str(m.get("output", "")).startswith("XWAYLAND") for m in grabber.monitors[1:]):
        grabber.close()
        raise DisplayError(
            f"The display {display} belongs to a Wayland session and shows no window to programs: {WAYLAND_ADVICE}."
        )
    return grabber


def _open_native_mss() -> Any:
    """Open mss on Windows or macOS. Not yet run on those systems."""
    import mss
    from mss.exception import ScreenShotError

    if sys.platform == "darwin":
        from mss import darwin

        # Without this a Retina display is grabbed at half its resolution, and small faces are lost.
        darwin.IMAGE_OPTIONS &= ~darwin.kCGWindowImageNominalResolution
    try:
        return mss.MSS()
    except ScreenShotError as problem:
        raise DisplayError(
            f"The desktop cannot be grabbed ({problem}): allow screen recording for this program in the system's "
            "privacy settings and start it again."
        ) from problem


def _box(monitor: dict[str, Any]) -> Box:
    return Box(monitor["left"], monitor["top"], monitor["width"], monitor["height"])


class DesktopSource:
    """What the three sources share: open, look once per interval, tell black pictures, close.

    They show a meeting, or else nothing that is read: a face in a speaker's view or on a slide is nobody's seat.
    """

    live = True

    def __init__(self, display: str | None) -> None:
        self._display = display
        self._grabber = Grabber(display)
        self._open: ExitStack | None = None

    @property
    def name(self) -> str:
        """What the user reads."""
        raise NotImplementedError

    def frame_count(self, interval: float) -> int | None:
        """None: the desktop does not end."""
        check_interval(interval)
        return None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._grabber)
            self._prepare(stack)
            self._open = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def frames(self, interval: float) -> Iterator[Frame | NotObserved]:
        """One grab each time the caller asks; see `FrameSource`."""
        check_interval(interval)
        return live_frames(self._look_if_open)

    def _look_if_open(self) -> Look | NotObservedReason:
        if self._open is None:
            raise SourceError(f"{self.name} is not open: use it in a `with` block.")
        return self._look()

    def _prepare(self, stack: ExitStack) -> None:
        """Check that there is something to look at; the grabber is open."""
        raise NotImplementedError

    def _look(self) -> Look | NotObservedReason:
        raise NotImplementedError


class RegionSource(DesktopSource):
    """A fixed rectangle of the desktop, in nominal pixels."""

    def __init__(self, box: Box, *, display: str | None = None) -> None:
        super().__init__(display)
        self._box = box

    @property
    def name(self) -> str:
        """Such as `region 1280 x 720 at 100,50`."""
        return f"region {self._box.width} x {self._box.height} at {self._box.left},{self._box.top}"

    def _prepare(self, stack: ExitStack) -> None:
        if overlap(self._box, self._grabber.desktop) is None:
            raise SourceNotFoundError(
                f"The {self.name} lies outside the desktop: it has {describe_monitors(self._grabber.monitors)}."
            )

    def _look(self) -> Look | NotObservedReason:
        # None only if a monitor was unplugged since the region was checked
        return self._grabber.grab(self._box) or NotObservedReason.WINDOW_CLOSED


class MonitorSource(DesktopSource):
    """A whole monitor; 1 is the first."""

    def __init__(self, number: int, *, display: str | None = None) -> None:
        super().__init__(display)
        self._number = number

    @property
    def name(self) -> str:
        """Such as `monitor 1`."""
        return f"monitor {self._number}"

    def _prepare(self, stack: ExitStack) -> None:
        monitors = self._grabber.monitors
        if not 1 <= self._number <= len(monitors):
            raise SourceNotFoundError(
                f"There is no {self.name}: choose one of {describe_monitors(monitors)}."
            )

    def _look(self) -> Look | NotObservedReason:
        monitors = self._grabber.monitors
        if self._number > len(monitors):
            return NotObservedReason.WINDOW_CLOSED
        return self._grabber.grab(monitors[self._number - 1]) or NotObservedReason.WINDOW_CLOSED


class WindowSource(DesktopSource):
    """The meeting window, found by its title and followed as it moves; never anything else of the desktop.

    Where something lies over it, or it reaches beyond the edge of the desktop, the system is asked for the window's own
    picture; where there is none, it is `covered`.

    Args:
        titles: parts of the title that is looked for, best first.
        known: parts of titles under which a window may be named where it is kept or logged.
        display: X display; default: of the session.
    """

    def __init__(
        self,
        titles: Sequence[str] = MEETING_TITLES,
        *,
        known: Sequence[str] = MEETING_TITLES,
        display: str | None = None,
    ) -> None:
        super().__init__(display)
        self._titles = tuple(titles)
        self._known = tuple(known)
        self._desk: Desk | None = None
        self._pictures: WindowPictures | None = None
        self._sighting: Sighting | None = None
        self._seen_at: Box | None = None

    @property
    def name(self) -> str:
        """Such as `window "Zoom Meeting"`: of the title under which it was last seen as a meeting no more than the part
        that is known, since whoever holds the meeting wrote it, and it often begins with somebody's name."""
        if self._sighting is None:
            return "meeting window"
        rank = rank_title(self._sighting.window.title, self._known)
        if rank is None:
            return "window chosen by its title"
        return f'window "{clean_name(self._known[rank.pattern].strip(" -"))}"'

    def _prepare(self, stack: ExitStack) -> None:
        desk = open_desk(self._display)
        stack.callback(desk.close)
        self._sighting = locate(desk, self._titles)
        if self._sighting is None:
            # a title that was chosen on the page is a whole one, and may hold a name
            titles = ", ".join(f'"{title.strip()}"' for title in self._titles if title in self._known)
            missing = (
                f"No window was found whose title holds {titles}" if titles else "The window was not found"
            )
            raise SourceNotFoundError(
                f"{missing}: open the meeting in gallery view, name the window "
                "with --source window:TITLE, or point at it with --source region:X,Y,W,H."
            )
        if self._sighting.window.minimised:
            raise UnreadableSourceError(
                f"The {self.name} is minimised or on another virtual desktop, where it draws nothing: restore it "
                "from the task bar, in gallery view, and start again."
            )
        self._desk = desk
        self._pictures = open_pictures(self._display)
        if self._pictures is not None:
            stack.callback(self._pictures.close)
        if self._sighting.covered > COVERED_SHARE and self._grab(self._sighting) is None:
            # no refusal: the terminal in which classpulse was started may well lie over it
            logger.warning(
                "The meeting window is covered by %.0f %%: nothing is read until it can be seen whole.",
                100 * self._sighting.covered,
            )

    def _look(self) -> Look | NotObservedReason:
        before: Sighting | NotObservedReason = NotObservedReason.COVERED
        for _attempt in range(_ATTEMPTS):
            before = self._find()
            if isinstance(before, NotObservedReason):
                return before
            grab = self._grab(before)
            after = self._find()
            # What lies behind must not be kept if the window went away between the search and the grab.
            if isinstance(after, Sighting) and after.window == before.window:
                if grab is None:
                    return NotObservedReason.COVERED
                box = after.window.box
                followed = changed(self._seen_at, box)
                self._seen_at = box
                return replace(grab, followed=followed)
        # on its way across the desktop: part of each grab is something else
        if isinstance(after, Sighting) and isinstance(before, Sighting):
            return _UNDER_WAY[changed(before.window.box, after.window.box) or WindowChange.MOVED]
        return NotObservedReason.WINDOW_CLOSED

    def _grab(self, sighting: Sighting) -> Look | None:
        """The picture of the window, None where it cannot be seen whole in any way."""
        window = sighting.window
        off = off_screen_share(window.box, self._grabber.monitors)
        whole = off == 0.0 and sighting.covered == 0.0
        if self._pictures is not None:
            self._pictures.watch(window)
            image = self._pictures.grab(window) if self._pictures.always or not whole else None
            if image is not None:
                return Look(image, image.shape[1] / window.box.width)
            if self._pictures.always:
                # such a system does not tell what lies over the window, so its place on the screen is no answer
                return None
        return self._grabber.grab(window.box) if max(off, sighting.covered) <= COVERED_SHARE else None

    def _find(self) -> Sighting | NotObservedReason:
        """Where the window is, or why it cannot be seen."""
        if self._desk is None:
            raise SourceError(f"{self.name} is not open: use it in a `with` block.")
        sighting = locate(self._desk, self._titles, self._sighting)
        if sighting is None:
            return NotObservedReason.WINDOW_CLOSED
        self._sighting = sighting
        return NotObservedReason.MINIMISED if sighting.window.minimised else sighting


_UNDER_WAY: Final = {
    WindowChange.MOVED: NotObservedReason.MOVED,
    WindowChange.RESIZED: NotObservedReason.RESIZED,
}


def changed(before: Box | None, now: Box) -> WindowChange | None:
    """How a window has changed; one that has another size counts as resized, wherever it went."""
    if before is None or before == now:
        return None
    same_size = (before.width, before.height) == (now.width, now.height)
    return WindowChange.MOVED if same_size else WindowChange.RESIZED


def describe_monitors(monitors: Sequence[Box]) -> str:
    """Such as `monitor:1 (1920 x 1080 at 0,0)`, for a sentence."""
    return ", ".join(
        f"monitor:{number} ({box.width} x {box.height} at {box.left},{box.top})"
        for number, box in enumerate(monitors, start=1)
    )

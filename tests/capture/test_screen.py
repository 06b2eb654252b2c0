"""The desktop as a source: what is grabbed, and what must never be."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from capture.errors import DisplayError, SourceError, SourceNotFoundError, UnreadableSourceError
from capture.frame import Frame, NotObserved
from capture.liveness import Look, Stillness, is_black
from capture.screen import Grabber, MonitorSource, RegionSource, WindowSource
from capture.sources import open_source
from capture.windows import DesktopWindow, X11Desk
from engagement.records import Box, NotObservedReason
from tests.x11 import X11Window, has, run_openbox, run_xvfb, split_into_monitors, wait_until


def picture(seed: int = 0, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(40, 255, (height, width, 3), dtype=np.uint8)


def outcome(seen: Frame | NotObserved) -> object:
    """The picture, or the reason for none."""
    return seen.image.shape[1::-1] if isinstance(seen, Frame) else seen.reason


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that gives no picture of a window by itself."""
    monkeypatch.setattr("capture.screen.open_pictures", lambda _display: None)


@pytest.fixture(params=["bare", "managed"])
def display(request: pytest.FixtureRequest, xvfb: str) -> Iterator[str]:
    """An X server without and with a window manager."""
    if request.param == "bare":
        yield xvfb
        return
    if not has("openbox"):
        pytest.skip("needs openbox")
    with run_openbox(xvfb):
        yield xvfb


def test_the_window_is_followed_as_it_moves_and_grows(display: str) -> None:
    with (
        X11Window(display, "Zoom Meeting", picture(1), 300, 200) as shown,
        WindowSource(display=display) as source,
    ):
        frames = source.frames(1.0)
        for x, y in ((300, 200), (1000, 700), (31, 47)):
            shown.move(x, y)
            seen = next(frames)
            assert isinstance(seen, Frame)
            assert np.array_equal(seen.image, picture(1))
        shown.resize(640, 480)
        assert outcome(next(frames)) == (640, 480)
        assert source.name == 'window "Zoom Meeting"'


@pytest.mark.usefixtures("no_pictures")
def test_a_window_over_the_edge_is_clipped_and_one_beyond_it_is_not_seen(xvfb: str) -> None:
    with (
        X11Window(xvfb, "Zoom Meeting", picture(1), -10, 1210) as shown,
        WindowSource(display=xvfb) as source,
    ):
        frames = source.frames(1.0)
        seen = next(frames)
        assert isinstance(seen, Frame)
        assert np.array_equal(seen.image, picture(1)[:230, 10:])
        # a class of which a row is missing is not a smaller class
        shown.move(-100, 1300)
        assert outcome(next(frames)) == NotObservedReason.COVERED
        shown.move(3000, 100)
        assert outcome(next(frames)) == NotObservedReason.COVERED


def test_a_window_that_is_covered_or_over_the_edge_is_read_by_itself(display: str) -> None:
    with (
        X11Window(display, "Zoom Meeting", picture(1), 300, 200) as shown,
        WindowSource(display=display) as source,
    ):
        frames = source.frames(1.0)
        assert outcome(next(frames)) == (320, 240)
        with X11Window(display, "Notes", picture(2), 350, 200):
            for number in (3, 4):
                shown.show(picture(number))
                seen = next(frames)
                assert isinstance(seen, Frame)
                assert np.array_equal(seen.image, picture(number))
            shown.minimise()
            assert outcome(next(frames)) == NotObservedReason.MINIMISED
            shown.restore()
        for place in ((-100, 1300), (2400, 100)):
            shown.move(*place)
            shown.show(picture(5))
            wait_until(lambda: np.array_equal(getattr(next(frames), "image", None), picture(5)))


def test_how_a_window_was_followed_is_told(xvfb: str) -> None:
    with (
        X11Window(xvfb, "Zoom Meeting", picture(1), 300, 200) as shown,
        WindowSource(display=xvfb) as source,
    ):
        frames = source.frames(1.0)

        def followed() -> object:
            seen = next(frames)
            assert isinstance(seen, Frame)
            return seen.followed

        assert followed() is None
        shown.move(400, 300)
        assert followed() == "moved"
        assert followed() is None
        shown.resize(640, 480)
        assert followed() == "resized"
        shown.minimise()
        next(frames)
        shown.restore()
        shown.move(50, 60)
        assert followed() == "moved"


@pytest.mark.usefixtures("no_pictures")
def test_what_cannot_be_seen_is_said_and_comes_back(display: str) -> None:
    with (
        X11Window(display, "Zoom Meeting", picture(1), 300, 200) as shown,
        WindowSource(display=display) as source,
    ):
        frames = source.frames(1.0)
        assert outcome(next(frames)) == (320, 240)
        shown.minimise()
        assert outcome(next(frames)) == NotObservedReason.MINIMISED
        shown.restore()
        shown.raise_()
        with X11Window(display, "Notes", picture(2), 350, 200):
            assert outcome(next(frames)) == NotObservedReason.COVERED
        shown.show(picture(3))
        seen = next(frames)
        assert isinstance(seen, Frame)
        assert np.array_equal(seen.image, picture(3))
        shown.close()
        assert outcome(next(frames)) == NotObservedReason.WINDOW_CLOSED
        with X11Window(display, "Zoom Meeting", picture(4), 600, 500):
            seen = next(frames)
            assert isinstance(seen, Frame)
            assert np.array_equal(seen.image, picture(4))
            assert seen.index == 5


def test_what_else_the_window_shows_is_never_grabbed(display: str) -> None:
    title = "Meet - abc-defg-hij - Chromium"
    with X11Window(display, title, picture(1), 300, 200) as shown, WindowSource(display=display) as source:
        frames = source.frames(1.0)
        assert outcome(next(frames)) == (320, 240)
        shown.rename("Inbox (3) - Ada's grades - Chromium")
        shown.show(picture(2))
        assert outcome(next(frames)) == NotObservedReason.WINDOW_CLOSED
        assert source.name == 'window "Meet"'
        shown.rename(title)
        shown.show(picture(3))
        seen = next(frames)
        assert isinstance(seen, Frame)
        assert np.array_equal(seen.image, picture(3))


@pytest.mark.parametrize(
    ("spec", "title", "name"),
    [
        ("window", "Zebulon Quux's Zoom Meeting", 'window "Zoom Meeting"'),
        ("window", "Meet \u2013 abc with Zebulon Quux", 'window "Meet"'),
        # chosen on the page, which gives the whole title
        ("window:Zebulon Quux's Zoom Meeting", "Zebulon Quux's Zoom Meeting", 'window "Zoom Meeting"'),
        ("window:Zebulon Quux", "Call with Zebulon Quux", "window chosen by its title"),
    ],
)
def test_no_more_of_a_title_is_told_than_is_known_of_every_meeting(
    xvfb: str, spec: str, title: str, name: str
) -> None:
    """The name of a source is kept with the session and stands in errors; a title holds that of its host."""
    with X11Window(xvfb, title, picture(1), 300, 200) as shown:
        with open_source(spec, display=xvfb) as source:
            assert source.name == name
        shown.minimise()
        with pytest.raises(UnreadableSourceError, match=f"^The {name} is minimised") as refused:
            open_source(spec, display=xvfb).__enter__()
        assert "Zebulon" not in str(refused.value)
    # gone, as when the reading is started again
    with pytest.raises(SourceNotFoundError) as missing:
        open_source(spec, display=xvfb).__enter__()
    assert "Zebulon" not in str(missing.value)


def test_a_window_that_is_minimised_from_the_start_is_refused(display: str) -> None:
    with X11Window(display, "Zoom Meeting", picture(1), 300, 200) as shown:
        shown.minimise()
        source = WindowSource(display=display)
        with (
            pytest.raises(UnreadableSourceError, match=r'"Zoom Meeting" is minimised .* restore it from'),
            source,
        ):
            pass
        shown.restore()
        with source:
            frames = source.frames(1.0)
            # the X server paints the window some time after it is viewable
            wait_until(lambda: outcome(next(frames)) != NotObservedReason.BLACK)
            assert outcome(next(frames)) == (320, 240)


@pytest.mark.usefixtures("no_pictures")
def test_a_window_that_is_covered_from_the_start_is_said_and_waited_for(
    xvfb: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        X11Window(xvfb, "Zoom Meeting", picture(1), 300, 200) as shown,
        X11Window(xvfb, "Terminal", picture(2, 160, 240), 300, 200),
        WindowSource(display=xvfb) as source,
    ):
        assert "meeting window is covered by 50 %" in caplog.text
        frames = source.frames(1.0)
        assert outcome(next(frames)) == NotObservedReason.COVERED
        shown.raise_()
        assert outcome(next(frames)) == (320, 240)


def test_a_corner_that_is_covered_does_no_harm(xvfb: str) -> None:
    with (
        X11Window(xvfb, "Zoom Meeting", picture(1), 300, 200),
        WindowSource(display=xvfb) as source,
        X11Window(xvfb, "a hint", picture(2, 60, 60), 300, 200),
    ):
        assert outcome(next(source.frames(1.0))) == (320, 240)


def test_nothing_behind_is_kept_when_the_window_goes_between_the_search_and_the_grab(
    xvfb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grab = Grabber.grab
    with (
        X11Window(xvfb, "private", picture(9), 300, 200),
        X11Window(xvfb, "Zoom Meeting", picture(1), 300, 200) as shown,
        WindowSource(display=xvfb) as source,
    ):
        grabbed: list[Look | None] = []

        def close_first(self: Grabber, box: Box) -> Look | None:
            shown.close()
            grabbed.append(grab(self, box))
            return grabbed[-1]

        monkeypatch.setattr(Grabber, "grab", close_first)
        assert outcome(next(source.frames(1.0))) == NotObservedReason.WINDOW_CLOSED
        # the danger was real: the pixels of the other window had been grabbed
        assert isinstance(grabbed[0], Look)
        assert np.array_equal(grabbed[0].image, picture(9))


def test_a_window_that_is_being_dragged_is_left_until_it_rests(
    xvfb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grab = Grabber.grab
    with (
        X11Window(xvfb, "Zoom Meeting", picture(1), 300, 200) as shown,
        WindowSource(display=xvfb) as source,
    ):
        dragged = iter(range(100))

        def drag_first(self: Grabber, box: Box) -> Look | None:
            shown.move(310 + next(dragged), 200)
            return grab(self, box)

        frames = source.frames(1.0)
        with monkeypatch.context() as patch:
            patch.setattr(Grabber, "grab", drag_first)
            assert outcome(next(frames)) == NotObservedReason.MOVED
        seen = next(frames)
        assert isinstance(seen, Frame)
        assert np.array_equal(seen.image, picture(1))


def test_a_black_window_is_not_a_class_but_a_dark_one_may_be(xvfb: str) -> None:
    black, dark = np.zeros((240, 320, 3), np.uint8), np.full((240, 320, 3), 0x1A, np.uint8)
    with X11Window(xvfb, "Zoom Meeting", black) as shown, WindowSource(display=xvfb) as source:
        frames = source.frames(1.0)
        assert outcome(next(frames)) == NotObservedReason.BLACK
        shown.show(dark)
        assert outcome(next(frames)) == (320, 240)


def test_a_picture_that_stands_still_is_given_with_how_long(
    xvfb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cards with names stand still for a lesson: a source that would not give them would stop their counts."""
    seconds = count(1000, 20)
    clock = SimpleNamespace(monotonic=lambda: float(next(seconds)))
    monkeypatch.setattr("capture.liveness.time", clock)
    with (
        X11Window(xvfb, "Zoom Meeting", picture(1), 300, 200) as shown,
        RegionSource(Box(300, 200, 320, 240), display=xvfb) as source,
    ):

        def unchanged() -> float:
            seen = next(frames)
            assert isinstance(seen, Frame)
            return seen.unchanged_seconds

        frames = source.frames(1.0)
        assert [unchanged() for _ in range(5)] == [0.0, 0.0, 40.0, 60.0, 80.0]
        changed = picture(1)
        changed[0, 0] += 1
        shown.show(changed)
        assert [unchanged() for _ in range(3)] == [0.0, 0.0, 40.0]


def test_stillness_counts_seconds_once_three_pictures_are_equal() -> None:
    still = Stillness()
    image = picture(1)
    assert [still.measure(image.copy(), at) for at in (5.0, 25.0, 35.0, 36.5)] == [0.0, 0.0, 30.0, 31.5]
    still.forget()
    assert still.measure(image, 61.0) == 0.0
    # an interval of a minute: two pictures do not make a stand-still
    slow = Stillness()
    assert [slow.measure(image, at) for at in (0.0, 60.0, 120.0)] == [0.0, 0.0, 120.0]
    assert slow.measure(picture(2), 180.0) == 0.0


def test_a_mouse_pointer_on_black_is_still_black() -> None:
    image = np.zeros((1080, 1920, 3), np.uint8)
    image[500:516, 500:510] = 255
    assert is_black(image)
    image[:100] = 40
    assert not is_black(image)


def test_no_window_names_the_titles_and_what_to_do(xvfb: str) -> None:
    titles = ("Zoom Meeting", "Meet - ")
    source = WindowSource(titles, known=titles, display=xvfb)
    with pytest.raises(SourceNotFoundError) as caught:
        source.__enter__()
    message = str(caught.value)
    assert '"Zoom Meeting", "Meet -"' in message
    assert "gallery view" in message
    assert "--source region" in message


def test_a_region_over_the_edge_is_clipped_and_one_beyond_it_refused(xvfb: str) -> None:
    with X11Window(xvfb, "anything", picture(1), 0, 0):
        with RegionSource(Box(-50, -20, 100, 100), display=xvfb) as source:
            seen = next(source.frames(1.0))
        assert isinstance(seen, Frame)
        assert np.array_equal(seen.image, picture(1)[:80, :50])
    with (
        pytest.raises(SourceNotFoundError, match=r"monitor:1 \(2560 x 1440 at 0,0\)"),
        RegionSource(Box(2560, 0, 10, 10), display=xvfb),
    ):
        pass


@pytest.fixture
def two_monitors() -> Iterator[str]:
    """One X server with a monitor of 1000 x 600 at the left and one of 600 x 600 at the right."""
    if not has("Xvfb"):
        pytest.skip("needs Xvfb")
    with run_xvfb(1600, 600) as display, split_into_monitors(display, 1000, 600, height=600):
        yield display


def test_each_monitor_shows_its_own_part(two_monitors: str) -> None:
    with X11Window(two_monitors, "anything", picture(1), 1100, 100):
        with MonitorSource(1, display=two_monitors) as left:
            assert outcome(next(left.frames(1.0))) == NotObservedReason.BLACK
        with MonitorSource(2, display=two_monitors) as right:
            seen = next(right.frames(1.0))
    assert isinstance(seen, Frame)
    assert np.array_equal(seen.image[100:340, 100:420], picture(1))
    assert seen.image.shape == (600, 600, 3)


def test_monitors_that_are_arranged_anew_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    if not has("Xvfb"):
        pytest.skip("needs Xvfb")
    with run_xvfb(1600, 600) as display, MonitorSource(1, display=display) as source:
        frames = source.frames(1.0)
        with X11Window(display, "anything", picture(1), 100, 100):
            assert outcome(next(frames)) == (1600, 600)
            with split_into_monitors(display, 700, 900, height=600):
                monkeypatch.setattr("capture.screen._ARRANGED_SECONDS", 0.0)
                seen = next(frames)
    assert isinstance(seen, Frame)
    assert seen.image.shape == (600, 700, 3)
    assert np.array_equal(seen.image[100:340, 100:420], picture(1))


def test_a_monitor_that_is_not_there_names_those_that_are(two_monitors: str) -> None:
    with (
        pytest.raises(
            SourceNotFoundError,
            match=r"no monitor 3: choose one of monitor:1 \(1000 x 600 at 0,0\), monitor:2 \(600 x 600 at 1000,0\)",
        ),
        MonitorSource(3, display=two_monitors),
    ):
        pass


def test_a_source_that_is_not_open_says_so(xvfb: str) -> None:
    source = MonitorSource(1, display=xvfb)
    with pytest.raises(SourceError, match="not open"):
        next(source.frames(1.0))
    with source:
        frames = source.frames(1.0)
        next(frames)
    with pytest.raises(SourceError, match="not open"):
        next(frames)


def test_a_display_that_goes_away_is_said_in_words() -> None:
    if not has("Xvfb"):
        pytest.skip("needs Xvfb")
    with run_xvfb(640, 480) as own:
        source = MonitorSource(1, display=own).__enter__()
        frames = source.frames(1.0)
        next(frames)
    with pytest.raises(DisplayError, match="cannot be reached"):
        next(frames)
    source.__exit__(None, None, None)


NO_SESSION = {"DISPLAY": None, "WAYLAND_DISPLAY": None, "XDG_SESSION_TYPE": None}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, ["DISPLAY is not set", "--source FILE"]),
        ({"DISPLAY": ":4095"}, [":4095 cannot be reached", "--source FILE"]),
        ({"WAYLAND_DISPLAY": "wayland-0"}, ["Wayland session", "Xorg", "--source FILE"]),
        ({"XDG_SESSION_TYPE": "wayland", "DISPLAY": ":4095"}, ["Wayland session", "Xorg"]),
    ],
)
def test_without_a_display_the_way_out_is_named(
    environ: dict[str, str], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**NO_SESSION, **environ}.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    for source in (WindowSource(), MonitorSource(1), RegionSource(Box(0, 0, 10, 10))):
        with pytest.raises(DisplayError) as caught, source:
            pass
        assert all(word in str(caught.value) for word in words), caught.value


def test_an_x_server_inside_a_wayland_session_is_refused(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(X11Desk, "is_xwayland", property(lambda _desk: True))
    with pytest.raises(DisplayError, match="belongs to a Wayland session"), MonitorSource(1, display=xvfb):
        pass


def test_a_real_x_server_beside_a_wayland_session_is_used(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    monkeypatch.setenv("DISPLAY", xvfb)
    with X11Window(xvfb, "anything", picture(1)), MonitorSource(1) as source:
        assert outcome(next(source.frames(1.0))) == (2560, 1440)


class RecordedShot:
    """A grab as mss gives it: 4 bytes per pixel in the order blue, green, red, nothing."""

    def __init__(self, image: NDArray[np.uint8]) -> None:
        self.height, self.width = image.shape[:2]
        self.bgra = bytes(
            np.dstack([image[..., ::-1], np.zeros((self.height, self.width), np.uint8)]).tobytes()
        )


class RecordedMss:
    """A desktop as mss shows it: a second, smaller monitor at the left; pictures of `scale` times the nominal size."""

    monitors = (
        {"left": -800, "top": -100, "width": 1800, "height": 1000},
        {"left": 0, "top": 0, "width": 1000, "height": 900},
        {"left": -800, "top": -100, "width": 800, "height": 600},
    )

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.asked: list[dict[str, int]] = []

    def real(self, box: dict[str, int]) -> tuple[int, int]:
        return round(self.scale * box["width"]), round(self.scale * box["height"])

    def grab(self, box: dict[str, int]) -> RecordedShot:
        self.asked.append(box)
        return RecordedShot(picture(1, *self.real(box)))

    def close(self) -> None:
        pass


@pytest.fixture(params=[1.0, 1.25, 1.5, 2.0])
def recorded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RecordedMss:
    """The desktop at each usual scale."""
    desktop = RecordedMss(request.param)
    monkeypatch.setattr("capture.screen._open_mss", lambda _display: desktop)
    return desktop


def test_real_pixels_and_negative_places_at_every_scale(recorded: RecordedMss) -> None:
    with MonitorSource(2) as source:
        seen = next(source.frames(1.0))
    assert isinstance(seen, Frame)
    assert np.array_equal(seen.image, picture(1, *recorded.real(recorded.monitors[2])))
    assert seen.scale == recorded.scale
    with RegionSource(Box(-900, 0, 200, 100)) as source:
        next(source.frames(1.0))
    assert recorded.asked[-1] == {"left": -800, "top": 0, "width": 100, "height": 100}


class OneWindow:
    """A desk with one window, as the system lists it."""

    stacked = False

    def __init__(self, box: Box) -> None:
        self.box = box

    def windows(self) -> list[DesktopWindow]:
        return [DesktopWindow(5, "Zoom Meeting", self.box, self.box, False)]

    def close(self) -> None:
        pass


def test_a_window_goes_from_monitor_to_monitor_at_every_scale(
    recorded: RecordedMss, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = OneWindow(Box(-700, -50, 321, 181))
    monkeypatch.setattr("capture.screen.open_desk", lambda _display: desk)
    monkeypatch.setattr("capture.screen.open_pictures", lambda _display: None)
    with WindowSource() as source:
        frames = source.frames(1.0)
        for box, followed in (
            (desk.box, None),
            (Box(200, 700, 321, 181), "moved"),
            (Box(-160, 100, 320, 200), "resized"),  # half on each of them
        ):
            desk.box = box
            seen = next(frames)
            assert isinstance(seen, Frame)
            assert recorded.asked[-1] == {
                "left": box.left, "top": box.top, "width": box.width, "height": box.height,
            }  # fmt: skip
            assert (seen.width, seen.height) == recorded.real(recorded.asked[-1])
            assert seen.scale == pytest.approx(recorded.scale, abs=0.005)
            assert seen.followed == followed
        # under the smaller monitor there is nothing, though it lies within the rectangle of the desktop
        desk.box = Box(-500, 600, 320, 200)
        assert outcome(next(frames)) == NotObservedReason.COVERED


class Blind:
    """A system that knows windows' pictures and not what covers them, and this time gives none."""

    always = True

    def watch(self, window: DesktopWindow) -> None:
        pass

    def grab(self, window: DesktopWindow) -> None:
        return None

    def close(self) -> None:
        pass


def test_where_the_system_gives_no_picture_its_place_on_the_screen_is_not_taken_instead(
    recorded: RecordedMss, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.screen.open_desk", lambda _display: OneWindow(Box(200, 700, 321, 181)))
    monkeypatch.setattr("capture.screen.open_pictures", lambda _display: Blind())
    with WindowSource() as source:
        assert outcome(next(source.frames(1.0))) == NotObservedReason.COVERED
    assert recorded.asked == []


def test_the_grab_leaves_no_file(xvfb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with X11Window(xvfb, "Zoom Meeting", picture(1)), WindowSource(display=xvfb) as source:
        next(source.frames(1.0))
    assert list(tmp_path.iterdir()) == []


class RefusingMss(RecordedMss):
    """A desktop that refuses the first so many grabs, as a locked screen does."""

    def __init__(self, refusals: int) -> None:
        super().__init__(1.0)
        self.refusals = refusals

    def grab(self, box: dict[str, int]) -> RecordedShot:
        from mss.exception import ScreenShotError

        if self.refusals:
            self.refusals -= 1
            raise ScreenShotError("XGetImage failed")
        return super().grab(box)


def test_a_grab_that_is_refused_once_is_tried_again_and_twice_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desktop = RefusingMss(1)
    monkeypatch.setattr("capture.screen._open_mss", lambda _display: desktop)
    with MonitorSource(1) as source:
        frames = source.frames(1.0)
        assert outcome(next(frames)) == (1000, 900)
        desktop.refusals = 2
        with pytest.raises(SourceError, match="screen is not locked"):
            next(frames)


def test_a_monitor_that_is_unplugged_is_not_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = RecordedMss(1.0)
    monkeypatch.setattr("capture.screen._open_mss", lambda _display: desktop)
    with MonitorSource(2) as source, RegionSource(Box(-700, 0, 50, 50)) as region:
        frames, parts = source.frames(1.0), region.frames(1.0)
        assert outcome(next(frames)) == (800, 600)
        assert outcome(next(parts)) == (50, 50)
        only = {"left": 0, "top": 0, "width": 1000, "height": 900}
        desktop.monitors = (only, only)
        assert outcome(next(frames)) == NotObservedReason.WINDOW_CLOSED
        assert outcome(next(parts)) == NotObservedReason.WINDOW_CLOSED
        # a driver that lists none shows the desktop as one
        desktop.monitors = (only,)
    with MonitorSource(1) as source:
        assert outcome(next(source.frames(1.0))) == (1000, 900)


def test_a_window_that_is_being_resized_or_goes_while_it_is_dragged(
    recorded: RecordedMss, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Restless(OneWindow):
        """A window that is another one at every look."""

        def __init__(self) -> None:
            super().__init__(Box(0, 0, 300, 200))
            self.still, self.looks_left = True, 1000

        def windows(self) -> list[DesktopWindow]:
            self.looks_left -= 1
            if not self.still:
                self.box = Box(0, 0, self.box.width + 1, 200)
            return super().windows() if self.looks_left > 0 else []

    desk = Restless()
    monkeypatch.setattr("capture.screen.open_desk", lambda _display: desk)
    monkeypatch.setattr("capture.screen.open_pictures", lambda _display: None)
    with WindowSource() as source:
        frames = source.frames(1.0)
        assert isinstance(next(frames), Frame)
        desk.still = False
        assert outcome(next(frames)) == NotObservedReason.RESIZED
        desk.looks_left = 4
        assert outcome(next(frames)) == NotObservedReason.WINDOW_CLOSED

"""What every source promises (capture.frame.FrameSource), asked of every source that can be had here."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from capture.frame import Frame, FrameSource, NotObserved
from capture.sources import open_source
from engagement.errors import ClasspulseError

INTERVAL = 0.5
RECORDINGS = ("image", "folder", "video")
LIVE = ("window", "window:TITLE", "monitor", "region", "demo", "camera")


def picture(seed: int, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """A blocky picture that survives video compression, different for each seed."""
    blocks = np.random.default_rng(seed).integers(40, 255, (height // 40, width // 40, 3), dtype=np.uint8)
    return blocks.repeat(40, axis=0).repeat(40, axis=1)


def write_video(path: Path, pictures: list[NDArray[np.uint8]], rate: float) -> None:
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height))
    assert writer.isOpened()
    for image in pictures:
        writer.write(np.ascontiguousarray(image[..., ::-1]))
    writer.release()


@pytest.fixture(params=[*RECORDINGS, *LIVE])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FrameSource]:
    with ExitStack() as stack:
        yield make(request.param, request, tmp_path, stack)


def make(kind: str, request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> FrameSource:
    match kind:
        case "image":
            cv2.imwrite(str(folder / "class.png"), picture(1))
            return open_source(str(folder / "class.png"))
        case "folder":
            for number in range(5):
                cv2.imwrite(str(folder / f"class{number}.jpg"), picture(number))
            return open_source(str(folder))
        case "video":
            write_video(folder / "class.mp4", [picture(number // 5) for number in range(25)], rate=10)
            return open_source(str(folder / "class.mp4"))
        case "demo":
            pytest.importorskip("capture.classroom")
            return open_source("demo")
        case "camera":
            if not Path("/dev/video0").exists():
                pytest.skip("needs a camera, and there is no /dev/video0")
            return open_source("camera:0")
    display = request.getfixturevalue("xvfb")
    from tests.x11 import X11Window

    stack.enter_context(X11Window(display, "Zoom Meeting", picture(2), 50, 60))
    spec = {
        "window": "window",
        "window:TITLE": "window:zoom meeting",
        "monitor": "monitor:1",
        "region": "region:40,50,200,100",
    }[kind]
    return open_source(spec, display=display)


def take(source: FrameSource, most: int = 4) -> list[Frame | NotObserved]:
    return list(islice(source.frames(INTERVAL), most))


def test_it_is_a_source_with_a_name(source: FrameSource) -> None:
    assert isinstance(source, FrameSource)
    with source:
        assert source.name.strip()
        assert source.live in (True, False)


def test_frames_are_numbered_and_stamped_in_order(source: FrameSource) -> None:
    with source:
        seen = take(source)
        live = source.live
    assert [item.index for item in seen] == list(range(len(seen)))
    steps = [after.taken_at - before.taken_at for before, after in pairwise(seen)]
    if live:
        assert len(seen) == 4
        assert all(step > timedelta(0) for step in steps)
    else:
        assert all(step == timedelta(seconds=INTERVAL) for step in steps)
    assert all(item.taken_at.utcoffset() == timedelta(0) for item in seen)


def test_a_frame_is_a_picture_of_its_own(source: FrameSource) -> None:
    with source:
        frames = [item for item in take(source, 2) if isinstance(item, Frame)]
    assert frames
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert frame.image.ndim == 3
        assert frame.image.flags.c_contiguous
        assert frame.scale > 0
        assert np.ptp(frame.image) > 0
    # what a caller keeps is not overwritten by the next grab, and outlives the source
    assert len({id(frame.image) for frame in frames}) == len(frames)


def test_the_count_is_the_number_of_frames(source: FrameSource) -> None:
    with source:
        expected = source.frame_count(INTERVAL)
        if source.live:
            assert expected is None
        else:
            assert expected == len(list(source.frames(INTERVAL)))


def test_it_may_be_closed_twice_and_opened_again(source: FrameSource) -> None:
    with source:
        before = take(source, 1)
    source.__exit__(None, None, None)
    with source:
        after = take(source, 1)
    assert len(before) == len(after) == 1


def test_frames_start_anew_each_time(source: FrameSource) -> None:
    with source:
        assert [take(source, 2)[0].index for _ in range(2)] == [0, 0]


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan")])
def test_an_interval_that_is_none_is_refused(source: FrameSource, interval: float) -> None:
    with source, pytest.raises((ClasspulseError, ValueError)):
        next(source.frames(interval))


@pytest.mark.parametrize("kind", RECORDINGS)
def test_a_recording_is_known_before_it_is_opened(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        source = make(kind, request, tmp_path, stack)
        assert source.frame_count(INTERVAL) == {"image": 1, "folder": 5, "video": 5}[kind]


FIRST_PIXELS: dict[str, Callable[[NDArray[np.uint8]], bool]] = {
    "image": lambda image: np.array_equal(image, cv2.cvtColor(picture(1), cv2.COLOR_BGR2RGB)),
    "window": lambda image: np.array_equal(image, picture(2)),
    "window:TITLE": lambda image: np.array_equal(image, picture(2)),
    "monitor": lambda image: np.array_equal(image[60:300, 50:370], picture(2)),
    "region": lambda image: np.array_equal(image[10:, 10:], picture(2)[:90, :190]),
    "video": lambda image: float(np.abs(image.astype(int) - picture(0)).mean()) < 12,
    "folder": lambda image: float(np.abs(image.astype(int) - picture(0)[..., ::-1]).mean()) < 12,
}


@pytest.mark.parametrize("kind", FIRST_PIXELS)
def test_pixels_come_in_red_green_blue(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with ExitStack() as stack, make(kind, request, tmp_path, stack) as source:
        frame = next(source.frames(INTERVAL))
    assert isinstance(frame, Frame)
    assert FIRST_PIXELS[kind](frame.image)

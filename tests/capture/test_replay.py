"""Pictures, folders and recordings, whole and damaged; an absent camera."""

import io
import os
import stat
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from capture.errors import SourceError, SourceNotFoundError, UnreadableSourceError
from capture.frame import Frame, NotObserved
from capture.replay import (
    CameraSource,
    FolderSource,
    ImageSource,
    VideoSource,
    _Film,
    decode_image,
    load_image,
)
from engagement.records import NotObservedReason

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
NOBODY = 65534


def picture(seed: int = 0, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(40, 255, (height, width, 3), dtype=np.uint8)


def save(path: Path, image: NDArray[np.uint8]) -> Path:
    Image.fromarray(image).save(path)
    return path


def numbered(number: int) -> NDArray[np.uint8]:
    """A picture that shows a number up to 63 as bright and dark stripes, which any codec leaves readable."""
    bits = [(number >> place) & 1 for place in range(6)]
    return (
        np.repeat(np.repeat([220 if bit else 60 for bit in bits], 16)[None, :, None], 48, 0)
        .repeat(3, 2)
        .astype(np.uint8)
    )


def number_of(image: NDArray[np.uint8]) -> int:
    return sum(int(image[24, 16 * place + 8].mean() > 140) << place for place in range(6))


def flat(*levels: int) -> list[NDArray[np.uint8]]:
    return [np.full((48, 96, 3), level, np.uint8) for level in levels]


def write_video(
    path: Path, pictures: list[NDArray[np.uint8]], rate: float = 10.0, codec: str = "mp4v"
) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), rate, (96, 48))
    assert writer.isOpened()
    for image in pictures:
        writer.write(image)
    writer.release()
    return path


def levels(seen: list[Frame | NotObserved]) -> list[int | NotObservedReason]:
    return [round(float(item.image.mean())) if isinstance(item, Frame) else item.reason for item in seen]


@contextmanager
def without_rights(path: Path) -> Iterator[None]:
    """Take the rights to `path` away, also from root, whom no mode of a file holds back."""
    before = stat.S_IMODE(path.stat().st_mode)
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        path.chmod(before)


def png_header(width: int, height: int) -> bytes:
    """A PNG that states a size and holds a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


# pictures


def test_every_kind_of_picture_becomes_red_green_blue(tmp_path: Path) -> None:
    image = picture()
    whole = Image.fromarray(image)
    for name in ("a.png", "a.bmp", "a.tiff"):
        assert np.array_equal(load_image(save(tmp_path / name, image)), image)
    whole.convert("RGBA").save(tmp_path / "alpha.png")
    assert np.array_equal(load_image(tmp_path / "alpha.png"), image)
    grey = whole.convert("L")
    grey.save(tmp_path / "grey.png")
    assert np.array_equal(load_image(tmp_path / "grey.png"), np.dstack([np.asarray(grey)] * 3))
    whole.convert("P").save(tmp_path / "palette.gif")
    whole.convert("CMYK").save(tmp_path / "cmyk.jpg")
    whole.save(tmp_path / "a.webp")
    for name in ("palette.gif", "cmyk.jpg", "a.webp"):
        loaded = load_image(tmp_path / name)
        assert loaded.shape == image.shape
        assert loaded.dtype == np.uint8


def test_a_photo_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned to the right
    Image.fromarray(picture()).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(load_image(tmp_path / "turned.png"), np.rot90(picture(), -1))


def test_a_picture_is_one_frame_with_the_time_of_its_file(tmp_path: Path) -> None:
    path = save(tmp_path / "class.png", picture())
    os.utime(path, (START.timestamp(), START.timestamp()))
    with ImageSource(path) as source:
        seen = list(source.frames(2.0))
    assert [item.taken_at for item in seen] == [START]
    with ImageSource(path, started_at=START + timedelta(days=1)) as source:
        assert next(source.frames(2.0)).taken_at == START + timedelta(days=1)


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture(0, 640, 480)).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"this is no picture", os.urandom(2000), jpeg()[:-5000], jpeg()[:100], png_header(640, 480)],
    ids=["empty", "text", "noise", "cut JPEG", "header of a JPEG", "cut PNG"],
)
def test_a_damaged_picture_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "class.jpg"
    path.write_bytes(content)
    with (
        pytest.raises(UnreadableSourceError, match=r"class\.jpg cannot be decoded .* save it again"),
        ImageSource(path),
    ):
        pass


@pytest.mark.parametrize(
    ("width", "height"), [(10_001, 10_000), (14_000, 14_000), (60_000, 60_000), (100_001, 1001)]
)
def test_a_picture_that_would_fill_the_memory_is_refused_by_its_header(
    width: int, height: int, tmp_path: Path
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(width, height))
    with pytest.raises(UnreadableSourceError, match="megapixels: scale it down"):
        load_image(path)


@pytest.mark.parametrize(("width", "height"), [(32_768, 1), (1, 100_000_000)])
def test_a_picture_with_an_endless_side_is_refused(width: int, height: int, tmp_path: Path) -> None:
    path = tmp_path / "line.png"
    path.write_bytes(png_header(width, height))
    with pytest.raises(UnreadableSourceError, match="a side at most 32767: cut it first"):
        load_image(path)


@pytest.mark.parametrize("kind", ["AVIF", "BLP", "DDS", "EPS", "PDF", "PPM", "SPIDER"])
def test_other_kinds_under_the_name_of_a_picture_are_not_decoded(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "class.png"
    mode = {"BLP": "P", "SPIDER": "F"}.get(kind, "RGB")
    file = io.BytesIO()
    Image.new(mode, (40, 30)).save(file, kind)
    path.write_bytes(file.getvalue())
    with pytest.raises(UnreadableSourceError, match=r"class\.png cannot be decoded .* save it again"):
        load_image(path)


def test_no_program_is_started_for_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, started = tmp_path / "gs", tmp_path / "started"
    program.write_text(f"#!/bin/sh\ntouch '{started}'\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    path = tmp_path / "class.png"
    Image.new("RGB", (40, 30)).save(path, "EPS")
    with pytest.raises(UnreadableSourceError, match="cannot be decoded"):
        load_image(path)
    assert not started.exists()


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe with a name")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "class.png"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path(os.devnull)):
        with pytest.raises(UnreadableSourceError, match="is no file that holds a picture"):
            load_image(path)


def test_a_large_picture_under_the_limit_is_not_taken_for_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(png_header(9_900, 10_000))
    # 99 megapixels: Pillow by itself would warn; it is the cut that stops it
    with pytest.raises(UnreadableSourceError, match="cannot be decoded"):
        load_image(path)


def test_a_picture_that_is_not_there_or_may_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="check the path"):
        load_image(tmp_path / "none.png")
    path = save(tmp_path / "class.png", picture())
    with without_rights(path), pytest.raises(UnreadableSourceError, match="may not be read"):
        load_image(path)


# folders


def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        save(tmp_path / f"frame{number}.png", np.full((48, 64, 3), number * 10, np.uint8))
    save(tmp_path / ".hidden.png", picture())
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "more.png").mkdir()
    with FolderSource(tmp_path, started_at=START) as source:
        seen = list(source.frames(5.0))
        assert source.frame_count(5.0) == 3
    assert levels(seen) == [10, 20, 100]
    assert [item.taken_at for item in seen] == [START + timedelta(seconds=5 * step) for step in range(3)]


def test_a_damaged_picture_in_a_folder_is_one_interval_not_observed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 3):
        save(tmp_path / f"{number}.png", np.full((48, 64, 3), number * 20, np.uint8))
    (tmp_path / "2.png").write_bytes(b"damaged")
    with FolderSource(tmp_path, started_at=START) as source:
        seen = list(source.frames(1.0))
    assert levels(seen) == [20, NotObservedReason.SOURCE_FAILED, 60]
    assert [item.index for item in seen] == [0, 1, 2]
    assert "2.png cannot be decoded" in caplog.text


def test_a_folder_of_damaged_pictures_is_refused(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.png").write_bytes(b"damaged")
    with (
        FolderSource(tmp_path) as source,
        pytest.raises(UnreadableSourceError, match="None of the 2 pictures"),
    ):
        list(source.frames(1.0))


def test_an_empty_an_absent_and_a_closed_folder(tmp_path: Path) -> None:
    with (
        pytest.raises(SourceNotFoundError, match="holds no picture: expected files of the kinds bmp"),
        FolderSource(tmp_path),
    ):
        pass
    with pytest.raises(SourceNotFoundError, match="no folder"), FolderSource(tmp_path / "none"):
        pass
    with (
        without_rights(tmp_path),
        pytest.raises(UnreadableSourceError, match="may not be read"),
        FolderSource(tmp_path),
    ):
        pass


# recordings


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "mp4v"), ("avi", "MJPG"), ("mkv", "mp4v")])
@pytest.mark.parametrize("interval", [0.1, 0.25, 1.0, 2.0, 30.0])
def test_a_recording_is_stepped_through_in_media_time(
    suffix: str, codec: str, interval: float, tmp_path: Path
) -> None:
    path = write_video(tmp_path / f"class.{suffix}", [numbered(n) for n in range(50)], 10.0, codec)
    with VideoSource(path, started_at=START) as source:
        seen = list(source.frames(interval))
        assert source.duration == pytest.approx(5.0)
        assert len(seen) == source.frame_count(interval)
    numbers = [number_of(item.image) for item in seen if isinstance(item, Frame)]
    assert numbers == [int(np.ceil(step * interval * 10 - 1e-6)) for step in range(len(seen))]
    assert [item.taken_at for item in seen] == [
        START + timedelta(seconds=step * interval) for step in range(len(seen))
    ]


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "mp4v"), ("avi", "MJPG"), ("mkv", "mp4v")])
@pytest.mark.parametrize("first", [1, 20, 41, 61, 63])
def test_a_recording_is_read_on_from_where_it_was_left(
    suffix: str, codec: str, first: int, tmp_path: Path
) -> None:
    path = write_video(tmp_path / f"class.{suffix}", [numbered(n) for n in range(63)], 2.0, codec)
    with VideoSource(path, started_at=START) as source:
        whole, rest = list(source.frames(0.5)), list(source.frames_from(first, 0.5))
    assert len(whole) == 63
    assert [(item.index, item.taken_at) for item in rest] == [
        (item.index, item.taken_at) for item in whole[first:]
    ]
    assert [number_of(item.image) for item in rest if isinstance(item, Frame)] == list(range(first, 63))


def test_a_recording_that_does_not_go_where_it_is_told_is_read_from_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "class.avi", [numbered(n) for n in range(63)], 2.0, "MJPG")
    jumps: list[bool] = []

    def jump(film: _Film, wanted: float) -> bool:
        film.at(wanted + 3)
        jumps.append(False)
        return False

    monkeypatch.setattr(_Film, "jump", jump)
    with VideoSource(path, started_at=START) as source:
        rest = list(source.frames_from(41, 0.5))
    assert jumps == [False]
    assert [number_of(item.image) for item in rest if isinstance(item, Frame)] == list(range(41, 63))


class RecordedCapture:
    """cv2.VideoCapture as it runs through pictures with given time stamps."""

    def __init__(self, stamps: list[float]) -> None:
        self._stamps = stamps
        self._next = 0

    def grab(self) -> bool:
        self._next += 1
        return self._next <= len(self._stamps)

    def get(self, _property: int) -> float:
        return self._stamps[self._next - 1] * 1000

    def retrieve(self) -> tuple[bool, NDArray[np.uint8]]:
        return True, np.full((2, 2, 3), self._next - 1, np.uint8)


class SeekingCapture(RecordedCapture):
    """One that can be sent to a time, and lands `off` pictures from it."""

    def __init__(self, stamps: list[float], off: int = 0) -> None:
        super().__init__(stamps)
        self._off = off

    def set(self, _property: int, milliseconds: float) -> None:
        self._next = round(milliseconds / 1000) + self._off


@pytest.mark.parametrize(
    ("stamps", "off", "jumps"),
    [
        ([float(second) for second in range(100)], 0, True),
        ([7.0 + second for second in range(100)], -7, True),
        # beyond the wanted one, far before it, at no known place, behind the end
        ([float(second) for second in range(100)], 8, False),
        ([float(second) for second in range(100)], -20, False),
        ([0.0] * 100, 0, False),
        ([float(second) for second in range(100)], 90, False),
    ],
)
def test_a_jump_says_whether_it_came_to_before_the_wanted_picture(
    stamps: list[float], off: int, jumps: bool
) -> None:
    assert _Film(SeekingCapture(stamps, off), 1.0).jump(40.0) is jumps


def test_a_folder_is_read_on_from_where_it_was_left(tmp_path: Path) -> None:
    for number in range(5):
        save(tmp_path / f"{number}.png", numbered(number))
    with FolderSource(tmp_path, started_at=START) as source:
        rest = list(source.frames_from(3, 2.0))
        assert list(source.frames_from(5, 2.0)) == []
    assert [item.taken_at for item in rest] == [START + timedelta(seconds=6), START + timedelta(seconds=8)]
    assert [number_of(item.image) for item in rest if isinstance(item, Frame)] == [3, 4]


def test_a_recording_ends_when_its_file_was_last_changed(tmp_path: Path) -> None:
    path = write_video(tmp_path / "class.mp4", flat(100) * 40)
    os.utime(path, (START.timestamp(), START.timestamp()))
    with VideoSource(path) as source:
        assert next(source.frames(1.0)).taken_at == START - timedelta(seconds=4)


def test_black_stretches_of_a_recording_are_not_observed(tmp_path: Path) -> None:
    path = write_video(tmp_path / "class.mp4", flat(120) * 10 + flat(0) * 10 + flat(120) * 10)
    with VideoSource(path) as source:
        assert levels(list(source.frames(1.0))) == [
            pytest.approx(120, abs=4), NotObservedReason.BLACK, pytest.approx(120, abs=4),
        ]  # fmt: skip


@pytest.mark.parametrize(("suffix", "codec"), [("avi", "MJPG"), ("mkv", "mp4v")])
def test_a_recording_that_was_cut_off_gives_what_it_holds(
    suffix: str, codec: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / f"class.{suffix}", flat(100) * 100, 10.0, codec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoSource(path) as source:
        seen = list(source.frames(1.0))
    assert 3 <= len(seen) <= 6
    assert all(isinstance(item, Frame) for item in seen)
    assert "of 10.0 seconds: the file is cut off" in caplog.text


def test_a_whole_recording_is_not_said_to_be_cut_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with VideoSource(write_video(tmp_path / "class.mp4", flat(100) * 37)) as source:
        list(source.frames(2.0))
    assert caplog.text == ""


@pytest.mark.parametrize(
    "content", [b"no recording at all", os.urandom(5000), None], ids=["text", "noise", "cut"]
)
def test_a_damaged_recording_is_refused_in_words(content: bytes | None, tmp_path: Path) -> None:
    path = write_video(tmp_path / "class.mp4", flat(*range(50, 150)))
    # an MP4 keeps its table of contents at the end, so half of one is nothing
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if content is None else content)
    with pytest.raises(UnreadableSourceError, match=r"class\.mp4 cannot be decoded"), VideoSource(path):
        pass


def test_an_empty_an_absent_and_a_closed_recording(tmp_path: Path) -> None:
    path = tmp_path / "class.mp4"
    with pytest.raises(SourceNotFoundError, match="check the path"), VideoSource(path):
        pass
    path.touch()
    with pytest.raises(UnreadableSourceError, match="is empty"), VideoSource(path):
        pass
    write_video(path, flat(100) * 5)
    with (
        without_rights(path),
        pytest.raises(UnreadableSourceError, match="may not be read"),
        VideoSource(path),
    ):
        pass


def film(stamps: list[float]) -> list[int]:
    """Which picture is given at 0, 1, 2, ... seconds."""
    running = _Film(RecordedCapture(stamps), 0.5)
    shown = []
    while (image := running.at(float(len(shown)))) is not None:
        shown.append(int(image[0, 0, 0]))
    return shown


def test_time_stamps_count_even_where_they_are_uneven_late_or_missing() -> None:
    assert film([0.0, 0.5, 1.0, 1.5, 2.0]) == [0, 2, 4]
    # a screen recorder writes nothing while nothing moves
    assert film([0.0, 0.9, 3.2, 3.3, 4.0]) == [0, 2, 2, 2, 4]
    # a part cut out of a longer recording starts late
    assert film([7.0, 7.5, 8.0, 8.5, 9.0]) == [0, 2, 4]
    # a raw stream has none: half a second each
    assert film([0.0, 0.0, 0.0, 0.0, 0.0]) == [0, 2, 4]


# cameras


@pytest.mark.skipif(Path("/dev/video63").exists(), reason="there really is a camera 63")
def test_an_absent_camera_is_said_in_words() -> None:
    with (
        pytest.raises(SourceNotFoundError, match="no camera 63, or another program holds it: plug it in"),
        CameraSource(63),
    ):
        pass


def test_a_camera_that_was_unplugged_gives_pictures_once_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plugged:
        """A camera as OpenCV gives it: one that was unplugged stays dead until it is opened anew."""

        plugged = alive = True

        def __init__(self, number: int) -> None:
            self.open(number)

        def open(self, number: int) -> bool:
            self.alive = self.plugged
            return self.alive

        def isOpened(self) -> bool:
            return self.alive

        def grab(self) -> bool:
            return self.alive and self.plugged

        def read(self) -> tuple[bool, np.ndarray | None]:
            self.alive = self.alive and self.plugged
            return self.alive, picture() if self.alive else None

        def release(self) -> None:
            self.alive = False

    monkeypatch.setattr("cv2.VideoCapture", Plugged)
    with CameraSource(0) as source:
        frames = source.frames(1.0)
        seen = []
        for plugged in (True, False, False, True, True):
            monkeypatch.setattr(Plugged, "plugged", plugged)
            seen.append(isinstance(next(frames), Frame))
    assert seen == [True, False, False, False, True]


def test_a_closed_source_says_that_it_is_not_open(tmp_path: Path) -> None:
    path = write_video(tmp_path / "class.mp4", flat(100) * 5)
    save(tmp_path / "class.png", picture())
    for source in (VideoSource(path), ImageSource(tmp_path / "class.png"), FolderSource(tmp_path)):
        with pytest.raises(SourceError, match="is not open"):
            next(source.frames(1.0))


QUIET = """
import sys
from pathlib import Path
from capture.errors import SourceError
from capture.replay import CameraSource, VideoSource
for source in (VideoSource(Path(sys.argv[1])), CameraSource(63)):
    try:
        with source:
            print("opened", source.name)
    except SourceError:
        print("refused")
with VideoSource(Path(sys.argv[2])) as source:
    print(len(list(source.frames(1.0))), "frames")
"""


def test_the_decoder_does_not_write_into_the_terminal(tmp_path: Path) -> None:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(os.urandom(5000))
    cut = write_video(tmp_path / "cut.mkv", flat(100) * 100)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    done = subprocess.run(
        [sys.executable, "-c", QUIET, str(noise), str(cut)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[:2] == ["refused", "refused"]
    assert done.stdout.endswith("frames\n")
    # only our own sentence about the cut
    assert done.stderr.count("\n") == 1
    assert "cut off" in done.stderr


def test_a_picture_in_memory_is_read_as_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "class.png"
    Image.fromarray(np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)).save(path)

    assert np.array_equal(decode_image(io.BytesIO(path.read_bytes()), "class.png"), load_image(path))
    with pytest.raises(
        UnreadableSourceError,
        match=r"^The picture class\.png cannot be decoded \(it does not begin like one\)",
    ):
        decode_image(io.BytesIO(b"no picture"), "class.png")

"""What may stand after --source."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capture.errors import InvalidSourceError, SourceNotFoundError, UnreadableSourceError
from capture.frame import FrameSource
from capture.sources import SOURCES, open_source


@pytest.mark.parametrize(
    ("spec", "kind", "name"),
    [
        ("window", "WindowSource", "meeting window"),
        (" Window ", "WindowSource", "meeting window"),
        ("window:Physics: 9b", "WindowSource", "meeting window"),
        ("monitor:2", "MonitorSource", "monitor 2"),
        ("region:-1920,0,800,600", "RegionSource", "region 800 x 600 at -1920,0"),
        ("region: 10, 20, 300, 400", "RegionSource", "region 300 x 400 at 10,20"),
        ("camera:0", "CameraSource", "camera 0"),
    ],
)
def test_a_live_source_is_named_by_its_kind(spec: str, kind: str, name: str) -> None:
    source = open_source(spec)
    assert type(source).__name__ == kind
    assert isinstance(source, FrameSource)
    assert source.name == name
    assert source.live


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("window:", "names no title"),
        ("window: ", "names no title"),
        ("monitor", "write monitor:N, with N from 1 on"),
        ("monitor:0", "write monitor:N, with N from 1 on"),
        ("monitor:-1", "write monitor:N"),
        ("monitor:two", "write monitor:N"),
        ("camera", "write camera:N, with N from 0 on"),
        ("camera:99999", "write camera:N"),
        ("region", "write region:X,Y,W,H"),
        ("region:1,2,3", "write region:X,Y,W,H"),
        ("region:1,2,3,4,5", "write region:X,Y,W,H"),
        ("region:0,0,0,100", "such as region:100,50,1280,720"),
        ("region:0,0,100,-100", "write region:X,Y,W,H"),
        ("region:a,b,c,d", "write region:X,Y,W,H"),
        ("region:1.5,0,100,100", "write region:X,Y,W,H"),
        ("demo:now", "write demo:N"),
    ],
)
def test_a_malformed_source_shows_how_to_write_it(spec: str, words: str) -> None:
    with pytest.raises(InvalidSourceError) as caught:
        open_source(spec)
    assert words in str(caught.value)
    assert "malformed" in str(caught.value) or "names no title" in str(caught.value)


@pytest.mark.parametrize(
    "spec", ["", "zoom", "no/such/file.mp4", "https://example.org/a.mp4", "a\0b", "x" * 5000]
)
def test_what_is_neither_a_source_nor_a_file_lists_the_sources(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if spec == "":
        with pytest.raises(InvalidSourceError, match="names nothing"):
            open_source(spec)
        return
    with pytest.raises(SourceNotFoundError) as caught:
        open_source(spec)
    assert SOURCES in str(caught.value)


def test_a_path_is_a_picture_a_folder_or_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.full((4, 4, 3), 99, np.uint8)).save(tmp_path / "Class.PNG")
    (tmp_path / "lesson: one.mp4").write_bytes(b"x")
    at = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    for spec, kind in (
        (tmp_path / "Class.PNG", "ImageSource"),
        (tmp_path / "lesson: one.mp4", "VideoSource"),
        (tmp_path, "FolderSource"),
        (f"~/{tmp_path.name}", "FolderSource"),
    ):
        source = open_source(str(spec), started_at=at)
        assert type(source).__name__ == kind
        assert not source.live
    with open_source(str(tmp_path / "Class.PNG"), started_at=at) as source:
        assert next(source.frames(1.0)).taken_at == at


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableSourceError, match="neither a file nor a folder"):
        open_source(str(tmp_path / "pipe"))


def test_a_file_may_be_named_like_a_source_when_its_path_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    assert type(open_source("./demo")).__name__ == "FolderSource"


def test_sources_are_named_without_loading_a_decoder_or_a_grabber() -> None:
    code = (
        "import sys; from capture.sources import open_source; open_source('window'); "
        "print([name for name in ('cv2', 'mss', 'pywinctl', 'Xlib', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

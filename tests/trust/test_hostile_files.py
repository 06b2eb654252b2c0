"""Files that somebody else made: damaged, cut off, or small ones that claim to be gigantic."""

import json
import os
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from capture.errors import SourceError
from capture.replay import load_image
from classpulse import settings
from classpulse.errors import SettingsError
from engagement.errors import RosterError
from engagement.roster import MAX_BYTES, read_roster
from tests.trust import hostile_files

REPOSITORY = Path(__file__).resolve().parents[2]


def limited() -> None:
    """In the child: two gigabytes of addresses beyond what libraries reserve."""
    resource.setrlimit(resource.RLIMIT_AS, (hostile_files.MEMORY, hostile_files.MEMORY))


@pytest.mark.timeout(900)
def test_thousands_of_damaged_files_end_in_a_sentence_or_are_read(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(hostile_files.__file__)), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert {kind: told[kind]["tried"] for kind in hostile_files.KINDS} == {
        kind: count for kind, (_, count) in hostile_files.KINDS.items()
    }
    # most of it is really damaged, and each kind was looked at closely enough to be refused
    assert all(told[kind]["refused"] > told[kind]["tried"] / 10 for kind in hostile_files.KINDS), told
    assert told["most_memory_mb"]["peak"] < 1000


def png(width: int, height: int, body: bytes = b"") -> bytes:
    """A picture that claims a size, whatever it holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (100_000_001, 1)])
def test_a_picture_that_claims_gigapixels_is_refused_by_its_header(
    width: int, height: int, tmp_path: Path
) -> None:
    path = tmp_path / "bomb.png"
    # what it holds is small, and would be zeros by the gigabyte
    path.write_bytes(png(width, height, zlib.compress(bytes(20_000_000), 9)))
    assert path.stat().st_size < 100_000
    with pytest.raises(SourceError, match="megapixels"):
        load_image(path)


def bomb_of_mjpeg(path: Path) -> None:
    """A video whose header and pictures claim 60000 x 60000 pixels."""
    import cv2
    import numpy as np

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (64, 36))
    for _ in range(3):
        writer.write(np.full((36, 64, 3), 120, np.uint8))
    writer.release()
    data = bytearray(path.read_bytes())
    # the headers of the file and of its stream, and the frame header (SOF0) of each picture
    for little in (struct.pack("<II", 64, 36),):
        at = data.find(little)
        while at >= 0:
            data[at : at + 8] = struct.pack("<II", 60_000, 60_000)
            at = data.find(little, at + 8)
    at = data.find(b"\xff\xc0")
    while at >= 0:
        data[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
        at = data.find(b"\xff\xc0", at + 9)
    path.write_bytes(bytes(data))


def test_a_video_that_claims_gigapixels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.avi"
    bomb_of_mjpeg(path)
    done = subprocess.run(
        [sys.executable, "-m", "classpulse", "watch", "--source", str(path), "--headless"],
        env=os.environ
        | {"HOME": str(tmp_path), "CLASSPULSE_STORAGE__DATABASE": f"sqlite:///{tmp_path / 'class.db'}"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
        preexec_fn=limited,
    )
    assert done.returncode == 1, done.stderr
    assert "bomb.avi" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_roster_of_gigabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from classpulse.cli import app
    from engagement.errors import ClasspulseError

    path = tmp_path / "class.csv"
    with path.open("wb") as file:
        file.write(b"Name\nAda\n")
        file.truncate(8 * 1024**3)  # sparse: no disk is needed for it
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = CliRunner().invoke(
        app, ["students", "import", "Physics", str(path), "--yes", "--database", f"sqlite:///{tmp_path}/c.db"]
    )
    assert isinstance(done.exception, ClasspulseError)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    with pytest.raises(RosterError, match="less than 1 MB"):
        read_roster(bytes(MAX_BYTES + 1))
    # a workbook is a zip, of which a small one may hold gigabytes: it is not unpacked
    with pytest.raises(RosterError):
        read_roster(b"PK\x03\x04" + bytes(2000))


@pytest.mark.parametrize("text", hostile_files.DEEP, ids=lambda text: f"{len(text)} bytes")
def test_settings_that_are_nested_or_long_are_refused_in_words(
    text: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(text)
    monkeypatch.setenv("CLASSPULSE_SETTINGS", str(file))
    with pytest.raises(SettingsError) as refused:
        settings.load()
    assert len(str(refused.value)) < 2000


def test_a_variable_that_is_no_list_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLASSPULSE_SETTINGS", str(tmp_path / "none.toml"))
    (tmp_path / "none.toml").touch()
    monkeypatch.setenv("CLASSPULSE_CAPTURE__TITLES", "Zoom, Meet")
    with pytest.raises(SettingsError, match="lists as JSON"):
        settings.load()

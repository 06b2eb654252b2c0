"""A database that cannot be written or is too new: one sentence, exit code 1, and what was committed stays."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import pytest

from storage.database import open_database
from storage.migrate import migrate
from tests.capture.synthetic_gallery import Look, compose_gallery
from tests.e2e.conftest import Home, Pictures

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def picture(face_pictures: Callable[[int, int], Pictures], tmp_path: Path) -> Path:
    file = tmp_path / "gallery.png"
    gallery = compose_gallery(face_pictures(4, 2), look=Look(size=(640, 400), gap=4))
    cv2.imwrite(str(file), gallery.image[..., ::-1])
    return file


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root to mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this system does not let us mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as open_file, suppress(OSError):
        while open_file.write(b"\0" * 512) == 512:
            pass


def test_a_full_disk_ends_with_a_sentence_and_keeps_what_was_committed(
    home: Home, picture: Path, small_disk: Path
) -> None:
    database = f"sqlite:///{small_disk / 'class.db'}"
    watch = ("watch", "--source", str(picture), "--headless", "--database", database)
    first = home.run(*watch, "--session", "Before")
    assert first.returncode == 0, first.stderr
    filler = small_disk / "filler"
    fill(filler)
    full = home.run(*watch, "--session", "After")
    assert full.returncode == 1, full.stderr
    assert "full" in full.stderr
    assert "Traceback" not in full.stderr
    filler.unlink()
    listed = json.loads(home.run("sessions", "--json", "--database", database).stdout)
    assert [(row["name"], row["intervals"]) for row in listed if row["name"] == "Before"] == [("Before", 1)]


def test_a_database_of_a_newer_version_is_refused_untouched(home: Home) -> None:
    file = home.folder / "class.db"
    engine = open_database(f"sqlite:///{file}")
    migrate(engine)
    engine.dispose()
    assert home.run("sessions").returncode == 0
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    result = home.run("sessions")
    assert result.returncode == 1
    assert "newer" in result.stderr
    assert "Traceback" not in result.stderr
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    connection.close()

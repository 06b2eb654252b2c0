"""Nothing of a picture reaches a disk: a class is read, looked at and killed while all that is written is watched."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect

from capture.classroom import Classroom
from tests.e2e.conftest import Home

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is written is watched on Linux"),
]

SLOW = 180_000
SHARED = Path("/dev/shm")  # noqa: S108 - where Linux shows its shared memory

WRITTEN = re.compile(
    r"class\.db(-wal|-shm|-journal)?"
    r"|class\.db\.backup-.*"
    r"|\.local/state/classpulse/log/(agent|pages|crash)\.log(\.\d)?"
    r"|\.config/classpulse/.*"
)
"""All that a class may write under the home of its user, temporary files among it."""

MAGIC = (
    b"\x89PNG\r\n",
    b"JFIF\0",
    b"Exif\0\0",
    b"GIF87a",
    b"GIF89a",
    b"WEBPVP8",
    b"\x93NUMPY",
    b"ftypisom",
    b"AVI LIST",
)

Look = Callable[[bytes], list[str]]


def images_in(data: bytes) -> list[str]:
    return [repr(magic) for magic in MAGIC if magic in data]


@contextmanager
def watched(folder: Path, look: Look) -> Iterator[tuple[set[str], list[str]]]:
    """Every file that is made, written or moved under a folder, however short it lives, and what was wrong in them."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    names: set[str] = set()
    wrong: list[str] = []

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.is_directory or event.event_type in {"opened", "closed_no_write"}:
                return
            for told in filter(None, (event.src_path, event.dest_path)):
                path = Path(os.fsdecode(told))
                names.add(path.relative_to(folder).as_posix())
                try:
                    found = look(path.read_bytes())
                except OSError:
                    continue
                wrong.extend(f"{path.name} holds {what}" for what in found)

    observer = Observer()
    observer.schedule(Handler(), str(folder), recursive=True)
    observer.start()
    try:
        yield names, wrong
    finally:
        time.sleep(0.5)
        observer.stop()
        observer.join()


@contextmanager
def opened_by(pid: int) -> Iterator[set[str]]:
    """The files outside of /dev and /proc that a process and its children hold open for writing, also nameless ones."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            try:
                family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
            for process in family:
                try:
                    for one in process.open_files():
                        if one.mode not in {"r", "rb"} and not one.path.startswith(("/dev/", "/proc/")):
                            seen.add(one.path)
                except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
                    continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def core_limit(pid: int) -> tuple[str, str]:
    """The soft and the hard limit of the core dumps of a process."""
    limits = Path(f"/proc/{pid}/limits").read_text()
    found = re.search(r"^Max core file size +(\S+) +(\S+)", limits, re.MULTILINE)
    assert found
    return found.group(1), found.group(2)


def memory_of(pid: int) -> list[Path]:
    """The shared memory that a process has made: its name holds the process."""
    return list(SHARED.glob(f"classpulse-{pid}-*"))


def test_a_demo_that_is_looked_at_and_killed_leaves_no_picture(home: Home, browser: Any) -> None:
    with watched(home.folder, images_in) as (names, wrong):
        with home.serving("demo", "--seats", "9", "--interval", "1") as (address, process):
            with opened_by(process.pid) as held:
                page = browser.new_page(viewport={"width": 1280, "height": 720})
                page.goto(f"{address}/start")
                expect(page.locator("#start-panel")).to_contain_text("is being read", timeout=SLOW)
                expect(page.locator("#start-view-section")).to_be_visible(timeout=SLOW)
                # the last frame is shown, sharp, from memory
                page.get_by_label("Show it").check(force=True, timeout=SLOW)
                page.get_by_label("Blur faces").uncheck(force=True)
                expect(page.locator(".cp-view-picture img")).to_be_visible(timeout=SLOW)
                page.wait_for_timeout(3000)
                assert memory_of(process.pid)
                page.close()
                # beside it there is Python's own keeper of shared memory
                children = psutil.Process(process.pid).children()
                (agent,) = [one for one in children if "watch" in one.cmdline()]
                for pid in (process.pid, agent.pid):
                    assert core_limit(pid) == ("0", "0")
                # a crash: whoever collects cores gets none
                agent.send_signal(signal.SIGABRT)
                agent.wait(60)
            process.kill()
            process.wait(30)
        assert not [path for path in home.folder.rglob("core*") if path.is_file()]
    assert wrong == []
    assert [name for name in sorted(names) if not WRITTEN.fullmatch(name)] == []
    assert {"class.db", "class.db-wal"} <= names
    outside = {path for path in held if not Path(path).is_relative_to(home.folder)}
    assert outside == set()
    deadline = time.monotonic() + 60
    while memory_of(process.pid):
        assert time.monotonic() < deadline, "the memory of the pictures was left"
        time.sleep(0.2)


def slices(image: NDArray[np.uint8], count: int = 40) -> list[bytes]:
    """Runs of 24 pixels of the picture as colours either way round, as floats and as grey, where they are not flat."""
    random = np.random.default_rng(1)
    found: list[bytes] = []
    while len(found) < count * 3:
        row = int(random.integers(0, image.shape[0]))
        left = int(random.integers(0, image.shape[1] - 24))
        part = image[row, left : left + 24]
        if len(np.unique(part)) < 24:
            continue
        found += [part.tobytes(), part[:, ::-1].tobytes(), part.mean(axis=1).astype(np.uint8).tobytes()]
    return found


def test_no_run_of_raw_pixels_of_a_lesson_is_written(
    home: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lesson = tmp_path_factory.mktemp("lesson")
    known: list[bytes] = []
    with Classroom(seats=6, width=960, height=540) as classroom:
        for index in range(4):
            image = classroom.draw(2.0 + index)
            known += slices(image)
            Image.fromarray(image).save(lesson / f"{index}.png")

    def pixels_in(data: bytes) -> list[str]:
        return images_in(data) + ["raw pixels" for one in known if one in data][:1]

    assert pixels_in(b"x" * 100 + known[5] + b"y") == ["raw pixels"]
    with watched(home.folder, pixels_in) as (names, wrong):
        done = home.run("watch", "--source", str(lesson), "--mode", "individual", "--headless")
        assert done.returncode == 0, done.stderr
        out = home.run("report", "last", "--out", str(lesson / "report.html"))
        assert out.returncode == 0, out.stderr
    assert "class.db" in names
    assert wrong == []
    kept = [path for path in home.folder.rglob("*") if path.is_file()]
    for path in (*kept, lesson / "report.html"):
        assert [what for what in pixels_in(path.read_bytes()) if what == "raw pixels"] == []


def test_a_process_that_reads_a_class_gives_its_memory_to_nobody() -> None:
    program = (
        "import ctypes, resource\nfrom classpulse.process import keep_no_dump\nkeep_no_dump()\n"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0 (0, 0)"

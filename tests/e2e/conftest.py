"""What the end-to-end tests share: a home of its own, the command as a user types it, a browser."""

import os
import re
import shutil
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
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine, func, select

from capture.classroom import Classroom
from engagement.records import State
from storage.database import reading
from storage.schema import IntervalTable
from tests.capture.synthetic_gallery import portraits

REPOSITORY = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 20.0


def last_interval(engine: Engine) -> int | None:
    """The id of the newest interval of all; it grows while an agent gets on."""
    with reading(engine) as connection:
        newest: int | None = connection.scalar(select(func.max(IntervalTable.id)))
    return newest


class Home:
    """A home folder of its own; commands run in it touch no setting, database or log of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = f"sqlite:///{folder / 'class.db'}"
        keep = {
            name: value for name, value in os.environ.items() if not name.startswith(("CLASSPULSE_", "XDG_"))
        }
        temporary = folder / "tmp"
        temporary.mkdir()
        self.environment = {
            **keep,
            "HOME": str(folder),
            "TMPDIR": str(temporary),
            "CLASSPULSE_STORAGE__DATABASE": self.database,
            # a class that may be read in every mode; what is asked at the first start has its own tests
            "CLASSPULSE_SESSION__PLACE": "elsewhere",
            "CLASSPULSE_SESSION__INSTITUTION": "university",
            "CLASSPULSE_SESSION__AGREED": "true",
            # pages that open without the one-time link, which has tests of its own
            "CLASSPULSE_DASHBOARD__LINK": "false",
        }

    def run(
        self, *arguments: str, timeout: float = 240, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "classpulse", *arguments],
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    @contextmanager
    def serving(self, *arguments: str, **variables: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
        """A command that serves pages: gives its address and process, and ends it with Ctrl-C."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "classpulse", *arguments, "--no-browser", "--port", "0"],
            env=self.environment | variables,
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        lines: list[str] = []
        found = threading.Event()

        def listen() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                lines.append(line)
                if "http://" in line:
                    found.set()
            found.set()

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            assert found.wait(120), "no address after two minutes"
            address = re.search(r"http://127\.0\.0\.1:\d+", "".join(lines))
            assert address, "".join(lines)
            yield address.group(), process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            finally:
                process.kill()
                listener.join(10)
                assert process.stderr is not None
                process.stderr.close()
        assert "Traceback" not in "".join(lines), "".join(lines)

    @contextmanager
    def watching(self, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
        """`classpulse watch` in the background; killed at the end if it still runs."""
        process = subprocess.Popen(
            [sys.executable, "-m", "classpulse", "watch", "--headless", *arguments],
            env=self.environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(30)


Pictures = list[NDArray[np.uint8]]


@pytest.fixture(scope="session")
def face_pictures() -> Callable[[int, int], Pictures]:
    """Makes pictures of faces, uint8 (h, w, 3) RGB at 16:9: real ones, or those of the synthetic class."""
    folder = Path(os.environ.get("CLASSPULSE_DATA", REPOSITORY.parent / "shared" / "data"))

    def make(count: int, seed: int) -> Pictures:
        if folder.is_dir():
            return portraits(folder, count, seed=seed)
        with Classroom(seats=min(49, count + 8), width=3840, height=2160, seed=seed) as classroom:
            gallery = classroom.draw(5.0)
            boxes = [seat.box for seat in classroom.truth(5.0) if seat.state is State.SEEN]
        # without the label: the gallery that they are laid out in writes its own
        return [
            gallery[box.top + 4 : box.top + box.height * 7 // 8, box.left + 4 : box.right - 4]
            for box in boxes[:count]
        ]

    return make


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Options of a Chromium that asks nobody for anything."""


def chromium() -> str:
    """Where the system's Chromium is; without one the test is skipped."""
    found = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    if found is None:
        pytest.skip("needs Chromium or Chrome")
    return found


def fits_a_phone(page: Any) -> None:
    """Gives the window a phone's width, and waits until what is on the page has taken it."""
    page.set_viewport_size({"width": 390, "height": 844})
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (width := page.evaluate("document.documentElement.scrollWidth")) > 390:
        assert time.monotonic() < deadline, f"the page is {width} pixels wide"
        page.wait_for_timeout(100)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's Chromium, driven by Playwright."""
    executable = chromium()
    from playwright.sync_api import expect, sync_playwright

    # what a test waits for without saying how long
    expect.set_options(timeout=1000 * _PATIENCE_SECONDS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=list(QUIET))
        yield launched
        launched.close()

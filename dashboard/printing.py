"""HTML to PDF through the Chrome or Chromium that is installed; none is brought along."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import psutil

from dashboard.errors import ExportError

_NAMES: Final = (
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "chrome",
    "msedge",
    "microsoft-edge",
)
_PLACES: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
_PREFIX: Final = "classpulse-print-"
_TEMPORARY: Final = ("TMPDIR", "TEMP", "TMP")
"""Variables that name the folder for temporary files."""

_WIDTH: Final = 718
"""CSS pixels between the margins of an A4 page of 190 mm, which charts take when they are drawn."""
_FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    # the report needs nobody, and nobody needs to know that it is printed
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
    f"--window-size={_WIDTH},1016",
    # virtual time: the charts are drawn before the page is printed, however slow the machine is
    "--virtual-time-budget=10000",
)


def find_browser() -> Path | None:
    """An installed Chrome, Chromium or Edge, or None."""
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return next((Path(place) for place in _PLACES if Path(place).is_file()), None)


def remove_orphans() -> None:
    """Remove the pages that processes have left that were killed while they printed."""
    # not by `tempfile.gettempdir`, which writes a file to see whether it may
    told = (tempfile.tempdir, *map(os.environ.get, _TEMPORARY), "/tmp")  # noqa: S108 - looked into only
    for place in filter(None, told):
        for left in Path(place).glob(f"{_PREFIX}*"):
            owner = left.name.removeprefix(_PREFIX).partition("-")[0]
            if owner.isdecimal() and not psutil.pid_exists(int(owner)):
                shutil.rmtree(left, ignore_errors=True)


def print_pdf(html: str, browser: Path | None = None, seconds: float = 120.0) -> bytes:
    """A page of HTML that asks nothing of any server as a PDF of A4 pages.

    The page lies for that time in a folder of the temporary directory that only this user can read.

    Args:
        html: the page.
        browser: the program; None looks for one.
        seconds: after which it is given up.

    Raises:
        ExportError: there is no browser, or it did not print.
    """
    program = browser or find_browser()
    if program is None:
        raise ExportError(
            "A PDF is printed by Chrome, Chromium or Edge, and none was found on this computer. Install one, or save "
            "the report as HTML and print it from your own browser."
        )
    remove_orphans()
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        page, pdf = folder / "report.html", folder / "report.pdf"
        page.write_text(html, encoding="utf-8")
        command = [
            str(program),
            *_FLAGS,
            # Chromium refuses its sandbox to root, as whom containers run; the page is our own
            *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
            f"--user-data-dir={folder / 'profile'}",
            f"--print-to-pdf={pdf}",
            page.as_uri(),
        ]
        try:
            done = subprocess.run(  # noqa: S603  a browser that was looked for by name, and our own page
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
            )
        except OSError as error:
            raise ExportError(
                f"{program.name} cannot be started ({error.strerror}). Save the report as HTML and print that."
            ) from error
        except subprocess.TimeoutExpired as error:
            raise ExportError(
                f"{program.name} did not print the report within {seconds:.0f} s. Save it as HTML and print that."
            ) from error
        contents = pdf.read_bytes() if pdf.is_file() else b""
    if not contents.startswith(b"%PDF"):
        raise ExportError(
            f"{program.name} printed nothing (exit code {done.returncode}). Save the report as HTML and print that."
        )
    return contents

"""How long it takes from the command to the first page: to its address, and from there to what stands on it.

python -m benchmarks.first_page [--turns 5]

A database with ten past lessons is served by `classpulse dashboard`, all modules compiled (a turn before is not
counted); Chromium is open already, as a browser mostly is, with an empty tab, and has nothing of the page in its cache.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.as_installed import environment
from storage.database import open_database
from storage.migrate import migrate

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "dashboard"))

from seed import seed

ADDRESS = re.compile(r"http://[\d.:]+")
LESSONS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No Chromium or Chrome found; install one and try again.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        url = f"sqlite:///{folder}/class.db"
        engine = open_database(url)
        migrate(engine)
        for lesson in range(LESSONS):
            seed(engine, minutes=10, interval=30, end=datetime.now(UTC) - timedelta(days=lesson + 1)).close()
        engine.dispose()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        variables = environment(Path(folder)) | {"CLASSPULSE_DASHBOARD__LINK": "false"}
        turn(browser, url, variables)
        times = [turn(browser, url, variables) for _ in range(turns)]
        browser.close()
    for what, column in zip(("command to address", "address to page"), zip(*times, strict=True), strict=True):
        print(
            f"{what:20} median {statistics.median(column):5.2f} s, best {min(column):5.2f} s ({turns} turns)"
        )


def turn(browser: Any, url: str, variables: dict[str, str]) -> tuple[float, float]:
    """Seconds from the command to its address, and from there until the page says that no class is running."""
    command = [
        *(sys.executable, "-m", "classpulse", "dashboard"),
        *("--no-browser", "--port", "0", "--database", url),
    ]
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    begun = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=variables) as pages:
        try:
            address = next(m.group() for m in map(ADDRESS.search, pages.stderr or ()) if m)
            served = time.perf_counter()
            page.goto(address)
            page.get_by_role("heading", name="No class is running").wait_for()
            shown = time.perf_counter()
            context.close()
        finally:
            pages.terminate()
    return served - begun, shown - served


if __name__ == "__main__":
    main()

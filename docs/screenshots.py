"""Takes the pictures of the README and the docs: starts the synthetic class on its page and looks at all pages.

python docs/screenshots.py [--minutes 5]

The running class is read as a real one would be. The sessions before it, which Trends and Students need, are made up.
It needs Chromium or Chrome, and a display (`xvfb-run` gives one where there is none).
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
from playwright.sync_api import Page, sync_playwright

from capture.classroom import Classroom
from engagement.records import Consent
from storage.database import open_database
from storage.migrate import migrate
from storage.students import add_student, ensure_class_list, set_consent

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "dashboard"))

IMAGES = REPOSITORY / "docs" / "images"
SIZE = {"width": 1280, "height": 720}
SLOW = 600_000
"""Milliseconds that loading the models and the first frame may take."""
ADDRESS = re.compile(r"http://[\d.:]+")
CLASS = "Algebra 9b"
LESSONS = 9
SETTINGS = """[session]
place = "elsewhere"
institution = "university"
"""
PAGES = {
    "now": "/",
    "sessions": "/sessions",
    "report": f"/sessions/{LESSONS}",
    "trends": f"/trends?class={CLASS.replace(' ', '%20')}",
    "students": f"/students?class={CLASS.replace(' ', '%20')}",
    "settings": "/settings",
    "about": "/about",
}


def main() -> None:
    """Run the demo for a while, then picture each page in both themes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--minutes", type=float, default=5.0, help="how long the class has run when it is pictured"
    )
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder of the pictures")
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No Chromium or Chrome found; install one and try again.")
    given.out.mkdir(parents=True, exist_ok=True)
    draw_class(given.out / "class.jpg")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/demo.db"
        make_up_lessons(url)
        # a name without a folder: the page Settings shows it
        (Path(folder) / "classpulse.toml").write_text(SETTINGS, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "classpulse",
            "start",
            "--no-browser",
            "--port",
            "0",
            "--database",
            url,
        ]
        environment = os.environ | {
            "CLASSPULSE_SETTINGS": "classpulse.toml",
            # what Chromium opens here needs no login
            "CLASSPULSE_DASHBOARD__LINK": "false",
            "PYTHONPATH": str(REPOSITORY),
        }
        with subprocess.Popen(  # noqa: S603 - our own command
            command, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment
        ) as pages:
            try:
                address = next(m.group() for m in map(ADDRESS.search, pages.stderr or ()) if m).rstrip("/")
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                    tabs = {
                        theme: browser.new_page(viewport=SIZE, color_scheme=theme)
                        for theme in ("light", "dark")
                    }
                    for theme, page in tabs.items():
                        try_it(page, address, given.out / "class.jpg", given.out / f"studio-{theme}.png")
                    start_class(tabs, address, given.out)
                    time.sleep(given.minutes * 60)
                    for theme, page in tabs.items():
                        for name, path in PAGES.items():
                            picture(page, f"{address}{path}", given.out / f"{name}-{theme}.png")
                        show_view(page, address, given.out / f"view-{theme}.png")
                    browser.close()
            finally:
                pages.terminate()


def start_class(tabs: dict[str, Page], address: str, out: Path) -> None:
    """Choose the demo on the page Start, picture what would be read, and start it."""
    for theme, page in tabs.items():
        page.set_default_timeout(SLOW)
        page.goto(f"{address}/start")
        page.locator("#start-source").click()
        page.get_by_role("option", name="The demo").click()
        page.locator("#start-picture img").wait_for()
        page.get_by_role("textbox", name="Name").fill(CLASS)
        page.keyboard.press("Escape")
        page.get_by_role("radio", name="Individual").check()
        page.locator("#start-counts:not(:empty)").wait_for()
        page.wait_for_timeout(4000)
        page.screenshot(path=out / f"start-{theme}.png")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(f"{address}/")


def try_it(page: Page, address: str, gallery: Path, file: Path) -> None:
    """Picture what is read on a gallery of the synthetic class."""
    page.set_default_timeout(SLOW)
    page.goto(f"{address}/studio")
    page.get_by_role("radio", name="Individual").check()
    page.get_by_label("Those on it were told and agreed").check()
    page.locator("#studio-upload input").set_input_files(gallery)
    page.locator(".cp-try-bars").first.wait_for()
    page.set_viewport_size({**SIZE, "height": 1400})
    page.wait_for_timeout(2000)
    page.screenshot(path=file)
    page.set_viewport_size(SIZE)


def show_view(page: Page, address: str, file: Path) -> None:
    """Picture the last frame with what was read on it, faces blurred."""
    page.goto(f"{address}/start")
    page.locator("#start-view-section").wait_for()
    page.get_by_label("Show it").check(force=True)
    page.locator(".cp-view-picture img").wait_for()
    page.wait_for_timeout(3000)
    page.screenshot(path=file)


def make_up_lessons(url: str) -> None:
    """Put lessons of the last weeks, and a class list, into the database."""
    from seed import NAMES, seed

    # without the name for which not every computer has a font
    names = NAMES[:-1]
    engine = open_database(url)
    migrate(engine)
    today = datetime.now(UTC)
    for lesson in range(LESSONS, 0, -1):
        seed(
            engine,
            minutes=40 + lesson % 4,
            interval=10,
            end=today - timedelta(days=2.0 * lesson),
            name=CLASS,
            names=names[lesson % 3 :],
            seed=lesson,
        ).close()
    ensure_class_list(engine, CLASS)
    for number, name in enumerate(names):
        student = add_student(engine, CLASS, name)
        if number % 9 != 4:
            answer = Consent.REFUSED if number == 10 else Consent.AGREED
            set_consent(engine, student, answer, "paper form", today - timedelta(days=30))
    engine.dispose()


def draw_class(file: Path) -> None:
    """Save what the synthetic class looks like while it laughs."""
    with Classroom(27) as classroom:
        image = cv2.resize(classroom.draw(303.0), (1280, 720), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(file), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def picture(page: Page, address: str, file: Path) -> None:
    """Save what the page shows once it is at rest."""
    page.goto(address)
    page.wait_for_timeout(6000)
    page.screenshot(path=file)


if __name__ == "__main__":
    main()

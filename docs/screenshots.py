"""Takes the pictures of the README and the docs: runs the synthetic class and looks at its pages with Chromium.

uv run --all-extras --group dev python docs/screenshots.py [--minutes 5]
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
from playwright.sync_api import Page, sync_playwright

from capture.classroom import Classroom

IMAGES = Path(__file__).resolve().parent / "images"
SIZE = {"width": 1280, "height": 720}
ADDRESS = re.compile(r"http://[\d.:]+")
PAGES = {"now": "/", "sessions": "/sessions", "report": "/sessions/1", "about": "/about"}


def main() -> None:
    """Run the demo for a while, then picture each page in both themes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=5.0, help="how long the class has run when it is pictured"
    )
    minutes = parser.parse_args().minutes
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No Chromium or Chrome found; install one and try again.")
    IMAGES.mkdir(exist_ok=True)
    draw_class(IMAGES / "class.jpg")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "classpulse", "demo", "--no-browser", "--port", "0"]
        command += ["--database", f"sqlite:///{folder}/demo.db"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as demo:  # noqa: S603 - our own command
            try:
                address = next(m.group() for m in map(ADDRESS.search, demo.stderr or ()) if m)
                time.sleep(minutes * 60)
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                    for theme in ("light", "dark"):
                        page = browser.new_page(viewport=SIZE, color_scheme=theme)
                        for name, path in PAGES.items():
                            picture(page, f"{address.rstrip('/')}{path}", IMAGES / f"{name}-{theme}.png")
                    browser.close()
            finally:
                demo.terminate()


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

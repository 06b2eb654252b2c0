"""The page Settings in a real browser, over the command as a teacher types it."""

import tomllib
from typing import Any

from playwright.sync_api import expect

from tests.e2e.conftest import Home, fits_a_phone
from tests.e2e.test_pages import SLOW


def test_settings_are_read_changed_and_refused(home: Home, browser: Any) -> None:
    # longer than a phone is wide, with nothing to break it at
    file = home.folder / f"{'mine' * 15}.toml"
    file.write_text('# ours\n[session]\nname = "Physics 9b" # all year\n')
    variables = {"CLASSPULSE_SETTINGS": str(file), "CLASSPULSE_CAPTURE__INTERVAL": "5"}
    with home.serving("dashboard", **variables) as (address, _):
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        page = context.new_page()
        wrong: list[str] = []
        page.on(
            "console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None
        )
        page.set_default_timeout(SLOW)
        page.goto(f"{address}/settings")
        name = page.get_by_label("Name of the class")
        expect(name).to_have_value("Physics 9b", timeout=SLOW)
        expect(page.get_by_label("Seconds between frames")).to_be_disabled()
        expect(page.get_by_text("Set by the variable CLASSPULSE_CAPTURE__INTERVAL.")).to_be_visible()
        expect(page.get_by_label("Database")).to_be_disabled()

        # by keyboard alone
        name.focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("Chemistry 8a")
        expect(page.get_by_label("Port")).to_be_disabled()
        expect(page.get_by_text("Given as an option when classpulse was started.")).to_be_visible()
        page.get_by_label("Source").fill("region:1,2")
        page.get_by_role("button", name="Save").press("Enter")
        expect(page.get_by_text("Nothing was written")).to_be_visible(timeout=SLOW)
        expect(page.get_by_text("is malformed: write region:X,Y,W,H")).to_be_visible()
        expect(name).to_have_value("Chemistry 8a")
        assert "Physics 9b" in file.read_text()

        page.get_by_label("Source").fill("monitor:1")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved 2 settings")).to_be_visible(timeout=SLOW)
        expect(page.get_by_text("Until classpulse is started anew: Physics 9b.")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Nothing was changed.")).to_be_visible(timeout=SLOW)
        fits_a_phone(page)
        context.close()
    assert not wrong, wrong
    assert file.read_text().startswith('# ours\n[session]\nname = "Chemistry 8a" # all year\n')
    assert tomllib.loads(file.read_text())["capture"] == {"source": "monitor:1"}

"""The door in a real browser: the one-time link of `classpulse dashboard`, the login over TLS, and the way out."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from dashboard.app import DashboardSettings, PageServer
from dashboard.door import Access
from dashboard.passwords import hash_password
from storage.accounts import Role, add_account
from storage.database import open_database
from storage.logins import close_logins
from storage.migrate import migrate

from .conftest import Home

PASSWORD = "correct horse battery"  # noqa: S105 - a test's own
SECRET = bytes(range(48))


@contextmanager
def tab(browser: Any, **options: Any) -> Iterator[Any]:
    """A page whose scripts raise nothing and that asks nobody else."""
    context = browser.new_context(**options)
    page = context.new_page()
    errors: list[str] = []
    foreign: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda one: (
            None
            if re.match(r"https?://(127\.0\.0\.1|localhost)[:/]|data:|blob:", one.url)
            else foreign.append(one.url)
        ),
    )
    yield page
    context.close()
    assert not errors
    assert not foreign


@pytest.fixture
def school(tmp_path: Path) -> Iterator[PageServer]:
    engine = open_database(f"sqlite:///{tmp_path / 'class.db'}")
    migrate(engine)
    kept = hash_password(PASSWORD, "nobody in particular")
    add_account(engine, "Head Office", Role.ADMIN, kept, (), actor="test")
    add_account(engine, "Ms Berg", Role.TEACHER, kept, ("Algebra 9b",), actor="test")
    with PageServer(engine, settings=DashboardSettings(access=Access(SECRET))) as server:
        server.engine = engine  # type: ignore[attr-defined]
        yield server
    engine.dispose()


def fill_in(page: Any, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_teacher_logs_in_and_out(school: PageServer, browser: Any, scripts: bool) -> None:
    with tab(browser, java_script_enabled=scripts) as page:
        page.goto(f"{school.url}/sessions")
        assert (
            page.get_by_label("Name").evaluate("field => field === document.activeElement")
            if scripts
            else True
        )
        fill_in(page, "ms berg", "not the password")
        assert "There is no account" in page.get_by_role("alert").inner_text()
        assert page.get_by_label("Name").input_value() == "ms berg"
        fill_in(page, "ms berg", PASSWORD)
        page.wait_for_url(f"{school.url}/sessions")
        if scripts:
            navigation = page.get_by_role("navigation", name="Pages")
            navigation.get_by_text("Ms Berg").wait_for()
            assert navigation.get_by_text("Settings").count() == 0
            navigation.get_by_text("Ms Berg").click()
        else:
            page.goto(f"{school.url}/account")
        page.get_by_role("heading", name="Ms Berg").wait_for()
        assert "Algebra 9b" in page.locator("main").inner_text()
        page.get_by_role("button", name="Log out", exact=True).click()
        page.wait_for_url(f"{school.url}/login")
        page.goto(f"{school.url}/account")
        assert page.get_by_role("heading", name="Log in").count() == 1


def test_an_open_page_leads_to_the_login_when_its_session_ends(school: PageServer, browser: Any) -> None:
    with tab(browser) as page:
        page.goto(school.url)
        fill_in(page, "Head Office", PASSWORD)
        page.get_by_role("heading", name="No class is running").wait_for()
        close_logins(school.engine, 1)  # type: ignore[attr-defined]
        page.get_by_role("heading", name="Log in").wait_for(timeout=30_000)
        fill_in(page, "Head Office", PASSWORD)
        page.get_by_role("heading", name="No class is running").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_the_door_can_be_read_by_everybody(
    school: PageServer, browser: Any, scheme: str
) -> None:
    with tab(browser, color_scheme=scheme, viewport={"width": 390, "height": 780}) as page:
        found: dict[str, Any] = {}

        def look(where: str) -> None:
            found[where] = Axe().run(page).response["violations"]
            wide = page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
            assert not wide, where

        page.goto(f"{school.url}/login")
        look("login")
        fill_in(page, "Ms Berg", "wrong")
        look("refused")
        fill_in(page, "Ms Berg", PASSWORD)
        page.goto(f"{school.url}/account")
        look("account")
        page.goto(f"{school.url}/enter?key=wrong")
        assert {where: [one["id"] for one in violations] for where, violations in found.items()} == {
            "login": [],
            "refused": [],
            "account": [],
        }


def test_the_terminal_shows_a_link_that_opens_the_pages_once(home: Home, browser: Any) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "classpulse", "dashboard", "--no-browser", "--port", "0"],
        env={**home.environment, "CLASSPULSE_DASHBOARD__LINK": "true"},
        cwd=home.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        told = ""
        deadline = time.monotonic() + 120
        while "/enter?key=" not in told and time.monotonic() < deadline:
            told += process.stderr.readline()
        link = re.search(r"http://127\.0\.0\.1:\d+/enter\?key=\S+", told)
        assert link, told
        address = link.group().partition("/enter")[0]
        with tab(browser) as page, tab(browser) as other:
            assert page.goto(address).status == 401
            page.goto(link.group())
            page.get_by_role("heading", name="No class is running").wait_for()
            assert "key=" not in page.url
            other.goto(link.group())
            assert "used already" in other.get_by_role("alert").inner_text()
            port = address.rpartition(":")[2]
            second = home.run("link", "--port", port, "--no-browser", CLASSPULSE_DASHBOARD__LINK="true")
            assert second.returncode == 0, second.stderr
            other.goto(second.stdout.strip())
            other.get_by_role("heading", name="No class is running").wait_for()
    finally:
        process.terminate()
        process.wait(30)
        assert process.stderr is not None
        process.stderr.close()
    secret = next(home.folder.rglob("secret"))
    assert secret.stat().st_mode & 0o077 == 0


def test_nothing_is_served_to_others_without_an_account(home: Home) -> None:
    done = home.run("dashboard", "--host", "0.0.0.0", "--port", "0", "--no-browser")  # noqa: S104
    assert done.returncode == 1
    assert "certificate" in done.stderr
    assert "Traceback" not in done.stderr
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x"),
            *("-keyout", "key.pem", "-out", "certificate.pem"),
        ],
        cwd=home.folder,
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("needs openssl to make a certificate")
    tls = {
        "CLASSPULSE_DASHBOARD__CERTIFICATE": str(home.folder / "certificate.pem"),
        "CLASSPULSE_DASHBOARD__KEY": str(home.folder / "key.pem"),
    }
    done = home.run("dashboard", "--host", "0.0.0.0", "--port", "0", "--no-browser", **tls)  # noqa: S104
    assert done.returncode == 1
    assert "classpulse accounts add NAME" in done.stderr
    assert "Traceback" not in done.stderr

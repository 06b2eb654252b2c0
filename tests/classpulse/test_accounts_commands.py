"""`classpulse accounts` and `classpulse link`, and the secret behind them."""

import json
import os
import socket
import stat
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from classpulse import access
from classpulse.cli import app
from classpulse.errors import SettingsError
from classpulse.settings import load
from dashboard import links
from engagement.errors import ClasspulseError
from storage.accounts import Role, accounts
from storage.audit import audit_entries
from storage.database import open_database

PASSWORD = "correct horse battery"  # noqa: S105 - a test's own


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> str:
    for name in [name for name in os.environ if name.startswith("CLASSPULSE_")]:
        monkeypatch.delenv(name)
    url = f"sqlite:///{engine.url.database}"
    monkeypatch.setenv("CLASSPULSE_STORAGE__DATABASE", url)
    monkeypatch.setattr("classpulse.paths.default_data_folder", lambda: tmp_path / "data")
    monkeypatch.setattr("dashboard.passwords._METHOD", "scrypt:1024:8:1")
    return url


def run(*arguments: str, typed: str = f"{PASSWORD}\n") -> str:
    result = CliRunner().invoke(app, list(arguments), input=typed)
    if isinstance(result.exception, ClasspulseError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_accounts_from_first_to_last(database: str) -> None:
    assert "No account yet" in run("accounts", "list")
    assert run("accounts", "add", "Head Office", "--stdin").startswith("Made the account Head Office (admin)")
    assert "sees no class yet" in run("accounts", "add", "Ms Berg", "--stdin")
    run("accounts", "add", "Mr Kern", "--class", "Algebra", "--class", "Physics 9b", "--stdin")
    assert run("accounts", "classes", "ms berg", "Algebra").splitlines()[0] == "Ms Berg: Algebra"
    run("accounts", "password", "Ms Berg", "--stdin", typed="another horse battery\n")
    assert run("accounts", "role", "Mr Kern", "admin").strip() == "Mr Kern: admin"
    assert "everywhere" in run("accounts", "logout", "Mr Kern")
    assert "Nothing was removed" in run("accounts", "remove", "Mr Kern", typed="n\n")
    assert "Removed" in run("accounts", "remove", "Mr Kern", "--yes")
    listed = json.loads(run("accounts", "list", "--json"))
    assert [(one["name"], one["role"], one["classes"]) for one in listed] == [
        ("Head Office", "admin", []),
        ("Ms Berg", "teacher", ["Algebra"]),
    ]
    assert "password" not in listed[0]
    engine = open_database(database)
    assert [one.role for one in accounts(engine)] == [Role.ADMIN, Role.TEACHER]
    assert {entry.actor for entry in audit_entries(engine)} == {"command line"}
    engine.dispose()


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("add", "x", "--stdin"), "short\n", "at least 12"),
        (("add", "x", "--stdin"), "passwordpassword\n", "Take three or four words"),
        (("add", "x", "--stdin"), "", "at least 12"),
        (("add", "", "--stdin"), f"{PASSWORD}\n", "visible letter"),
        (("add", "x", "--role", "admin", "--class", "A", "--stdin"), f"{PASSWORD}\n", "every class"),
        (("add", "x"), f"{PASSWORD}\n{PASSWORD}\n", "--stdin"),
        (("password", "nobody", "--stdin"), f"{PASSWORD}\n", "no account"),
        (("remove", "nobody", "--yes"), "", "no account"),
        (("classes", "nobody", "A"), "", "no account"),
        (("role", "nobody", "admin"), "", "no account"),
        (("logout", "nobody"), "", "no account"),
    ],
)
@pytest.mark.usefixtures("database")
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], typed: str, said: str) -> None:
    with pytest.raises(ClasspulseError, match=said):
        run("accounts", *arguments, typed=typed)


@pytest.mark.usefixtures("database")
def test_the_only_admin_stays_one() -> None:
    run("accounts", "add", "Head Office", "--stdin")
    with pytest.raises(ClasspulseError, match=r"Head Office is the only admin, .* another one first"):
        run("accounts", "role", "head office", "teacher")
    run("accounts", "add", "Ms Berg", "--stdin")
    with pytest.raises(ClasspulseError, match="Head Office is the only admin"):
        run("accounts", "remove", "Head Office", "--yes")
    run("accounts", "role", "Head Office", "admin")
    run("accounts", "role", "Ms Berg", "admin")
    run("accounts", "role", "Head Office", "teacher")
    run("accounts", "remove", "Head Office", "--yes")
    # who is alone may go: then there are no accounts, as before the first
    assert "Removed" in run("accounts", "remove", "Ms Berg", "--yes")


@pytest.mark.usefixtures("database")
def test_a_class_of_which_nothing_is_kept_is_named(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("Ada\n")
    run("students", "import", "Algebra", str(file), "--yes")
    run("accounts", "add", "Head Office", "--stdin")
    words = ["accounts", "add", "Ms Berg", "--stdin", "--class", "algebra", "--class", "Chess"]
    added = CliRunner().invoke(app, words, input=f"{PASSWORD}\n")
    assert added.exit_code == 0
    assert added.stderr == (
        'No session or list is called "Chess" yet: see that it is spelt as the class will be.\n'
    )
    assert not CliRunner().invoke(app, ["accounts", "classes", "Ms Berg", "ALGEBRA"]).stderr
    two = CliRunner().invoke(app, ["accounts", "classes", "Ms Berg", "Algebre", "Chess"])
    assert two.exit_code == 0
    assert two.stderr.startswith('No session or list is called "Algebre" or "Chess" yet: see that they are')
    assert not CliRunner().invoke(app, ["accounts", "classes", "Ms Berg"]).stderr


@pytest.mark.usefixtures("database")
def test_no_option_takes_a_password() -> None:
    for command in ("add", "password"):
        text = run("accounts", command, "--help")
        assert "--password" not in text


@pytest.mark.usefixtures("database")
def test_a_link_is_made_beside_the_running_pages(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as pages:
        port = pages.getsockname()[1]
        url = run("link", "--port", str(port), "--no-browser").strip()
    assert url.startswith(f"http://127.0.0.1:{port}/enter?key=")
    engine = open_database(f"sqlite:///{tmp_path / 'class.db'}")
    from datetime import UTC, datetime
    from urllib.parse import parse_qs, urlsplit

    from storage.migrate import migrate

    migrate(engine)
    key = parse_qs(urlsplit(url).query)["key"][0]
    secret = access.read_secret(tmp_path / "data")
    assert links.spend(engine, secret, key, datetime.now(UTC))
    assert not links.spend(engine, secret, key, datetime.now(UTC))
    engine.dispose()


@pytest.mark.usefixtures("database")
def test_there_is_no_link_where_nothing_is_served() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(ClasspulseError, match=f"No pages run on port {port}"):
        run("link", "--port", str(port), "--no-browser")


@pytest.mark.usefixtures("database")
def test_there_is_no_link_where_nobody_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClasspulseError, match="log in with your account"):
        run("link", "--host", "0.0.0.0", "--no-browser")  # noqa: S104 - asked for to see it refused
    monkeypatch.setenv("CLASSPULSE_DASHBOARD__LINK", "false")
    with pytest.raises(ClasspulseError, match=r"dashboard\.link"):
        run("link", "--no-browser")


@pytest.mark.usefixtures("database")
def test_who_is_asked_follows_from_the_settings() -> None:
    def asked(**dashboard: object) -> bool:
        return access.access(load({"dashboard": dashboard})) is not None

    assert asked()
    assert not asked(link=False)
    # what others can reach is never open, whatever is set
    assert asked(link=False, host="0.0.0.0")  # noqa: S104 - asked for
    assert asked(link=False, hosts=("class.school.example",))
    assert asked(link=False, proxy="127.0.0.1")


def test_the_secret_is_made_once_for_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    secret = access.read_secret(folder)
    assert len(secret) == 48
    assert access.read_secret(folder) == secret
    assert access.read_secret(tmp_path / "another") != secret
    if sys.platform != "win32":
        assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_starts_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(access.read_secret(tmp_path / "data")))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert len(set(found)) == 1


def test_a_secret_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_WAIT_SECONDS", 0.1)
    file = tmp_path / "secret"
    for contents in (b"", b"x" * 31):
        file.write_bytes(contents)
        file.chmod(0o600)
        with pytest.raises(SettingsError, match="broken off"):
            access.read_secret(tmp_path)
    file.write_bytes(b"x" * 48)
    if sys.platform != "win32":
        for mode in (0o644, 0o640, 0o604, 0o660):
            file.chmod(mode)
            with pytest.raises(SettingsError, match="Others on this computer may read"):
                access.read_secret(tmp_path)
    file.unlink()
    file.mkdir()
    with pytest.raises(SettingsError, match="cannot be kept"):
        access.read_secret(tmp_path)

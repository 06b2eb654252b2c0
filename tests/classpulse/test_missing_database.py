"""A database that is not there: said, never made by a command that only looks at one."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classpulse.checks import check_database
from classpulse.cli import app
from classpulse.database import missing_file
from classpulse.errors import NoDatabaseError

LISTS = (
    (("sessions",), "No session yet. Try: classpulse demo\n"),
    (("sessions", "--json"), "[]\n"),
    (("audit",), "The audit log is empty.\n"),
    (("students", "list"), "No class yet.\n"),
    (("students", "list", "Algebra", "--json"), "[]\n"),
    (("accounts", "list"), "No account yet. Try: classpulse accounts add NAME\n"),
    (("accounts", "list", "--json"), "[]\n"),
)
CHANGES = (
    ("report", "last"),
    ("erase", "last", "--yes"),
    ("keep", "last"),
    ("students", "export", "1"),
    ("students", "erase", "1", "--yes"),
    ("students", "consent", "1", "agreed"),
    ("accounts", "password", "Ada", "--stdin"),
    ("accounts", "role", "Ada", "teacher"),
    ("accounts", "classes", "Ada", "Algebra"),
    ("accounts", "logout", "Ada"),
    ("accounts", "remove", "Ada", "--yes"),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own that is not there yet, and no setting of this machine."""
    for name in [name for name in os.environ if name.startswith("CLASSPULSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("classpulse.paths.default_data_folder", lambda: tmp_path / "data")
    monkeypatch.setattr("classpulse.paths.default_settings_file", lambda: tmp_path / "classpulse.toml")
    return tmp_path


@pytest.mark.parametrize("arguments", [*(one for one, _ in LISTS), *CHANGES], ids=" ".join)
def test_one_that_was_named_is_not_made(home: Path, arguments: tuple[str, ...]) -> None:
    file = home / "no" / "such" / "class.db"
    done = CliRunner().invoke(app, [*arguments, "--database", f"sqlite:///{file}"])
    assert isinstance(done.exception, NoDatabaseError)
    assert str(file) in str(done.exception)
    assert not done.output
    assert not list(home.iterdir())


def test_one_that_a_variable_names_is_not_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSPULSE_STORAGE__DATABASE", f"sqlite:///{home / 'class.db'}")
    done = CliRunner().invoke(app, ["sessions"])
    assert isinstance(done.exception, NoDatabaseError)
    assert not list(home.iterdir())


@pytest.mark.parametrize(("arguments", "said"), LISTS, ids=str)
def test_before_the_first_class_lists_are_empty(home: Path, arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0
    assert done.output == said
    assert not list(home.iterdir())


@pytest.mark.parametrize("arguments", CHANGES, ids=" ".join)
def test_before_the_first_class_there_is_nothing_to_change(home: Path, arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, list(arguments))
    with pytest.raises(NoDatabaseError, match="Nothing is kept yet"):
        raise done.exception or AssertionError
    assert not list(home.iterdir())


def test_a_picture_is_not_read_by_the_lists_of_a_database_that_is_not_there(home: Path) -> None:
    done = CliRunner().invoke(app, ["read", "class.png", "--database", f"sqlite:///{home / 'clas.db'}"])
    assert isinstance(done.exception, NoDatabaseError)
    assert not list(home.iterdir())


def test_the_doctor_makes_none(tmp_path: Path) -> None:
    file = tmp_path / "new" / "class.db"
    found = check_database(f"sqlite:///{file}")
    assert found.state == "ok"
    assert str(file) in found.found
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    assert check_database(f"sqlite:///{tmp_path / 'file' / 'class.db'}").state == "fail"


def test_what_names_no_file_is_for_the_database_to_refuse(tmp_path: Path) -> None:
    for url in (
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://a@b/c",
        f"sqlite:///{tmp_path}?a=b",
    ):
        assert missing_file(url) is None
    assert missing_file(f"sqlite:///{tmp_path / 'a.db'}") == tmp_path / "a.db"
    (tmp_path / "a.db").touch()
    assert missing_file(f"sqlite:///{tmp_path / 'a.db'}") is None

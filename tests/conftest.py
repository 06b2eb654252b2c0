"""Fixtures that every test folder shares."""

import logging
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Engine
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from storage.database import open_database
from storage.migrate import migrate
from tests.closed.sitecustomize import LOG_VARIABLE

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes for the whole suite; none beside this one for files that are named, which begin at once."""
    return 2 if config.args_source is pytest.Config.ArgsSource.TESTPATHS else 0


class Scheduling(LoadFileScheduling):
    """A file stays in one process, since what its tests share is made once; so does all that looks at a screen.

    The largest group begins first, and that is the one of the screen: it waits while the other process computes.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(super()._split_scope(nodeid))


@cache
def group(file: str) -> str:
    """What runs in one process with this file: real windows, browsers and whole programs go one after the other."""
    path = REPOSITORY / file
    screen = path.parent.name == "e2e" or "xvfb" in path.read_text(encoding="utf-8")
    return "screen" if screen else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def closed_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Close the network to every Python that a test starts, as it is to this one; gives the file of attempts."""
    log = tmp_path_factory.mktemp("network") / "attempts"
    log.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LOG_VARIABLE, str(log))
        patch.setenv("PYTHONPATH", str(REPOSITORY / "tests" / "closed"), prepend=os.pathsep)
        yield log


@pytest.fixture(autouse=True)
def nothing_leaves_this_computer(closed_network: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which anything reached for the network, also where the attempt was swallowed."""
    before = closed_network.stat().st_size
    yield
    if request.node.get_closest_marker("reaches_out"):
        return
    with closed_network.open(encoding="utf-8") as file:
        file.seek(before)
        attempts = file.read()
    assert not attempts, f"reached for the network:\n{attempts}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of faces described in the README; the test is skipped where it is absent."""
    folder = Path(os.environ.get("CLASSPULSE_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the face data, and {folder} is absent (set CLASSPULSE_DATA)")
    return folder


@pytest.fixture(autouse=True)
def no_error_logs(caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that logs at ERROR, unless it is marked `logs_errors`."""
    yield
    if request.node.get_closest_marker("logs_errors"):
        return
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    errors = [record.getMessage() for record in records if record.levelno >= logging.ERROR]
    assert not errors, f"logged at ERROR: {errors}"


@pytest.fixture(scope="session")
def xvfb() -> Iterator[str]:
    """A virtual X server of 2560 x 1440 without a window manager; gives its name such as ":5" (see tests/x11.py)."""
    x11 = pytest.importorskip("tests.x11", exc_type=ImportError)
    if not x11.has("Xvfb"):
        pytest.skip("needs Xvfb")
    with x11.run_xvfb() as display:
        yield display


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file of its own, empty; its database is that of `engine`."""
    for name in [name for name in os.environ if name.startswith("CLASSPULSE_")]:
        monkeypatch.delenv(name)
    made = tmp_path / "settings.toml"
    made.touch()
    monkeypatch.setenv("CLASSPULSE_SETTINGS", str(made))
    monkeypatch.setenv("CLASSPULSE_STORAGE__DATABASE", f"sqlite:///{tmp_path / 'class.db'}")
    return made


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty, migrated database in a file."""
    made = open_database(f"sqlite:///{tmp_path / 'class.db'}")
    migrate(made)
    yield made
    made.dispose()

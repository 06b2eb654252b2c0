"""Fixtures that every test folder shares."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


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

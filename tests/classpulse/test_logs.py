"""Where the logs lie, and for whom."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from classpulse import logs, paths
from classpulse.watching import kept_in_words


@pytest.mark.skipif(os.name != "posix", reason="rights of files as POSIX has them")
def test_the_logs_are_for_their_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "log"
    folder.mkdir(mode=0o755)
    monkeypatch.setattr(paths, "log_file", lambda part: folder / f"{part}.log")
    written = logs.crash(ValueError("what somebody typed"))
    assert written is not None
    assert "what somebody typed" in written.read_text()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_warning_at_the_terminal_is_one_plain_line(tmp_path: Path) -> None:
    program = (
        "import logging, pathlib, sys; from classpulse import logs, paths; "
        "paths.log_file = lambda part: pathlib.Path(sys.argv[1]) / part; logs.configure('agent'); "
        "logging.getLogger('capture.replay').warning('The picture b.png cannot be decoded.')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stderr == "classpulse: The picture b.png cannot be decoded.\n"
    assert "WARNING" in (tmp_path / "agent").read_text(encoding="utf-8")


def test_a_reading_is_summed_up_in_words() -> None:
    assert kept_in_words(1, 0, 0) == "1 interval kept, 0 late frames dropped."
    assert kept_in_words(3, 1, 2) == "3 intervals kept, 1 late frame dropped, 2 pictures could not be read."

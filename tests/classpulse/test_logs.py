"""Where the logs lie, and for whom."""

import os
import stat
from pathlib import Path

import pytest

from classpulse import logs, paths


@pytest.mark.skipif(os.name != "posix", reason="rights of files as POSIX has them")
def test_the_logs_are_for_their_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "log"
    folder.mkdir(mode=0o755)
    monkeypatch.setattr(paths, "log_file", lambda part: folder / f"{part}.log")
    written = logs.crash(ValueError("what somebody typed"))
    assert written is not None
    assert "what somebody typed" in written.read_text()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700

"""When `classpulse start` reads at once, and what it answers where it cannot."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from classpulse import serving
from classpulse.settings import settings_with


@pytest.fixture(autouse=True)
def of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of its own: gives their file."""
    for name in [name for name in os.environ if name.startswith("CLASSPULSE_")]:
        monkeypatch.delenv(name)
    file = tmp_path / "settings.toml"
    file.touch()
    monkeypatch.setenv("CLASSPULSE_SETTINGS", str(file))
    return file


@pytest.mark.parametrize(
    ("options", "at_once"),
    [
        ({}, False),
        ({"mode": "individual", "interval": 1.0, "port": 0}, False),
        ({"source": "window"}, True),
        ({"source": "demo:4"}, True),
        ({"session": "Physics 9b"}, True),
    ],
)
def test_who_names_the_source_or_the_class_is_asked_nothing(
    options: dict[str, object], at_once: bool
) -> None:
    assert serving.says_what_to_read(settings_with(**options)) is at_once  # type: ignore[arg-type]


def test_a_file_or_a_variable_names_it_too(of_this_test: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_this_test.write_text('[session]\nmode = "participation"\n[capture]\ninterval = 5.0\n')
    assert not serving.says_what_to_read(settings_with())
    of_this_test.write_text('[capture]\nsource = "monitor:1"\n')
    assert serving.says_what_to_read(settings_with())
    of_this_test.write_text("")
    monkeypatch.setenv("CLASSPULSE_SESSION__NAME", "Physics 9b")
    assert serving.says_what_to_read(settings_with())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        # nobody waits for a page where a time is given, nor where something else than the meeting is named
        (("--seconds", "5"), "DISPLAY is not set"),
        (("--source", "no/such/lesson.mp4"), "no/such/lesson.mp4"),
        (("--session", "Physics", "--interval", "0.1"), "interval"),
        (("--session", "Physics", "--mode", "individual"), "Individual mode"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    without = {"DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"}
    environment = {name: value for name, value in os.environ.items() if name not in without}
    environment |= {
        "HOME": str(tmp_path),
        "CLASSPULSE_STORAGE__DATABASE": f"sqlite:///{tmp_path / 'class.db'}",
    }
    result = subprocess.run(
        [sys.executable, "-m", "classpulse", "start", "--no-browser", "--port", "0", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_mode_that_was_chosen_on_a_page_opens_the_page_where_it_needs_a_word(
    of_this_test: Path, tmp_path: Path
) -> None:
    of_this_test.write_text(
        '[session]\nname = "Physics 9b"\nmode = "individual"\nplace = "elsewhere"\ninstitution = "school"\n'
    )
    environment = os.environ | {
        "HOME": str(tmp_path),
        "CLASSPULSE_STORAGE__DATABASE": f"sqlite:///{tmp_path / 'class.db'}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "classpulse", "start", "--no-browser", "--port", "0"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        said = [process.stderr.readline(), process.stderr.readline()]
    finally:
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[1]
    assert "say that it was with --agreed" in said[0]
    assert "The class is at http://127.0.0.1:" in said[1]
    assert "/start " in said[1]
    assert process.returncode == 0, rest
    assert "Traceback" not in rest

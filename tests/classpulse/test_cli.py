"""The front door: help, versions, and what a wrong option answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classpulse.cli import _audit_line, app
from classpulse.errors import UsageError

HEAVY = (
    "ai_edge_litert",
    "cv2",
    "dash",
    "keras",
    "mss",
    "numpy",
    "pandas",
    "plotly",
    "pydantic",
    "sqlalchemy",
    "tensorflow",
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, so that no setting, database or log of this machine is touched."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("CLASSPULSE_", "XDG_"))}
    return {
        **keep,
        "HOME": str(tmp_path),
        "CLASSPULSE_STORAGE__DATABASE": f"sqlite:///{tmp_path / 'class.db'}",
    }


def classpulse(
    *arguments: str, environment: dict[str, str], timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "classpulse", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_help_imports_nothing_heavy(environment: dict[str, str]) -> None:
    program = "import sys, classpulse.cli; print([name for name in sys.argv[1:] if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", program, *HEAVY], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_help_names_every_command(environment: dict[str, str]) -> None:
    result = classpulse("--help", environment=environment)
    assert result.returncode == 0
    for command in ("demo", "start", "watch", "dashboard", "read", "report", "sessions", "doctor", "models"):
        assert command in result.stdout


def test_version(environment: dict[str, str]) -> None:
    from importlib.metadata import version

    result = classpulse("--version", environment=environment)
    assert result.stdout.split() == ["classpulse", version("classpulse")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("watch", "--interval", "0.1"), ("interval", "0.5")),
        (("watch", "--mode", "psychic"), ("psychic",)),
        (("watch", "--source", "no/such/file.mp4"), ("no/such/file.mp4",)),
        (("watch", "--source", "region:1,2"), ("region", "X,Y,W,H")),
        (("watch", "--source", "demo:500"), ("49",)),
        (("watch", "--source", "camera:97"), ("97",)),
        (("watch", "--seconds", "-1", "--source", "demo"), ("seconds",)),
        (("watch", "--source", "demo", "--detector", "haar"), ("haar", "tileface")),
        (("watch", "--source", "demo", "--database", "nonsense"), ("database URL", "sqlite:///")),
        (("read", "missing.png"), ("missing.png",)),
        (("report", "41"), ("41",)),
        (("report", "last"), ("session",)),
        (("dashboard", "--host", "0.0.0.0", "--no-browser"), ("certificate", "leave out --host")),  # noqa: S104 - it is refused
    ],
)
@pytest.mark.usefixtures("engine")
def test_bad_input_is_one_sentence_and_not_zero(
    arguments: tuple[str, ...], words: tuple[str, ...], environment: dict[str, str]
) -> None:
    result = classpulse(*arguments, environment={**environment, "DISPLAY": ""})
    assert result.returncode in {1, 2}
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
    assert not result.stdout


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "display"),
        ({"XDG_SESSION_TYPE": "wayland", "WAYLAND_DISPLAY": "wayland-0"}, "Wayland"),
    ],
)
def test_no_display_says_what_to_do(
    variables: dict[str, str], words: str, environment: dict[str, str]
) -> None:
    without = {
        name: value for name, value in environment.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}
    }
    result = classpulse("watch", "--seconds", "5", environment=without | variables)
    assert result.returncode == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_corrupt_image_and_unreadable_folder(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing of the kind")
    (tmp_path / "broken.mp4").write_bytes(b"\0\0\0 ftypisom" + b"no video" * 100)
    (tmp_path / "empty").mkdir()
    for name in ("broken.png", "broken.mp4", "empty"):
        result = classpulse("watch", "--source", str(tmp_path / name), environment=environment)
        assert result.returncode == 1, name
        assert name in result.stderr
        assert "Traceback" not in result.stderr
    assert classpulse("sessions", "--json", environment=environment).stdout.strip() == "[]"


def test_erase_asks_and_then_erases(environment: dict[str, str], tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from engagement.records import Mode
    from storage.database import open_database
    from storage.migrate import migrate
    from storage.recorder import NewSession, Recorder

    engine = open_database(environment["CLASSPULSE_STORAGE__DATABASE"])
    migrate(engine)
    recorder, now = Recorder(engine), datetime.now(UTC)
    session = recorder.open_session(
        NewSession("Physics", Mode.AGGREGATE, 2.0, "demo", now, "test", os.getpid())
    )
    recorder.close_session(session, now)
    engine.dispose()
    refused = subprocess.run(
        [sys.executable, "-m", "classpulse", "erase", "Physics"],
        env=environment, input="n\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Nothing was erased" in refused.stdout
    assert "Physics" in classpulse("sessions", environment=environment).stdout
    assert classpulse("erase", "Physics", "--yes", environment=environment).returncode == 0
    assert "No session yet" in classpulse("sessions", environment=environment).stdout
    assert classpulse("erase", "Physics", "--yes", environment=environment).returncode == 1


def test_a_model_for_a_detector_that_has_its_own(environment: dict[str, str]) -> None:
    result = classpulse("read", "class.png", "--detector-model", "yunet.onnx", environment=environment)
    assert result.returncode == 1
    assert "tileface carries its own weights" in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_settings_file_with_an_unknown_key(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[capture]\nintervall = 2\n")
    result = classpulse("sessions", environment={**environment, "CLASSPULSE_SETTINGS": str(file)})
    assert result.returncode == 1
    assert "capture.intervall" in result.stderr
    file.write_text("[capture\n")
    result = classpulse("sessions", environment={**environment, "CLASSPULSE_SETTINGS": str(file)})
    assert result.returncode == 1
    assert str(file) in result.stderr


def test_a_port_in_use(environment: dict[str, str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = classpulse("dashboard", "--port", port, "--no-browser", environment=environment)
    assert result.returncode == 1
    assert port in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("report_format", "refused"), [("html", True), ("pdf", True), ("xlsx", True), ("csv", False)]
)
def test_no_page_is_poured_into_a_terminal(
    report_format: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classpulse.cli.is_shown", lambda: True)
    monkeypatch.setattr("classpulse.past_sessions.report", lambda *_: b"contents")
    done = CliRunner().invoke(app, ["report", "last", "--format", report_format])
    if refused:
        assert isinstance(done.exception, UsageError)
        assert f"--out report.{report_format}, or with > report.{report_format}." in str(done.exception)
        assert not done.output
    else:
        assert done.stdout == "contents"
    monkeypatch.setattr("classpulse.cli.is_shown", lambda: False)
    assert CliRunner().invoke(app, ["report", "last", "--format", report_format]).stdout == "contents"


def test_the_audit_log_is_in_words() -> None:
    row = {
        "id": 1,
        "at": "2026-03-02T10:00:00+00:00",
        "actor": "page",
        "action": "session_kept",
        "subject": 3,
    }
    line = _audit_line({**row, "detail": {"kept": True, "class_agreed": False, "sessions": 2}})
    assert (line["what"], line["detail"]) == ("session kept", "kept: yes, class agreed: no, sessions: 2")

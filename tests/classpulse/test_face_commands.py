"""The commands of the three networks that find faces."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classpulse.cli import app
from classpulse.errors import UsageError
from engagement.errors import ClasspulseError


@pytest.mark.parametrize("network", ["face", "landmarks", "presence"])
def test_a_precision_that_is_none_is_refused_before_anything_is_read(network: str) -> None:
    answer = CliRunner().invoke(app, ["models", network, "export", "absent", "--precision", "half"])
    assert isinstance(answer.exception, UsageError)
    assert "auto, int8 or float32, not 'half'" in str(answer.exception)


@pytest.mark.parametrize(
    "command",
    [
        "face train",
        "face export",
        "face evaluate",
        "landmarks train",
        "landmarks export",
        "presence train",
        "presence export",
    ],
)
def test_each_command_tells_its_options(command: str) -> None:
    told = CliRunner().invoke(app, ["models", *command.split(), "--help"])
    assert told.exit_code == 0
    assert "--data" in told.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("face", "train", "run", "--learning-rate", "nan"), "--learning-rate must be above 0"),
        (("landmarks", "train", "run", "--learning-rate", "-1"), "--learning-rate must be above 0"),
        (("face", "train", "run", "--precision", "half"), "no precision 'half'; choose float32 or"),
        (("landmarks", "train", "run", "--precision", "half"), "no precision 'half'; choose float32 or"),
        (("face", "evaluate", "--labels", "labels"), "--labels names a file that ends in .npz"),
        (("face", "export", "classifier"), "run of another kind of network: its settings lack"),
        (("presence", "train", "run", "--learning-rate", "0"), "--learning-rate must be above 0"),
        (("presence", "train", "run", "--precision", "half"), "no precision 'half'; choose float32 or"),
        (("presence", "train", "run", "--view", "aside"), "no view 'aside'; choose one of turned, upright"),
        (("presence", "export", "classifier"), "run of another kind of network: its settings lack"),
        (("presence", "train", "run", "--data", "absent"), "There are no photographs in absent/faces"),
        (("landmarks", "export", "classifier"), "run of another kind of network: its settings lack"),
        (("face", "train", "taken/run"), "A file cannot be read or written"),
        (("face", "evaluate"), "yunet_2026may.onnx. Give --data, or set CLASSPULSE_DATA"),
        (
            ("face", "evaluate", "--data", "absent"),
            "There are no photographs in absent/faces. Give --data, or set",
        ),
        (("landmarks", "train", "run", "--data", "absent"), "There are no photographs in absent/faces"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    options: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("keras")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLASSPULSE_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "faces").mkdir(parents=True)
    (tmp_path / "taken").write_text("a file, no folder")
    run = tmp_path / "classifier"
    run.mkdir()
    (run / "best.weights.h5").write_bytes(b"")
    record = {"settings": {"architecture": "resnet-s"}, "history": [{"epoch": 1}]}
    (run / "run.json").write_text(json.dumps(record))
    answer = CliRunner().invoke(app, ["models", *options])
    assert isinstance(answer.exception, ClasspulseError), answer.exception
    assert said in str(answer.exception)


def test_who_interrupts_a_training_is_told_that_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = pytest.importorskip("models.detector.train")

    def interrupted(*given: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train_detector", interrupted)
    (tmp_path / "faces").mkdir()
    answer = CliRunner().invoke(
        app, ["models", "face", "train", str(tmp_path / "run"), "--data", str(tmp_path)]
    )
    assert answer.exit_code == 130
    assert "the same command goes on" in " ".join(answer.stderr.split())

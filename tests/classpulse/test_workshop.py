import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from classpulse import workshop
from classpulse.cli import app
from classpulse.errors import UsageError
from models.export import SECOND_LOOK
from models.registry import resolve
from models.train import Phase


def run(folder: Path, name: str, accuracies: list[float], chosen: int) -> None:
    history = [{"epoch": n, "public_accuracy": a} for n, a in enumerate(accuracies, start=1)]
    settings = {"architecture": "resnet-slim", "phases": [{"epochs": 3}, {"epochs": 2}]}
    (folder / name).mkdir()
    record = {"settings": settings, "history": history, "chosen_epoch": chosen}
    (folder / name / "run.json").write_text(json.dumps(record))


def test_phases_are_read_as_they_are_written() -> None:
    assert workshop.read_phase("14:32:0.1:0.2:0.6:0.5") == Phase(14, 32, 0.1, 0.2, 0.6, 0.5)
    assert workshop.read_phase("14:32:0.1:0.2:0.6") == Phase(14, 32, 0.1, 0.2, 0.6)
    assert workshop.read_phase("14:32:0.1:0.2") == Phase(14, 32, 0.1, 0.2, 1.0)
    assert workshop.read_phase("8:44") == Phase(8, 44, 0.0, 0.0)


@pytest.mark.parametrize(
    "text",
    ["", "14", "14:32:2", "0:32", "14:8", "a:b", "1:32:0.1:0.1:1:1:1", "1:32:0.1:0.1:1:2", "1:32:-0.1"],
)
def test_a_phase_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"EPOCHS:SIZE:DEGRADED:ERASED:STRENGTH:MIXED, such as 14:32:0\.1:0\.1"
    ):
        workshop.read_phase(text)


def test_runs_are_listed_with_the_best_first(tmp_path: Path) -> None:
    run(tmp_path, "first", [0.5, 0.61, 0.6], chosen=2)
    run(tmp_path, "second", [0.7], chosen=1)
    evaluation = {"ferplus_majority": {"value": 0.843}, "ece": 0.0123}
    (tmp_path / "second" / "evaluation.json").write_text(json.dumps(evaluation))
    rows = workshop.runs_in(tmp_path)
    assert [row["run"] for row in rows] == ["second", "first"]
    assert rows[0] | {"architecture": ""} == {
        "run": "second", "architecture": "", "epochs": "1 of 5", "PublicTest": "70.0%", "FER+": "84.3%", "ECE": "0.012",
    }  # fmt: skip
    assert (rows[1]["PublicTest"], rows[1]["ECE"]) == ("61.0%", "-")
    answer = CliRunner().invoke(app, ["models", "list", str(tmp_path), "--json"])
    assert json.loads(answer.stdout) == rows
    (tmp_path / "none").mkdir()
    assert "No run in" in CliRunner().invoke(app, ["models", "list", str(tmp_path / "none")]).stdout


def test_what_is_no_whole_run_is_not_listed(tmp_path: Path) -> None:
    run(tmp_path, "whole", [0.5], chosen=1)
    for name, text in (
        ("broken", "{"),
        ("list", "[]"),
        ("unbegun", '{"settings": {}, "history": []}'),
        ("detector", '{"settings": {}, "history": [{"round": 1, "val_ap": 0.9}]}'),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(text)
    (tmp_path / "whole" / "evaluation.json").write_text("{")
    assert [row["run"] for row in workshop.runs_in(tmp_path)] == ["whole"]


def test_files_that_cannot_be_written_are_told_in_words(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    folder = tmp_path / "data" / "train" / "happy"
    folder.mkdir(parents=True)
    face = np.full((48, 48), 90, np.uint8)
    cv2.imwrite(str(folder / "face.png"), face)
    shutil.copytree(folder.parent, tmp_path / "data" / "val")
    answer = CliRunner().invoke(
        app, ["models", "train", str(in_the_way / "out"), "--data", str(tmp_path / "data")]
    )
    assert isinstance(answer.exception, UsageError)
    assert "cannot be read or written" in str(answer.exception)
    assert str(in_the_way) in str(answer.exception)


def test_an_interrupted_training_says_that_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("models.train.train", interrupt)
    answer = CliRunner().invoke(app, ["models", "train", str(tmp_path), "--data", str(tmp_path)])
    assert answer.exit_code == 130
    assert "the same command goes on" in " ".join((answer.stderr + capfd.readouterr().err).split())


def test_where_there_are_no_faces_the_way_to_name_them_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSPULSE_DATA", str(tmp_path))
    answer = CliRunner().invoke(app, ["models", "evaluate"])
    assert isinstance(answer.exception, UsageError)
    assert "Give --data, or set CLASSPULSE_DATA" in str(answer.exception)


def test_an_unknown_keras_backend_is_named(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "classpulse", "models", "list"],
        env=os.environ | {"KERAS_BACKEND": "caffe", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "Set KERAS_BACKEND to tensorflow, torch or jax" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "."], "holds neither a run nor a report"),
        (["compare", "--out", "page"], "such as comparison.html"),
        (["train", "out", "--epochs", "3", "--phase", "1:44"], "choose one of them"),
        (["train", "out", "--learning-rate", "-0.1"], "must be above 0, got -0.1"),
        (["train", "out", "--learning-rate", "nan"], "must be above 0, got nan"),
        (["train", "out", "--heads", "2", "--hard-weight", "0.6"], "choose one"),
        (["train", "out", "--teacher-weight", "0.5"], "--teacher-weight needs a teacher"),
        (["train", "out", "--teachers-see-views"], "--teachers-see-views needs a teacher"),
        (["train", "out", "--teachers-mirror"], "--teachers-mirror needs a teacher"),
        (
            ["train", "out", "--teacher", "a", "--teachers-mirror"],
            "give --teachers-see-views, or leave it out",
        ),
        (["train", "out", "--start", "a", "--pretrained", "b"], "--start and --pretrained both"),
        (
            ["train", "out", "--architecture", "knn", "--seed", "2", "--epochs", "3", "--standardise"],
            "knn heeds --data, --seed and --limit only; leave out --epochs, --standardise.",
        ),
        (["export", "run", "--prior", "some"], "not 'some'"),
        (["export", "run", "--prior", "1.5"], "0..1, not 1.5"),
        (["evaluate", "run", "--engine", "fer"], "exclude each other"),
    ],
)
def test_options_that_contradict_are_refused(arguments: list[str], message: str) -> None:
    answer = CliRunner().invoke(app, ["models", *arguments])
    assert isinstance(answer.exception, UsageError)
    assert message in str(answer.exception)


@pytest.mark.parametrize(
    "options",
    [
        ["--heads", "2", "--teacher", "first", "--teacher-weight", "0.5", "--teachers-see-views"],
        ["--hard-weight", "0.5", "--start", "first"],
        ["--architecture", "svm-rbf", "--seed", "2", "--limit", "10"],
    ],
)
def test_options_that_are_heeded_are_not_refused(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    (tmp_path / "first").mkdir()
    monkeypatch.setattr("models.train.train", interrupt)
    answer = CliRunner().invoke(app, ["models", "train", "out", "--data", str(tmp_path), *options])
    assert answer.exit_code == 130


@pytest.mark.parametrize(("options", "share"), [([], SECOND_LOOK), (["--second-look", "0.5"], 0.5)])
def test_an_export_is_told_how_many_to_look_at_twice(
    options: list[str], share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def export(*_: object, **given: object) -> object:
        asked.append(given)
        return resolve("expression")

    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    monkeypatch.setattr("models.export.export", export)
    answer = CliRunner().invoke(app, ["models", "export", "run", "--data", str(tmp_path), *options])
    assert asked == [{"prior": None, "second_look": share}]
    assert json.loads(answer.stdout)["second_look"] == resolve("expression").second_look


def test_the_page_tells_a_command_that_can_be_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("runs/first", "second run"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "evaluation.json").write_text("{}")
    (tmp_path / "faces.csv").write_text("")
    told: list[str] = []
    monkeypatch.setattr("models.evaluate.evaluate", lambda *_, **__: {})
    monkeypatch.setattr("models.compare.read_entry", lambda folder: folder)
    monkeypatch.setattr("models.compare.write_page", lambda *page: told.append(page[2]))
    words = ["compare", "runs/first", str(tmp_path / "second run"), "--out", "docs/page.html"]
    answer = CliRunner().invoke(app, ["models", *words, "--data", str(tmp_path / "faces.csv")])
    assert answer.exit_code == 0, answer.exception
    assert told == ["classpulse models compare runs/first 'second run' --data faces.csv --out docs/page.html"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "none"), "There is no folder none"),
        (("export", "none"), "There is no folder none"),
        (("average", "out", "none", "none"), "There is no folder none"),
        (("evaluate", "none"), "There is no folder none"),
        (("evaluate", "--split", "Tuesday"), "There is no split 'Tuesday'; choose one of Training, "),
        (("evaluate", "--data", "none.parquet"), "none.parquet does not exist"),
        (("compare", "none"), "There is no folder none"),
        (("train", "out", "--teacher", "none"), "There is no folder none"),
        (("train", "out", "--start", "none"), "There is no folder none"),
        (("train", "out", "--posed", "none.parquet"), "There is no file none.parquet"),
        (("train", "out", "--pretrained", "none.h5"), "There is no file none.h5"),
        (("train", "out", "--phase", "3"), "The phase '3' cannot be read"),
    ],
    ids=str,
)
def test_what_is_not_there_is_refused_before_anything_is_loaded(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def loaded() -> Iterator[None]:
        pytest.fail("the workshop was loaded")
        yield

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workshop, "needs_workshop", loaded)
    done = CliRunner().invoke(app, ["models", *arguments])
    with pytest.raises(UsageError, match=re.escape(said)):
        raise done.exception or AssertionError
    assert not done.output


def test_nothing_of_a_bar_is_left_above_a_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError), workshop.progress_bar("export of a run"):
        raise UsageError("It is none.")
    assert "export of a run" not in capsys.readouterr().err


IMPORTED = """
import os, sys
from classpulse.workshop import without_tensorflow_log
with without_tensorflow_log():
    os.write(2, b"oneDNN custom operations are on")
    sys.argv[1:] and __import__("no_such_package")
os.write(2, b"after")
"""


def test_the_log_of_tensorflow_is_for_who_asks_for_it() -> None:
    assert _stderr_of(IMPORTED, [], {}) == "after"
    assert _stderr_of(IMPORTED, [], {"TF_CPP_MIN_LOG_LEVEL": "0"}) == "oneDNN custom operations are onafter"


def test_the_log_of_tensorflow_is_shown_where_the_import_fails() -> None:
    told = _stderr_of(IMPORTED, ["fail"], {})
    assert told.startswith("oneDNN custom operations are on")
    assert "no_such_package" in told


def _stderr_of(program: str, arguments: list[str], variables: dict[str, str]) -> str:
    without = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=without | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stderr

"""`classpulse models face`, `landmarks` and `presence`: composes the workshops of the networks that find faces, which
are installed with the extra `train` only."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from classpulse.errors import UsageError
from classpulse.workshop import check_learning_rate, files_in_words, needs_workshop, progress_bar


@files_in_words()
def train(
    data: Path | None,
    *,
    out: Path,
    rounds: int,
    fresh: int,
    steps: int,
    batch: int,
    learning_rate: float,
    landmark_weight: float,
    least_tile: int,
    start: Path | None,
    precision: str,
    seed: int,
) -> str:
    """Train with a progress bar, or go on where the run in `out` stopped; what came of it, in a sentence.

    Raises:
        UsageError: the extra `train` is not installed.
        models.errors.ModelsError: the data or an option is wrong.
    """
    check_learning_rate(learning_rate)
    with needs_workshop():
        from models.backends import demand_tensorflow
        from models.detector.train import DetectorSettings, train_detector
    demand_tensorflow("The training of the face detector")
    settings = DetectorSettings(
        data=data_folder(data),
        out=out,
        rounds=rounds,
        fresh=fresh,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        landmark_weight=landmark_weight,
        least_tile=least_tile,
        start=start,
        precision=precision,
        seed=seed,
    )
    history = _rounds("face detector", train_detector, settings, lambda row: f"AP {row['val_ap']:.3f} on val")
    best = max(row["val_ap"] for row in history)
    return f"AP {best:.3f} on val; the run is in {out}. Serve it with: classpulse models face export {out}"


@files_in_words()
def average(runs: Sequence[Path], out: Path) -> str:
    """Make one run of several; what to do with it, in a sentence."""
    with needs_workshop():
        from models.detector.averaging import average_detectors
    average_detectors(runs, out)
    return f"The mean of {len(runs)} runs is in {out}. Serve it with: classpulse models face export {out}"


@files_in_words()
def export(run: Path, data: Path | None, precision: str) -> str:
    """Make a finished run the detector that is used; what was chosen, as text."""
    _check_precision(precision)
    with needs_workshop():
        from models.detector.export import export_detector
    entry = _exported(export_detector, run, data, precision)
    return json.dumps({"sha256": entry.sha256, "threshold": entry.threshold, **entry.metrics}, indent=2)


@files_in_words()
def evaluate(data: Path | None, *, out: Path, labels: Path | None, card: Path | None) -> str:
    """Measure the detector and the landmarks that are used, beside YuNet; the figures as text."""
    if labels is not None and labels.suffix != ".npz":
        raise UsageError(f"--labels names a file that ends in .npz, not {labels}.")
    with needs_workshop():
        from models.detector.evaluate import evaluate_detector
    folder = data_folder(data)
    with progress_bar("faces and landmarks") as (on_step, _):
        report = evaluate_detector(folder, out, labels=labels, card=card, on_step=on_step)
    return json.dumps(report, indent=2)


@files_in_words()
def train_landmarks(
    data: Path | None,
    *,
    out: Path,
    rounds: int,
    fresh: int,
    steps: int,
    batch: int,
    learning_rate: float,
    precision: str,
    seed: int,
) -> str:
    """Train with a progress bar, or go on where the run in `out` stopped; what came of it, in a sentence.

    Raises:
        UsageError: the extra `train` is not installed.
        models.errors.ModelsError: the data or an option is wrong.
    """
    check_learning_rate(learning_rate)
    with needs_workshop():
        from models.backends import demand_tensorflow
        from models.landmarks import train as training
    demand_tensorflow("The training of the landmark network")
    settings = training.LandmarkSettings(
        data=data_folder(data),
        out=out,
        rounds=rounds,
        fresh=fresh,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        precision=precision,
        seed=seed,
    )
    history = _rounds(
        "landmarks",
        training.train_landmarks,
        settings,
        lambda row: f"{row['val_galleries']:.1%} of a face's height on val",
    )
    best = min(row["val_galleries"] for row in history)
    return (
        f"{best:.1%} of a face's height on val; the run is in {out}. "
        f"Serve it with: classpulse models landmarks export {out}"
    )


@files_in_words()
def export_landmarks(run: Path, data: Path | None, precision: str) -> str:
    """Make a finished run the landmark network that is used; what was chosen, as text."""
    _check_precision(precision)
    with needs_workshop():
        from models.landmarks import export as exporting
    entry = _exported(exporting.export_landmarks, run, data, precision)
    return json.dumps({"sha256": entry.sha256, **entry.metrics}, indent=2)


@files_in_words()
def train_presence(
    data: Path | None,
    *,
    out: Path,
    rounds: int,
    steps: int,
    batch: int,
    learning_rate: float,
    view: str,
    precision: str,
    seed: int,
) -> str:
    """Train with progress bars, or go on where the run in `out` stopped; what came of it, in a sentence.

    Raises:
        UsageError: the extra `train` is not installed.
        models.errors.ModelsError: the data or an option is wrong.
    """
    check_learning_rate(learning_rate)
    with needs_workshop():
        from models.backends import demand_tensorflow
        from models.presence import train as training
    demand_tensorflow("The training of the presence network")
    settings = training.PresenceSettings(
        data=data_folder(data),
        out=out,
        rounds=rounds,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        view=view,
        precision=precision,
        seed=seed,
    )
    history = _rounds(
        "presence",
        training.train_presence,
        settings,
        lambda row: f"AP {row['val_ap']:.4f} on val ({row['val_ap_alone']:.4f} without)",
    )
    best = max(row["val_ap"] for row in history)
    return (
        f"AP {best:.4f} on val; the run is in {out}. Serve it together with that of the other view: "
        f"classpulse models presence export {out} OTHER"
    )


@files_in_words()
def export_presence(runs: Sequence[Path], data: Path | None, precision: str) -> str:
    """Make finished runs, one for each view, the presence network that is used; what was chosen, as text."""
    _check_precision(precision)
    with needs_workshop():
        from models.presence import export as exporting
    entry = _exported(exporting.export_presence, runs, data, precision)
    return json.dumps({"sha256": entry.sha256, "scale": asdict(entry.scale), **entry.metrics}, indent=2)


def _exported(
    export: Callable[..., Any], run: Path | Sequence[Path], data: Path | None, precision: str
) -> Any:
    """The entry of the manifest that `export` makes of a finished run or several."""
    folder = data_folder(data)
    names = [run.name] if isinstance(run, Path) else [one.name for one in run]
    with progress_bar(f"export of {' and '.join(names)}"):
        return export(run, folder, precision=precision)


def _rounds(
    title: str, train: Callable[..., object], settings: Any, told: Callable[[dict[str, float]], str]
) -> list[dict[str, float]]:
    """Train behind a progress bar that tells of each round; the run's history."""
    with progress_bar(title) as (on_step, say):

        def on_round(row: dict[str, float]) -> None:
            say(f"round {row['round']:.0f}: {told(row)}, {row['seconds']:.0f} s")

        with _goes_on_later(say):
            train(settings, on_step=on_step, on_round=on_round)
    record: dict[str, Any] = json.loads((settings.out / "run.json").read_text(encoding="utf-8"))
    return list(record["history"])


def _check_precision(precision: str) -> None:
    if precision not in {"auto", "int8", "float32"}:
        raise UsageError(f"--precision is auto, int8 or float32, not {precision!r}.")


@contextmanager
def _goes_on_later(say: Callable[[str], None]) -> Iterator[None]:
    """Around a training: whoever interrupts it is told that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        say("interrupted: the same command goes on after the last whole round")
        raise


def data_folder(given: Path | None) -> Path:
    """The shared data: photographs of faces, screenshots, the teacher's weights. Raises UsageError where it is not."""
    folder = given or Path(os.environ.get("CLASSPULSE_DATA", "../shared/data"))
    if not (folder / "faces").is_dir():
        raise UsageError(
            f"There are no photographs in {folder / 'faces'}. Give --data, or set CLASSPULSE_DATA to the folder that "
            "holds faces/, galleries/ and reference/."
        )
    return folder

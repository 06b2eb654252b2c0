"""`classpulse models face` and `landmarks`: composes the workshops of the networks that find faces, which are installed
with the extra `train` only."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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
    with progress_bar("face detector") as (on_step, say):

        def on_round(row: dict[str, float]) -> None:
            say(f"round {row['round']:.0f}: AP {row['val_ap']:.3f} on val, {row['seconds']:.0f} s")

        with _goes_on_later(say):
            train_detector(settings, on_step=on_step, on_round=on_round)
    history = json.loads((out / "run.json").read_text(encoding="utf-8"))["history"]
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
    folder = data_folder(data)
    with progress_bar(f"export of {run.name}"):
        entry = export_detector(run, folder, precision=precision)
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
    with progress_bar("landmarks") as (on_step, say):

        def on_round(row: dict[str, float]) -> None:
            say(
                f"round {row['round']:.0f}: {row['val_galleries']:.1%} of a face's height on val, "
                f"{row['seconds']:.0f} s"
            )

        with _goes_on_later(say):
            training.train_landmarks(settings, on_step=on_step, on_round=on_round)
    history = json.loads((out / "run.json").read_text(encoding="utf-8"))["history"]
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
    folder = data_folder(data)
    with progress_bar(f"export of {run.name}"):
        entry = exporting.export_landmarks(run, folder, precision=precision)
    return json.dumps({"sha256": entry.sha256, **entry.metrics}, indent=2)


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

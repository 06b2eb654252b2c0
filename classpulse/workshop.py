"""`classpulse models`: composes the workshop, which is installed with the extra `train` only."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from classpulse.errors import UsageError


def train(
    data: Path | None,
    *,
    out: Path,
    architecture: str,
    batch: int,
    learning_rate: float,
    seed: int,
    limit: int,
) -> Path:
    """Train with a progress bar, or go on where the run in `out` stopped; the run's folder.

    Raises:
        UsageError: the extra `train` is not installed.
        models.errors.ModelsError: the data or an option is wrong.
    """
    with _workshop():
        from models.train import TrainSettings
        from models.train import train as run_training
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    settings = TrainSettings(
        data=faces_file(data),
        out=out,
        architecture=architecture,
        batch=batch,
        learning_rate=learning_rate,
        seed=seed,
        limit=limit,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("first epoch", total=settings.epochs)

        def on_epoch(row: dict[str, float]) -> None:
            progress.update(
                task,
                completed=row["epoch"],
                description=f"PublicTest {row['public_accuracy']:.1%}, {row['seconds']:.0f} s an epoch",
            )

        return run_training(settings, on_epoch=on_epoch)


def export(run: Path, data: Path | None) -> str:
    """Make a finished run the classifier that is served; what was chosen, as text."""
    with _workshop():
        from models.export import export as export_run
    entry = export_run(run, faces_file(data))
    return json.dumps({"sha256": entry.sha256, "temperature": entry.temperature, **entry.metrics}, indent=2)


def evaluate(data: Path | None, *, split: str, out: Path, card: Path | None) -> str:
    """Measure the shipped classifier; the main figures as text."""
    with _workshop():
        from models.evaluate import evaluate as measure
    report = measure(faces_file(data), out, split=split, card=card)
    return json.dumps(report, indent=2)


def faces_file(given: Path | None) -> Path:
    """The faces to train and measure with."""
    if given is not None:
        return given
    return Path(os.environ.get("CLASSPULSE_DATA", "../shared/data")) / "fer2013" / "fer2013plus.parquet"


@contextmanager
def _workshop() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise UsageError(
            f"Training and evaluation need the extra `train` ({error.name} is missing): "
            "uv run --extra train classpulse models ..."
        ) from error

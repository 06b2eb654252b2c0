"""A progress bar over a training run."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.train import TrainSettings, train


def train_with_bar(settings: TrainSettings, console: Console) -> Path:
    """`models.train.train` with a bar and one line per epoch on `console`; returns the run's folder."""
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("training", total=None)

        def on_epoch(record: dict[str, float]) -> None:
            progress.console.print(
                f"epoch {record['epoch']}/{settings.epochs}  loss {record['loss']:.3f}  "
                f"PublicTest {record['public_accuracy']:.1%}  {record['seconds']:.0f} s"
            )

        return train(
            settings,
            on_step=lambda done, total: progress.update(task, completed=done, total=total),
            on_epoch=on_epoch,
        )

"""Progress on the terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engagement.records import IntervalRecord


@contextmanager
def show_progress(
    total: Callable[[], int | None], *, shown: bool
) -> Iterator[Callable[[IntervalRecord], None] | None]:
    """A bar on standard error for a recording, a running line for a live source; None where nothing is shown.

    Args:
        total: gives the intervals expected, None where unknown; asked at the first interval, when the source is open.
        shown: False for services.
    """
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("loading the models", total=None)

        def on_interval(record: IntervalRecord) -> None:
            if progress.tasks[task].completed == 0:
                progress.update(task, total=total())
            progress.update(task, advance=1, description=interval_line(record))

        yield on_interval


def interval_line(record: IntervalRecord) -> str:
    """One line for the terminal, such as "27 tiles, 24 faces, 23 read"."""
    if record.not_observed is not None:
        return f"not observed: {record.not_observed.replace('_', ' ')}"
    line = f"{record.tiles} tiles, {record.faces} faces"
    # in participation mode, and under five faces in aggregate mode, no expression is told
    return line if record.expressions is None else f"{line}, {record.faces_read} read"

"""Pictures of a run, drawn with matplotlib (the `train` extra)."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS


def draw_curves(history: list[dict[str, float]], path: Path) -> None:
    """Loss and accuracy against the epoch."""
    figure, (left, right) = _figure(2, (9, 3.6))
    epochs = [record["epoch"] for record in history]
    left.plot(epochs, [record["loss"] for record in history], color="#1f6f8b")
    left.set(xlabel="epoch", ylabel="training loss (soft targets)")
    right.plot(
        epochs, [record["accuracy"] for record in history], color="#1f6f8b", label="training, augmented"
    )
    right.plot(epochs, [record["public_accuracy"] for record in history], color="#d1495b", label="PublicTest")
    right.set(xlabel="epoch", ylabel="accuracy")
    right.legend(frameon=False)
    figure.savefig(path, dpi=120)


def draw_confusion(matrix: NDArray[np.int64], path: Path) -> None:
    """Confusion matrix (7, 7), rows (labels) normalised, counts written in."""
    figure, (axes,) = _figure(1, (5.6, 5.2))
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(EXPRESSIONS))
    axes.set_xticks(ticks, EXPRESSIONS, rotation=45, ha="right")
    axes.set_yticks(ticks, EXPRESSIONS)
    axes.set(xlabel="predicted", ylabel="labelled")
    for row in ticks:
        for column in ticks:
            shade = "white" if shares[row, column] > 0.5 else "black"
            axes.text(
                column, row, str(matrix[row, column]), ha="center", va="center", color=shade, fontsize=8
            )
    figure.savefig(path, dpi=120)


def _figure(columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, np.atleast_1d(figure.subplots(1, columns))

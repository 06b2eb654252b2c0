"""Figures of a classifier, as pure functions over logits float (N, 7) and labels int (N,)."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from models.data import VOTE_OF, VOTES

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]

_FERPLUS_EMOTIONS: Final = VOTES.index("unknown")
"""FER+'s first eight columns are emotions, the last two are not."""


def softmax(logits: Floats, temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities of logits (N, C) divided by `temperature`; rows sum to 1."""
    scaled = np.asarray(logits, np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    exponential = np.exp(scaled)
    return np.asarray(exponential / exponential.sum(axis=1, keepdims=True), np.float64)


def of_heads(logits: Floats) -> NDArray[np.float64]:
    """Probabilities of logits (N, 7 H) of H heads, each head's seven summing to 1: float64 (N, H, 7)."""
    flat = softmax(logits.reshape(-1, len(EXPRESSIONS)))
    return flat.reshape(len(logits), -1, len(EXPRESSIONS))


def log_loss(logits: Floats, labels: Labels, temperature: float = 1.0) -> float:
    """Mean negative log-likelihood of the labels, in nats."""
    chosen = softmax(logits, temperature)[np.arange(len(labels)), labels]
    return -float(np.log(np.maximum(chosen, 1e-12)).mean())


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """The temperature in 0.05..10 with the lowest negative log-likelihood (Guo et al. 2017).

    Golden-section search: the likelihood is convex in 1 / temperature.
    """
    golden = (np.sqrt(5) - 1) / 2
    low, high = 0.1, 20.0
    for _ in range(45):
        span = golden * (high - low)
        if log_loss(logits, labels, 1 / (high - span)) < log_loss(logits, labels, 1 / (low + span)):
            high = low + span
        else:
            low = high - span
    return float(2 / (low + high))


def fit_offsets(logits: Floats, labels: Labels) -> NDArray[np.float64]:
    """Offsets (7,), mean 0, which added to the logits make the mean prediction that of the labels.

    Maximum likelihood with a free temperature (vector scaling with one slope; Guo et al. 2017), by gradient descent.
    """
    truth = np.eye(logits.shape[1])[labels]
    slope, bias = 1 / fit_temperature(logits, labels), np.zeros(logits.shape[1])
    for _ in range(400):
        error = softmax(logits * slope + bias) - truth
        bias -= 2 * error.mean(axis=0)
        slope -= 0.05 * float((error * logits).sum(axis=1).mean())
    return np.asarray((bias - bias.mean()) / slope, np.float64)


def reliability(probabilities: Floats, labels: Labels, bins: int = 15) -> list[dict[str, float]]:
    """The reliability diagram: per equal-width bin of the top probability that holds faces, their share, mean
    confidence, and accuracy with its 95 % interval."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = []
    for inside in (which == number for number in range(bins)):
        if not inside.any():
            continue
        low, high = wilson(int(correct[inside].sum()), int(inside.sum()))
        rows.append(
            {
                "confidence": float(confidence[inside].mean()),
                "accuracy": float(correct[inside].mean()),
                "low": low,
                "high": high,
                "share": float(inside.mean()),
            }
        )
    return rows


def calibration_error(probabilities: Floats, labels: Labels, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins of the top probability, 0..1."""
    rows = reliability(probabilities, labels, bins)
    return sum(abs(row["accuracy"] - row["confidence"]) * row["share"] for row in rows)


def wilson(correct: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927), in 0..1. `total` must be positive."""
    share = correct / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return float(middle - half), float(middle + half)


def confusion(predicted: Labels, labels: Labels) -> NDArray[np.int64]:
    """Counts (7, 7): row = label, column = prediction."""
    classes = len(EXPRESSIONS)
    return np.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def class_scores(matrix: NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Precision, recall (with its 95 % interval), F1 and support of each expression, from `confusion`."""
    hits = np.diag(matrix).astype(float)
    precision = hits / np.maximum(matrix.sum(axis=0), 1)
    recall = hits / np.maximum(matrix.sum(axis=1), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    scores: dict[str, dict[str, float]] = {}
    for i, name in enumerate(EXPRESSIONS):
        low, high = wilson(int(matrix[i, i]), max(1, int(matrix[i].sum())))
        scores[name] = {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "recall_low": low,
            "recall_high": high,
            "f1": float(f1[i]),
            "support": float(matrix[i].sum()),
        }
    return scores


def macro_f1(matrix: NDArray[np.int64]) -> float:
    """Unweighted mean of the expressions' F1, 0..1."""
    return float(np.mean([scores["f1"] for scores in class_scores(matrix).values()]))


def macro_f1_interval(matrix: NDArray[np.int64], draws: int = 500) -> tuple[float, float]:
    """95 % bootstrap interval of `macro_f1`: faces drawn again with replacement, with a fixed seed."""
    total = int(matrix.sum())
    cells = np.random.default_rng(0).multinomial(total, (matrix / total).ravel(), draws)
    low, high = np.percentile([macro_f1(cell.reshape(matrix.shape)) for cell in cells], [2.5, 97.5])
    return float(low), float(high)


def coverage_curve(probabilities: Floats, labels: Labels, thresholds: Floats) -> list[dict[str, Any]]:
    """For each abstention threshold: share of faces named and accuracy on them, None where none is."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    return [
        {
            "threshold": float(t),
            "coverage": float((confidence >= t).mean()),
            "accuracy": float(correct[confidence >= t].mean()) if (confidence >= t).any() else None,
        }
        for t in thresholds
    ]


def ferplus_majority(votes: NDArray[np.float32]) -> tuple[NDArray[np.bool_], Labels]:
    """FER+ majority labels by Microsoft's rule, from votes (N, 10).

    Emotions with a single vote are outliers and dropped; the winner needs more than half of the votes left;
    a face won by "unknown" or "no face" is left out, one with such votes but another winner stays. Returns
    (kept bool (N,), winner int (N,): column of FER+'s ten). (Barsoum et al. 2016, FERPlus
    `src/ferplus.py`, mode "majority".)
    """
    counts = np.where(votes <= 1, 0, votes)
    total = counts.sum(axis=1)
    winner = counts.argmax(axis=1)
    kept = (total > 0) & (counts.max(axis=1) > 0.5 * total) & (winner < _FERPLUS_EMOTIONS)
    return kept, winner.astype(np.int64)


def agreed_labels(votes: NDArray[np.float32]) -> Labels:
    """`ferplus_majority` as indices into `EXPRESSIONS`, int64 (N,): -1 where voters did not agree, or on contempt."""
    kept, winner = ferplus_majority(votes)
    ours = np.full(len(VOTES), -1, np.int64)
    ours[[VOTES.index(VOTE_OF[name]) for name in EXPRESSIONS]] = np.arange(len(EXPRESSIONS))
    return np.where(kept, ours[winner], -1)


def ferplus_accuracy(predicted: Labels, votes: NDArray[np.float32]) -> tuple[int, int]:
    """(correct, n) against `ferplus_majority`. Contempt, which we do not name, counts as an error."""
    kept, _ = ferplus_majority(votes)
    return int((predicted == agreed_labels(votes))[kept].sum()), int(kept.sum())

"""Expression probabilities of a batch of faces, by LiteRT."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from inference.errors import ClassifierError
from inference.litert import BatchInterpreter
from models.registry import ModelEntry, Steps, at_height


class ExpressionClassifier:
    """Calibrated expression probabilities.

    Args:
        weights: a LiteRT file with one input (N, S, S, 1), float32 in 0..255, and one output of logits
            (N, 7 H), float32: H heads in the order of `EXPRESSIONS` each.
        head: the head that is asked, 0..H-1.
        temperature: the logits are divided by it before the softmax (Guo et al. 2017), above 0.
        temperatures: the same by the face's height, where that is told.
        second_look: a face whose margin (see `margins`) is below this is looked at mirrored too, and its logits are the
            mean of both; of one that is more decided, that seldom changes the answer. 0: none, 1: every face.
        standardise: bring each crop to one light and contrast before (see `standardised`).
        threads: of the interpreter, 1 or more.

    Raises:
        ClassifierError: the file cannot be loaded or has other inputs and outputs.
    """

    def __init__(
        self,
        weights: Path,
        *,
        head: int = 0,
        temperature: float = 1.0,
        temperatures: Steps = (),
        second_look: float = 0.0,
        standardise: bool = False,
        threads: int = 2,
    ) -> None:
        lowest = min([temperature, *(value for _, value in temperatures)])
        if lowest <= 0:
            raise ClassifierError(f"The temperature must be above 0, got {lowest}. Check the manifest.")
        self._network = BatchInterpreter(weights, threads, "expression", ClassifierError)
        takes, gives = self._network.takes, self._network.gives
        if (
            not self._network.floats
            or (len(takes), takes[-1]) != (4, 1)
            or takes[1] != takes[2]
            or len(gives) != 2
            or gives[1] % len(EXPRESSIONS)
            or not 0 <= head < gives[1] // len(EXPRESSIONS)
        ):
            raise ClassifierError(
                f"The expression weights {weights} take {takes} and give {gives}; expected float32 (N, S, S, 1) "
                f"and (N, {len(EXPRESSIONS)}) or a multiple, of more than {head} heads. Install classpulse again."
            )
        self._served = slice(head * len(EXPRESSIONS), (head + 1) * len(EXPRESSIONS))
        self._temperature = temperature
        self._temperatures = tuple(temperatures)
        self._second_look = second_look
        self._standardise = standardise
        self._lock = threading.Lock()

    @classmethod
    def of(cls, entry: ModelEntry) -> Self:
        """The classifier of the manifest, used as it says. Raises ClassifierError."""
        return cls(
            entry.path,
            head=entry.head,
            temperature=entry.temperature,
            temperatures=entry.temperatures,
            second_look=entry.second_look,
            standardise=entry.standardise,
        )

    @property
    def size(self) -> int:
        """Side of the crops in pixels."""
        return int(self._network.takes[1])

    def classify(
        self, crops: NDArray[np.uint8], heights: Sequence[float] | None = None
    ) -> NDArray[np.float32]:
        """Probabilities float32 (N, 7) of grey crops uint8 (N, S, S); N may be 0.

        `heights` are the N faces' in the frame, in px, of which small ones are given less confidence; None stands for
        faces of full size.
        """
        if not len(crops):
            return np.zeros((0, len(EXPRESSIONS)), np.float32)
        temperatures = np.full(len(crops), self._temperature)
        if heights is not None and self._temperatures:
            temperatures = np.array([at_height(self._temperatures, height) for height in heights])
        scaled = self.logits(crops)[:, self._served].astype(np.float64) / temperatures[:, np.newaxis]
        odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What all heads say of N >= 1 grey crops uint8 (N, S, S), the undecided ones looked at twice: float32
        (N, 7 H)."""
        faces = standardised(crops) if self._standardise else crops
        with self._lock:
            logits = self._network.run(faces[..., np.newaxis])
            again = undecided(logits, self._second_look)
            if not again.any():
                return logits
            mirrored = np.zeros_like(logits)
            mirrored[again] = self._network.run(faces[again, :, ::-1, np.newaxis])
        return np.asarray(second_looks(logits, mirrored, again), np.float32)


def margins(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """How far apart the two highest probabilities of a head lie, of logits (N, 7 H) as they are, without a temperature,
    and of the head where they lie closest: float64 (N,), 0..1."""
    by_head = logits.reshape(len(logits), -1, len(EXPRESSIONS)).astype(np.float64)
    odds = np.sort(np.exp(by_head - by_head.max(axis=2, keepdims=True)), axis=2)
    return np.asarray(((odds[..., -1] - odds[..., -2]) / odds.sum(axis=2)).min(axis=1), np.float64)


def undecided(logits: NDArray[np.floating[Any]], second_look: float) -> NDArray[np.bool_]:
    """Which faces of logits (N, 7 H) are to be looked at again, bool (N,): those with a margin below `second_look`, or
    all where that is 1."""
    return np.asarray((margins(logits) < second_look) | (second_look >= 1), np.bool_)


def second_looks(
    once: NDArray[np.floating[Any]], mirrored: NDArray[np.floating[Any]], again: NDArray[np.bool_]
) -> NDArray[np.floating[Any]]:
    """Logits (N, 7 H) of faces as they are and mirrored, averaged where `again` (N,) says so."""
    return np.where(again[:, np.newaxis], (once + mirrored) / 2, once)


def standardised(crops: NDArray[np.number[Any]]) -> NDArray[np.float32]:
    """Grey crops (N, S, S) with mean 128 and standard deviation 64 each, float32; what is all but flat stays so."""
    values = crops.astype(np.float32)
    mean, spread = values.mean(axis=(1, 2), keepdims=True), values.std(axis=(1, 2), keepdims=True)
    return np.asarray((values - mean) / np.maximum(spread, 8.0) * 64.0 + 128.0, np.float32)

"""What the networks that are trained in rounds share: the schedule, the step, the moving average, the checkpoint."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models import checkpoints
from models.errors import TrainingError
from models.runs import load_weights
from models.zoo import computing_in


@dataclass(frozen=True, slots=True)
class RoundSettings:
    """What every run in rounds has.

    data: the shared data.  out: the run's folder, made if absent.
    rounds: how often fresh samples are made and the network is looked at.
    steps: per round.  batch: samples per step.
    learning_rate, warmup_steps, weight_decay: AdamW; cosine to a hundredth.
    average: decay of the moving average of the weights, which is what is measured and kept.
    """

    data: Path
    out: Path
    rounds: int = 8
    steps: int = 500
    batch: int = 128
    learning_rate: float = 3e-3
    warmup_steps: int = 200
    weight_decay: float = 1e-3
    average: float = 0.998
    precision: str = "mixed_bfloat16"
    seed: int = 1


class Learner:
    """A network, its moving average and its optimizer.

    Args:
        settings: of the run.
        build: makes the network.
        losses: of the network and a batch, as a vector whose sum is made small.
        start: folder of a run of the same network whose best weights to begin with; None begins at random.

    Attributes:
        average: the network with the moving average of the weights, which is what is measured and kept.
    """

    def __init__(
        self,
        settings: RoundSettings,
        build: Callable[[], keras.Model],
        losses: Callable[..., Any],
        start: Path | None = None,
    ) -> None:
        keras.utils.set_random_seed(settings.seed)
        self._settings = settings
        self._losses = losses
        self._total = settings.rounds * settings.steps
        with computing_in(settings.precision):
            self._model = build()
        if start is not None:
            load_weights(self._model, start)
        self.average = build()
        self.average.set_weights(self._model.get_weights())
        self._optimizer = keras.optimizers.AdamW(
            settings.learning_rate, weight_decay=settings.weight_decay, global_clipnorm=5.0
        )
        self._optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self._optimizer.build(self._model.trainable_variables)
        self._origin = checkpoints.made_of(settings.data, start)
        self._step = tf.function(self._train_step)

    def round(
        self,
        number: int,
        batches: Iterable[tuple[NDArray[Any], ...]],
        on_step: Callable[[int, int], None] | None = None,
    ) -> NDArray[np.float64]:
        """A step on each of so many `batches` as a round has; the mean losses. `on_step` hears the steps done and their
        total. Raises TrainingError."""
        settings = self._settings
        totals = np.zeros(1)
        for here, batch in zip(range(settings.steps), batches, strict=False):
            step = number * settings.steps + here
            warm = min(1.0, (step + 1) / settings.warmup_steps)
            cosine = 0.5 * (1 + math.cos(math.pi * step / self._total))
            self._optimizer.learning_rate.assign(settings.learning_rate * warm * max(cosine, 0.01))
            decay = min(settings.average, (1 + step) / (10 + step))
            losses = self._step(tf.constant(decay, tf.float32), *(tf.constant(part) for part in batch))
            totals = totals + losses.numpy()
            if on_step is not None:
                on_step(step + 1, self._total)
        if not np.isfinite(totals).all():
            raise TrainingError("The loss is not finite; lower --learning-rate and start again.")
        return np.asarray(totals / settings.steps, np.float64)

    def resume(self) -> list[dict[str, float]]:
        """Load the folder's checkpoint, if any, and return the history so far. Raises TrainingError."""
        plain = checkpoints.plain_settings(self._settings)
        return checkpoints.resume(self._settings.out, plain, self._origin, self._state())

    def keep(self, history: list[dict[str, float]], best: dict[str, float]) -> None:
        """Write checkpoint, best weights and run.json."""
        plain = checkpoints.plain_settings(self._settings)
        checkpoints.keep(self._settings.out, plain, self._origin, self._state(), history, best, self.average)

    def _state(self) -> list[Any]:
        return [*self._model.variables, *self.average.weights, *self._optimizer.variables]

    def _train_step(self, decay: Any, *batch: Any) -> Any:
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            losses = self._losses(self._model, *batch)
            loss = tf.reduce_sum(losses)
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self._optimizer.apply(gradients, variables)
        for kept, variable in zip(self.average.weights, self._model.weights, strict=True):
            kept.assign(kept + (1 - decay) * (variable - kept))
        return losses


def in_turns(
    settings: RoundSettings, number: int, there: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """For each step of a round the rows of its batch, of so many samples that there are: all of them once before one
    comes twice. With them, which are to be shown mirrored, half of them."""
    rng = np.random.default_rng([settings.seed, number, 1])
    passes = 1 + settings.steps * settings.batch // there
    order = np.concatenate([rng.permutation(there) for _ in range(passes)])
    for step in range(settings.steps):
        rows = order[step * settings.batch : (step + 1) * settings.batch]
        yield rows, rng.random(len(rows)) < 0.5


def answers(network: keras.Model, samples: NDArray[Any], batch: int = 256) -> NDArray[np.float32]:
    """What a network that takes and gives one array says of samples (N, ...)."""
    parts = [
        forward(network, tf.constant(samples[start : start + batch], tf.float32)).numpy()
        for start in range(0, len(samples), batch)
    ]
    return np.concatenate(parts)


@tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
def forward(network: keras.Model, samples: Any) -> Any:
    """What the network says when it does not learn."""
    return network(samples, training=False)

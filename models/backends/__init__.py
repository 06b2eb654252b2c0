"""What differs between the Keras backends: the gradient step, the forward pass, and where they run."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from models.errors import TrainingError

Step = Callable[
    [NDArray[np.float32], NDArray[np.float32], float], tuple[NDArray[np.float64], NDArray[np.float32]]
]
"""(views float32 (N, S, S, 1), targets float32 (N, 7 H) of H heads, decay of the moving average) -> float64 (2,) of
loss and share of hits, and the probabilities float32 (N, 7 H) that the network gave before it learnt from them."""


class Backend(Protocol):
    """One module of this package."""

    @staticmethod
    def make_step(
        model: keras.Model,
        average: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        sharpness: float = 0.0,
    ) -> Step:
        """A training step that updates model, optimizer and moving average in place.

        With a `sharpness` above 0 the gradient is taken that far uphill, where the loss of half of the batch rises
        most steeply (Foret et al. 2021, "Sharpness-aware minimization"; half of it as in Du et al. 2022, at half the
        price). Statistics of batch normalisation stay those of the place that was left.
        """

    @staticmethod
    def make_forward(model: keras.Model) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
        """The model in inference mode, faces float32 (N, S, S, 1) -> logits float32 (N, 7 H)."""

    @staticmethod
    def device() -> str:
        """Where tensors are computed, such as "cpu" or "gpu"."""


def backend() -> Backend:
    """The module of the Keras backend in use (environment variable KERAS_BACKEND)."""
    module: Any = import_module(f"models.backends.with_{keras.backend.backend()}")
    return module  # type: ignore[no-any-return]


def demand_tensorflow(what: str) -> None:
    """Raises TrainingError where another backend is in use; `what` needs TensorFlow, such as "Export"."""
    if keras.backend.backend() != "tensorflow":
        raise TrainingError(f"{what} needs TensorFlow; run it with KERAS_BACKEND=tensorflow.")


def loss_of(logits: Any, targets: Any) -> Any:
    """Mean cross-entropy of the heads against soft targets, a scalar tensor."""
    return keras.ops.mean(
        keras.losses.categorical_crossentropy(by_head(targets), by_head(logits), from_logits=True)
    )


def hits_of(logits: Any, targets: Any) -> Any:
    """Share of faces and heads whose largest logit is that of the largest target, a scalar tensor."""
    same = keras.ops.equal(
        keras.ops.argmax(by_head(logits), axis=-1), keras.ops.argmax(by_head(targets), axis=-1)
    )
    return keras.ops.mean(keras.ops.cast(same, "float32"))


def probabilities_of(logits: Any) -> Any:
    """Probabilities (N, 7 H), those of each head summing to 1."""
    return keras.ops.reshape(keras.ops.softmax(by_head(logits)), keras.ops.shape(logits))


def by_head(values: Any) -> Any:
    """(N, 7 H) as (N, H, 7)."""
    return keras.ops.reshape(values, (-1, values.shape[1] // len(EXPRESSIONS), len(EXPRESSIONS)))

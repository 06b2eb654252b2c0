"""Training steps in PyTorch, eagerly; Keras puts them on a GPU where there is one."""

from collections.abc import Callable

import keras
import numpy as np
import torch
from numpy.typing import NDArray

from models.backends import Step, hits_of, loss_of


def make_step(model: keras.Model, average: keras.Model, optimizer: keras.optimizers.Optimizer) -> Step:
    """See `models.backends.Backend`."""
    variables = model.trainable_variables

    def step(
        views: NDArray[np.float32], targets: NDArray[np.float32], decay: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        x, wanted = keras.ops.convert_to_tensor(views), keras.ops.convert_to_tensor(targets)
        model.zero_grad()
        logits = model(x, training=True)
        loss = loss_of(logits, wanted)
        loss.backward()
        with torch.no_grad():
            optimizer.apply([variable.value.grad for variable in variables], variables)
            for kept, variable in zip(average.weights, model.weights, strict=True):
                kept.value.lerp_(variable.value, 1 - decay)
            hits = hits_of(logits, wanted)
            given = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
        return np.array([float(loss.detach()), float(hits)]), np.asarray(given, np.float32)

    return step


def make_forward(model: keras.Model) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """See `models.backends.Backend`."""

    def forward(faces: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(keras.ops.convert_to_numpy(model(faces, training=False)), np.float32)

    return forward


def device() -> str:
    """See `models.backends.Backend`."""
    return "gpu" if torch.cuda.is_available() else "cpu"

"""Training steps in PyTorch, eagerly; Keras puts them on a GPU where there is one."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
from numpy.typing import NDArray

from models.backends import Step, hits_of, loss_of, probabilities_of


def make_step(
    model: keras.Model, average: keras.Model, optimizer: keras.optimizers.Optimizer, sharpness: float = 0.0
) -> Step:
    """See `models.backends.Backend`."""
    variables = model.trainable_variables

    def find_gradients(x: Any, wanted: Any) -> tuple[Any, Any]:
        model.zero_grad()
        logits = model(x, training=True)
        loss = loss_of(logits, wanted)
        loss.backward()
        return loss, logits

    def find_uphill_gradients(x: Any, wanted: Any) -> tuple[Any, Any]:
        half = max(1, len(x) // 2)
        find_gradients(x[:half], wanted[:half])
        moved = [*variables, *model.non_trainable_weights]
        with torch.no_grad():
            places = [variable.value.clone() for variable in moved]
            rises = [variable.value.grad for variable in variables]
            norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(rise) for rise in rises]))
            for variable, rise in zip(variables, rises, strict=True):
                variable.value.add_(rise * (sharpness / (norm + 1e-12)))
        uphill = find_gradients(x, wanted)
        with torch.no_grad():
            for variable, place in zip(moved, places, strict=True):
                variable.value.copy_(place)
        return uphill

    def step(
        views: NDArray[np.float32], targets: NDArray[np.float32], decay: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        x, wanted = keras.ops.convert_to_tensor(views), keras.ops.convert_to_tensor(targets)
        loss, logits = (find_uphill_gradients if sharpness else find_gradients)(x, wanted)
        with torch.no_grad():
            optimizer.apply([variable.value.grad for variable in variables], variables)
            for kept, variable in zip(average.weights, model.weights, strict=True):
                kept.value.lerp_(variable.value, 1 - decay)
            hits = hits_of(logits, wanted)
            given = keras.ops.convert_to_numpy(probabilities_of(logits))
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

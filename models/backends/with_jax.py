"""Training steps in JAX: state goes into a compiled pure function and comes back."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from models.backends import Step, hits_of, loss_of, probabilities_of


def make_step(
    model: keras.Model, average: keras.Model, optimizer: keras.optimizers.Optimizer, sharpness: float = 0.0
) -> Step:
    """See `models.backends.Backend`."""
    places = {
        id(variable): place
        for place, variable in enumerate([*model.trainable_variables, *model.non_trainable_variables])
    }
    order = [places[id(variable)] for variable in model.weights]

    def losses(trained: Any, others: Any, views: Any, targets: Any) -> Any:
        logits, others = model.stateless_call(trained, others, views, training=True)
        return loss_of(logits, targets), (hits_of(logits, targets), probabilities_of(logits), others)

    def train_step(
        trained: Any, others: Any, slots: Any, kept: Any, views: Any, targets: Any, decay: Any
    ) -> Any:
        gradient = jax.value_and_grad(losses, has_aux=True)
        place = trained
        if sharpness:
            half = max(1, len(views) // 2)
            (_, (_, _, statistics)), rises = gradient(trained, others, views[:half], targets[:half])
            step = sharpness / (jnp.sqrt(sum(jnp.vdot(rise, rise) for rise in rises)) + 1e-12)
            place = [value + step * rise for value, rise in zip(trained, rises, strict=True)]
        (loss, (hits, given, others)), gradients = gradient(place, others, views, targets)
        if sharpness:
            others = statistics
        trained, slots = optimizer.stateless_apply(slots, gradients, trained)
        now = [*trained, *others]
        kept = [old + (1 - decay) * (now[place] - old) for old, place in zip(kept, order, strict=True)]
        return loss, hits, given, trained, others, slots, kept

    pure_step = jax.jit(train_step)
    groups = (model.trainable_variables, model.non_trainable_variables, optimizer.variables, average.weights)

    def step(
        views: NDArray[np.float32], targets: NDArray[np.float32], decay: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        state = [[variable.value for variable in group] for group in groups]
        loss, hits, given, *after = pure_step(*state, views, targets, decay)
        for group, values in zip(groups, after, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return np.array([float(loss), float(hits)]), np.asarray(given, np.float32)

    return step


def make_forward(model: keras.Model) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """See `models.backends.Backend`."""

    compiled = jax.jit(
        lambda trained, others, faces: model.stateless_call(trained, others, faces, training=False)[0]
    )

    def forward(faces: NDArray[np.float32]) -> NDArray[np.float32]:
        trained = [variable.value for variable in model.trainable_variables]
        others = [variable.value for variable in model.non_trainable_variables]
        return np.asarray(compiled(trained, others, faces), np.float32)

    return forward


def device() -> str:
    """See `models.backends.Backend`."""
    return str(jax.default_backend())

"""Training steps in TensorFlow: one graph per size of the views."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.backends import Step, hits_of, loss_of, probabilities_of


def make_step(
    model: keras.Model, average: keras.Model, optimizer: keras.optimizers.Optimizer, sharpness: float = 0.0
) -> Step:
    """See `models.backends.Backend`."""
    variables = model.trainable_variables

    def gradients_of(views: Any, targets: Any) -> tuple[Any, Any, Any]:
        with tf.GradientTape() as tape:
            logits = model(views, training=True)
            loss = loss_of(logits, targets)
        return loss, logits, tape.gradient(loss, [variable.value for variable in variables])

    def uphill_gradients_of(views: Any, targets: Any) -> tuple[Any, Any, Any]:
        half = max(1, views.shape[0] // 2)
        _, _, rises = gradients_of(views[:half], targets[:half])
        places = [tf.identity(variable.value) for variable in variables]
        statistics = [tf.identity(variable.value) for variable in model.non_trainable_weights]
        step = sharpness / (tf.linalg.global_norm(rises) + 1e-12)
        for variable, rise in zip(variables, rises, strict=True):
            variable.assign(variable + step * rise)
        uphill = gradients_of(views, targets)
        for variable, place in zip(
            [*variables, *model.non_trainable_weights], [*places, *statistics], strict=True
        ):
            variable.assign(place)
        return uphill

    find_gradients = uphill_gradients_of if sharpness else gradients_of

    def train_step(views: Any, targets: Any, decay: Any) -> Any:
        loss, logits, gradients = find_gradients(views, targets)
        optimizer.apply(gradients, variables)
        for kept, variable in zip(average.weights, model.weights, strict=True):
            kept.assign(kept + (1 - decay) * (variable - kept))
        return tf.stack([loss, hits_of(logits, targets)]), probabilities_of(logits)

    compiled = tf.function(train_step, autograph=False)

    def step(
        views: NDArray[np.float32], targets: NDArray[np.float32], decay: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        figures, given = compiled(tf.constant(views), tf.constant(targets), tf.constant(decay, tf.float32))
        return np.asarray(figures, np.float64), np.asarray(given, np.float32)

    return step


def make_forward(model: keras.Model) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """See `models.backends.Backend`."""
    compiled = tf.function(lambda faces: model(faces, training=False), autograph=False, reduce_retracing=True)
    return lambda faces: np.asarray(compiled(tf.constant(faces)), np.float32)


def device() -> str:
    """See `models.backends.Backend`."""
    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"

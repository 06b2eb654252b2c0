"""Training steps in TensorFlow: one graph per size of the views."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.backends import Step, hits_of, loss_of


def make_step(model: keras.Model, average: keras.Model, optimizer: keras.optimizers.Optimizer) -> Step:
    """See `models.backends.Backend`."""

    def train_step(views: Any, targets: Any, decay: Any) -> Any:
        variables = model.trainable_variables
        with tf.GradientTape() as tape:
            logits = model(views, training=True)
            loss = loss_of(logits, targets)
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        optimizer.apply(gradients, variables)
        for kept, variable in zip(average.weights, model.weights, strict=True):
            kept.assign(kept + (1 - decay) * (variable - kept))
        return tf.stack([loss, hits_of(logits, targets)]), tf.nn.softmax(logits)

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

"""Keras -> LiteRT."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def to_litert(
    model: keras.Model,
    size: int,
    representative: NDArray[np.number[Any]] | None = None,
) -> bytes:
    """LiteRT flat buffer of `model`: float32 (N, size, size, 1) in 0..255 -> float32 (N, 7) logits, N open.

    With `representative` faces (M, size, size), as the network takes them, weights and activations are int8 (input and
    output stay float32); without, float32.
    """
    samples = (
        None if representative is None else [face[np.newaxis, ..., np.newaxis] for face in representative]
    )
    return to_flat_buffer(model, (None, size, size, 1), samples)


def to_flat_buffer(
    model: keras.Model,
    shape: tuple[int | None, ...],
    representative: Sequence[NDArray[np.number[Any]]] | None = None,
) -> bytes:
    """LiteRT flat buffer of `model` for one float32 input of `shape`, None where LiteRT's caller chooses.

    With `representative` inputs that fit `shape`, weights and activations are int8 (inputs and outputs stay
    float32); without, float32.
    """
    signature = tf.TensorSpec(shape, tf.float32)
    function = tf.function(lambda inputs: model(inputs, training=False)).get_concrete_function(signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([convert_variables_to_constants_v2(function)])
    if representative is not None:

        def samples() -> Iterator[list[Any]]:
            for values in representative:
                yield [values.astype(np.float32)]

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings():
        # TensorFlow asks for statistics that only its quantisation-aware training would have.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs", category=UserWarning)
        return bytes(converter.convert())

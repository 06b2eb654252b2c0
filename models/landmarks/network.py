"""The landmark network: a handful of dense 3x3 convolutions on one small picture."""

from collections.abc import Sequence
from typing import Any, Final

import keras
import numpy as np

from inference.landmarks import SIZE
from models.zoo.layers import conv_norm

_FIRST: Final = np.array(
    [[-0.19, -0.19], [0.19, -0.19], [0.0, 0.02], [-0.15, 0.19], [0.15, 0.19]], np.float32
)
"""What it says before training: about the mean face."""


def build_landmarks(
    stem: int = 16, widths: Sequence[int] = (24, 48, 96), blocks: Sequence[int] = (2, 2, 1)
) -> keras.Model:
    """Crops float32 (N, 48, 48, 3) RGB in 0..255 -> float32 (N, 10), landmarks as `Window.inside` gives them.

    Args:
        stem: channels at stride 2.
        widths: channels at the strides 4, 8 and 16.
        blocks: residual 3x3 convolutions at each of these strides, after the one that halves the map.
    """
    inputs, features = crop_features(stem, widths, blocks)
    points = keras.layers.Dense(
        10,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
        bias_initializer=keras.initializers.Constant(_FIRST.ravel()),
        dtype="float32",
    )
    return keras.Model(inputs, points(features))


def crop_features(stem: int, widths: Sequence[int], blocks: Sequence[int]) -> tuple[Any, Any]:
    """The input, crops, and all that is seen of them, flat; see `build_landmarks`."""
    inputs = keras.layers.Input((SIZE, SIZE, 3), dtype="float32")
    x = keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs)
    x = conv_norm(x, stem, strides=2)
    for width, count in zip(widths, blocks, strict=True):
        x = conv_norm(x, width, strides=2)
        for _ in range(count):
            x = keras.layers.Add()([x, conv_norm(x, width)])
    return inputs, keras.layers.Flatten()(x)

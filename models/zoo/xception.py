"""Mini-Xception (Arriaga, Valdenegro-Toro and Ploeger 2017): 58 thousand parameters, depthwise."""

from typing import Any

import keras

from models.zoo.layers import FusedBatchNormalization, conv_norm


def build_mini_xception(size: int | None, classes: int) -> keras.Model:
    """Depthwise-separable blocks beside strided shortcuts. Same contract as `build_resnet`."""
    inputs = keras.layers.Input((size, size, 1), dtype="float32")
    x: Any = keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs)
    x = conv_norm(x, 8)
    x = conv_norm(x, 8)
    for filters in (16, 32, 64, 128):
        shortcut = conv_norm(x, filters, kernel=1, strides=2, activation=False)
        x = keras.layers.ReLU()(_separable(x, filters))
        x = _separable(x, filters)
        x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)
        x = keras.layers.Add()([x, shortcut])
    x = keras.layers.Conv2D(classes, 3, padding="same")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Activation("linear", dtype="float32")(x))


def _separable(x: Any, filters: int) -> Any:
    x = keras.layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
    return FusedBatchNormalization(momentum=0.9, epsilon=1e-5)(x)

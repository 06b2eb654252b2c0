"""Plain convolutional networks that projects like this one begin with."""

from typing import Any

import keras

from models.zoo.layers import conv_norm


def build_cnn4(size: int | None, classes: int) -> keras.Model:
    """The four-block CNN: two 3x3 convolutions and a pooling per block. Same contract as `build_resnet`."""
    inputs = keras.layers.Input((size, size, 1), dtype="float32")
    x: Any = keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs)
    for filters in (32, 64, 128, 256):
        x = conv_norm(x, filters)
        x = conv_norm(x, filters)
        x = keras.layers.MaxPooling2D(2)(x)
        x = keras.layers.Dropout(0.2)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(128, activation="relu")(x)
    x = keras.layers.Dropout(0.4)(x)
    return keras.Model(inputs, keras.layers.Dense(classes, dtype="float32")(x))

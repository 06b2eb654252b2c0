"""Plain convolutional networks that projects like this one begin with."""

from collections.abc import Sequence
from typing import Any, Final

import keras

from models.zoo.layers import FusedBatchNormalization, conv_norm


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


VGG_SLIM: Final = (32, 64, 128, 256)
"""Filters of a VGG that a laptop computes beside a lesson: 1.18 million parameters."""
VGG_NARROW: Final = (48, 96, 192, 224)
"""Those of the wide one but for the last stage, which holds most of its weights: 1.49 million parameters."""


def build_vgg(
    size: int | None, classes: int, *, filters: Sequence[int] = (48, 96, 192, 384), dropout: float = 0.3
) -> keras.Model:
    """Pairs of 3x3 convolutions with a pooling between them (Simonyan and Zisserman 2015), batch-normalised, averaged
    at the end instead of three dense layers. Same contract as `build_resnet`.

    183 million multiply-adds on a 40 px view, all of them dense: a processor with matrix tiles learns it in twice the
    time of resnet-slim's 39 million, so it can teach. With `VGG_SLIM` they are 94 million on the 44 px view that would
    be served, which LiteRT computes in int8 in the time of resnet-slim's 54 million on 48 px.
    """
    inputs = keras.layers.Input((size, size, 1), dtype="float32")
    x: Any = keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs)
    for stage, width in enumerate(filters):
        if stage:
            x = keras.layers.MaxPooling2D(2)(x)
        x = conv_norm(x, width)
        x = conv_norm(x, width)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(dropout)(x)
    return keras.Model(inputs, keras.layers.Dense(classes, dtype="float32")(x))


def build_cnn_256(size: int | None, classes: int) -> keras.Model:
    """The CNN of 256, 128 and 64 filters with three dense layers of 512, 256 and 128. Same contract as `build_resnet`.

    Two 3x3 convolutions with batch normalisation and a pooling per stage. The first convolution is not padded, which
    leaves 5 x 5 maps to the dense layers and gives the 2.1 million parameters that this network is known with. Dense
    layers want one size, so faces of other sizes are brought to 48 px first.
    """
    inputs = keras.layers.Input((size, size, 1), dtype="float32")
    x: Any = keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs)
    x = keras.layers.Resizing(48, 48)(x)
    padding = "valid"
    for filters in (256, 128, 64):
        for _ in range(2):
            x = keras.layers.Conv2D(
                filters, 3, padding=padding, use_bias=False, kernel_initializer="he_normal"
            )(x)
            x = keras.layers.ReLU()(FusedBatchNormalization(momentum=0.9, epsilon=1e-5)(x))
            padding = "same"
        x = keras.layers.MaxPooling2D(2)(x)
        x = keras.layers.Dropout(0.25)(x)
    x = keras.layers.Flatten()(x)
    for units in (512, 256, 128):
        x = keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
        x = keras.layers.Dropout(0.25)(x)
    return keras.Model(inputs, keras.layers.Dense(classes, dtype="float32")(x))

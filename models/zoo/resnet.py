"""A dense residual network for 48 x 48 grey faces: our own."""

from collections.abc import Sequence
from typing import Any, Final

import keras

from models.zoo.layers import conv_norm

SLIM: Final = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (192, 2))
"""Blocks of 55 million multiply-adds on a 48 px face, a third of the default's: most channels on the small maps."""

FINE: Final = ((24, 1), (64, 2), (128, 2), (128, 1), (224, 2))
"""Blocks of 150 million multiply-adds without the pooling behind the stem: the first work on all pixels of the face."""


def residual_block(x: Any, filters: int, strides: int) -> Any:
    """Two 3x3 convolutions beside a shortcut (He et al. 2016; average-pooled shortcut, He et al. 2019)."""
    y = conv_norm(x, filters, strides=strides)
    y = conv_norm(y, filters, activation=False)
    if strides != 1:
        x = keras.layers.AveragePooling2D(strides, padding="same")(x)
    if x.shape[-1] != filters:
        x = conv_norm(x, filters, kernel=1, activation=False)
    return keras.layers.ReLU()(keras.layers.Add()([x, y]))


def build_resnet(
    size: int | None,
    classes: int,
    *,
    stem: int = 32,
    pooled: bool = True,
    blocks: Sequence[tuple[int, int]] = ((32, 1), (64, 1), (64, 1), (128, 2), (128, 1), (224, 2)),
    dropout: float = 0.2,
) -> keras.Model:
    """Grey faces float32 (N, size, size, 1) in 0..255 -> logits float32 (N, classes).

    Normalisation is the first layer, so that training and serving cannot disagree. Global average pooling
    makes the weights independent of `size`.
    """
    inputs = keras.layers.Input((size, size, 1), dtype="float32")
    x = keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs)
    x = conv_norm(x, stem)
    if pooled:
        x = keras.layers.MaxPooling2D(2)(x)
    for filters, strides in blocks:
        x = residual_block(x, filters, strides)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(dropout)(x)
    logits = keras.layers.Dense(classes, dtype="float32")(x)
    return keras.Model(inputs, logits)

"""The face detector: a small fully convolutional network without anchors, for pictures of any size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np

from models.zoo.layers import FusedBatchNormalization, conv_norm

_FIRST_LOGIT: Final = -4.0
"""Before training there is hardly a face anywhere (Lin et al. 2017)."""
_FIRST_BOX: Final = np.array([0, 0, 1, 1], np.float32)
"""Before training a face is e strides wide and high."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where scores lie: the logit x of the network becomes (x - half) x `below`, or above 0 x `above`."""

    half: float = 0.0
    below: float = 1.0
    above: float = 1.0


def build_detector(
    stem: int = 16,
    widths: Sequence[int] = (24, 40, 48, 48),
    neck: int = 32,
    blocks: Sequence[int] = (1, 2, 2, 1),
    *,
    apart: bool = False,
    bend: float = 1.0,
) -> keras.Model:
    """Pictures float32 (N, H, W, 3) RGB in 0..255, H and W multiples of 32 -> per stride float32 (N, H / s, W / s, 15).

    Dense 3x3 convolutions with few channels: on processors they train and run faster than depthwise ones of equal
    quality, since what counts at these sizes is memory traffic. The maps of the strides 16 and 32 are added to the
    finer ones; one head for score and box and one for the landmarks serve all strides.

    Args:
        stem: channels at stride 2.
        widths: channels at the strides 4, 8, 16 and 32.
        neck: channels of the maps that the heads see, and of the heads.
        blocks: residual 3x3 convolutions at each of these strides, after the one that halves the map.
        apart: score (1), box (4) and landmarks (10) of each stride are outputs of their own.
        bend: what a negative logit is multiplied by.
    """
    inputs = keras.layers.Input((None, None, 3), dtype="float32")
    levels = _pyramid(inputs, stem, widths, neck, blocks)
    heads = [
        keras.layers.Conv2D(neck, 3, padding="same", use_bias=False, kernel_initializer="he_normal")
        for _ in range(2)
    ]
    score, box, points = (
        keras.layers.Conv2D(
            channels,
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
            bias_initializer=keras.initializers.Constant(bias),
            dtype="float32",
        )
        for channels, bias in ((1, _FIRST_LOGIT), (4, _FIRST_BOX), (10, 0.0))
    )
    outputs = []
    for level in levels:
        found, marked = (
            keras.layers.ReLU()(FusedBatchNormalization(momentum=0.9, epsilon=1e-5)(head(level)))
            for head in heads
        )
        logit = score(found)
        if bend != 1.0:
            logit = keras.layers.LeakyReLU(negative_slope=bend, dtype="float32")(logit)
        parts = [logit, box(found), points(marked)]
        outputs += parts if apart else [keras.layers.Concatenate(dtype="float32")(parts)]
    return keras.Model(inputs, outputs)


def _pyramid(inputs: Any, stem: int, widths: Sequence[int], neck: int, blocks: Sequence[int]) -> list[Any]:
    """The maps of the strides 8, 16 and 32, each with `neck` channels."""
    x = keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs)
    x = conv_norm(x, stem, strides=2)
    maps = []
    for width, count in zip(widths, blocks, strict=True):
        x = conv_norm(x, width, strides=2)
        for _ in range(count):
            x = keras.layers.Add()([x, conv_norm(x, width)])
        maps.append(x)
    above = None
    levels = []
    for level in reversed(maps[1:]):
        here = conv_norm(level, neck, kernel=1, activation=False)
        if above is not None:
            here = keras.layers.Add()([here, keras.layers.UpSampling2D(2)(above)])
        above = keras.layers.ReLU()(here)
        levels.append(above)
    return levels[::-1]


def to_serve(
    trained: keras.Model,
    calibration: Calibration,
    stem: int,
    widths: Sequence[int],
    neck: int,
    blocks: Sequence[int],
) -> keras.Model:
    """The trained network with score, box and landmarks as outputs of their own, so that int8 can scale each by itself.

    The logits of the score are placed by `calibration`. The other arguments are those of `build_detector`.
    """
    bend = calibration.below / calibration.above
    served = build_detector(stem, widths, neck, blocks, apart=True, bend=bend)
    for theirs, mine in zip(_weighted(trained), _weighted(served), strict=True):
        mine.set_weights(theirs.get_weights())
        if mine.get_weights()[0].shape == (1, 1, neck, 1):
            kernel, bias = mine.get_weights()
            above = calibration.above
            mine.set_weights([kernel * above, (bias - calibration.half) * above])
    return served


def _weighted(model: keras.Model) -> list[keras.layers.Layer]:
    """Layers with weights in the order of their making, which the outputs do not change."""
    return sorted((layer for layer in model.layers if layer.weights), key=_number)


def _number(layer: keras.layers.Layer) -> tuple[str, int]:
    kind, _, number = layer.name.rpartition("_")
    return (kind, int(number)) if number.isdigit() else (layer.name, 0)

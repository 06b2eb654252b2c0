"""The face detector: a small fully convolutional network without anchors, for pictures of any size."""

from collections.abc import Sequence
from typing import Final

import keras
import numpy as np

from inference.face_maps import CHANNELS
from models.zoo.layers import FusedBatchNormalization, conv_norm

PARTS: Final = (1, 4, 10)
"""Channels of the score, of the box and of the landmarks."""
_FIRST_BIAS: Final = np.array([-4.0, 0, 0, 1, 1] + [0] * 10, np.float32)
"""Before training: hardly a face anywhere (Lin et al. 2017), and if, e strides wide and high."""


def build_detector(
    stem: int = 16,
    widths: Sequence[int] = (16, 32, 40, 40),
    neck: int = 24,
    blocks: Sequence[int] = (1, 2, 2, 1),
    parts: Sequence[int] = (CHANNELS,),
) -> keras.Model:
    """Pictures float32 (N, H, W, 3) RGB in 0..255, H and W multiples of 32 -> per stride float32 (N, H / s, W / s, 15).

    Dense 3x3 convolutions with few channels: on processors they train and run faster than depthwise ones of equal
    quality, since what counts at these sizes is memory traffic. The maps of the strides 16 and 32 are added to the
    finer ones, and one head serves all strides.

    Args:
        stem: channels at stride 2.
        widths: channels at the strides 4, 8, 16 and 32.
        neck: channels of the maps that the head sees.
        blocks: residual 3x3 convolutions at each of these strides, after the one that halves the map.
        parts: the 15 channels of a map are given as outputs of so many channels each.
    """
    inputs = keras.layers.Input((None, None, 3), dtype="float32")
    x = keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs)
    x = conv_norm(x, stem, strides=2)
    maps = []
    for width, count in zip(widths, blocks, strict=True):
        x = conv_norm(x, width, strides=2)
        for _ in range(count):
            y = conv_norm(x, width)
            x = keras.layers.Add()([x, y])
        maps.append(x)
    above = None
    seen = []
    for level in reversed(maps[1:]):
        here = conv_norm(level, neck, kernel=1, activation=False)
        if above is not None:
            here = keras.layers.Add()([here, keras.layers.UpSampling2D(2)(above)])
        above = keras.layers.ReLU()(here)
        seen.append(above)
    head = keras.layers.Conv2D(neck, 3, padding="same", use_bias=False, kernel_initializer="he_normal")
    starts = np.cumsum([0, *parts])
    outs = [
        keras.layers.Conv2D(
            count,
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
            bias_initializer=keras.initializers.Constant(_FIRST_BIAS[start : start + count]),
            dtype="float32",
        )
        for start, count in zip(starts, parts, strict=False)
    ]
    outputs = []
    for level in reversed(seen):
        y = head(level)
        y = keras.layers.ReLU()(FusedBatchNormalization(momentum=0.9, epsilon=1e-5)(y))
        outputs += [out(y) for out in outs]
    return keras.Model(inputs, outputs)


def to_serve(
    trained: keras.Model,
    scale: float,
    offset: float,
    stem: int,
    widths: Sequence[int],
    neck: int,
    blocks: Sequence[int],
) -> keras.Model:
    """The trained network with score, box and landmarks as outputs of their own, so that int8 can scale each by itself.

    The logit of the score becomes `scale` x logit + `offset`. The other arguments are those of `build_detector`.
    """
    served = build_detector(stem, widths, neck, blocks, PARTS)
    *body, kernel, bias = trained.get_weights()
    kernel, bias = kernel.copy(), bias.copy()
    kernel[..., 0] *= scale
    bias[0] = bias[0] * scale + offset
    edges = np.cumsum(PARTS)[:-1]
    ends = zip(np.split(kernel, edges, axis=-1), np.split(bias, edges), strict=True)
    served.set_weights([*body, *(part for end in ends for part in end)])
    return served

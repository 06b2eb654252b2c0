"""The presence network: for each view that of the landmarks, with one number at its end."""

from collections.abc import Sequence
from typing import Final

import keras

from inference.landmarks import SIZE
from models.landmarks.network import crop_features

_DROPPED: Final = 0.3
"""Share of the features that a training step does not see."""


def build_presence(
    stem: int = 16, widths: Sequence[int] = (24, 64, 160), blocks: Sequence[int] = (2, 3, 2)
) -> keras.Model:
    """For one view: crops float32 (N, 48, 48, 3) RGB in 0..255 -> float32 (N, 1), logits; the arguments are those of
    `models.landmarks.network.build_landmarks`."""
    inputs, features = crop_features(stem, widths, blocks)
    features = keras.layers.Dropout(_DROPPED)(features)
    return keras.Model(inputs, keras.layers.Dense(1, dtype="float32")(features))


def joined(networks: Sequence[keras.Model], most: float) -> keras.Model:
    """Of one network for each view: crops float32 (N, 48, 48, 3 x views) -> float32 (N, 1), the mean of their logits,
    each of which counts `most` at most, lest one that is very sure silences the other."""
    inputs = keras.layers.Input((SIZE, SIZE, 3 * len(networks)), dtype="float32")
    logits = [
        keras.ops.minimum(network(inputs[..., 3 * place : 3 * place + 3]), most)
        for place, network in enumerate(networks)
    ]
    return keras.Model(inputs, keras.layers.Average()(logits))

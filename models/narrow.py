"""Weights for a slimmer network out of a wider one of the same plan: the filters that matter most, and what reads
them."""

from collections.abc import Sequence
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingError

_HELD: Final = (keras.layers.Conv2D, keras.layers.BatchNormalization, keras.layers.Dense)


def narrow(wide: keras.Model, slim: keras.Model) -> None:
    """Fill `slim` with the filters of `wide` that matter most.

    Both are chains of convolutions, each followed by batch normalisation, and one dense layer at the end; kernels are
    of one size and `slim` has no more filters than `wide` anywhere. A filter matters by the size of its normalised
    answer times that of the weights by which the next layer reads it (after Liu et al. 2017, "Learning efficient
    convolutional networks through network slimming", which looks at the first factor alone).

    Raises:
        TrainingError: the networks are no such chains, or `slim` is no slimmer version of `wide`.
    """
    ours, theirs = _chain(slim), _chain(wide)
    if len(ours) != len(theirs):
        raise TrainingError(
            f"A network of {len(ours)} layers with weights cannot begin with {len(theirs)}; begin with a wider network "
            "of the same plan, such as vgg for vgg-narrow."
        )
    kept: NDArray[np.intp] = np.arange(theirs[0].kernel.shape[-2])
    for place, (own, given) in enumerate(zip(ours, theirs, strict=True)):
        if isinstance(own, keras.layers.BatchNormalization):
            own.set_weights([values[kept] for values in given.get_weights()])
            continue
        kernel, *bias = given.get_weights()
        wanted, read = own.kernel.shape[-1], kernel[..., kept, :]
        kept = np.arange(wanted)
        if place < len(theirs) - 1 and wanted < kernel.shape[-1]:
            kept = _largest(theirs[place + 1], theirs[place + 2], wanted)
        read = read[..., kept] if len(kept) <= kernel.shape[-1] else read
        if read.shape != tuple(own.kernel.shape):
            raise TrainingError(
                f"A layer of {tuple(own.kernel.shape)} cannot be cut out of one of {kernel.shape}; begin with a wider "
                "network of the same plan, such as vgg for vgg-narrow."
            )
        own.set_weights([read, *(values[kept] for values in bias)])


def _chain(network: keras.Model) -> Sequence[Any]:
    """The layers that hold weights, in order. Raises TrainingError where they are no chain as `narrow` wants it."""
    held = [layer for layer in network.layers if layer.weights]
    branches = any(isinstance(layer, keras.layers.Add | keras.layers.Concatenate) for layer in network.layers)
    known = all(isinstance(layer, _HELD) for layer in held)
    convolutions, norms = held[:-1:2], held[1:-1:2]
    if (
        branches
        or not known
        or not isinstance(held[-1], keras.layers.Dense)
        or not all(type(layer) is keras.layers.Conv2D for layer in convolutions)
        or not all(isinstance(layer, keras.layers.BatchNormalization) for layer in norms)
    ):
        raise TrainingError(
            "Only plain chains of convolutions, such as vgg, can be made slimmer; leave out --start, or begin with a "
            "run of the same architecture."
        )
    return held


def _largest(norm: Any, reader: Any, count: int) -> NDArray[np.intp]:
    """Which `count` filters matter most, in their order."""
    gamma, beta = np.asarray(norm.gamma), np.asarray(norm.beta)
    # mean square of ReLU's input, were it normal: what a filter says at all
    answer = np.sqrt(np.square(gamma) + np.square(np.maximum(beta, 0.0)))
    kernel = np.asarray(reader.kernel)
    inputs = kernel.reshape(-1, *kernel.shape[-2:])
    weight = np.sqrt(np.square(inputs).sum(axis=(0, 2)))
    return np.sort(np.argsort(-answer * weight, kind="stable")[:count])

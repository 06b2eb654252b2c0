"""The architectures: each takes grey faces in 0..255 and returns logits in the order of `EXPRESSIONS`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import prod
from typing import Any, Final

import keras

from engagement.emotion import EXPRESSIONS
from models.errors import TrainingError
from models.zoo.cnn import VGG_NARROW, VGG_SLIM, build_cnn4, build_cnn_256, build_vgg
from models.zoo.imagenet import build_resnet50, build_xception
from models.zoo.resnet import FINE, SLIM, build_resnet
from models.zoo.xception import build_mini_xception

ARCHITECTURES: Final[dict[str, Callable[[int | None, int], keras.Model]]] = {
    "resnet-s": build_resnet,
    "resnet-slim": partial(build_resnet, blocks=SLIM),
    "resnet-fine": partial(build_resnet, stem=24, pooled=False, blocks=FINE),
    "vgg": build_vgg,
    "vgg-narrow": partial(build_vgg, filters=VGG_NARROW),
    "vgg-slim": partial(build_vgg, filters=VGG_SLIM),
    "cnn-4": build_cnn4,
    "cnn-256": build_cnn_256,
    "mini-xception": build_mini_xception,
    "resnet50": build_resnet50,
    "xception": build_xception,
}
MACHINES: Final[dict[str, str]] = {
    "svm-linear": "support vector machine, linear",
    "svm-poly": "support vector machine, polynomial of degree 3",
    "svm-rbf": "support vector machine, radial basis functions",
    "knn": "nearest neighbours",
}
"""What is not a network; see `models.zoo.classical`."""
PRECISIONS: Final = ("float32", "mixed_bfloat16")
"""Keras's policies for which the training step is right; float16 would need its loss scaled."""


def build(architecture: str, size: int | None, *, precision: str = "float32", heads: int = 1) -> keras.Model:
    """A fresh network with seven logits for each of its `heads`. `size` None leaves height and width open.

    `precision` is a Keras dtype policy: "mixed_bfloat16" computes in bfloat16 and keeps float32 weights.
    Raises TrainingError on an architecture or a precision that is not of `ARCHITECTURES` or `PRECISIONS`.
    """
    if architecture not in ARCHITECTURES:
        known = ", ".join(sorted([*ARCHITECTURES, *MACHINES]))
        raise TrainingError(f"There is no architecture {architecture!r}; choose one of {known}.")
    with computing_in(precision):
        return ARCHITECTURES[architecture](size, heads * len(EXPRESSIONS))


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Networks built meanwhile compute in `precision`. Raises TrainingError where it is none of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise TrainingError(f"There is no precision {precision!r}; choose {' or '.join(PRECISIONS)}.")
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def multiply_adds(model: keras.Model) -> int:
    """Multiplications of convolutions and dense layers for one face; `model` was built with its size."""
    return sum(_multiplications(layer) for layer in model.layers)


def _multiplications(layer: Any) -> int:
    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    kernels = [
        kernel
        for name in ("kernel", "depthwise_kernel", "pointwise_kernel")
        if (kernel := getattr(layer, name, None)) is not None
    ]
    if not kernels:
        return 0
    positions = prod(map(int, layer.output.shape[1:-1]))
    return sum(prod(map(int, kernel.shape)) for kernel in kernels) * positions

"""The architectures: each takes grey faces in 0..255 and returns logits in the order of `EXPRESSIONS`."""

from collections.abc import Callable
from functools import partial
from typing import Final

import keras

from engagement.emotion import EXPRESSIONS
from models.errors import TrainingError
from models.zoo.cnn import build_cnn4
from models.zoo.resnet import SLIM, build_resnet
from models.zoo.xception import build_mini_xception

ARCHITECTURES: Final[dict[str, Callable[[int | None, int], keras.Model]]] = {
    "resnet-s": build_resnet,
    "resnet-slim": partial(build_resnet, blocks=SLIM),
    "cnn-4": build_cnn4,
    "mini-xception": build_mini_xception,
}


def build(architecture: str, size: int | None, *, precision: str = "float32") -> keras.Model:
    """A fresh network. `size` None leaves height and width open, where the architecture allows it.

    `precision` is a Keras dtype policy: "mixed_bfloat16" computes in bfloat16 and keeps float32 weights.
    Raises TrainingError on an unknown architecture.
    """
    if architecture not in ARCHITECTURES:
        raise TrainingError(
            f"There is no architecture {architecture!r}; choose one of {', '.join(sorted(ARCHITECTURES))}."
        )
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(precision)
    try:
        return ARCHITECTURES[architecture](size, len(EXPRESSIONS))
    finally:
        keras.mixed_precision.set_dtype_policy(before)

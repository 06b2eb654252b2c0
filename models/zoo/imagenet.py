"""ResNet50 and Xception as `keras.applications` has them, for grey faces.

They are known for their start from ImageNet. Those weights are not ours to ship and are never downloaded: without a
file of them the networks begin at random, and the run says so.
"""

from pathlib import Path
from typing import Any, Final

import keras

from models.errors import TrainingError

_BACKBONE: Final = "backbone"


def build_resnet50(size: int | None, classes: int) -> keras.Model:
    """ResNet50 (He et al. 2016): 23.6 million parameters. Same contract as `build_resnet`."""
    inputs = keras.layers.Input((size, size, 1), dtype="float32")
    # ImageNet's means in the order blue, green, red, which these weights were trained with
    x = keras.layers.Rescaling(1.0, offset=[-103.939, -116.779, -123.68])(_three(inputs))
    return _with_head(inputs, x, keras.applications.ResNet50, size, classes)


def build_xception(size: int | None, classes: int) -> keras.Model:
    """Xception (Chollet 2017): 20.9 million parameters. Same contract as `build_resnet`."""
    inputs = keras.layers.Input((size, size, 1), dtype="float32")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(_three(inputs))
    return _with_head(inputs, x, keras.applications.Xception, size, classes)


def load_backbone(model: keras.Model, weights: Path) -> None:
    """Put ImageNet weights (a Keras "notop" file) under the head of `model`. Raises TrainingError."""
    backbone = next((layer for layer in model.layers if layer.name == _BACKBONE), None)
    if backbone is None:
        raise TrainingError("Only resnet50 and xception begin with ImageNet weights; leave --pretrained out.")
    try:
        backbone.load_weights(weights)
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{weights} cannot be loaded ({error}). Give Keras's weights without top for this architecture."
        ) from error


def _three(inputs: Any) -> Any:
    """The grey channel three times."""
    return keras.layers.Concatenate()([inputs, inputs, inputs])


def _with_head(inputs: Any, x: Any, application: Any, size: int | None, classes: int) -> keras.Model:
    # given a shape, Keras refuses Xception below 71 px; given a tensor, it does not look, and it works from 33 px on
    pixels = keras.layers.Input((size, size, 3))
    backbone = application(include_top=False, weights=None, input_tensor=pixels, name=_BACKBONE)
    x = keras.layers.GlobalAveragePooling2D()(backbone(x))
    x = keras.layers.Dropout(0.3)(x)
    return keras.Model(inputs, keras.layers.Dense(classes, dtype="float32")(x))

"""The nose's place stretched by what the network leaves it short.

Where a network is unsure it says the mean, so the nose of a turned or nodded head stands nearer to the middle than it
should, and the head is read as less turned. How much nearer is measured on heads that were turned by known angles
(people of the train split), and put right in the last layer: no reader of the landmarks needs to know.
"""

import math
from collections.abc import Sequence
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from inference.landmarks import Window
from models.detector.compose import Rng
from models.detector.photo import Photo
from models.detector.placing import resized
from models.landmarks.samples import Samples, doubted, turned

_OTHERS: Final = (0, 1, 3, 4)
_HEIGHTS: Final = (24.0, 80.0)
"""Pixels of the faces by which the stretch is measured: those of a class of 49 and of one of 9."""
_MOST: Final = 1.6


def turned_samples(faces: Sequence[Photo], count: int, rng: Rng) -> Samples:
    """One crop of each of so many of `single_faces`, turned by `samples.turned`, as the camera would show it in a tile
    of a class: neither spoiled nor covered."""
    crops, points = [], []
    for number in rng.permutation(len(faces))[:count]:
        face = turned(faces[int(number)], rng)
        wanted = math.exp(rng.uniform(math.log(_HEIGHTS[0]), math.log(_HEIGHTS[1])))
        small = resized(face, wanted / float(face.boxes[0, 3] - face.boxes[0, 1]))
        window = Window.around(doubted(small.landmarks[0], wanted, rng), wanted)
        crops.append(window.cut(small.picture))
        points.append(window.inside(small.landmarks[0]))
    return Samples(np.stack(crops), np.stack(points))


def nose_stretch(given: NDArray[np.float32], truth: NDArray[np.float32]) -> tuple[NDArray[np.float64], ...]:
    """From landmarks (N, 5, 2) given and true: the factors across and down by which the nose's place among the others
    falls short (least squares of the given on the true, 1.6 at most), and its mean place, about which to stretch it."""
    mine, right = nose_place(given), nose_place(truth)
    centred = right - right.mean(axis=0)
    slope = ((mine - mine.mean(axis=0)) * centred).sum(axis=0) / (centred**2).sum(axis=0)
    return np.clip(1 / np.maximum(slope, 1e-3), 1.0, _MOST), mine.mean(axis=0)


def nose_place(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """The nose minus the mean of eyes and mouth, (N, 2), of landmarks (N, 5, 2)."""
    values = points.astype(np.float64)
    return np.asarray(values[:, 2] - values[:, list(_OTHERS)].mean(axis=1))


def stretched(network: keras.Model, factors: NDArray[np.float64], about: NDArray[np.float64]) -> keras.Model:
    """The network with the nose's place among the others multiplied by `factors` (2,) about the place `about` (2,)."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    kernel, bias = copy.layers[-1].get_weights()
    for axis in (0, 1):
        nose, others = 4 + axis, [2 * point + axis for point in _OTHERS]
        more = factors[axis] - 1
        kernel[:, nose] += more * (kernel[:, nose] - kernel[:, others].mean(axis=1))
        bias[nose] += more * (bias[nose] - bias[others].mean() - about[axis])
    copy.layers[-1].set_weights([kernel, bias])
    return copy

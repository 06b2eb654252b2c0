from pathlib import Path

import keras
import numpy as np
import pytest

from inference.expression import ExpressionClassifier
from models.backends import backend
from models.convert import to_litert
from models.golden import golden_faces
from models.runs import predict
from models.zoo.resnet import build_resnet

SIDE = 24


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(5)
    return build_resnet(SIDE, 7, stem=8, blocks=((8, 1), (16, 2)))


def classify(content: bytes, folder: Path, faces: np.ndarray) -> np.ndarray:
    path = folder / "net.tflite"
    path.write_bytes(content)
    return ExpressionClassifier(path).classify(faces)


def softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def test_float_conversion_changes_nothing(network: keras.Model, tmp_path: Path) -> None:
    faces = golden_faces(SIDE, 7)
    expected = softmax(predict(backend().make_forward(network), faces, SIDE))
    np.testing.assert_allclose(classify(to_litert(network, SIDE), tmp_path, faces), expected, atol=1e-4)


def test_int8_agrees_with_float_and_is_a_fraction_of_its_size(network: keras.Model, tmp_path: Path) -> None:
    faces = golden_faces(SIDE, 30)
    content, forward = to_litert(network, SIDE, faces), backend().make_forward(network)
    quantised, exact = classify(content, tmp_path, faces), softmax(predict(forward, faces, SIDE))
    assert np.abs(quantised - exact).max() < 0.05
    assert len(content) < 0.6 * len(to_litert(network, SIDE))

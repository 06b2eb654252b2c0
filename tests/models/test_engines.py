import socket
import urllib.request

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

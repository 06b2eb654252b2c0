"""Real pictures for the tests of inference."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engagement.records import Box, Tile
from inference.faces import DETECTORS, FaceDetector, load_detector
from inference.reader import MIN_FACE
from tests.capture.synthetic_gallery import Portrait, portraits_of


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A real screenshot and what stands in it.

    truth: per tile the annotation (name, camera_on, face).
    """

    name: str
    image: NDArray[np.uint8]
    tiles: tuple[Tile, ...]
    truth: tuple[dict[str, Any], ...]


@pytest.fixture(scope="session")
def screenshots(shared_data: Path) -> list[Screenshot]:
    folder = shared_data / "galleries"
    shots = []
    for entry in json.loads((folder / "annotations.json").read_text(encoding="utf-8")):
        image = cv2.imread(str(folder / entry["file"]), cv2.IMREAD_COLOR_RGB)
        tiles = tuple(_tile(truth) for truth in entry["tiles"])
        shots.append(Screenshot(entry["file"], np.asarray(image, np.uint8), tiles, tuple(entry["tiles"])))
    return shots


def _tile(truth: dict[str, Any]) -> Tile:
    """An annotated tile; its label lies somewhere in the strip at the bottom left."""
    left, top, width, height = truth["box"]
    strip = min(60, max(30, round(height * 0.16)))
    label = Box(left, top + height - strip, width * (3 if width < 300 else 2) // 4, strip)
    return Tile(Box(left, top, width, height), label, truth["camera_on"])


@pytest.fixture(scope="session")
def people(shared_data: Path) -> list[Portrait]:
    """49 people on whom nothing was trained, near and far: heads of a quarter to a half of the picture's height."""
    return portraits_of(shared_data, 49, seed=1, split="val", distance=(1.1, 2.5))


@pytest.fixture(scope="session")
def detector() -> FaceDetector:
    """As the product loads it."""
    return load_detector(DETECTORS[0], min_face=MIN_FACE)


@pytest.fixture(scope="session")
def mtcnn() -> FaceDetector:
    return load_detector("mtcnn", min_face=MIN_FACE)

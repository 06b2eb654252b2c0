"""Real pictures for the tests of inference."""

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engagement.records import Box, Tile
from inference.faces import FaceDetector, load_detector
from inference.reader import MIN_FACE


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
def real_gallery() -> ModuleType:
    """benchmarks/real_gallery.py, which composes galleries of real portraits."""
    path = Path(__file__).parents[2] / "benchmarks" / "real_gallery.py"
    spec = importlib.util.spec_from_file_location("real_gallery", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["real_gallery"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def mtcnn() -> FaceDetector:
    return load_detector("mtcnn", min_face=MIN_FACE)

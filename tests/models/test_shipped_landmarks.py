import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engagement.records import Box, Face
from inference.landmarks import LandmarkNetwork
from models.detector.golden import golden_gallery
from models.errors import ManifestError, WeightsError
from models.registry import MANIFEST, LandmarkEntry, resolve_landmarks


@pytest.fixture(scope="module")
def entry() -> LandmarkEntry:
    return resolve_landmarks()


def test_the_weights_answer_as_when_they_were_exported(entry: LandmarkEntry) -> None:
    golden = tomllib.loads(MANIFEST.read_text())["landmarks"]["golden"]
    assert len(golden["coarse"]) >= 6
    faces = [
        Face(Box(0, 0, 10, round(height)), np.array(points, np.float32).reshape(5, 2), 1.0)
        for height, *points in golden["coarse"]
    ]
    refined = LandmarkNetwork(entry.path).refine(golden_gallery(), faces)
    for face, expected in zip(refined, golden["landmarks"], strict=True):
        # int8 kernels differ a little between processors
        np.testing.assert_allclose(face.landmarks.ravel(), expected, atol=1.5)


def test_the_network_is_small(entry: LandmarkEntry) -> None:
    assert entry.path.stat().st_size < 300_000
    assert tomllib.loads(MANIFEST.read_text())["landmarks"]["parameters"] < 250_000


def test_the_card_tells_of_these_weights(entry: LandmarkEntry) -> None:
    card = MANIFEST.with_name("DETECTOR_CARD.md").read_text()
    found = re.search(r"landmarks\.tflite` \(SHA-256 `([0-9a-f]{16})", card)
    assert found is not None
    assert entry.sha256.startswith(found[1])


def copied(tmp_path: Path, entry: LandmarkEntry, old: str = "", new: str = "") -> Path:
    """The manifest and the weights elsewhere, with a piece of [landmarks] changed."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / entry.path.name).write_bytes(entry.path.read_bytes())
    head, tail = MANIFEST.read_text().split("[landmarks]", 1)
    assert old in tail
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(f"{head}[landmarks]{tail.replace(old, new, 1)}")
    return manifest


def test_a_changed_byte_is_refused(tmp_path: Path, entry: LandmarkEntry) -> None:
    manifest = copied(tmp_path, entry)
    weights = tmp_path / "weights" / entry.path.name
    assert resolve_landmarks(manifest) == replace(entry, path=weights)
    contents = bytearray(weights.read_bytes())
    contents[len(contents) // 2] ^= 1
    weights.write_bytes(contents)
    with pytest.raises(WeightsError, match="is not the file"):
        resolve_landmarks(manifest)
    weights.unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        resolve_landmarks(manifest)


def test_a_malformed_entry_is_refused(tmp_path: Path, entry: LandmarkEntry) -> None:
    with pytest.raises(ManifestError, match="malformed"):
        resolve_landmarks(copied(tmp_path, entry, "sha256 =", "checksum ="))
    (tmp_path / "manifest.toml").write_text("")
    with pytest.raises(ManifestError, match="has no model 'landmarks'"):
        resolve_landmarks(tmp_path / "manifest.toml")

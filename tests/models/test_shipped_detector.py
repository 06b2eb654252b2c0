import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.tileface import TileFaceDetector
from models.detector.card import render_card
from models.detector.golden import golden_gallery
from models.errors import ManifestError, WeightsError
from models.manifest import read_table
from models.registry import FACE, LANDMARKS, MANIFEST, PRESENCE, FaceEntry, resolve_face


@pytest.fixture(scope="module")
def entry() -> FaceEntry:
    return resolve_face()


def test_the_weights_answer_as_when_they_were_exported(entry: FaceEntry) -> None:
    golden = tomllib.loads(MANIFEST.read_text())["face"]["golden"]
    faces = TileFaceDetector(entry.path, threshold=entry.threshold).detect(golden_gallery())
    assert len(golden["boxes"]) >= 6
    assert len(faces) == len(golden["boxes"])
    for face in faces:
        # int8 kernels differ a little between processors, so the order of close scores may too
        box = np.array([face.box.left, face.box.top, face.box.width, face.box.height])
        nearest = int(np.abs(np.array(golden["boxes"]) - box).max(axis=1).argmin())
        np.testing.assert_allclose(box, golden["boxes"][nearest], atol=3)
        np.testing.assert_allclose(face.score, golden["scores"][nearest], atol=0.1)
        np.testing.assert_allclose(face.landmarks.ravel(), golden["landmarks"][nearest], atol=3)


def test_the_network_is_small(entry: FaceEntry) -> None:
    assert entry.path.stat().st_size < 600_000
    assert tomllib.loads(MANIFEST.read_text())["face"]["parameters"] < 180_000


def test_the_card_is_what_was_measured_of_these_weights(entry: FaceEntry) -> None:
    report = json.loads(entry.path.with_suffix(".json").read_text(encoding="utf-8"))
    others = [read_table(MANIFEST, name) for name in (LANDMARKS, PRESENCE)]
    measured = [report[key] for key in ("sha256", "landmarks_sha256", "presence_sha256")]
    assert measured == [entry.sha256, *(other["sha256"] for other in others)]
    card = MANIFEST.with_name("DETECTOR_CARD.md").read_text(encoding="utf-8")
    assert card == render_card(report, read_table(MANIFEST, FACE), *others)


def copied(tmp_path: Path, entry: FaceEntry, **changed: str) -> Path:
    """The manifest and the weights elsewhere, with some lines of [face] changed."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / entry.path.name).write_bytes(entry.path.read_bytes())
    text = MANIFEST.read_text()
    head, tail = text.split("[face]", 1)
    for key, line in changed.items():
        tail, count = re.subn(rf"(?m)^{key} = .*$", line, tail, count=1)
        assert count == 1
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(f"{head}[face]{tail}")
    return manifest


def test_a_changed_byte_is_refused(tmp_path: Path, entry: FaceEntry) -> None:
    manifest = copied(tmp_path, entry)
    weights = tmp_path / "weights" / entry.path.name
    assert resolve_face(manifest) == replace(entry, path=weights)
    contents = bytearray(weights.read_bytes())
    contents[len(contents) // 2] ^= 1
    weights.write_bytes(contents)
    with pytest.raises(WeightsError, match="is not the file"):
        resolve_face(manifest)
    weights.unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        resolve_face(manifest)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"threshold": "threshold = 1.5"}, "between 0 and 1"),
        ({"threshold": "threshold = 'high'"}, "malformed"),
        ({"sha256": ""}, "malformed"),
    ],
)
def test_a_malformed_entry_is_refused(
    tmp_path: Path, entry: FaceEntry, changed: dict[str, str], message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        resolve_face(copied(tmp_path, entry, **changed))


def test_a_manifest_without_a_detector_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text("")
    with pytest.raises(ManifestError, match="has no model 'face'"):
        resolve_face(tmp_path / "manifest.toml")

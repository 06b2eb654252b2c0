import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engagement.records import Box, Face
from inference.presence import PresenceNetwork, crop_of
from models.detector.golden import golden_gallery
from models.errors import ManifestError, WeightsError
from models.registry import FACE, MANIFEST, PRESENCE, PresenceEntry, resolve_presence


@pytest.fixture(scope="module")
def entry() -> PresenceEntry:
    return resolve_presence()


def test_the_weights_answer_as_when_they_were_exported(entry: PresenceEntry) -> None:
    golden = tomllib.loads(MANIFEST.read_text())[PRESENCE]["golden"]
    picture = golden_gallery()
    faces = [
        Face(Box(*box), np.array(points, np.float32).reshape(5, 2), 0.5)
        for box, points in zip(golden["boxes"], golden["landmarks"], strict=True)
    ]
    crops = [crop_of(picture, face) for face in faces]
    logits = PresenceNetwork(entry.path).logits(np.stack(crops))
    # int8 kernels differ a little between processors
    np.testing.assert_allclose(logits, golden["logits"], atol=0.5)
    assert logits.max() > 1
    assert logits.min() < 0


def test_it_was_taught_what_this_detector_marks(entry: PresenceEntry) -> None:
    tables = tomllib.loads(MANIFEST.read_text())
    assert tables[PRESENCE]["data"]["face_sha256"] == tables[FACE]["sha256"]


def test_the_network_is_small(entry: PresenceEntry) -> None:
    assert entry.path.stat().st_size < 1_500_000
    assert tomllib.loads(MANIFEST.read_text())[PRESENCE]["parameters"] < 1_500_000


def test_the_card_tells_of_these_weights(entry: PresenceEntry) -> None:
    card = MANIFEST.with_name("DETECTOR_CARD.md").read_text()
    found = re.search(r"presence\.tflite` \(SHA-256 `([0-9a-f]{16})", card)
    assert found is not None
    assert entry.sha256.startswith(found[1])


def copied(tmp_path: Path, entry: PresenceEntry, old: str = "", new: str = "") -> Path:
    """The manifest and the weights elsewhere, with a piece of [presence] changed."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / entry.path.name).write_bytes(entry.path.read_bytes())
    head, tail = MANIFEST.read_text().split("[presence]", 1)
    assert re.search(old, tail)
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(f"{head}[presence]{re.sub(old, new, tail, count=1)}")
    return manifest


def test_a_changed_byte_is_refused(tmp_path: Path, entry: PresenceEntry) -> None:
    manifest = copied(tmp_path, entry)
    weights = tmp_path / "weights" / entry.path.name
    assert resolve_presence(manifest) == replace(entry, path=weights)
    contents = bytearray(weights.read_bytes())
    contents[len(contents) // 2] ^= 1
    weights.write_bytes(contents)
    with pytest.raises(WeightsError, match="is not the file"):
        resolve_presence(manifest)
    weights.unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        resolve_presence(manifest)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sha256 =", "checksum =", "malformed"),
        ("sure =", "certain =", "malformed"),
        (r"weight = [0-9.]+", "weight = 0.0", "must rise"),
    ],
)
def test_a_malformed_entry_is_refused(
    tmp_path: Path, entry: PresenceEntry, old: str, new: str, message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        resolve_presence(copied(tmp_path, entry, old, new))


def test_a_manifest_without_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text("")
    with pytest.raises(ManifestError, match="has no model 'presence'"):
        resolve_presence(tmp_path / "manifest.toml")

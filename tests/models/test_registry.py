import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from engagement.emotion import EXPRESSIONS
from models.errors import ManifestError, WeightsError
from models.manifest import write_entry
from models.registry import load_manifest, resolve

TABLE = {
    "file": "weights/net.tflite",
    "sha256": hashlib.sha256(b"weights").hexdigest(),
    "input_size": 48,
    "labels": list(EXPRESSIONS),
    "temperature": 1.5,
    "threshold": 0.4,
    "second_look": 0.25,
    "crop": {"side": 0.97, "offset_x": 0.0, "offset_y": -0.01},
    "metrics": {"public_accuracy": 0.7},
}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "net.tflite").write_bytes(b"weights")
    path = tmp_path / "manifest.toml"
    write_entry(path, "expression", TABLE)
    return path


def test_an_entry_comes_back_as_it_was_written(manifest: Path) -> None:
    entry = resolve("expression", manifest)
    assert entry.path == manifest.parent / "weights" / "net.tflite"
    assert entry.labels == EXPRESSIONS
    assert (entry.input_size, entry.temperature, entry.threshold, entry.second_look) == (48, 1.5, 0.4, 0.25)
    assert (entry.crop.side, entry.crop.offset_x, entry.crop.offset_y) == (0.97, 0.0, -0.01)
    assert entry.metrics == {"public_accuracy": 0.7}
    assert (entry.min_height, entry.thresholds) == (18, ())


def test_the_gate_and_what_has_no_value_come_back_as_written(manifest: Path) -> None:
    gate = {
        "min_height": 20,
        "thresholds": [[20, 0.55], [48, 0.45]],
        "temperatures": [[20, 0.9]],
        "settings": {"start": None, "seed": 1},
    }
    write_entry(manifest, "expression", TABLE | gate)
    entry = resolve("expression", manifest)
    assert (entry.min_height, entry.thresholds) == (20, ((20.0, 0.55), (48.0, 0.45)))
    assert entry.temperatures == ((20.0, 0.9),)
    assert "start" not in manifest.read_text()


def test_a_second_entry_leaves_the_first_alone(manifest: Path) -> None:
    write_entry(manifest, "another", TABLE | {"temperature": 2.0})
    entries = load_manifest(manifest)
    assert entries["expression"].temperature == 1.5
    assert entries["another"].temperature == 2.0


def test_weights_with_one_other_byte_are_refused(manifest: Path) -> None:
    (manifest.parent / "weights" / "net.tflite").write_bytes(b"Weights")
    with pytest.raises(WeightsError, match=r"not the file that manifest\.toml describes"):
        resolve("expression", manifest)


def test_absent_weights_are_refused(manifest: Path) -> None:
    (manifest.parent / "weights" / "net.tflite").unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        resolve("expression", manifest)


def test_an_unknown_name_says_which_there_are(manifest: Path) -> None:
    with pytest.raises(ManifestError, match="no model 'mood'; it has expression"):
        resolve("mood", manifest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["happy", "sad"]}, "has the labels happy, sad"),
        ({"labels": [*EXPRESSIONS[1:], EXPRESSIONS[0]]}, "expected angry"),
        ({"temperature": 0.0}, "out of range"),
        ({"threshold": 1.0}, "out of range"),
        ({"temperature": "warm"}, "malformed"),
        ({"crop": {"side": 0.97}}, "malformed"),
        ({"min_height": 0}, "out of range"),
        ({"thresholds": [[20, 0.5], [20, 0.4]]}, "out of range"),
        ({"thresholds": [[20, 1.0]]}, "out of range"),
        ({"temperatures": [[30, 0.5], [20, 0.4]]}, "out of range"),
        ({"temperatures": [[20, 0.0]]}, "out of range"),
        ({"second_look": -0.1}, "out of range"),
        ({"second_look": 1.1}, "out of range"),
        ({"thresholds": [20, 0.5]}, "malformed"),
    ],
)
def test_a_malformed_entry_is_refused(manifest: Path, change: dict[str, object], message: str) -> None:
    write_entry(manifest, "expression", TABLE | change)
    with pytest.raises(ManifestError, match=message):
        load_manifest(manifest)


@pytest.mark.parametrize("text", ["[expression", "\x00"])
def test_a_broken_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(ManifestError, match=r"Cannot read manifest\.toml"):
        load_manifest(path)


def test_the_registry_loads_nothing_heavy() -> None:
    code = "import sys, models.registry; print(*{'tensorflow', 'keras', 'cv2', 'pandas'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == ""

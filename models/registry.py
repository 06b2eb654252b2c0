"""What the product may load: the entries of `manifest.toml`, each checked against its file's SHA-256."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engagement.emotion import EXPRESSIONS
from models.errors import ManifestError, WeightsError

MANIFEST: Final = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True, slots=True)
class CropGeometry:
    """The square that a network saw around a face, in units of the detector box's height.

    side: length of the square's sides.  offset_x, offset_y: its centre minus the box's centre, y downwards.
    """

    side: float
    offset_x: float
    offset_y: float


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One weight file and what is needed to use it.

    path: a LiteRT file; input float32 (N, input_size, input_size, 1), grey, 0..255, N set by
        `resize_tensor_input`; output float32 (N, len(labels)) logits.
    sha256: of that file, lower-case hex.
    labels: meaning of the outputs, in order.
    temperature: logits are divided by it before the softmax (after averaging over flips).
    threshold: a face whose highest probability is lower is not named. 0..1.
    flip: True if the logits of the face and of its mirror image are to be averaged.
    crop: how to cut a face out before the resize (INTER_AREA) to input_size.
    metrics: what was measured for the model card, by name.
    """

    name: str
    path: Path
    sha256: str
    input_size: int
    labels: tuple[str, ...]
    temperature: float
    threshold: float
    flip: bool
    crop: CropGeometry
    metrics: dict[str, float]


def load_manifest(path: Path = MANIFEST) -> dict[str, ModelEntry]:
    """Every entry by name; weight files are not opened. Raises ManifestError."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"Cannot read {path.name}: {error}. Install classpulse again.") from error
    return {name: _entry(name, table, path) for name, table in tables.items()}


def resolve(name: str, manifest: Path = MANIFEST) -> ModelEntry:
    """The entry `name`, after its file was found to be the one described.

    Raises ManifestError on an unknown name, WeightsError if the file is absent or differs from its SHA-256.
    """
    entries = load_manifest(manifest)
    if name not in entries:
        raise ManifestError(
            f"{manifest.name} has no model {name!r}; it has {', '.join(sorted(entries)) or 'none'}."
        )
    entry = entries[name]
    try:
        actual = hashlib.sha256(entry.path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(
            f"The weights of {name!r} cannot be read ({error}). Install classpulse again."
        ) from error
    if actual != entry.sha256:
        raise WeightsError(
            f"{entry.path.name} is not the file that {manifest.name} describes (SHA-256 {actual[:12]}..., expected "
            f"{entry.sha256[:12]}...), so it is not loaded. Install classpulse again, or export the model anew."
        )
    return entry


def _entry(name: str, table: Any, manifest: Path) -> ModelEntry:
    try:
        crop = table["crop"]
        entry = ModelEntry(
            name=name,
            path=manifest.parent / table["file"],
            sha256=str(table["sha256"]).lower(),
            input_size=int(table["input_size"]),
            labels=tuple(table["labels"]),
            temperature=float(table["temperature"]),
            threshold=float(table["threshold"]),
            flip=bool(table["flip"]),
            crop=CropGeometry(float(crop["side"]), float(crop["offset_x"]), float(crop["offset_y"])),
            metrics={key: float(value) for key, value in table.get("metrics", {}).items()},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(
            f"The entry {name!r} of {manifest.name} is incomplete or malformed ({error!r}); export the model anew."
        ) from error
    if entry.labels != EXPRESSIONS:
        raise ManifestError(
            f"The entry {name!r} of {manifest.name} has the labels {', '.join(entry.labels)}; "
            f"expected {', '.join(EXPRESSIONS)}."
        )
    if not (
        entry.temperature > 0 and 0 <= entry.threshold < 1 and entry.input_size > 0 and entry.crop.side > 0
    ):
        raise ManifestError(
            f"The entry {name!r} of {manifest.name} is out of range: temperature, input_size and crop.side must be "
            "positive, threshold in 0..1. Export the model anew."
        )
    return entry

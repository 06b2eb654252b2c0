"""What the product may load: the entries of `manifest.toml`, each checked against its file's SHA-256."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeVar

from engagement.emotion import EXPRESSIONS
from models.errors import ManifestError, WeightsError

MANIFEST: Final = Path(__file__).with_name("manifest.toml")
FACE: Final = "face"
"""The entry of the face detector."""
LANDMARKS: Final = "landmarks"
"""The entry of the landmark network."""
PRESENCE: Final = "presence"
"""The entry of the network that tells faces from what only looked like one."""
MIN_HEIGHT: Final = 18
"""Pixels of a face where the manifest says nothing."""

Entry = TypeVar("Entry")
Steps = Sequence[tuple[float, float]]
"""(height of a face in px, value) by rising height, for `at_height`."""


@dataclass(frozen=True, slots=True)
class CropGeometry:
    """The square that a network saw around a face, in units of the detector box's height.

    side: length of the square's sides.  offset_x, offset_y: its centre minus the box's centre, y downwards.
    """

    side: float
    offset_x: float
    offset_y: float


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """How the logits of the face detector and of the presence network become one score (`inference.presence`).

    sure: the detector's logit from which on a face is not looked at again and counts as `most`.
    weight: of the presence network's logit.  most: what that counts at most.
    half: the sum of a score of 0.5.  below, above: what the sum's distance from there is multiplied by to be a logit.
    """

    sure: float
    weight: float
    most: float
    half: float = 0.0
    below: float = 1.0
    above: float = 1.0


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One weight file and what is needed to use it.

    path: a LiteRT file; input float32 (N, input_size, input_size, 1), grey, 0..255, N set by
        `resize_tensor_input`; output float32 (N, H * len(labels)) logits of H heads.
    sha256: of that file, lower-case hex.
    labels: meaning of the outputs, in order.
    head: the head that is served, 0..H-1: 0 was taught FER2013's labels, 1 what FER+'s voters said.
    temperature: its logits are divided by it before the softmax (after the second look), of a face of full size.
    temperatures: the same by the face's height, for small faces deserve less confidence; empty: `temperature` at any.
    threshold: a face of full size whose highest probability is lower is not named. 0..1.
    min_height: a face lower than this many px is not read.
    thresholds: `threshold` by the face's height; empty: `threshold` at any.
    second_look: a face whose two likeliest expressions are closer than this in some head, in probabilities without a
        temperature, is looked at mirrored too (`inference.expression`). 0..1.
    standardise: True if each face is brought to one light and contrast before (`inference.expression`).
    crop: how to cut a face out before the resize (INTER_AREA) to input_size.
    metrics: what was measured for the model card, by name.
    """

    name: str
    path: Path
    sha256: str
    input_size: int
    labels: tuple[str, ...]
    head: int
    temperature: float
    temperatures: tuple[tuple[float, float], ...]
    threshold: float
    min_height: int
    thresholds: tuple[tuple[float, float], ...]
    second_look: float
    standardise: bool
    crop: CropGeometry
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class FaceEntry:
    """The face detector's weight file and what is needed to use it.

    path: a LiteRT file, see `inference.tileface.TileFaceDetector`.
    sha256: of that file, lower-case hex.
    threshold: score above which a face counts, 0..1.
    metrics: what was measured when it was exported, by name.
    """

    name: str
    path: Path
    sha256: str
    threshold: float
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class LandmarkEntry:
    """The landmark network's weight file.

    path: a LiteRT file, see `inference.landmarks.LandmarkNetwork`.
    sha256: of that file, lower-case hex.
    metrics: what was measured when it was exported, by name.
    """

    name: str
    path: Path
    sha256: str
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class PresenceEntry:
    """The presence network's weight file and what is needed to use it.

    path: a LiteRT file, see `inference.presence.PresenceNetwork`.
    sha256: of that file, lower-case hex.
    scale: how its logits and the detector's scores become one.
    metrics: what was measured when it was exported, by name.
    """

    name: str
    path: Path
    sha256: str
    scale: ScoreScale
    metrics: dict[str, float]


def load_manifest(path: Path = MANIFEST) -> dict[str, ModelEntry]:
    """Every classifier by name; weight files are not opened. Raises ManifestError."""
    tables = _tables(path)
    return {
        name: _entry(name, tables[name], path) for name in tables if name not in {FACE, LANDMARKS, PRESENCE}
    }


def resolve_face(manifest: Path = MANIFEST) -> FaceEntry:
    """The face detector's entry, after its file was found to be the one described.

    Raises ManifestError where the manifest has none, WeightsError if the file is absent or differs from its SHA-256.
    """
    entry = _read(FaceEntry, FACE, manifest, threshold=float)
    if not 0 < entry.threshold < 1:
        raise ManifestError(f"The threshold of {FACE!r} must be between 0 and 1, got {entry.threshold}.")
    _check_file(entry.path, entry.sha256, FACE, manifest)
    return entry


def resolve_landmarks(manifest: Path = MANIFEST) -> LandmarkEntry:
    """The landmark network's entry; see `resolve_face`."""
    entry = _read(LandmarkEntry, LANDMARKS, manifest)
    _check_file(entry.path, entry.sha256, LANDMARKS, manifest)
    return entry


def resolve_presence(manifest: Path = MANIFEST) -> PresenceEntry:
    """The presence network's entry; see `resolve_face`."""
    entry = _read(PresenceEntry, PRESENCE, manifest, scale=_scale)
    if min(entry.scale.weight, entry.scale.below, entry.scale.above) <= 0:
        raise ManifestError(f"The scale of {PRESENCE!r} must rise, got {entry.scale}; export the model anew.")
    _check_file(entry.path, entry.sha256, PRESENCE, manifest)
    return entry


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
    _check_file(entry.path, entry.sha256, name, manifest)
    return entry


def read_figures(name: str, manifest: Path = MANIFEST) -> dict[str, Any] | None:
    """What `models.evaluate` measured of the weights of `name`, as it stands beside them; None where nothing does, or
    where it was measured on other weights. Raises ManifestError and WeightsError."""
    entry = resolve(name, manifest)
    try:
        figures: dict[str, Any] = json.loads(entry.path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return figures if figures.get("sha256") == entry.sha256 else None


def at_height(steps: Steps, height: float) -> float:
    """The value for a face of `height` px: straight lines between the steps, of which there is one at least, level
    beyond them."""
    if height <= steps[0][0]:
        return steps[0][1]
    for (low, first), (high, second) in pairwise(steps):
        if height <= high:
            return first + (second - first) * (height - low) / (high - low)
    return steps[-1][1]


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"Cannot read {path.name}: {error}. Install classpulse again.") from error


def _table(name: str, manifest: Path) -> Any:
    table = _tables(manifest).get(name)
    if table is None:
        raise ManifestError(f"{manifest.name} has no model {name!r}; export one.")
    return table


def _read(kind: Callable[..., Entry], name: str, manifest: Path, **more: Callable[[Any], Any]) -> Entry:
    """What the manifest says under `name`, with the keys of `more` made by these. Raises ManifestError."""
    table = _table(name, manifest)
    try:
        return kind(
            name=name,
            path=manifest.parent / table["file"],
            sha256=str(table["sha256"]).lower(),
            metrics={key: float(value) for key, value in table.get("metrics", {}).items()},
            **{key: make(table[key]) for key, make in more.items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _malformed(name, manifest, error) from error


def _scale(table: Any) -> ScoreScale:
    return ScoreScale(**{key: float(value) for key, value in table.items()})


def _malformed(name: str, manifest: Path, error: Exception) -> ManifestError:
    return ManifestError(
        f"The entry {name!r} of {manifest.name} is incomplete or malformed ({error!r}); export the model anew."
    )


def _check_file(path: Path, sha256: str, name: str, manifest: Path) -> None:
    try:
        actual = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(
            f"The weights of {name!r} cannot be read ({error}). Install classpulse again."
        ) from error
    if actual != sha256:
        raise WeightsError(
            f"{path.name} is not the file that {manifest.name} describes (SHA-256 {actual[:12]}..., expected "
            f"{sha256[:12]}...), so it is not loaded. Install classpulse again, or export the model anew."
        )


def _entry(name: str, table: Any, manifest: Path) -> ModelEntry:
    try:
        crop = table["crop"]
        entry = ModelEntry(
            name=name,
            path=manifest.parent / table["file"],
            sha256=str(table["sha256"]).lower(),
            input_size=int(table["input_size"]),
            labels=tuple(table["labels"]),
            head=int(table.get("head", 0)),
            temperature=float(table["temperature"]),
            temperatures=_steps(table, "temperatures"),
            threshold=float(table["threshold"]),
            min_height=int(table.get("min_height", MIN_HEIGHT)),
            thresholds=_steps(table, "thresholds"),
            second_look=float(table["second_look"]),
            standardise=bool(table.get("standardise", False)),
            crop=CropGeometry(float(crop["side"]), float(crop["offset_x"]), float(crop["offset_y"])),
            metrics={key: float(value) for key, value in table.get("metrics", {}).items()},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _malformed(name, manifest, error) from error
    if entry.labels != EXPRESSIONS:
        raise ManifestError(
            f"The entry {name!r} of {manifest.name} has the labels {', '.join(entry.labels)}; "
            f"expected {', '.join(EXPRESSIONS)}."
        )
    temperatures = (entry.temperature, *(value for _, value in entry.temperatures))
    if not (
        min(*temperatures, entry.input_size, entry.min_height, entry.crop.side) > 0
        and 0 <= entry.second_look <= 1
        and all(0 <= value < 1 for value in (entry.threshold, *(value for _, value in entry.thresholds)))
        and all(_rising(steps) for steps in (entry.temperatures, entry.thresholds))
    ):
        raise ManifestError(
            f"The entry {name!r} of {manifest.name} is out of range: temperatures, input_size, min_height and "
            "crop.side must be positive, second_look and thresholds in 0..1, what goes by height in rising order. "
            "Export the model anew."
        )
    return entry


def _steps(table: Any, name: str) -> tuple[tuple[float, float], ...]:
    return tuple((float(height), float(value)) for height, value in table.get(name, ()))


def _rising(steps: Steps) -> bool:
    heights = [height for height, _ in steps]
    return heights == sorted(set(heights))

"""`classpulse read`: one picture through tiles, names, faces and expressions; nothing is kept."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from engagement.emotion import EXPRESSIONS
from engagement.records import Box, TileReading


def read(
    image: Path, detector: str, detector_model: Path | None, *, expressions: bool = True
) -> dict[str, Any]:
    """Read one picture.

    Args:
        image: a file.
        detector: name of the face detector.
        detector_model: its model file, where it needs one.
        expressions: False does not even load the expression model.

    Returns:
        JSON types: image {width, height}, tiles [{box, name, state, face, expression, probabilities}] with boxes in
        pixels of the picture, timings_ms {tiles, faces, expression, names, total}, measured warm: the models are
        loaded and have run once before the clock starts.

    Raises:
        capture.errors.SourceError: the picture is missing or cannot be decoded.
    """
    from capture.gallery import find_tiles
    from capture.replay import load_image
    from classpulse.process import keep_no_dump
    from inference.reader import load_reader

    keep_no_dump()
    pixels = load_image(image)
    height, width = pixels.shape[:2]
    reader = load_reader(
        detector=detector, detector_model=detector_model, expressions=expressions, label_budget=None
    )
    # warm on the mirror image: as much work, and nothing that is remembered of its labels helps with the picture's own
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    reader.read(mirrored, find_tiles(mirrored))
    started = time.perf_counter()
    tiles = find_tiles(pixels)
    found = time.perf_counter()
    result = reader.read(pixels, tiles)
    ended = time.perf_counter()
    return {
        "image": {"width": width, "height": height},
        "tiles": [_as_json(reading) for reading in result.readings],
        "timings_ms": {
            "tiles": round((found - started) * 1000, 1),
            **{stage: round(ms, 1) for stage, ms in result.timings_ms.items()},
            "total": round((ended - started) * 1000, 1),
        },
    }


def as_text(result: dict[str, Any]) -> str:
    """The result in lines for a terminal."""
    tiles = result["tiles"]
    faces = sum(tile["face"] is not None for tile in tiles)
    lines = [f"{len(tiles)} tiles, {faces} faces, {result['timings_ms']['total']:.0f} ms"]
    for number, tile in enumerate(tiles, start=1):
        line = f"{number:3}  {tile['name'] or '(no name read)'}: {tile['state'].replace('_', ' ')}"
        if tile["expression"] is not None:
            line += f", expression {tile['expression']} ({tile['probabilities'][tile['expression']]:.0%})"
        lines.append(line)
    return "\n".join(lines)


def _as_json(reading: TileReading) -> dict[str, Any]:
    face = None
    if reading.face is not None:
        face = {
            "box": _box(reading.face.box),
            "landmarks": [[round(float(x), 1), round(float(y), 1)] for x, y in reading.face.landmarks],
            "score": round(reading.face.score, 3),
        }
    expression = probabilities = None
    if reading.probabilities is not None:
        expression = EXPRESSIONS[int(np.argmax(reading.probabilities))]
        probabilities = {
            name: round(float(p), 4) for name, p in zip(EXPRESSIONS, reading.probabilities, strict=True)
        }
    return {
        "box": _box(reading.tile.box),
        "name": reading.label.name,
        "state": reading.state.value,
        "face": face,
        "expression": expression,
        "probabilities": probabilities,
    }


def _box(box: Box) -> list[int]:
    return [box.left, box.top, box.width, box.height]

"""`classpulse read`: one picture through tiles, names, faces and expressions, as the mode allows; nothing is kept."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engagement.consent import ClassRoll
from engagement.emotion import EXPRESSIONS
from engagement.policy import Policy
from engagement.records import Box, Mode, State, TileReading

if TYPE_CHECKING:
    from inference.reader import Reader


def read(image: Path, load_reader: Callable[[], "Reader"], roll: ClassRoll, mode: Mode) -> dict[str, Any]:
    """Read one picture.

    Args:
        image: a file.
        load_reader: makes the reader, once the picture is there; without a classifier in participation mode.
        roll: whom to look at.
        mode: what may be said of whom: expressions of each tile in `individual`, only how many tiles showed which in
            `aggregate`, and that only of a group, none in `participation`. Who is turned away is said in `individual`
            only; else they are seen.

    Returns:
        JSON types: mode, image {width, height}, faces_read, expressions {expression: tiles} (null where the mode or the
        number of faces forbids it), tiles [{box, name, state, face, expression, probabilities}] with boxes in pixels
        of the picture, timings_ms {tiles, faces, expression, names, total}, measured warm: the models are loaded and
        have run once before the clock starts.

    Raises:
        capture.errors.SourceError: the picture is missing or cannot be decoded.
    """
    from capture.gallery import find_tiles
    from capture.replay import load_image

    pixels = load_image(image)
    height, width = pixels.shape[:2]
    reader = load_reader()
    # warm on the mirror image: as much work, and nothing that is remembered of its labels helps with the picture's own
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    reader.read(mirrored, find_tiles(mirrored), roll)
    started = time.perf_counter()
    tiles = find_tiles(pixels)
    found = time.perf_counter()
    result = reader.read(pixels, tiles, roll)
    ended = time.perf_counter()
    shown = [_expression(reading) for reading in result.readings]
    return {
        "mode": mode.value,
        "image": {"width": width, "height": height},
        "faces_read": sum(one is not None for one in shown),
        "expressions": _counts(shown, mode),
        "tiles": [_as_json(reading, each=mode is Mode.INDIVIDUAL) for reading in result.readings],
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
    if result["expressions"] is not None:
        counts = sorted(result["expressions"].items(), key=lambda item: -item[1])
        shown = ", ".join(f"{expression} {count}" for expression, count in counts if count)
        lines.append(f"Expressions of {result['faces_read']} faces: {shown or 'none'}")
    elif result["mode"] == Mode.AGGREGATE:
        fewest = Policy(Mode.AGGREGATE).minimum_group
        lines.append(
            f"Expressions are told of at least {fewest} faces; {result['faces_read']} could be read."
        )
    for number, tile in enumerate(tiles, start=1):
        line = f"{number:3}  {tile['name'] or '(no name read)'}: {tile['state'].replace('_', ' ')}"
        if tile["expression"] is not None:
            line += f", expression {tile['expression']} ({tile['probabilities'][tile['expression']]:.0%})"
        lines.append(line)
    return "\n".join(lines)


def _expression(reading: TileReading) -> str | None:
    return None if reading.probabilities is None else EXPRESSIONS[int(np.argmax(reading.probabilities))]


def _counts(shown: Sequence[str | None], mode: Mode) -> dict[str, int] | None:
    """How many tiles showed which expression; None where that may not be said."""
    counted = Counter(one for one in shown if one is not None)
    few = mode is Mode.AGGREGATE and counted.total() < Policy(mode).minimum_group
    if mode is Mode.PARTICIPATION or few:
        return None
    return {expression: counted[expression] for expression in EXPRESSIONS}


def _as_json(reading: TileReading, *, each: bool) -> dict[str, Any]:
    """A tile as JSON types; `each`: with its expression, and whether it is turned away."""
    face = None
    if reading.face is not None:
        face = {
            "box": _box(reading.face.box),
            "landmarks": [[round(float(x), 1), round(float(y), 1)] for x, y in reading.face.landmarks],
            "score": round(reading.face.score, 3),
        }
    looks_away = reading.state is State.TURNED_AWAY
    probabilities = None
    if each and reading.probabilities is not None:
        probabilities = {
            name: round(float(p), 4) for name, p in zip(EXPRESSIONS, reading.probabilities, strict=True)
        }
    return {
        "box": _box(reading.tile.box),
        "name": reading.label.name,
        "state": (State.SEEN if looks_away and not each else reading.state).value,
        "face": face,
        "expression": _expression(reading) if each else None,
        "probabilities": probabilities,
    }


def _box(box: Box) -> list[int]:
    return [box.left, box.top, box.width, box.height]

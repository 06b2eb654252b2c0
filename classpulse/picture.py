"""One picture through tiles, names, faces and expressions, as the mode allows; nothing is kept."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dashboard.controls import PictureReading
from dashboard.wording import WITHHELD
from engagement.consent import ClassRoll
from engagement.emotion import EXPRESSIONS
from engagement.head_pose import HeadPoseTracker
from engagement.intervals import not_observed, observed
from engagement.mood import MoodTracker
from engagement.policy import Policy
from engagement.records import (
    Box,
    IntervalRecord,
    Mode,
    NotObservedReason,
    State,
    TileReading,
)
from engagement.seating import Seating

if TYPE_CHECKING:
    from inference.reader import Reader

NO_SESSION = 0
"""Number of the session in the record of a picture, which belongs to none."""


def read(
    pixels: NDArray[np.uint8], reader: "Reader", roll: ClassRoll, mode: Mode, seconds: float
) -> PictureReading:
    """Read one picture.

    Args:
        pixels: uint8 (H, W, 3), RGB.
        reader: without a classifier in participation mode.
        roll: whom to look at.
        mode: what may be said of whom: expressions of each tile in `individual`, only how many tiles showed which in
            `aggregate`, and that only of a group, none in `participation`. Who is turned away is said in `individual`
            only; else they are seen.
        seconds: length of the interval that would be stored.
    """
    from capture.gallery import find_tiles

    started = time.perf_counter()
    tiles = find_tiles(pixels)
    found = time.perf_counter()
    result = reader.read(pixels, tiles, roll)
    ended = time.perf_counter()
    each = mode is Mode.INDIVIDUAL
    return PictureReading(
        mode=mode,
        width=pixels.shape[1],
        height=pixels.shape[0],
        readings=tuple(one if each else _without_each(one) for one in result.readings),
        record=_record(result.readings, mode, seconds, grid=result.grid),
        timings_ms={
            "tiles": (found - started) * 1000,
            **result.timings_ms,
            "total": (ended - started) * 1000,
        },
        withheld=not result.grid and roll.needs_names,
    )


def as_json(read: PictureReading) -> dict[str, Any]:
    """The reading in JSON types: mode, image {width, height}, faces_read, expressions {expression: tiles} (null where
    the mode or the number of faces forbids it), withheld (whether nobody was looked at), tiles [{box, name, state,
    face, expression, probabilities}] with boxes in pixels of the picture, timings_ms {tiles, faces, expression, names,
    total}."""
    counts = read.record.expressions
    return {
        "mode": read.mode.value,
        "image": {"width": read.width, "height": read.height},
        "faces_read": read.record.faces_read,
        "expressions": None if counts is None else dict(counts),
        "withheld": read.withheld,
        "tiles": [_as_json(reading) for reading in read.readings],
        "timings_ms": {stage: round(ms, 1) for stage, ms in read.timings_ms.items()},
    }


def as_text(result: dict[str, Any]) -> str:
    """The result in lines for a terminal."""
    tiles = result["tiles"]
    faces = sum(tile["face"] is not None for tile in tiles)
    lines = [f"{len(tiles)} tiles, {faces} faces, {result['timings_ms']['total']:.0f} ms"]
    if result["withheld"]:
        lines.append(WITHHELD)
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


def _record(readings: Sequence[TileReading], mode: Mode, seconds: float, *, grid: bool) -> IntervalRecord:
    """What would be stored of the picture, were it the first frame of a class."""
    at = datetime.now(UTC)
    if not (readings or grid):
        return not_observed(NO_SESSION, at, seconds, NotObservedReason.NOT_A_GALLERY)
    seated, seats = Seating().assign(readings)
    posed = HeadPoseTracker().update(seated, at)
    record = observed(NO_SESSION, at, seconds, posed, MoodTracker(), grid=grid)
    return Policy(mode).apply(replace(record, seats=seats))


def _without_each(reading: TileReading) -> TileReading:
    """What may be said of one tile where nothing is said of each: no expression, and not whether it is turned away."""
    looks_away = reading.state is State.TURNED_AWAY
    return replace(reading, probabilities=None, pose=None, state=State.SEEN if looks_away else reading.state)


def _as_json(reading: TileReading) -> dict[str, Any]:
    face = None
    if reading.face is not None:
        face = {
            "box": _box(reading.face.box),
            "landmarks": [[round(float(x), 1), round(float(y), 1)] for x, y in reading.face.landmarks],
            "score": round(reading.face.score, 3),
        }
    probabilities, expression = None, None
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

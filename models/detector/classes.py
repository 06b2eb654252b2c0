"""Pictures of the product's own synthetic class, labelled by the two teachers and its script."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

from capture.classroom import Classroom, Theme
from engagement.records import STATES_WITH_FACE
from models.detector.labels import label_picture, load_teachers
from models.detector.photo import Photo

_SEATS = (4, 9, 16, 30)
_SEEDS = (101, 102, 103)
_MOMENTS = (20.0, 75.0)


def class_photos(data: Path) -> Iterator[Photo]:
    """Synthetic classes with other seeds than the demo's, 1280 x 720; the people are the same composites.

    A tile that should show a face and in which the teachers are not sure of one is doubtful; what they see in a tile
    without a face is not one.

    Args:
        data: the shared data, for the teacher's weights.
    """
    teachers = load_teachers(data)
    for seats, seed in product(_SEATS, _SEEDS):
        theme: Theme = "light" if (seats + seed) % 2 else "dark"
        room = Classroom(seats, 1280, 720, seed=seed, theme=theme, rounded=bool(seed % 2))
        for at in _MOMENTS:
            picture = room.draw(at)
            found, suspected = label_picture(picture, *teachers)
            shown = [truth.box for truth in room.truth(at) if truth.state in STATES_WITH_FACE]
            middles = [((row[0] + row[2]) / 2, (row[1] + row[3]) / 2) for row in found]
            sure = [
                row
                for row, middle in zip(found, middles, strict=True)
                if any(box.contains(*middle) for box in shown)
            ]
            unsure = [
                np.array([box.left, box.top, box.right, box.bottom], np.float32)
                for box in shown
                if not any(box.contains(*middle) for middle in middles)
            ]
            rows = np.array(sure, np.float32).reshape(-1, 14)
            doubtful = np.array([*unsure, *suspected], np.float32).reshape(-1, 4)
            yield Photo(picture, rows[:, :4], rows[:, 4:].reshape(-1, 5, 2), doubtful, "train", "class")

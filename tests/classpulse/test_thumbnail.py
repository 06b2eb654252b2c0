"""The picture of what would be read: the grid can be seen on it, and nobody can be known."""

import io

import numpy as np
import pytest
from PIL import Image

from capture.classroom import Classroom
from capture.gallery import find_tiles
from capture.windows import overlap
from classpulse.thumbnail import (
    BLOCKS_PER_TILE,
    BLOCKS_WITHOUT_TILES,
    MOST_BLOCKS,
    WIDTH,
    blocks_across,
    thumbnail,
)
from engagement.records import Box, Tile
from inference.faces import load_detector


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("seats", [2, 9, 25, 49])
def test_no_face_is_left_on_it(seats: int) -> None:
    detector = load_detector("tileface", None)
    with Classroom(seats=seats, width=1920, height=1080) as classroom:
        image = classroom.draw(3.0)
    tiles = find_tiles(image)
    assert len(tiles) == seats
    faces = [face.box for face in detector.detect(image)]
    assert faces
    seen = decoded(thumbnail(image, tiles))
    assert seen.shape == (round(1080 * WIDTH / 1920), WIDTH, 3)
    # also where somebody enlarges it, and without the lines of the tiles
    for shown in (seen, decoded(thumbnail(image, []))):
        enlarged = np.asarray(Image.fromarray(shown).resize((1920, 1080), Image.Resampling.BICUBIC))
        # the detector may see a giant in the blobs, and none of the people who are there
        found = [face.box for face in detector.detect(np.ascontiguousarray(enlarged))]
        assert all(overlapping(one, face) < 0.3 for one in found for face in faces)


def overlapping(one: Box, other: Box) -> float:
    """Intersection over union."""
    shared = overlap(one, other)
    return 0.0 if shared is None else shared.area / (one.area + other.area - shared.area)


def test_a_tile_is_made_of_few_blocks_whatever_its_size() -> None:
    def tiles(width: int, number: int) -> list[Tile]:
        return [Tile(Box(width * at, 0, width, 90), None, camera_on=True) for at in range(number)]

    for columns in (1, 2, 3, 5, 7):
        blocks = blocks_across(1920, tiles(1920 // columns, columns))
        assert blocks / columns == pytest.approx(BLOCKS_PER_TILE, abs=0.5)
    assert blocks_across(1920, tiles(40, 49)) == MOST_BLOCKS
    assert blocks_across(1920, []) == BLOCKS_WITHOUT_TILES


def test_the_outlines_are_those_of_the_tiles() -> None:
    image = np.zeros((540, 960, 3), np.uint8)
    tiles = [
        Tile(Box(0, 0, 480, 270), None, camera_on=True),
        Tile(Box(480, 270, 480, 270), None, camera_on=False),
    ]
    seen = decoded(thumbnail(image, tiles))
    assert seen[60, 1].tolist() == [76, 195, 212]
    assert seen[200, 478].tolist() == [152, 162, 179]
    assert seen[200, 60].tolist() == [0, 0, 0]


def test_a_picture_of_one_row_has_one_too() -> None:
    assert decoded(thumbnail(np.full((1, 2000, 3), 9, np.uint8), [])).shape == (1, WIDTH, 3)

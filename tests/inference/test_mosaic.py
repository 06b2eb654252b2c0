import numpy as np
import pytest

from engagement.records import Box, Face, Tile
from inference.mosaic import build_mosaic

TILES = tuple(Tile(Box(20 + 330 * (i % 3), 10 + 200 * (i // 3), 320, 180), None, True) for i in range(7))


def frame() -> np.ndarray:
    """Each tile has a grey of its own; around them it is black."""
    image = np.zeros((640, 1030, 3), np.uint8)
    for index, tile in enumerate(TILES):
        box = tile.box
        image[box.top : box.bottom, box.left : box.right] = 30 * (index + 1)
    return image


def test_each_tile_is_brought_to_the_height_asked_for() -> None:
    mosaic = build_mosaic(frame(), TILES, 60)
    for index, place in enumerate(mosaic.places):
        assert (place.width, place.height) == (107, 60)
        part = mosaic.image[place.top : place.bottom, place.left : place.right]
        assert (part == 30 * (index + 1)).all()


def test_the_mosaic_is_compact() -> None:
    mosaic = build_mosaic(frame(), TILES, 60)
    assert mosaic.image.shape[0] * mosaic.image.shape[1] < 1.5 * len(TILES) * 107 * 60


def test_a_face_comes_back_to_its_place_in_the_frame() -> None:
    mosaic = build_mosaic(frame(), TILES, 60)
    place, box = mosaic.places[4], TILES[4].box
    corner = np.array([place.left, place.top], np.float32)
    landmarks = np.array([[40, 20], [60, 20], [50, 30], [42, 40], [58, 40]], np.float32) + corner
    face = Face(Box(place.left + 30, place.top + 10, 40, 40), landmarks, 0.9)
    shared = mosaic.share_out([face])
    assert [len(found) for found in shared] == [0, 0, 0, 0, 1, 0, 0]
    (moved,) = shared[4]
    assert moved.box.iou(Box(box.left + 90, box.top + 30, 120, 120)) > 0.98  # to a pixel
    expected = (landmarks - corner) * 3 + (box.left, box.top)
    np.testing.assert_allclose(moved.landmarks, expected, atol=1.0)


def test_a_face_in_the_gap_belongs_to_nobody() -> None:
    mosaic = build_mosaic(frame(), TILES, 60)
    edge = mosaic.places[0].right
    face = Face(Box(edge, 10, 4, 20), np.zeros((5, 2), np.float32), 0.9)
    assert not any(mosaic.share_out([face]))


def test_a_tile_that_leaves_the_frame_is_cut() -> None:
    mosaic = build_mosaic(frame(), [Tile(Box(-40, -20, 200, 100), None, True)], 40)
    assert mosaic.boxes == (Box(0, 0, 160, 80),)


@pytest.mark.parametrize("count", [1, 2, 49])
def test_any_number_of_tiles_fits(count: int) -> None:
    tiles = [TILES[index % 7] for index in range(count)]
    mosaic = build_mosaic(frame(), tiles, 32)
    assert len({(place.left, place.top) for place in mosaic.places}) == count
    height, width = mosaic.image.shape[:2]
    assert all(place == place.clipped(width, height) for place in mosaic.places)

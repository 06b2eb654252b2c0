"""Faces of one kind at a time, and portraits whose main face no detector had to find."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engagement.records import Box, Face
from inference.pose import HEAD, estimate
from models.detector import groups
from models.detector.compose import TILE
from models.detector.groups import BEGUN, TURNED, cheek_lightness, main_face_pictures, main_face_scores
from models.detector.photo import Photo
from models.landmarks.turning import turn_head

POINTS = (HEAD[:, :2] + (80, 85)).astype(np.float32)
NOWHERE = np.zeros((5, 2), np.float32)


def portrait(skin: tuple[int, int, int] = (200, 150, 120), origin: str = "portraits") -> Photo:
    """A head that looks ahead, a millimetre a pixel."""
    picture = np.full((170, 160, 3), 110, np.uint8)
    cv2.ellipse(picture, (80, 85), (55, 75), 0, 0, 360, skin, -1)
    box = np.array([[25, 10, 135, 160]], np.float32)
    return Photo(picture, box, POINTS[np.newaxis], np.zeros((0, 4), np.float32), "test", origin)


def test_cheeks_are_ordered_by_their_lightness_whatever_the_background() -> None:
    light, dark = portrait(), portrait((90, 60, 40))
    assert cheek_lightness(light) == pytest.approx(66, abs=3)
    assert cheek_lightness(dark) < 35
    dark.picture[:8] = 255
    assert cheek_lightness(dark) < 35


def test_only_heads_that_already_look_aside_are_turned_further() -> None:
    right, left = turn_head(portrait(), 0, 25.0, 0.0), turn_head(portrait(), 0, -25.0, 0.0)
    further = groups.turned_aside([portrait(), right, left])
    yaws = [estimate(photo.landmarks[0]).yaw for photo in further]
    assert yaws == [pytest.approx(TURNED, abs=6), pytest.approx(-TURNED, abs=6)]
    assert BEGUN < abs(estimate(right.landmarks[0]).yaw) < TURNED


def test_groups_are_the_same_each_time_and_hold_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "_TILES", 3)
    masked = replace(portrait((0, 250, 0)), origin="masks")
    photos = [portrait((60, 40, 30)), portrait(), portrait((250, 230, 220)), masked]
    first, again = (groups.compose_groups(photos) for _ in range(2))
    for name, scenes in first.items():
        assert len(scenes) == 3
        for scene, same in zip(scenes, again[name], strict=True):
            np.testing.assert_array_equal(scene.picture, same.picture)
            assert scene.picture.shape[0] == TILE
    assert {"tilt 45", "scarf, drawn", "cut off by the tile's edge", "cheeks, darkest third"} <= first.keys()
    # nobody here looks aside
    assert not any(name.startswith(("looking", "turned")) for name in first)
    faces = {
        name: np.mean([cheek_lightness(replace(portrait(), picture=scene.picture, boxes=scene.boxes,
                                               landmarks=scene.landmarks)) for scene in first[name]])
        for name in ("cheeks, darkest third", "cheeks, lightest third")
    }  # fmt: skip
    assert faces["cheeks, darkest third"] < faces["cheeks, lightest third"]


class Finder:
    """Finds these boxes, given in shares of the picture's side, with these scores."""

    def __init__(self, *found: tuple[float, float, float, float]) -> None:
        self._found = found

    def detect(self, image: np.ndarray) -> list[Face]:
        side = image.shape[0]
        return [
            Face(
                Box(round((x - high / 2) * side), round((y - high / 2) * side), *[round(high * side)] * 2),
                NOWHERE,
                score,
            )
            for x, y, high, score in self._found
        ]


@pytest.mark.parametrize(
    ("found", "score"),
    [
        ((), -1.0),
        (((0.5, 0.45, 0.5, 0.6), (0.52, 0.5, 0.4, 0.8)), 0.8),
        (((0.2, 0.5, 0.5, 0.9),), -1.0),
        (((0.5, 0.5, 0.1, 0.9), (0.5, 0.5, 0.9, 0.9)), -1.0),
    ],
)
def test_the_main_face_is_the_surest_about_the_middle_of_plausible_height(
    found: tuple[tuple[float, float, float, float], ...], score: float
) -> None:
    square = np.zeros((100, 100, 3), np.uint8)
    assert main_face_scores(Finder(*found), [square]).tolist() == [score]


def test_portraits_become_tiles_of_the_products_height_and_small_ones() -> None:
    tiles, small = main_face_pictures([portrait(), portrait(origin="masks"), portrait()]).values()
    assert [tile.shape[0] for tile in tiles] == [TILE, TILE]
    assert (tiles[0] != tiles[1]).any()  # from another number of pixels
    assert all(0.15 * 170 <= picture.shape[0] + 1 <= 0.5 * 170 + 2 for picture in small)

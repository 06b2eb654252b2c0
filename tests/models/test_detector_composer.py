from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.detector import drawn
from models.detector.compose import SMALLEST_TAUGHT, TILE, Scene, compose, compose_gallery, compose_tilted
from models.detector.covers import KINDS
from models.detector.labels import SPLITS, label_picture, load_teachers
from models.detector.photo import Photo
from models.detector.placing import MIRRORED, from_middles, mirrored, resized
from models.detector.spoil import spoil

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255))
"""One per landmark, so that a picture shows where each one went."""


def marked_photo() -> Photo:
    """A grey picture whose landmarks are dots of `COLOURS`."""
    picture = np.full((200, 220, 3), 128, np.uint8)
    points = np.array([[85, 80], [135, 80], [110, 105], [90, 130], [130, 130]], np.float32)
    for colour, (x, y) in zip(COLOURS, points, strict=True):
        cv2.circle(picture, (int(x), int(y)), 7, colour, -1)
    box = np.array([[65, 45, 155, 155]], np.float32)
    return Photo(picture, box, points[np.newaxis], np.zeros((0, 4), np.float32), "train", "portraits")


def misplaced(scene: Scene) -> list[float]:
    """Per landmark how much its pixel differs from its colour, 0..255."""
    (points,) = scene.landmarks
    return [
        float(np.abs(scene.picture[round(float(y)), round(float(x))].astype(int) - colour).max())
        for colour, (x, y) in zip(COLOURS, points, strict=True)
    ]


@pytest.mark.parametrize("tilt", [-45.0, -20.0, 0.0, 30.0, 45.0])
def test_landmarks_go_where_the_picture_goes(tilt: float) -> None:
    right = 0
    for seed in range(8):
        scene = compose_tilted([marked_photo()], tilt, np.random.default_rng(seed))
        assert len(scene.boxes) == 1
        ((left, top, right_side, bottom),) = scene.boxes
        inside = (scene.landmarks[0] > (left, top)) & (scene.landmarks[0] < (right_side, bottom))
        assert inside.all()
        # a mirrored photograph swaps the colours of left and right, and some faces are covered
        swapped = scene.landmarks[:, list(MIRRORED)]
        both = (misplaced(scene), misplaced(Scene(scene.picture, scene.boxes, swapped, scene.doubtful)))
        right += min(max(errors) for errors in both) < 60
    assert right >= 5


def test_a_mirror_image_keeps_the_persons_right_on_the_left() -> None:
    photo = marked_photo()
    turned = mirrored(photo)
    assert turned.landmarks[0, 0, 0] < turned.landmarks[0, 1, 0]
    x, y = turned.landmarks[0, 0].astype(int)
    assert turned.picture[y, x].tolist() == list(COLOURS[1])
    twice = mirrored(turned)
    np.testing.assert_array_equal(twice.landmarks, photo.landmarks)
    np.testing.assert_array_equal(twice.boxes, photo.boxes)


def test_a_mirror_image_moves_points_as_it_moves_pixels() -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[4, 7] = 255
    middle = np.full((1, 5, 2), (7.5, 4.5), np.float32)
    turned = mirrored(
        Photo(
            picture, np.array([[7, 4, 8, 5]], np.float32), middle, np.zeros((0, 4), np.float32), "train", "x"
        )
    )
    assert np.argwhere(turned.picture[..., 0]).tolist() == [[4, 22]]
    np.testing.assert_allclose(turned.landmarks[0], np.full((5, 2), (22.5, 4.5)))
    np.testing.assert_allclose(turned.boxes, [[22, 4, 23, 5]])


@pytest.mark.parametrize(("angle", "scale"), [(0.0, 3.0), (40.0, 1.0), (-25.0, 0.6)])
def test_a_picture_is_moved_as_its_points_are(angle: float, scale: float) -> None:
    picture = np.zeros((80, 80), np.float32)
    picture[24:28, 30:34] = 1  # around (32, 26)
    there = cv2.getRotationMatrix2D((32.0, 26.0), angle, scale)
    there[:, 2] += (11.25, 14.75)
    moved = cv2.warpAffine(picture, from_middles(there), (90, 90))
    rows, columns = np.indices(moved.shape)
    found = [float((moved * (at + 0.5)).sum() / moved.sum()) for at in (columns, rows)]
    np.testing.assert_allclose(found, there @ (32.0, 26.0, 1.0), atol=0.06)


def test_truth_is_scaled_with_the_picture() -> None:
    half = resized(marked_photo(), 0.5)
    assert half.picture.shape == (100, 110, 3)
    np.testing.assert_allclose(half.boxes, marked_photo().boxes / 2)
    np.testing.assert_allclose(half.landmarks, marked_photo().landmarks / 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cover_is_of_the_kind_asked_for_and_moves_no_mark(kind: str) -> None:
    for seed in range(4):
        bare, covered = (
            compose_tilted([marked_photo()], 0.0, np.random.default_rng(seed), kind=chosen)
            for chosen in (None, kind)
        )
        np.testing.assert_array_equal(covered.landmarks, bare.landmarks)
        np.testing.assert_array_equal(covered.boxes, bare.boxes)
        left, top, right, bottom = covered.boxes[0]
        rows, columns = np.nonzero((covered.picture != bare.picture).any(axis=-1))
        assert len(rows) > 0
        middle = {
            "scarf": (columns < left) | (columns > right) | (rows < top) | (rows > bottom),
            "headset": (columns < left + 0.3 * (right - left))
            | (columns > right - 0.3 * (right - left))
            | (rows < top),
            "glasses": rows < (top + bottom) / 2,
            "hand": rows > top,
            "cup": rows > (top + bottom) / 2,
        }[kind]
        assert middle.mean() > 0.6


def test_a_cut_face_lies_at_an_edge_and_most_of_it_shows() -> None:
    edges = set()
    for seed in range(12):
        scene = compose_tilted([marked_photo()], 0.0, np.random.default_rng(seed), cut=True)
        height, width = scene.picture.shape[:2]
        assert len(scene.boxes) == 1
        left, top, right, bottom = scene.boxes[0]
        touched = {"left": left <= 0, "top": top <= 0, "right": right >= width, "bottom": bottom >= height}
        assert sum(touched.values()) >= 1
        edges |= {side for side, there in touched.items() if there}
    assert edges == {"left", "top", "right", "bottom"}


def test_scenes_are_seeded_and_their_truth_lies_inside() -> None:
    photos = [marked_photo()]
    for seed in range(12):
        scene = compose(photos, 128, np.random.default_rng(seed))
        again = compose(photos, 128, np.random.default_rng(seed))
        np.testing.assert_array_equal(scene.picture, again.picture)
        np.testing.assert_array_equal(scene.boxes, again.boxes)
        assert scene.picture.shape == (128, 128, 3)
        assert scene.picture.dtype == np.uint8
        for boxes in (scene.boxes, scene.doubtful):
            assert boxes.shape[1:] == (4,)
            assert ((boxes >= 0) & (boxes <= 128)).all()
        sides = scene.boxes[:, 2:] - scene.boxes[:, :2]
        assert (sides[:, 1] >= SMALLEST_TAUGHT * 0.5).all()
        assert len(scene.landmarks) == len(scene.boxes)


def test_a_gallery_has_tiles_of_the_products_height_and_faces_in_most() -> None:
    scene = compose_gallery([marked_photo()], 4, np.random.default_rng(3))
    assert scene.picture.shape[0] == 4 * (TILE + 4)
    assert 5 <= len(scene.boxes) <= 24


def test_drawn_things_fill_their_tile_and_differ() -> None:
    for draw in (drawn.card, drawn.avatar_card, drawn.slide, drawn.pattern, drawn.room):
        first, second = (draw(160, 90, np.random.default_rng(seed)) for seed in (1, 2))
        assert first.shape == second.shape == (90, 160, 3)
        assert first.dtype == np.uint8
        assert (first != second).any()


def test_spoiling_leaves_the_original_alone() -> None:
    picture = marked_photo().picture
    before = picture.copy()
    for seed in range(6):
        spoiled = spoil(picture, np.random.default_rng(seed))
        assert spoiled.shape == picture.shape
        assert spoiled.dtype == np.uint8
    np.testing.assert_array_equal(picture, before)


def test_two_teachers_label_a_portrait_and_agree_on_the_order(shared_data: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(shared_data / "faces" / "portraits.parquet", columns=["image", "split"])
    assert set(table["split"].to_pylist()) == set(SPLITS)
    raw = np.frombuffer(table["image"][0].as_py(), np.uint8)
    picture = np.asarray(cv2.imdecode(raw, cv2.IMREAD_COLOR_RGB), np.uint8)
    sure, _ = label_picture(picture, *load_teachers(shared_data))
    faces = [row for row in sure if row[0] < 125 < row[2]]
    assert len(faces) == 1
    right_eye, left_eye, nose, right_mouth, left_mouth = faces[0][4:].reshape(5, 2)
    assert right_eye[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_hard_photographs_and_those_of_several_fill_large_pictures_more_often() -> None:
    plain = marked_photo()
    red = replace(plain, picture=np.full_like(plain.picture, (250, 20, 20)))
    boxes = np.array([[10, 45, 90, 155], [120, 45, 200, 155]], np.float32)
    moves = np.array([[[-60, 0]], [[50, 0]]], np.float32)
    blue = np.full_like(plain.picture, (20, 20, 250))
    two = replace(plain, picture=blue, boxes=boxes, landmarks=plain.landmarks + moves)
    one = replace(plain, picture=blue)

    def shown(photos: list[Photo], hard: list[Photo], colour: tuple[int, int, int]) -> int:
        """Of 150 pictures those half of which or more is of the colour."""
        rng = np.random.default_rng(4)
        pictures = [compose(photos, 128, rng, hard=hard).picture.astype(int) for _ in range(150)]
        return sum((np.abs(picture - colour).max(axis=2) < 40).mean() > 0.5 for picture in pictures)

    crowd = [plain] * 20
    assert shown(crowd, [], (250, 20, 20)) == 0
    assert shown(crowd, [red], (250, 20, 20)) > 15
    assert shown([*crowd, two], [], (20, 20, 250)) > 3 * shown([*crowd, one], [], (20, 20, 250))


def test_only_a_photograph_with_a_face_is_drawn() -> None:
    empty = replace(
        marked_photo(), boxes=np.zeros((0, 4), np.float32), landmarks=np.zeros((0, 5, 2), np.float32)
    )
    with pytest.raises(ValueError, match="Hardly a photograph"):
        compose([empty], 96, np.random.default_rng(1))

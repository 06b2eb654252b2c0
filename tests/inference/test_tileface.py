"""Our own detector as it is shipped, on real faces, on what is none, and on pictures of any size."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from engagement.records import Face, Tile
from inference.faces import FaceDetector, load_detector
from inference.mosaic import build_mosaic
from inference.presence import ConfirmedDetector
from inference.reader import TILE_HEIGHT
from inference.tileface import TileFaceDetector
from models.registry import resolve_face
from tests.capture.synthetic_gallery import Portrait, compose_gallery


def in_tiles(detector: FaceDetector, image: np.ndarray, tiles: list[Tile]) -> tuple[tuple[Face, ...], ...]:
    mosaic = build_mosaic(image, tiles, TILE_HEIGHT)
    return mosaic.share_out(detector.detect(mosaic.image))


def test_it_is_the_default_and_what_it_is_unsure_of_is_looked_at_again(detector: FaceDetector) -> None:
    assert isinstance(detector, ConfirmedDetector)


def test_every_real_tile_with_a_face_shows_one_and_none_shows_without(
    detector: FaceDetector, screenshots: list[Any]
) -> None:
    found = shown = false = 0
    for shot in screenshots:
        cameras = [
            (tile, truth) for tile, truth in zip(shot.tiles, shot.truth, strict=True) if tile.camera_on
        ]
        faces = in_tiles(detector, shot.image, [tile for tile, _ in cameras])
        for here, (_, truth) in zip(faces, cameras, strict=True):
            shown += truth["face"]
            found += truth["face"] and bool(here)
            false += not truth["face"] and bool(here)
    assert shown == 56
    assert found == 56
    assert false == 0


def test_portraits_have_their_landmarks_where_yunet_sees_them(
    detector: FaceDetector, shared_data: Path, people: list[Portrait]
) -> None:
    yunet = load_detector("yunet", shared_data / "reference" / "yunet_2026may.onnx")
    gaps = []
    for person in people[:25]:
        picture = cv2.resize(person.picture, None, fx=2, fy=2)
        x, y = person.head.centre
        middle = (2 * x, 2 * y)
        faces = [face for face in detector.detect(picture) if face.box.contains(*middle)]
        reference = [face for face in yunet.detect(picture) if face.box.contains(*middle)]
        assert len(faces) == 1
        (face,), (other, *_) = faces, reference
        right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
        # the person's right is the picture's left
        assert right_eye[0] < left_eye[0]
        assert right_mouth[0] < left_mouth[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
        assert face.box.iou(other.box) > 0.6
        gaps.append(np.linalg.norm(face.landmarks - other.landmarks, axis=1).mean() / other.box.height)
    assert float(np.mean(gaps)) < 0.05


def test_heads_that_are_tilted_by_45_degrees_are_found(
    detector: FaceDetector, people: list[Portrait]
) -> None:
    found = 0
    for number, person in enumerate(people[:20]):
        x, y = person.head.centre
        turn = cv2.getRotationMatrix2D((x, y), 45 if number % 2 else -45, 1.0)
        size = person.picture.shape[1::-1]
        tilted = cv2.warpAffine(person.picture, turn, size, borderMode=cv2.BORDER_REPLICATE)
        found += any(face.box.contains(x, y) for face in detector.detect(np.asarray(tilted, np.uint8)))
    assert found >= 17


def test_a_gallery_of_49_is_found_whole(detector: FaceDetector, people: list[Portrait]) -> None:
    gallery = compose_gallery([person.picture for person in people])
    tiles = [Tile(box, None, True) for box in gallery.boxes]
    assert sum(bool(faces) for faces in in_tiles(detector, gallery.image, tiles)) >= 48


def test_a_face_that_fills_a_large_picture_is_found_once(
    detector: FaceDetector, people: list[Portrait]
) -> None:
    head = people[0].head
    picture = cv2.resize(people[0].picture, None, fx=700 / head.height, fy=700 / head.height)
    middle = tuple(700 / head.height * value for value in head.centre)
    faces = [face for face in detector.detect(picture) if face.box.contains(*middle)]
    assert len(faces) == 1
    assert 450 < faces[0].box.height < 950


def initials(width: int, height: int, letters: str, colour: tuple[int, int, int]) -> np.ndarray:
    picture = Image.new("RGB", (width, height), (40, 40, 44))
    pen = ImageDraw.Draw(picture)
    r = height // 3
    pen.ellipse([width // 2 - r, height // 2 - r, width // 2 + r, height // 2 + r], fill=colour)
    font = ImageFont.load_default(r)
    pen.text((width / 2, height / 2), letters, fill="white", font=font, anchor="mm")
    return np.array(picture)


def smiley(width: int, height: int) -> np.ndarray:
    picture = np.full((height, width, 3), 235, np.uint8)
    x, y, r = width // 2, height // 2, height // 3
    cv2.circle(picture, (x, y), r, (255, 205, 50), -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(picture, (x + side * r // 3, y - r // 4), r // 8, (50, 30, 10), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (x, y + r // 8), (r // 2, r // 2), 0, 20, 160, (90, 40, 10), 3, cv2.LINE_AA)
    return picture


def cat(width: int, height: int) -> np.ndarray:
    rng = np.random.default_rng(4)
    picture = np.full((height, width, 3), (120, 150, 110), np.uint8)
    x, y, r = width // 2, height // 2 + 6, height // 3
    for side in (-1, 1):
        ear = [[x + side * r // 4, y - r // 2], [x + side * r, y - r * 5 // 4], [x + side * r, y]]
        cv2.fillPoly(picture, [np.array(ear)], (150, 110, 70))
        cv2.ellipse(picture, (x + side * r // 2, y - r // 6), (r // 6, r // 4), 0, 0, 360, (90, 180, 60), -1)
    cv2.circle(picture, (x, y + r // 4), r * 2 // 3, (170, 130, 85), -1)
    cv2.ellipse(picture, (x, y + r // 3), (r // 8, r // 10), 0, 0, 360, (200, 120, 120), -1)
    return np.clip(picture + rng.normal(0, 12, picture.shape), 0, 255).astype(np.uint8)


def poster(width: int, height: int) -> np.ndarray:
    picture = Image.new("RGB", (width, height), (250, 245, 230))
    pen = ImageDraw.Draw(picture)
    pen.rectangle([10, 10, width - 10, height // 2], fill=(180, 40, 40))
    pen.ellipse([width // 3, height // 2, width // 3 + 30, height // 2 + 30], fill=(30, 60, 160))
    pen.text((20, 20), "SAVE THE PLANET", fill="white", font=ImageFont.load_default(height // 6))
    return np.array(picture)


def test_cards_avatars_posters_and_pets_are_no_faces(detector: FaceDetector) -> None:
    width, height = 199, TILE_HEIGHT
    tiles = [
        initials(width, height, "AO", (200, 80, 60)),
        initials(width, height, "B", (30, 120, 200)),
        initials(width, height, "OO", (90, 160, 90)),
        smiley(width, height),
        cat(width, height),
        poster(width, height),
        np.zeros((height, width, 3), np.uint8),
        np.full((height, width, 3), 255, np.uint8),
        np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8),
    ]
    for number, tile in enumerate(tiles):
        assert detector.detect(tile) == [], number


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 3, 3), (31, 33, 3), (11, 400, 3), (350, 5, 3), (64, 96, 3)])
def test_small_and_odd_pictures_are_borne(detector: FaceDetector, shape: tuple[int, int, int]) -> None:
    assert detector.detect(np.full(shape, 90, np.uint8)) == []


def test_a_huge_picture_is_shrunk_and_its_faces_keep_their_places(
    detector: FaceDetector, people: list[Portrait]
) -> None:
    picture = np.zeros((3000, 4000, 3), np.uint8)
    person = cv2.resize(people[2].picture, None, fx=5, fy=5)[:2900, :3900]
    picture[40 : 40 + person.shape[0], 60 : 60 + person.shape[1]] = person
    middle = tuple(5 * value + start for value, start in zip(people[2].head.centre, (60, 40), strict=True))
    assert any(face.box.contains(*middle) for face in detector.detect(picture))


def test_boxes_stay_inside_and_are_as_tall_as_asked(people: list[Portrait]) -> None:
    weights = resolve_face().path
    head = people[0].head
    cut = np.ascontiguousarray(
        people[0].picture[head.top + 10 : head.bottom - 10, head.left + 5 : head.right - 5]
    )
    height, width = cut.shape[:2]
    for face in TileFaceDetector(weights, threshold=0.1).detect(cut):
        assert face.box == face.box.clipped(width, height)
        assert 0.1 <= face.score <= 1
    tall = TileFaceDetector(weights, min_face=60).detect(people[0].picture)
    assert all(face.box.height >= 60 for face in tall)


def test_a_higher_threshold_keeps_a_part_of_the_faces(people: list[Portrait]) -> None:
    gallery = compose_gallery([person.picture for person in people[:9]]).image
    kept = [
        {
            (face.box.left, face.box.top)
            for face in TileFaceDetector(resolve_face().path, threshold=t).detect(gallery)
        }
        for t in (0.1, 0.5, 0.9)
    ]
    assert kept[2] <= kept[1] <= kept[0]
    assert kept[0]


def test_many_threads_may_ask_one_detector(detector: FaceDetector, people: list[Portrait]) -> None:
    pictures = [person.picture[: 150 + 10 * (n % 4), : 260 + 8 * n] for n, person in enumerate(people[:8])]
    alone = [[face.box for face in detector.detect(picture)] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.detect, pictures * 3))
    assert [[face.box for face in faces] for faces in together] == alone * 3

import cv2
import numpy as np
import pytest

from engagement.records import Box, Face
from inference.align import FER2013, SIZE, crop_face, upright_angle
from models.registry import CropGeometry, resolve

WHOLE = CropGeometry(side=1.0, offset_x=0.0, offset_y=0.0)


def face(box: Box) -> Face:
    return Face(box, np.zeros((5, 2), np.float32), 1.0)


def test_the_crop_is_the_square_around_the_box() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[60:140, 50:130] = 255
    crop = crop_face(image, face(Box(60, 60, 60, 80)), WHOLE, 40)
    assert crop.shape == (40, 40)
    assert crop.dtype == np.uint8
    assert (crop == 255).all()
    wider = crop_face(image, face(Box(60, 60, 60, 80)), CropGeometry(2.0, 0.0, 0.0), 40)
    assert (wider[10:30, 10:30] == 255).all()
    assert wider.astype(int).sum() == 255 * 20 * 20


def test_offsets_are_in_heights_of_the_box_with_y_down() -> None:
    rows, columns = np.mgrid[0:200, 0:200]
    image = np.stack([rows, rows, rows], axis=2).astype(np.uint8)
    centre = crop_face(image, face(Box(80, 80, 30, 40)), WHOLE, 40)
    lower = crop_face(image, face(Box(80, 80, 30, 40)), CropGeometry(1.0, 0.0, 0.25), 40)
    assert (lower.astype(int) - centre == 10).all()
    across = np.stack([columns] * 3, axis=2).astype(np.uint8)
    right = crop_face(across, face(Box(80, 80, 30, 40)), CropGeometry(1.0, 0.5, 0.0), 40)
    assert (right.astype(int) - crop_face(across, face(Box(80, 80, 30, 40)), WHOLE, 40) == 20).all()


def test_grey_is_the_luma_of_rgb() -> None:
    image = np.zeros((50, 50, 3), np.uint8)
    image[..., 0] = 200
    assert (crop_face(image, face(Box(10, 10, 20, 20))) == 60).all()  # 0.299 * 200: red, not blue


def test_beyond_the_tile_its_border_goes_on_and_no_neighbour_shows() -> None:
    image = np.full((100, 200, 3), 10, np.uint8)
    image[:, 100:] = 250
    crop = crop_face(
        image, face(Box(70, 30, 40, 40)), CropGeometry(2.0, 0.0, 0.0), within=Box(0, 0, 100, 100)
    )
    assert (crop == 10).all()
    assert crop_face(image, face(Box(70, 30, 40, 40)), CropGeometry(2.0, 0.0, 0.0)).max() == 250


def landmarks_at(degrees: float, centre: tuple[float, float], scale: float = 1.0) -> np.ndarray:
    """A frontal face's landmarks, turned clockwise."""
    points = np.array([[-15, -12], [15, -12], [0, 4], [-12, 18], [12, 18]], np.float64) * scale
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return (points @ turn.T + centre).astype(np.float32)


@pytest.mark.parametrize("degrees", [-60, -30, 0, 20, 45])
def test_the_roll_is_that_of_the_landmarks(degrees: float) -> None:
    assert np.degrees(upright_angle(landmarks_at(degrees, (50, 60)))) == pytest.approx(degrees, abs=1e-4)
    assert upright_angle(np.full((5, 2), 3.0, np.float32)) == 0.0


def test_a_turned_head_keeps_the_roll_of_its_eyes() -> None:
    points = landmarks_at(0, (50, 60))
    points[2] += (9, 0)  # the nose of a head turned to the side says nothing of its roll
    assert upright_angle(points) == 0.0


@pytest.mark.parametrize("degrees", [-40, -15, 25])
def test_a_tilted_face_comes_out_as_the_upright_one(degrees: float) -> None:
    pattern = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (240, 240, 3), np.uint8), (0, 0), 6)
    pattern = cv2.normalize(pattern, None, 0, 255, cv2.NORM_MINMAX)
    middle = (119.5, 119.5)
    turned = cv2.warpAffine(pattern, cv2.getRotationMatrix2D(middle, -degrees, 1), (240, 240))
    box, geometry = Box(80, 80, 80, 80), CropGeometry(1.0, 0.0, -0.1)
    # box centres are between pixels, so the picture's middle is 120
    upright = crop_face(pattern, Face(box, landmarks_at(0, (120, 120)), 1.0), geometry)
    again = crop_face(turned, Face(box, landmarks_at(degrees, (120, 120)), 1.0), geometry)
    left_alone = crop_face(turned, Face(box, landmarks_at(0, (120, 120)), 1.0), geometry)
    assert np.abs(again.astype(int) - upright).mean() < 4
    assert np.abs(left_alone.astype(int) - upright).mean() > 10


@pytest.mark.parametrize("geometry", [FER2013, resolve("expression").crop], ids=["default", "shipped"])
def test_the_crop_is_placed_as_the_training_pictures_are(geometry: CropGeometry) -> None:
    """Side 0.97 of the box's height, centre 0.01 of it above the box's, in the axes of the tilted head."""
    tall, degrees, middle = 300, 20.0, np.array([380.0, 390.0])
    box = Box(round(middle[0]) - 120, round(middle[1]) - tall // 2, 240, tall)
    tilted = Face(box, landmarks_at(degrees, (380, 390), 3.0), 1.0)
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    cells = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    across, down = np.meshgrid(cells * 0.97 * tall, cells * 0.97 * tall - 0.01 * tall)
    places = np.stack([across, down], axis=-1) @ turn.T + middle
    for axis in (0, 1):
        # a grey ramp tells where in the picture each pixel was taken; with the falling one, what rounding adds goes
        ramp = (np.arange(780) + 0.5) / 3.06
        grey = np.rint(np.broadcast_to(ramp if axis == 0 else ramp[:, np.newaxis], (780, 780)))
        rising, falling = (
            crop_face(np.repeat(way.astype(np.uint8)[..., np.newaxis], 3, axis=2), tilted, geometry).astype(
                float
            )
            for way in (grey, 255 - grey)
        )
        taken = (rising + 255 - falling) / 2 * 3.06
        assert np.abs(taken - places[..., axis]).max() < 3
        assert abs((taken - places[..., axis]).mean()) < 0.2

import numpy as np
import pytest

from inference.face_maps import CHANNELS, STRIDES, cell_centres, decode, suppress


def empty_maps(height: int = 64, width: int = 96) -> list[np.ndarray]:
    maps = [np.zeros((height // s, width // s, CHANNELS), np.float32) for s in STRIDES]
    for level in maps:
        level[..., 0] = -8.0
    return maps


def test_nothing_is_decoded_from_maps_without_faces() -> None:
    boxes, points, scores = decode(empty_maps(), 0.5)
    assert (boxes.shape, points.shape, scores.shape) == ((0, 4), (0, 5, 2), (0,))


@pytest.mark.parametrize(("level", "stride"), list(enumerate(STRIDES)))
def test_a_cell_gives_its_box_and_landmarks_in_pixels(level: int, stride: int) -> None:
    maps = empty_maps()
    cell = maps[level][1, 0]
    cell[0] = 2.0
    cell[1:5] = (0.25, -0.5, np.log(2), np.log(3))
    cell[5:] = np.arange(10) / 10
    boxes, points, scores = decode(maps, 0.5)
    x, y = 0.5 * stride, 1.5 * stride
    middle = np.array([x + 0.25 * stride, y - 0.5 * stride])
    half = np.array([stride, 1.5 * stride])
    np.testing.assert_allclose(boxes, [[*(middle - half), *(middle + half)]], rtol=1e-5)
    np.testing.assert_allclose(points[0], np.arange(10).reshape(5, 2) / 10 * stride + (x, y), rtol=1e-5)
    np.testing.assert_allclose(scores, [1 / (1 + np.exp(-2))], rtol=1e-5)


def test_the_threshold_is_the_score() -> None:
    maps = empty_maps()
    for column, score in enumerate((0.3, 0.49, 0.51, 0.9)):
        maps[0][0, column, 0] = np.log(score / (1 - score))
    np.testing.assert_allclose(sorted(decode(maps, 0.5)[2]), [0.51, 0.9], rtol=1e-4)
    assert len(decode(maps, 0.25)[2]) == 4


def test_a_wild_size_stays_finite() -> None:
    maps = empty_maps()
    maps[2][0, 0, :5] = (3, 0, 0, 80, 80)
    boxes, _, _ = decode(maps, 0.5)
    assert np.isfinite(boxes).all()


def test_cells_lie_in_the_middle_of_their_squares() -> None:
    np.testing.assert_array_equal(
        cell_centres(2, 3, 8), [[4, 4], [12, 4], [20, 4], [4, 12], [12, 12], [20, 12]]
    )


def test_one_box_per_face_is_kept_best_first() -> None:
    boxes = np.array([[0, 0, 20, 20], [2, 1, 21, 22], [50, 50, 70, 70], [100, 0, 140, 40]], np.float32)
    assert suppress(boxes, np.array([0.6, 0.9, 0.7, 0.8], np.float32), 0.4).tolist() == [1, 3, 2]


def test_a_mouth_in_a_face_is_no_face() -> None:
    boxes = np.array([[0, 0, 100, 100], [40, 60, 60, 75], [90, 0, 190, 100]], np.float32)
    assert suppress(boxes, np.array([0.6, 0.9, 0.7], np.float32), 0.4).tolist() == [1, 2]
    assert suppress(boxes, np.array([0.9, 0.6, 0.7], np.float32), 0.4).tolist() == [0, 2]


def test_nothing_is_kept_of_nothing() -> None:
    assert suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.4).tolist() == []

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from inference.face_maps import STRIDES, cell_centres
from models.detector.compose import Scene
from models.detector.loss import box_overlap, detection_loss
from models.detector.targets import BACKGROUND, IGNORED, RANGES, assign, cell_count

SIZE = 128


def scene(*boxes: tuple[float, float, float, float], doubtful: tuple[tuple[float, ...], ...] = ()) -> Scene:
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    points = np.repeat(((corners[:, :2] + corners[:, 2:]) / 2)[:, np.newaxis], 5, axis=1)
    unsure = np.array(doubtful, np.float32).reshape(-1, 4)
    return Scene(np.zeros((SIZE, SIZE, 3), np.uint8), corners, points, unsure)


def by_stride(owners: np.ndarray) -> dict[int, np.ndarray]:
    found, start = {}, 0
    for stride in STRIDES:
        side = SIZE // stride
        found[stride] = owners[start : start + side * side].reshape(side, side)
        start += side * side
    assert start == len(owners) == cell_count(SIZE)
    return found


@pytest.mark.parametrize("side", [10, 20, 34, 60, 75, 120])
def test_every_face_has_cells_near_its_centre_on_the_maps_of_its_size(side: int) -> None:
    box = (4.0, 4.0, 4.0 + side, 4.0 + side)
    maps = by_stride(assign(scene(box), SIZE))
    for (stride, owner), (low, high) in zip(maps.items(), RANGES, strict=True):
        rows, columns = np.nonzero(owner == 0)
        assert bool(len(rows)) == (low <= side <= high)
        centres = (np.stack([columns, rows], axis=1) + 0.5) * stride
        assert (np.abs(centres - (4 + side / 2)) <= max(1.5 * stride, 0.5 * stride)).all()


def test_without_faces_all_is_background() -> None:
    assert (assign(scene(), SIZE) == BACKGROUND).all()


def test_where_two_faces_meet_the_smaller_answers() -> None:
    fine = by_stride(assign(scene((40, 40, 76, 76), (50, 50, 66, 66)), SIZE))[8]
    assert fine[7, 7] == 1


def test_doubtful_places_are_not_taught_but_a_sure_face_in_them_is() -> None:
    owners = by_stride(assign(scene((56, 56, 72, 72), doubtful=((40, 40, 100, 100),)), SIZE))[8]
    assert owners[7, 7] == 0
    assert owners[11, 11] == IGNORED
    assert owners[0, 0] == BACKGROUND


def losses(cells: np.ndarray, truth: Scene) -> list[float]:
    centres = np.concatenate([cell_centres(SIZE // s, SIZE // s, s) for s in STRIDES])
    strides = np.concatenate([np.full((SIZE // s) ** 2, s, np.float32) for s in STRIDES])
    owners = assign(truth, SIZE).astype(np.int32)
    faces = replace(truth, boxes=np.pad(truth.boxes, ((0, 3), (0, 0))))
    landmarks = np.pad(truth.landmarks, ((0, 3), (0, 0), (0, 0)))
    parts = detection_loss(
        tf.constant(cells[np.newaxis]),
        tf.constant(centres),
        tf.constant(strides),
        tf.constant(owners[np.newaxis]),
        tf.constant(faces.boxes[np.newaxis]),
        tf.constant(landmarks[np.newaxis]),
        12.0,
    )
    return [float(part) for part in parts]


def perfect(truth: Scene) -> np.ndarray:
    owners = assign(truth, SIZE)
    cells = np.zeros((len(owners), 15), np.float32)
    cells[:, 0] = np.where(owners >= 0, 9.0, -9.0)
    start = 0
    for stride in STRIDES:
        centres = cell_centres(SIZE // stride, SIZE // stride, stride)
        for index, centre in enumerate(centres, start):
            if owners[index] < 0:
                continue
            box = truth.boxes[owners[index]]
            cells[index, 1:3] = ((box[:2] + box[2:]) / 2 - centre) / stride
            cells[index, 3:5] = np.log((box[2:] - box[:2]) / stride)
            cells[index, 5:] = ((truth.landmarks[owners[index]] - centre) / stride).ravel()
        start += len(centres)
    return cells


def test_a_perfect_answer_costs_next_to_nothing() -> None:
    truth = scene((10, 20, 34, 50), (60, 40, 118, 112))
    assert max(losses(perfect(truth), truth)) < 1e-2


def test_each_mistake_is_paid_for_in_its_own_loss() -> None:
    truth = scene((10, 20, 34, 50))
    right = losses(perfect(truth), truth)
    moved, marked, missed = perfect(truth), perfect(truth), perfect(truth)
    moved[:, 1] += 0.7
    marked[:, 5:] += 0.5
    missed[:, 0] = -9.0
    assert losses(moved, truth)[1] > right[1] + 0.1
    assert losses(marked, truth)[2] > right[2] + 0.1
    assert losses(missed, truth)[0] > right[0] + 1
    invented = perfect(truth)
    invented[-1, 0] = 9.0
    assert losses(invented, truth)[0] > right[0] + 0.3


def test_a_picture_without_faces_teaches_only_the_score() -> None:
    cells = np.zeros((cell_count(SIZE), 15), np.float32)
    score, box, marks = losses(cells, scene())
    assert score > 0
    assert box == marks == 0


def test_overlap_is_one_for_equal_boxes_and_negative_for_distant_ones() -> None:
    first = tf.constant([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
    second = tf.constant([[0.0, 0, 10, 10], [5, 0, 15, 10], [90, 0, 100, 10]])
    overlap, generalised = box_overlap(first, second)
    np.testing.assert_allclose(overlap.numpy(), [1, 1 / 3, 0], atol=1e-6)
    np.testing.assert_allclose(generalised.numpy(), [1, 1 / 3, -0.8], atol=1e-6)

"""The faces that were judged by eye take the place of the labels, and a table that cannot be read is refused."""

from pathlib import Path

import numpy as np
import pytest

from engagement.records import Box, Face
from models.detector.compose import as_scene
from models.detector.judged import TABLE, with_judged_faces
from models.detector.measure import Found, Tally
from models.detector.photo import Photo
from models.errors import DataError

POINTS = np.array([[24, 26], [36, 26], [30, 33], [25, 40], [35, 40]], np.float32)


def photo(digest: str) -> Photo:
    """Labelled with one face, which was judged to be one, and one that was not."""
    boxes = np.array([[20, 15, 40, 45], [60, 60, 80, 90]], np.float32)
    return Photo(
        np.zeros((100, 100, 3), np.uint8),
        boxes,
        np.stack([POINTS, POINTS + 42]),
        np.zeros((0, 4), np.float32),
        "test",
        "portraits",
        digest,
    )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "judged.txt"
    path.write_text(
        "photo,left,top,right,bottom,verdict\n"
        "aa,21,14,41,46,face\n"
        "aa,70,10,90,40,face\n"
        "aa,0,60,20,90,doubtful\n"
        "bb,1,2,3,4,face\n"
    )
    return path


def test_judged_faces_replace_the_labels_and_keep_landmarks_that_are_known(table: Path) -> None:
    judged, unknown = with_judged_faces([photo("aa"), photo("cc")], table)
    np.testing.assert_array_equal(judged.boxes, [[21, 14, 41, 46], [70, 10, 90, 40]])
    np.testing.assert_array_equal(judged.doubtful, [[0, 60, 20, 90]])
    np.testing.assert_array_equal(judged.landmarks[0], POINTS)
    assert np.isnan(judged.landmarks[1]).all()
    assert len(unknown.boxes) == 2


def test_what_was_not_judged_a_face_is_a_false_find_and_a_doubtful_one_is_none(table: Path) -> None:
    (judged,) = with_judged_faces([photo("aa")], table)
    found = [
        Face(Box(21, 14, 20, 32), POINTS + 1, 0.9),
        Face(Box(70, 10, 20, 30), POINTS, 0.8),
        Face(Box(60, 60, 20, 30), POINTS, 0.7),
        Face(Box(0, 60, 20, 30), POINTS, 0.6),
    ]
    tally = Tally()
    tally.add(Found.of(found), as_scene(judged))
    assert (tally.at(0.65), tally.at(0.5)) == ((1.0, 2 / 3), (1.0, 2 / 3))
    assert tally.landmark_error() == pytest.approx(2**0.5 / 32)


@pytest.mark.parametrize(
    "text", ["photo,left\naa,1\n", "photo,left,top,right,bottom,verdict\naa,1,2,3,4,perhaps\n"]
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "judged.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=r"Cannot read the judged faces in .*judged.txt"):
        with_judged_faces([photo("aa")], path)
    with pytest.raises(DataError, match="Cannot read"):
        with_judged_faces([photo("aa")], tmp_path / "none.csv")


def test_each_judged_face_has_a_box_of_its_own_and_a_verdict() -> None:
    rows = [line.split(",") for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]
    for digest, left, top, right, bottom, verdict in rows:
        assert len(digest) == 16
        assert int(left) < int(right)
        assert int(top) < int(bottom)
        assert verdict in {"face", "doubtful"}
    assert len({tuple(row[:5]) for row in rows}) == len(rows)

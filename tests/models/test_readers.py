from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from engagement.emotion import EXPRESSIONS
from models.data import SIZE, VOTES, FaceSet, among, read_faces, read_pictures, read_posed, soft_targets
from models.errors import DataError
from models.unlabelled import read_unlabelled


def picture(value: int) -> np.ndarray:
    image = np.full((SIZE, SIZE), value, np.uint8)
    image[0, 1] = 255 - value
    return image


def fer2013_csv(folder: Path, usages: list[str], labels: list[int]) -> Path:
    rows = [" ".join(map(str, picture(10 * n).ravel())) for n in range(len(labels))]
    path = folder / "fer2013.csv"
    pd.DataFrame({"emotion": labels, "pixels": rows, "Usage": usages}).to_csv(path, index=False)
    return path


def test_kaggle_csv_is_split_by_usage(tmp_path: Path) -> None:
    path = fer2013_csv(tmp_path, ["Training", "PublicTest", "Training"], [3, 6, 0])
    splits = read_faces(path)
    assert sorted(splits) == ["PublicTest", "Training"]
    assert splits["Training"].labels.tolist() == [3, 0]
    assert EXPRESSIONS[splits["PublicTest"].labels[0]] == "neutral"
    np.testing.assert_array_equal(splits["Training"].images[1], picture(20))
    assert splits["Training"].votes is None


def test_ferplus_votes_join_by_row_and_drop_pictures_without_a_face(tmp_path: Path) -> None:
    path = fer2013_csv(tmp_path, ["Training"] * 3, [3, 6, 0])
    votes = pd.DataFrame({"Usage": ["Training"] * 3, "Image name": ["a.png", None, "c.png"]})
    for place, name in enumerate(VOTES):
        votes["NF" if name == "nf" else name] = [place, 0, 1]
    votes.to_csv(tmp_path / "fer2013new.csv", index=False)
    faces = read_faces(path)["Training"]
    assert faces.labels.tolist() == [3, 0]
    assert faces.votes is not None
    assert faces.votes[0].tolist() == list(range(10))


def test_ferplus_rows_in_another_order_are_not_joined(tmp_path: Path) -> None:
    path = fer2013_csv(tmp_path, ["Training", "PublicTest"], [3, 6])
    votes = pd.DataFrame({"Usage": ["PublicTest", "Training"], "Image name": ["b.png", "a.png"]})
    votes[[name if name != "nf" else "NF" for name in VOTES]] = 1
    votes.to_csv(tmp_path / "fer2013new.csv", index=False)
    with pytest.raises(DataError, match="do not belong together"):
        read_faces(path)
    votes.iloc[:1].to_csv(tmp_path / "fer2013new.csv", index=False)
    with pytest.raises(DataError, match="do not belong together"):
        read_faces(path)


def test_class_folders_of_any_size_become_48_px(tmp_path: Path) -> None:
    for split, kind, side in [("train", "happy", 48), ("train", "sad", 96), ("test", "Fear", 30)]:
        folder = tmp_path / split / kind
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "face.png"), np.full((side, side, 3), 90, np.uint8))
    splits = read_faces(tmp_path)
    assert [EXPRESSIONS[n] for n in splits["Training"].labels] == ["happy", "sad"]
    assert [EXPRESSIONS[n] for n in splits["PrivateTest"].labels] == ["fear"]
    assert splits["Training"].images.shape == (2, SIZE, SIZE)
    assert np.unique(splits["PrivateTest"].images).tolist() == [90]


def test_a_small_picture_is_enlarged_by_straight_lines(tmp_path: Path) -> None:
    for name, shape in (("square", (24, 24)), ("wide", (24, 60))):
        folder = tmp_path / name / "train" / "happy"
        folder.mkdir(parents=True)
        image = np.zeros(shape, np.uint8)
        image[12:] = 200
        cv2.imwrite(str(folder / "face.png"), image)
        column = read_faces(tmp_path / name)["Training"].images[0, :, 20]
        assert len(np.unique(column)) > 2  # of blocks there would be two


def test_the_parquet_reads_images_labels_and_votes(tmp_path: Path) -> None:
    path = parquet(tmp_path, [("Training", "happy"), ("PrivateTest", "angry")])
    splits = read_faces(path)
    assert EXPRESSIONS[splits["Training"].labels[0]] == "happy"
    np.testing.assert_array_equal(splits["PrivateTest"].images[0], picture(10))
    votes = splits["PrivateTest"].votes
    assert votes is not None
    assert votes[0].tolist() == list(range(10))


def parquet(folder: Path, rows: list[tuple[str, str]]) -> Path:
    table = pd.DataFrame(rows, columns=["usage", "label"])
    table["image"] = [cv2.imencode(".png", picture(10 * n))[1].tobytes() for n in range(len(rows))]
    for place, name in enumerate(VOTES):
        table[f"votes_{name}"] = np.uint8(place)
    path = folder / "faces.parquet"
    table.to_parquet(path)
    return path


def test_bad_sources_are_refused_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_faces(tmp_path / "absent.parquet")
    (tmp_path / "faces.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match="no known source"):
        read_faces(tmp_path / "faces.zip")
    (tmp_path / "broken.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataError, match="as parquet"):
        read_faces(tmp_path / "broken.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no faces"):
        read_faces(tmp_path / "empty")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="lacks the columns Usage, emotion, pixels"):
        read_faces(tmp_path / "other.csv")


def test_bad_rows_are_refused_by_number(tmp_path: Path) -> None:
    (tmp_path / "short.csv").write_text("emotion,pixels,Usage\n3,1 2 3,Training\n")
    with pytest.raises(DataError, match="Row 0"):
        read_faces(tmp_path / "short.csv")
    with pytest.raises(DataError, match=r"outside 0\.\.6"):
        read_faces(fer2013_csv(tmp_path, ["Training"], [7]))
    with pytest.raises(DataError, match="splits Holdout"):
        read_faces(fer2013_csv(tmp_path, ["Holdout"], [3]))
    with pytest.raises(DataError, match="labels joyful"):
        read_faces(parquet(tmp_path, [("Training", "joyful")]))
    folder = tmp_path / "classes" / "train" / "happy"
    folder.mkdir(parents=True)
    (folder / "face.png").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be decoded"):
        read_faces(tmp_path / "classes")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("emotion", "sad", "words where numbers belong"),
        ("emotion", None, "empty cells"),
        ("emotion", 2.5, r"outside 0\.\.6"),
        ("pixels", " ".join(["256"] * SIZE**2), r"Row 1 .* in 0\.\.255"),
        ("pixels", " ".join(["-1"] * SIZE**2), r"Row 1 .* in 0\.\.255"),
    ],
)
def test_a_csv_with_one_bad_cell_is_refused(column: str, value: object, message: str, tmp_path: Path) -> None:
    path = fer2013_csv(tmp_path, ["Training"] * 3, [3, 6, 0])
    table = pd.read_csv(path).astype({"emotion": object})
    table.loc[1, column] = value
    table.to_csv(path, index=False)
    with pytest.raises(DataError, match=message):
        read_faces(path)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("image", [b"", None], r"Row 1 .* holds no picture"),
        ("image", [{"bytes": b"", "path": ""}] * 2, r"Row 0 .* holds no picture"),
        ("votes_fear", ["one", "two"], "words where numbers belong"),
        ("votes_fear", [1.0, None], "empty cells"),
    ],
)
def test_a_parquet_with_one_bad_column_is_refused(
    column: str, values: list[object], message: str, tmp_path: Path
) -> None:
    path = parquet(tmp_path, [("Training", "happy"), ("PublicTest", "sad")])
    table = pd.read_parquet(path)
    table[column] = [
        before if after == b"" else after for before, after in zip(table[column], values, strict=True)
    ]
    table.to_parquet(path)
    with pytest.raises(DataError, match=message):
        read_faces(path)


def test_two_folders_of_one_split_are_refused(tmp_path: Path) -> None:
    for split in ("val", "PublicTest"):
        folder = tmp_path / split / "happy"
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "face.png"), picture(10))
    with pytest.raises(DataError, match="two folders for the split PublicTest"):
        read_faces(tmp_path)


def test_a_folder_named_like_a_picture_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "happy"
    (folder / "album.png").mkdir(parents=True)
    cv2.imwrite(str(folder / "face.png"), picture(10))
    assert len(read_faces(tmp_path)["Training"]) == 1


def test_pictures_that_stand_among_others_are_told() -> None:
    images = np.stack([picture(n) for n in (1, 2, 3)])
    labels = np.array([0, 1, 2])
    found = among(FaceSet(images, labels), FaceSet(images[1:2], labels[:1]))
    assert found.tolist() == [False, True, False]


def test_targets_mix_label_and_votes_and_sum_to_one() -> None:
    votes = np.zeros((3, len(VOTES)), np.float32)
    votes[0, [VOTES.index("sadness"), VOTES.index("contempt")]] = [4, 6]  # contempt is dropped
    votes[1, VOTES.index("unknown")] = 10  # no usable vote
    votes[2, [VOTES.index("anger"), VOTES.index("neutral")]] = [5, 5]
    faces = FaceSet(np.zeros((3, SIZE, SIZE), np.uint8), np.array([0, 1, 6]), votes)
    targets = soft_targets(faces, hard_weight=0.6, smoothing=0.0)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(targets[0], [0.6, 0, 0, 0, 0.4, 0, 0], atol=1e-6)
    np.testing.assert_allclose(targets[1], [0, 1, 0, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(targets[2], [0.2, 0, 0, 0, 0, 0, 0.8], atol=1e-6)


def test_smoothing_without_votes_keeps_the_label_on_top() -> None:
    faces = FaceSet(np.zeros((2, SIZE, SIZE), np.uint8), np.array([2, 5]))
    targets = soft_targets(faces, smoothing=0.07)
    np.testing.assert_allclose(targets[0, [2, 0]], [0.94, 0.01], atol=1e-6)
    assert targets.argmax(axis=1).tolist() == [2, 5]


def test_the_project_s_data_is_what_the_card_says(shared_data: Path) -> None:
    splits = read_faces(shared_data / "fer2013" / "fer2013plus.parquet")
    assert {name: len(faces) for name, faces in splits.items()} == {
        "Training": 28561,
        "PublicTest": 3579,
        "PrivateTest": 3574,
    }


def test_pictures_of_people_are_those_to_train_on(tmp_path: Path) -> None:
    path = tmp_path / "pictures.parquet"
    pd.DataFrame({"image": [b"one", b"two", b"three"], "split": ["train", "test", "val"]}).to_parquet(path)
    assert read_pictures(path) == [b"one"]
    pd.DataFrame({"image": [b"one", b"two"]}).to_parquet(path)
    assert read_pictures(path) == [b"one", b"two"]
    with pytest.raises(DataError, match=r"Picture 0 of .*pictures\.parquet cannot be decoded"):
        read_unlabelled([path])
    with pytest.raises(DataError, match=r"There is no file .*nobody\.parquet; give a parquet"):
        read_unlabelled([tmp_path / "nobody.parquet"])
    pd.DataFrame({"picture": [b"one"]}).to_parquet(path)
    with pytest.raises(DataError, match="lacks the columns image"):
        read_pictures(path)


def test_faces_without_labels_are_cut_out_as_the_product_does(shared_data: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(shared_data / "faces" / "portraits.parquet")
    few = tmp_path / "few.parquet"
    table[table["split"] == "train"].head(24).to_parquet(few)
    heard: list[tuple[int, int]] = []
    faces = read_unlabelled([few], on_picture=lambda done, total: heard.append((done, total)))
    assert heard == [(n, 24) for n in range(1, 25)]
    assert faces.shape[1:] == (SIZE, SIZE)
    assert faces.dtype == np.uint8
    assert len(faces) >= 24  # one main face each, some with bystanders
    eyes, cheeks = faces[:, 15:24, 8:40].mean(), faces[:, 26:32, 8:40].mean()
    assert eyes < cheeks - 5  # eyes and brows are where FER2013 has them


def test_pictures_without_a_face_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "walls.parquet"
    wall = cv2.imencode(".png", np.full((90, 160, 3), 200, np.uint8))[1].tobytes()
    pd.DataFrame({"image": [wall]}).to_parquet(path)
    with pytest.raises(DataError, match=r"No picture of .*walls\.parquet shows a face"):
        read_unlabelled([path])
    face = cv2.imencode(".png", picture(90))[1].tobytes()
    pd.DataFrame({"image": [wall, face]}).to_parquet(path)
    np.testing.assert_array_equal(read_unlabelled([path]), picture(90)[np.newaxis])


def test_posed_faces_are_those_whose_label_we_know(tmp_path: Path) -> None:
    path = tmp_path / "posed.parquet"
    face = cv2.imencode(".png", picture(90))[1].tobytes()
    words = ["anger", "angry", "contempt", "happy", "sadness"]
    pd.DataFrame({"image": [face] * 5, "label": words}).to_parquet(path)
    posed = read_posed(path)
    assert [EXPRESSIONS[label] for label in posed.labels] == ["angry", "angry", "happy", "sad"]
    assert posed.votes is None
    np.testing.assert_array_equal(posed.images[0], picture(90))
    pd.DataFrame({"image": [face], "label": ["contempt"]}).to_parquet(path)
    with pytest.raises(DataError, match="has no label that we know; expected angry, disgust"):
        read_posed(path)
    pd.DataFrame({"image": [face]}).to_parquet(path)
    with pytest.raises(DataError, match="lacks the columns label"):
        read_posed(path)

"""What training keeps between two rounds."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from inference import mtcnn_networks
from models.checkpoints import digest, load_made, made_of, resume, save_made
from models.detector.labels import label_photos, load_mtcnn
from models.errors import DataError, TrainingError
from models.runs import BEST, RUN


def test_pictures_made_with_other_settings_are_made_anew(tmp_path: Path) -> None:
    path, crops = tmp_path / "crops-00.npz", np.arange(6, dtype=np.uint8).reshape(2, 3)
    save_made(path, {"crops": crops}, digest(seed=1, fresh=2))
    (kept,) = load_made(path, ("crops",), digest(fresh=2, seed=1)) or ()
    assert np.array_equal(kept, crops)
    assert load_made(path, ("crops",), digest(seed=2, fresh=2)) is None
    assert load_made(path, ("points",), digest(seed=1, fresh=2)) is None
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [None, b"", b"no archive at all", b"PK\x03\x04 cut off"])
def test_a_broken_file_of_pictures_is_made_anew(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "crops-00.npz"
    if content is not None:
        path.write_bytes(content)
    assert load_made(path, ("crops",), digest(seed=1)) is None


@pytest.mark.parametrize("content", [b"no archive at all", b"PK\x03\x04 cut off"])
def test_a_broken_file_of_labels_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "faces").mkdir()
    for name in ("portraits", "masks"):
        pd.DataFrame({"image": [], "split": []}).to_parquet(tmp_path / "faces" / f"{name}.parquet")
    labels = tmp_path / "labels.npz"
    labels.write_bytes(content)
    with pytest.raises(
        DataError, match=r"labels\.npz holds no labels of faces .*; remove it, or give another"
    ):
        label_photos(tmp_path, labels)


def test_without_mtcnn_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mtcnn_networks.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install -r requirements/mtcnn\.txt"):
        load_mtcnn(min_face=24)


def test_a_run_does_not_go_on_from_other_weights_of_the_same_name(tmp_path: Path) -> None:
    start, out = tmp_path / "start", tmp_path / "run"
    for folder in (start, out, tmp_path / "faces"):
        folder.mkdir()
    (start / BEST).write_bytes(b"first")
    settings = {"start": "start"}
    record = {"settings": settings, "history": [{"round": 1}], **made_of(tmp_path, start)}
    (out / RUN).write_text(json.dumps(record))
    assert resume(out, settings, made_of(tmp_path, start), []) == []
    (start / BEST).write_bytes(b"second")
    with pytest.raises(TrainingError, match="begun with another start; give the same settings and data"):
        resume(out, settings, made_of(tmp_path, start), [])

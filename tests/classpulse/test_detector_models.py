"""What is said of a model for the detector that carries none."""

from pathlib import Path

import pytest

from inference.errors import DetectorError
from inference.faces import load_detector


def test_the_option_is_named_where_there_is_no_model(tmp_path: Path) -> None:
    for model in (None, tmp_path / "absent.onnx"):
        with pytest.raises(DetectorError, match="--detector-model FILE"):
            load_detector("yunet", model)


def test_what_is_no_yunet_is_called_so_in_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_bytes(b"no network at all")
    # of all networks the smallest is no face detector either
    datasets = pytest.importorskip("onnxruntime.datasets")
    for model in (text, Path(datasets.get_example("mul_1.onnx"))):
        with pytest.raises(DetectorError) as refused:
            load_detector("yunet", model)
        said = str(refused.value)
        assert f"{model}: it is no YuNet model" in said
        assert "/io/opencv" not in said
        assert "\n" not in said

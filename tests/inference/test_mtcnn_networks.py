import importlib.util
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from inference.errors import DetectorError
from inference.mtcnn_networks import load_networks


def test_the_networks_compute_what_the_package_computes() -> None:
    """Held against the mtcnn package itself, in a process of its own: TensorFlow stays out of this one."""
    script = textwrap.dedent(
        """
        import numpy as np
        from inference.mtcnn_networks import load_networks
        from mtcnn import MTCNN

        rng = np.random.default_rng(0)
        ours = load_networks(threads=1)
        shapes = {"pnet": (2, 31, 44, 3), "rnet": (3, 24, 24, 3), "onet": (3, 48, 48, 3)}
        for stage, (name, shape) in zip(MTCNN().stages, shapes.items(), strict=True):
            image = rng.integers(0, 256, shape, np.uint8)
            theirs = stage._model((image.astype(np.float32) - 127.5) / 128)
            for got, expected in zip(getattr(ours, name).run(None, {"image": image}), theirs, strict=True):
                np.testing.assert_allclose(got, np.asarray(expected), atol=1e-4)
        print("equal")
        """
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=200
    )
    assert result.stdout.strip() == "equal", result.stderr


def test_an_empty_batch_gives_empty_outputs() -> None:
    networks = load_networks(threads=1)
    offsets, scores = networks.rnet.run(["offsets", "scores"], {"image": np.zeros((0, 24, 24, 3), np.uint8)})
    assert offsets.shape == (0, 4)
    assert scores.shape == (0, 2)


def test_without_the_package_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "mtcnn" else find(name))
    with pytest.raises(DetectorError, match=r"extra `mtcnn`"):
        load_networks(threads=1)

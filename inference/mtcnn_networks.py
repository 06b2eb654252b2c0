"""The three networks of MTCNN (Zhang et al. 2016) with the weights that the `mtcnn` package carries.

The package runs them through TensorFlow in eager mode. Here the same weights run in onnxruntime, which the label
reader needs anyway: the agent stays free of TensorFlow and starts in a second, and a gallery of 49 faces takes two
thirds of the time (benchmarks/detector_peers.py). tests/inference/test_mtcnn_networks.py holds both together.
"""

import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from inference.errors import DetectorError
from inference.onnx_graph import FLOAT, GraphWriter
from inference.runtime import new_session

Network = Literal["pnet", "rnet", "onet"]

_POOLS: Final[dict[Network, tuple[tuple[int, str] | None, ...]]] = {
    "pnet": ((2, "SAME_UPPER"), None, None),
    "rnet": ((3, "SAME_UPPER"), (3, "VALID"), None),
    "onet": ((3, "SAME_UPPER"), (3, "VALID"), (2, "SAME_UPPER"), None),
}
"""Per convolution: window and padding of the pool behind it (stride 2), None where there is none."""

_HEADS: Final[dict[Network, tuple[str, ...]]] = {
    "pnet": ("offsets", "scores"),
    "rnet": ("offsets", "scores"),
    "onet": ("offsets", "landmarks", "scores"),
}
"""Outputs in the order of the weights; `scores` gets a softmax, column 1 is "face"."""


@dataclass(frozen=True, slots=True)
class Networks:
    """onnxruntime sessions; each takes uint8 RGB (N, H, W, 3), R-Net 24x24 and O-Net 48x48.

    P-Net gives offsets (N, h, w, 4) and scores (N, h, w, 2) with stride 2 and a 12x12 field; R-Net offsets (N, 4)
    and scores (N, 2); O-Net offsets (N, 4), landmarks (N, 10: five x, then five y, 0..1 of the patch) and scores.
    """

    pnet: Any
    rnet: Any
    onet: Any


def load_networks(threads: int) -> Networks:
    """Load the three networks.

    Args:
        threads: for one run of one network, 1 or more.

    Raises:
        DetectorError: the `mtcnn` package or its weights are not installed.
    """
    names: tuple[Network, ...] = ("pnet", "rnet", "onet")
    return Networks(*(new_session(_build(name, load_weights(name)), threads) for name in names))


def load_weights(name: Network) -> list[NDArray[np.float32]]:
    """The arrays of one network as the `mtcnn` package carries them, in Keras' order and layout.

    Raises:
        DetectorError: the package or its weights are not installed.
    """
    # find_spec finds the package without running it: its __init__ would import TensorFlow
    spec = importlib.util.find_spec("mtcnn")
    folder = (
        Path(next(iter(spec.submodule_search_locations)))
        if spec and spec.submodule_search_locations
        else None
    )
    path = folder / "assets" / "weights" / f"{name}.lz4" if folder else None
    if path is None or not path.is_file():
        raise DetectorError(
            f"The detector mtcnn needs the weights {name}.lz4 of the mtcnn package and did not find them. Install the "
            "extra `mtcnn` (`pip install -r requirements/mtcnn.txt`), or use the detector tileface."
        )
    import joblib
    import lz4.frame

    # unpacked here: joblib leaves its own lz4 reader open on a closed file, which Python 3.13 complains about
    weights: list[NDArray[np.float32]] = joblib.load(io.BytesIO(lz4.frame.decompress(path.read_bytes())))
    return weights


def _build(name: Network, weights: list[NDArray[np.float32]]) -> bytes:
    """The ONNX bytes of one network.

    Keras keeps convolutions as (h, w, in, out) and flattens as (w, h, c) behind a Permute; ONNX wants (out, in, h, w).
    """
    graph = GraphWriter()
    remaining = iter(weights)
    x = graph.node("Cast", ["image"], "floats", {"to": FLOAT})
    x = graph.node("Transpose", [x], "planes", {"perm": (0, 3, 1, 2)})
    for index, pool in enumerate(_POOLS[name], start=1):
        kernel, bias, slope = next(remaining), next(remaining), next(remaining)
        if index == 1:
            # the networks want (pixel - 127.5) / 128; valid padding lets it move into the first weights
            bias = np.asarray(bias - kernel.sum((0, 1, 2)) * 127.5 / 128, np.float32)
            kernel = np.asarray(kernel / 128, np.float32)
        x = _convolve(graph, f"conv{index}", x, kernel, bias)
        x = graph.node("PRelu", [x, graph.weight(f"slope{index}", slope.reshape(-1, 1, 1))], f"prelu{index}")
        if pool is not None:
            window, padding = pool
            x = graph.node(
                "MaxPool",
                [x],
                f"pool{index}",
                {"kernel_shape": (window, window), "strides": (2, 2), "auto_pad": padding},
            )
    if name != "pnet":
        x = graph.node("Transpose", [x], "columns", {"perm": (0, 3, 2, 1)})
        x = graph.node("Flatten", [x], "flat", {"axis": 1})
        x = _dense(graph, "dense", x, next(remaining), next(remaining))
        x = graph.node("PRelu", [x, graph.weight("dense_slope", next(remaining))], "dense_prelu")
    for head in _HEADS[name]:
        kernel, bias = next(remaining), next(remaining)
        raw = f"{head}_raw" if head == "scores" or name == "pnet" else head
        if name == "pnet":
            planes = _convolve(graph, f"{head}_planes", x, kernel, bias)
            last = graph.node(
                "Transpose", [planes], raw if head == "scores" else head, {"perm": (0, 2, 3, 1)}
            )
        else:
            last = _dense(graph, raw, x, kernel, bias)
        if head == "scores":
            graph.node("Softmax", [last], head, {"axis": 3 if name == "pnet" else 1})
    return graph.model(name, "image", dict.fromkeys(_HEADS[name], 4 if name == "pnet" else 2))


def _convolve(
    graph: GraphWriter, output: str, x: str, kernel: NDArray[np.float32], bias: NDArray[np.float32]
) -> str:
    weights = [graph.weight(f"{output}_w", kernel.transpose(3, 2, 0, 1)), graph.weight(f"{output}_b", bias)]
    return graph.node("Conv", [x, *weights], output)


def _dense(
    graph: GraphWriter, output: str, x: str, kernel: NDArray[np.float32], bias: NDArray[np.float32]
) -> str:
    weights = [graph.weight(f"{output}_w", kernel), graph.weight(f"{output}_b", bias)]
    return graph.node("Gemm", [x, *weights], output)

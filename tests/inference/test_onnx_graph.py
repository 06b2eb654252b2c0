import numpy as np
import onnxruntime

from inference.onnx_graph import FLOAT, GraphWriter


def test_a_written_graph_computes_what_it_says() -> None:
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(5, 3, 2, 2)).astype(np.float32)
    bias = rng.normal(size=5).astype(np.float32)
    graph = GraphWriter()
    x = graph.node("Cast", ["image"], "floats", {"to": FLOAT})
    x = graph.node("Transpose", [x], "planes", {"perm": (0, 3, 1, 2)})
    x = graph.node("Conv", [x, graph.weight("kernel", kernel), graph.weight("bias", bias)], "conv")
    graph.node("MaxPool", [x], "pooled", {"kernel_shape": (2, 2), "strides": (2, 2), "auto_pad": "VALID"})
    session = onnxruntime.InferenceSession(graph.model("test", "image", {"pooled": 4}))

    image = rng.integers(0, 256, (2, 5, 203, 3), np.uint8)
    (pooled,) = session.run(None, {"image": image})

    windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.float32), (2, 2), axis=(1, 2))
    convolved = np.einsum("nhwcij,ocij->nohw", windows, kernel) + bias[:, np.newaxis, np.newaxis]
    expected = convolved.reshape(2, 5, 2, 2, 101, 2).max(axis=(3, 5))
    np.testing.assert_allclose(pooled, expected, rtol=1e-5, atol=1e-2)

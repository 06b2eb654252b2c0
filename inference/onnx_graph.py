"""A small ONNX graph from plain arrays, so that weights that come without a graph run in onnxruntime."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

_IR_VERSION: Final = 8
_OPSET: Final = 17
"""The first versions that have all that is used; every onnxruntime that we support reads them."""

FLOAT: Final = 1
"""Element type of a Cast: onnx.TensorProto.FLOAT, named here so that nothing heavy is imported with the module."""

Attribute = int | str | Sequence[int]


class GraphWriter:
    """Collects nodes and weights in the order of execution; `model` gives the bytes of a ModelProto."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: NDArray[np.float32]) -> str:
        """Add an array; gives its name back."""
        from onnx import numpy_helper

        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        output: str,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> str:
        """Add a node with one output; gives the output's name back."""
        from onnx import helper

        node = helper.make_node(operator, inputs, [output], output)
        node.attribute.extend(helper.make_attribute(*pair) for pair in (attributes or {}).items())
        self._nodes.append(node)
        return output

    def model(self, name: str, image_input: str, outputs: Mapping[str, int]) -> bytes:
        """The model: input uint8 (N, H, W, 3) with free N, H, W; `outputs` maps each output to its rank."""
        from onnx import TensorProto, helper

        image = helper.make_tensor_value_info(image_input, TensorProto.UINT8, ("n", "h", "w", 3))
        results = [
            helper.make_tensor_value_info(
                output, TensorProto.FLOAT, [f"{output}_{axis}" for axis in range(rank)]
            )
            for output, rank in outputs.items()
        ]
        graph = helper.make_graph(self._nodes, name, [image], results, self._weights)
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(
            graph, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="classpulse"
        )
        content: bytes = model.SerializeToString()
        return content

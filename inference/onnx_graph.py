"""Write a small ONNX graph as bytes, so that weights that come as plain arrays run in onnxruntime.

Only what the MTCNN networks need: one input, float weights, integer and string attributes. The field numbers are
those of onnx.proto3 (ONNX 1.x, Apache-2.0); the wire format is protocol buffers'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

FLOAT: Final = 1
UINT8: Final = 2
_IR_VERSION: Final = 8
_OPSET: Final = 17
_VARINT: Final = 0
_BYTES: Final = 2
_ATTRIBUTE_INT: Final = 2
_ATTRIBUTE_STRING: Final = 3
_ATTRIBUTE_INTS: Final = 7

Attribute = int | str | Sequence[int]


@dataclass(slots=True)
class GraphWriter:
    """Collects nodes and weights in the order of execution; `model` gives the bytes of a ModelProto."""

    nodes: list[bytes] = field(default_factory=list)
    weights: list[bytes] = field(default_factory=list)

    def weight(self, name: str, values: NDArray[np.float32]) -> str:
        """Add an array; gives its name back."""
        body = b"".join(_number(1, size) for size in values.shape)
        body += _number(2, FLOAT) + _text(8, name)
        body += _block(9, np.ascontiguousarray(values, dtype="<f4").tobytes())
        self.weights.append(_block(5, body))
        return name

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        output: str,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> str:
        """Add a node with one output; gives the output's name back."""
        body = b"".join(_text(1, name) for name in inputs) + _text(2, output)
        body += _text(3, output) + _text(4, operator)
        for name, value in (attributes or {}).items():
            body += _block(5, _text(1, name) + _attribute(value))
        self.nodes.append(_block(1, body))
        return output

    def model(self, name: str, image_input: str, outputs: Mapping[str, int]) -> bytes:
        """The model: input uint8 (N, H, W, 3) with free N, H, W; `outputs` maps each output to its rank."""
        graph = b"".join(self.nodes) + _text(2, name) + b"".join(self.weights)
        graph += _block(11, _value(image_input, UINT8, ("n", "h", "w", 3)))
        for output, rank in outputs.items():
            graph += _block(12, _value(output, FLOAT, tuple(f"{output}_{axis}" for axis in range(rank))))
        return (
            _number(1, _IR_VERSION)
            + _text(2, "classpulse")
            + _block(7, graph)
            + _block(8, _text(1, "") + _number(2, _OPSET))
        )


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _block(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(body)) + body


def _text(number: int, value: str) -> bytes:
    return _block(number, value.encode())


def _attribute(value: Attribute) -> bytes:
    if isinstance(value, int):
        return _number(3, value) + _number(20, _ATTRIBUTE_INT)
    if isinstance(value, str):
        return _text(4, value) + _number(20, _ATTRIBUTE_STRING)
    return b"".join(_number(8, item) for item in value) + _number(20, _ATTRIBUTE_INTS)


def _value(name: str, element: int, shape: Sequence[int | str]) -> bytes:
    dimensions = b"".join(
        _block(1, _number(1, size) if isinstance(size, int) else _text(2, size)) for size in shape
    )
    return _text(1, name) + _block(2, _block(1, _number(1, element) + _block(2, dimensions)))

"""Just enough of ONNX's file format to write a graph: its protocol buffers, by field number (onnx.proto3, IR version 10).

A graph is built in memory and handed to ONNX Runtime; nothing is ever read from such a file.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

IR_VERSION: Final = 10
OPSET: Final = 20
CONTRIBUTED: Final = "com.microsoft"
"""Domain of ONNX Runtime's own operators."""
_KINDS: Final = {np.dtype(np.float32): 1, np.dtype(np.uint8): 2, np.dtype(np.int64): 7}
_FLOAT, _INT64 = 1, 7
_IS_FLOAT, _IS_INT = 1, 2


class Graph:
    """Nodes in order, and the weights that they use."""

    def __init__(self) -> None:
        self._parts: list[bytes | memoryview] = []  # put together once, at the end: weights are most of a graph
        self._count = 0

    def weight(self, name: str, values: npt.NDArray[Any]) -> str:
        """Keep an array of float32, uint8 or int64 under a name; gives the name."""
        raw = np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
        head = b"".join(_number(1, size) for size in values.shape)
        head += _number(2, _KINDS[values.dtype]) + _text(8, name) + _head(9, len(raw))
        self._parts += (_head(5, len(head) + len(raw)) + head, raw)
        return name

    def node(self, operator: str, inputs: Sequence[str], own: bool = False, **attributes: float | int) -> str:
        """Add an operation; gives its output's name. `own`: one of ONNX Runtime's."""
        return self.nodes(1, operator, inputs, own, **attributes)[0]

    def nodes(
        self, outputs: int, operator: str, inputs: Sequence[str], own: bool = False, **attributes: float | int
    ) -> tuple[str, ...]:
        """As `node`, for an operation with several outputs."""
        self._count += 1
        names = tuple(f"{operator}{self._count}.{number}" for number in range(outputs))
        body = b"".join(_text(1, name) for name in inputs) + b"".join(_text(2, name) for name in names)
        body += _text(4, operator)
        body += b"".join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())
        if own:
            body += _text(7, CONTRIBUTED)
        self._parts.append(_bytes(1, body))
        return names

    def model(self, inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, Sequence[str]]) -> bytes:
        """The file. Inputs are whole numbers, outputs float32, each with the names of its axes."""
        end = _text(2, "graph")
        end += b"".join(_bytes(11, _value(name, _INT64, axes)) for name, axes in inputs.items())
        end += b"".join(_bytes(12, _value(name, _FLOAT, axes)) for name, axes in outputs.items())
        sets = _bytes(8, _number(2, OPSET)) + _bytes(8, _text(1, CONTRIBUTED) + _number(2, 1))
        size = sum(map(len, self._parts)) + len(end)
        return b"".join((_number(1, IR_VERSION), sets, _head(7, size), *self._parts, end))


def _attribute(name: str, value: float | int) -> bytes:
    if isinstance(value, float):
        return _text(1, name) + b"\x15" + np.float32(value).tobytes() + _number(20, _IS_FLOAT)
    return _text(1, name) + _number(3, value) + _number(20, _IS_INT)


def _value(name: str, kind: int, axes: Sequence[str]) -> bytes:
    shape = b"".join(_bytes(1, _text(2, axis)) for axis in axes)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, shape)))


def _varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _head(field: int, size: int) -> bytes:
    return _varint(field << 3 | 2) + _varint(size)


def _bytes(field: int, value: bytes) -> bytes:
    return _head(field, len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())

"""Writes small ONNX files, byte by byte (onnx.proto, opset 13): enough for the tests of users' own models."""
import struct


def _varint(value):
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _bytes(field, value):
    value = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _value(name, shape):
    dims = b"".join(_bytes(1, _number(1, side)) for side in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, dims)))


def _constant(name, shape, values):
    return b"".join(_number(1, side) for side in shape) + _number(2, 1) + _bytes(8, name) + _bytes(9, struct.pack(f"<{len(values)}f", *values))


def _node(kind, inputs, output, **lists):
    attributes = b"".join(
        _bytes(5, _bytes(1, name) + (_number(20, 2) + _number(3, value) if isinstance(value, int) else
                                     _number(20, 7) + b"".join(_number(8, one) for one in value))) for name, value in lists.items())
    return b"".join(_bytes(1, name) for name in inputs) + _bytes(2, output) + _bytes(4, kind) + attributes


def model(side, nodes, output, shape, constants=()):
    """A graph from `images` [1, 3, side, side] to `output`. Nodes: (kind, inputs, output, attributes); constants: (name, shape, values)."""
    graph = b"".join(_bytes(1, _node(kind, inputs, out, **attributes)) for kind, inputs, out, attributes in nodes) + _bytes(2, "graph")
    graph += b"".join(_bytes(5, _constant(*one)) for one in constants)
    graph += _bytes(11, _value("images", (1, 3, side, side))) + _bytes(12, _value(output, shape))
    return _number(1, 7) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 13))


def mean_colour(side, spoilt=False):
    """An embedder of three components: the picture's mean colour (never black). `spoilt`: of numbers that are none."""
    add = [float("nan") if spoilt else 0.01] * 3
    return model(side, [("ReduceMean", ["images"], "mean", {"axes": (2, 3), "keepdims": 0}), ("Add", ["mean", "add"], "vector", {})],
                 "vector", (1, 3), [("add", (1, 3), add)])


def bright_middle(side):
    """A detector shaped like YOLO v8's: one box, the picture's middle, whose score for the second of two classes is the mean brightness."""
    boxes = 5
    fixed = [0.0] * (6 * boxes)
    for field, value in enumerate((side / 2, side / 2, side / 2, side / 2)):
        fixed[field * boxes + 3] = value
    weights = [0.0] * (6 * boxes)
    weights[5 * boxes + 3] = 1.0
    return model(side, [("ReduceMean", ["images"], "mean", {"axes": (1, 2, 3), "keepdims": 0}),
                        ("Mul", ["weights", "mean"], "scores", {}), ("Add", ["scores", "fixed"], "output0", {})],
                 "output0", (1, 6, boxes), [("weights", (1, 6, boxes), weights), ("fixed", (1, 6, boxes), fixed)])

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


FLOAT, INT64 = 1, 7


def _value(name, shape, kind=FLOAT):
    """A side that is a word is free."""
    dims = b"".join(_bytes(1, _bytes(2, side) if isinstance(side, str) else _number(1, side)) for side in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, dims)))


def _constant(name, shape, values, kind=FLOAT):
    packed = struct.pack(f"<{len(values)}{'f' if kind == FLOAT else 'q'}", *values)
    return b"".join(_number(1, side) for side in shape) + _number(2, kind) + _bytes(8, name) + _bytes(9, packed)


def _node(kind, inputs, output, **lists):
    attributes = b"".join(
        _bytes(5, _bytes(1, name) + (_number(20, 2) + _number(3, value) if isinstance(value, int) else
                                     _number(20, 7) + b"".join(_number(8, one) for one in value))) for name, value in lists.items())
    return b"".join(_bytes(1, name) for name in inputs) + _bytes(2, output) + _bytes(4, kind) + attributes


def graph_file(inputs, nodes, output, shape, constants=()):
    """A graph of inputs (name, shape, kind) and one output of floats. Nodes: (kind, inputs, output, attributes); constants: (name, shape,
    values, and a kind other than FLOAT)."""
    graph = b"".join(_bytes(1, _node(kind, given, out, **attributes)) for kind, given, out, attributes in nodes) + _bytes(2, "graph")
    graph += b"".join(_bytes(5, _constant(*one)) for one in constants)
    graph += b"".join(_bytes(11, _value(*one)) for one in inputs) + _bytes(12, _value(output, shape))
    return _number(1, 7) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 13))


def model(side, nodes, output, shape, constants=()):
    """A graph from `images` [1, 3, side, side] to `output`."""
    return graph_file([("images", (1, 3, side, side), FLOAT)], nodes, output, shape, constants)


def mean_colour(side, spoilt=False):
    """An embedder of three components: the picture's mean colour (never black). `spoilt`: of numbers that are none."""
    add = [float("nan") if spoilt else 0.01] * 3
    return model(side, [("ReduceMean", ["images"], "mean", {"axes": (2, 3), "keepdims": 0}), ("Add", ["mean", "add"], "vector", {})],
                 "vector", (1, 3), [("add", (1, 3), add)])


def bright_middle(side, layout="v8"):
    """A detector shaped like a YOLO: one box of five, the picture's middle, whose score for the second of two classes is the mean brightness.
    Layouts: v5 with objectness, v8, v8 with its sides turned, v10."""
    half, boxes = side / 2, 5
    row = {"v5": [half, half, half, half, 1, 0, 0], "v10": [half / 2, half / 2, half * 1.5, half * 1.5, 0, 1]}.get(layout, [half, half, half, half, 0, 0])
    bright = {"v5": 6, "v10": 4}.get(layout, 5)
    fields = len(row)
    fixed = [[0.0] * fields for _ in range(boxes)]
    weights = [[0.0] * fields for _ in range(boxes)]
    fixed[3], weights[3][bright] = row, 1.0
    if layout == "v8":
        fixed, weights = list(zip(*fixed)), list(zip(*weights))
    shape = (1, len(fixed), len(fixed[0]))
    flat = lambda rows: [float(value) for one in rows for value in one]
    return model(side, [("ReduceMean", ["images"], "mean", {"axes": (1, 2, 3), "keepdims": 0}),
                        ("Mul", ["weights", "mean"], "scores", {}), ("Add", ["scores", "fixed"], "output0", {})],
                 "output0", shape, [("weights", shape, flat(weights)), ("fixed", shape, flat(fixed))])

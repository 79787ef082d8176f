#!/usr/bin/env python3
"""Turns the object detector inside npm's @mediapipe/objectron into an OpenVINO graph of eight bits with a manifest. No TensorFlow needed.

  convert_ssd.py PACKED_ASSETS.data OUT_FOLDER [RANGES.json]

The package's assets are the list of classes, then a TFLite file: SSD-MobileNetV2, trained on Open Images (Apache-2.0). OUT_FOLDER gets
ssd.xml, ssd.bin and manifest.yaml; the same assets give the same bytes. Input: u8 RGB [1, 300, 300, 3]; the normalisation x / 127.5 - 1 is
inside the graph. Outputs: "boxes" [1, 1917, 4] against anchors, "scores" [1, 1917, 24] before the sigmoid, background first.

With RANGES (tools/calibrate_ssd.py measured them) convolutions calculate with eight bits, as in convert_lite.py.
"""
import hashlib
import json
import os
import sys

import numpy as np
import openvino as ov
import openvino.opset13 as op

LABELS_END, GRAPH_END = 184, 9_987_912
GRAPH_SHA256 = "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6"
SIDE = 300
CONVOLUTIONS = {"Convolution", "GroupConvolution"}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def unpack(path):
    """The names of the classes, without the background, and the TFLite graph."""
    with open(path, "rb") as file:
        data = file.read(GRAPH_END)
    graph = data[LABELS_END:]
    if sha256(graph) != GRAPH_SHA256:
        raise SystemExit(f"{path}: not the assets this step was written for")
    labels = data[:LABELS_END].decode().rstrip("\n").split("\n")
    return labels[1:], graph


def on_bytes(model):
    """The graph behind an input of bytes."""
    before = model.get_parameters()[0]
    picture = op.parameter([1, SIDE, SIDE, 3], np.uint8, name="picture")
    x = op.convert(picture, "f32", name="picture.f32")
    x = op.multiply(op.subtract(x, op.constant(np.float32(127.5)), name="centred"), op.constant(np.float32(1 / 127.5)), name="normalised")
    for user in before.output(0).get_target_inputs():
        user.replace_source_output(x.output(0))
    results = []
    for old, name in zip(sorted(model.get_results(), key=lambda r: r.get_output_partial_shape(0)[2].get_length()), ("boxes", "scores")):
        old.input_value(0).tensor.set_names({name})
        results.append(op.result(old.input_value(0), name=name + ".out"))
    picture.output(0).tensor.set_names({"picture"})
    return ov.Model(results, [picture], "ssd-mobilenet-v2")


def points(model):
    """What is rounded where there are ranges: what goes into convolutions, and both sides of the sums of two branches. In the graph's order."""
    found = []
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        if kind in CONVOLUTIONS:
            found.append((f"{len(found)}.in", node.input(0)))
        elif kind == "Add" and not any(is_constant(node.input_value(i).get_node()) for i in (0, 1)):
            found += [(f"{len(found)}.{i}", node.input(i)) for i in (0, 1)]
    return found


def is_constant(node):
    """Whether it is calculated from constants alone (the package's weights are f16 behind a conversion)."""
    inputs = node.input_values()
    return node.get_type_name() == "Constant" or (inputs != [] and all(is_constant(value.get_node()) for value in inputs))


def weights_of(model, nodes):
    """The kernels of convolutions, as numbers."""
    kernels = ov.Model([op.result(node.input_value(1)) for node in nodes], model.get_parameters(), "weights")
    values = ov.Core().compile_model(kernels, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(np.zeros((1, SIDE, SIDE, 3), np.uint8))
    return [np.array(values[i]) for i in range(len(nodes))]


def rounded_kernel(weights, grouped):
    """int8 with a scale an output channel. Kernels are [out, in, h, w], those of groups [group, out, in, h, w]."""
    axes = tuple(range(2 if grouped else 1, weights.ndim))
    scale = np.maximum(np.abs(weights).max(axes, keepdims=True) / np.float32(127), np.float32(1e-10))
    codes = op.constant(np.round(weights / scale).astype(np.int8))
    return op.multiply(op.convert(codes, "f32"), op.constant(scale.astype(np.float32)))


def round_to_bytes(model, ranges):
    nodes = [node for node in model.get_ordered_ops() if node.get_type_name() in CONVOLUTIONS]
    for name, target in points(model):
        low, high = ranges[name]
        if low < 0:  # symmetric, 0 at the middle level
            high = max(-low, high)
            low, high = -high, high * 127 / 128
        low, high = op.constant(np.float32(low)), op.constant(np.float32(high))
        target.replace_source_output(op.fake_quantize(target.get_source_output(), low, high, low, high, 256).output(0))
    for node, weights in zip(nodes, weights_of(model, nodes)):
        node.input(1).replace_source_output(rounded_kernel(weights, node.get_type_name() == "GroupConvolution").output(0))
    model.validate_nodes_and_infer_types()


def name_all(model):
    """Names that do not depend on how many nodes this process made before."""
    for number, node in enumerate(model.get_ordered_ops()):
        if node.get_type_name() not in ("Parameter", "Result"):
            node.set_friendly_name(f"{node.get_type_name()}.{number}")


def read(assets, folder):
    labels, graph = unpack(assets)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, ".ssd.tflite")  # the reader wants a file
    with open(path, "wb") as file:
        file.write(graph)
    model = on_bytes(ov.Core().read_model(path))
    os.remove(path)
    return labels, model


def manifest(folder, labels, names):
    def entry(name):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        return f"  - {{name: {name}, size: {len(data)}, sha256: {sha256(data)}}}\n"
    return f"""# Written by tools/setup/convert_ssd.py. `version` changes whenever the numbers the model gives change.
manifest: 1
name: ssd-open-images
version: "1"
task: detection
graph: {names[0]}
files:
{"".join(map(entry, names))}input: {{width: {SIDE}, height: {SIDE}, type: u8-nhwc, fit: squash}}
output: {{tensors: [boxes, scores]}}
detection:
  decoding: ssd-anchors
  classes: {json.dumps(labels)}
  score_min: 0.5
  overlap_max: 0.45
licence: Apache-2.0
source: npm @mediapipe/objectron 0.4.1675468480, objectron_solution_packed_assets.data
"""


def main():
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    assets, folder = sys.argv[1:3]
    labels, model = read(assets, folder)
    if len(sys.argv) == 4:
        with open(sys.argv[3], encoding="utf-8") as file:
            round_to_bytes(model, json.load(file)["ranges"])
    name_all(model)
    names = ["ssd.xml", "ssd.bin"]
    ov.serialize(model, *(os.path.join(folder, name) for name in names))
    text = manifest(folder, labels, names)
    # The manifest comes last and whole: a folder without one is a conversion that did not finish.
    with open(os.path.join(folder, "manifest.yaml.new"), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(os.path.join(folder, "manifest.yaml.new"), os.path.join(folder, "manifest.yaml"))


if __name__ == "__main__":
    main()

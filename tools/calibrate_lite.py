#!/usr/bin/env python3
"""Measures the ranges of values in EfficientNet-Lite0 or Lite2 that its eight-bit form rounds to, on pictures of all kinds.

  calibrate_lite.py WEIGHTS.pth PICTURES…  > tools/setup/lite0_ranges.json

PICTURES are files or folders; of many, every n-th is taken, so that there are some 300. A range is from the 2nd percentile of the pictures'
least values to the 98th of their largest: a single glaring picture would cost all others precision. Needs Pillow, and OpenVINO's wheel on
PYTHONPATH. Run it again only for other weights: new ranges are a new vector space, and `version` in the manifest must change.
"""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "setup"))
import numpy as np  # noqa: E402
import openvino as ov  # noqa: E402
import openvino.opset13 as op  # noqa: E402
from PIL import Image  # noqa: E402

import convert_lite  # noqa: E402

PICTURES = 300
ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def files(words):
    found = []
    for word in map(Path, words):
        found += sorted(path for path in word.rglob("*") if path.suffix.lower() in ENDINGS) if word.is_dir() else [word]
    return found[::max(1, len(found) // PICTURES)]


def pixels(path, side_wanted):
    """The middle square on white, as the network gets it."""
    picture = Image.open(path).convert("RGBA")
    flat = Image.new("RGBA", picture.size, "white")
    flat.alpha_composite(picture)
    side = min(flat.size)
    left, top = (flat.width - side) // 2, (flat.height - side) // 2
    flat = flat.convert("RGB").resize((side_wanted, side_wanted), Image.BILINEAR, (left, top, left + side, top + side), reducing_gap=3)
    return np.asarray(flat)[None]


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    variant = convert_lite.variant_of(sys.argv[1])
    graph = convert_lite.Graph(variant, convert_lite.read_state(sys.argv[1]))
    model = convert_lite.build(graph)
    names = list(graph.points)
    watched = ov.Model([op.result(graph.points[name]) for name in names], model.get_parameters(), "calibration")
    network = ov.Core().compile_model(watched, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    low, high, used = [], [], files(sys.argv[2:])
    for path in used:
        values = network(pixels(path, variant.side))
        low.append([float(values[i].min()) for i in range(len(names))])
        high.append([float(values[i].max()) for i in range(len(names))])
    low, high = np.percentile(low, 2, axis=0), np.percentile(high, 98, axis=0)
    ranges = {name: [round(float(min(low[i], 0)), 4), round(float(high[i]), 4)] for i, name in enumerate(names)}
    print(json.dumps({"about": f"tools/calibrate_lite.py on {len(used)} pictures", "ranges": ranges}, indent=1))


if __name__ == "__main__":
    main()

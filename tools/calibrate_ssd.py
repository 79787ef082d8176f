#!/usr/bin/env python3
"""Measures the ranges of values in the object detector that its eight-bit form rounds to; see calibrate_lite.py.

  calibrate_ssd.py PACKED_ASSETS.data PICTURES…  > tools/setup/ssd_ranges.json
"""
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "setup"))
import numpy as np  # noqa: E402
import openvino as ov  # noqa: E402
import openvino.opset13 as op  # noqa: E402
from PIL import Image  # noqa: E402

import convert_ssd  # noqa: E402
from calibrate_lite import files  # noqa: E402


def pixels(path):
    """The whole picture on white, as the network gets it."""
    picture = Image.open(path).convert("RGBA")
    flat = Image.new("RGBA", picture.size, "white")
    flat.alpha_composite(picture)
    return np.asarray(flat.convert("RGB").resize((convert_ssd.SIDE, convert_ssd.SIDE), Image.BILINEAR, reducing_gap=3))[None]


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        _, model = convert_ssd.read(sys.argv[1], folder)
    points = convert_ssd.points(model)
    watched = ov.Model([op.result(target.get_source_output()) for _, target in points], model.get_parameters(), "calibration")
    network = ov.Core().compile_model(watched, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2})
    low, high, used = [], [], files(sys.argv[2:])
    for path in used:
        values = network(pixels(path))
        low.append([float(values[i].min()) for i in range(len(points))])
        high.append([float(values[i].max()) for i in range(len(points))])
    low, high = np.percentile(low, 2, axis=0), np.percentile(high, 98, axis=0)
    ranges = {name: [round(float(min(low[i], 0)), 4), round(float(high[i]), 4)] for i, (name, _) in enumerate(points)}
    print(json.dumps({"about": f"tools/calibrate_ssd.py on {len(used)} pictures", "ranges": ranges}, indent=1))


if __name__ == "__main__":
    main()

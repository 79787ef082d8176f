#!/usr/bin/env python3
"""Compares embedders on labelled photographs: every n-th picture of train is known, all of validation are asked.

  bench_embedders.py FOLDER [MODEL…]    FOLDER: train/CLASS and validation/CLASS; MODEL: folders in build/models (all that embed pictures)

For each: nearest neighbour of the same class, share of the class in the first ten, how often a changed picture's nearest is the picture it was
made of (every third one asked, under ten of tools/copies_set.py's changes, among all), CPU ms of a run of the graph (the median, one thread), size of
its weights, and where a model NAME-int8 stands beside NAME, the cosine of their vectors. The last row is a network of the size of a DCGAN's
discriminator (Radford, Metz and Chintala 2015: 3 x 64 x 64 to 512 x 4 x 4, here with kernels of 5 x 5) with random weights, not trained: what
such a network costs, and what its shape alone is worth. Needs OpenVINO's wheel on PYTHONPATH and Pillow from 10.1 on (the peers' Python, tools/setup/bench_peers.sh, has it).
Standard error of the shares with 341 asked: about .025.
"""
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np  # noqa: E402
import openvino as ov  # noqa: E402
import openvino.opset13 as op  # noqa: E402
import yaml  # noqa: E402

import copies_set  # noqa: E402
from calibrate_lite import pixels  # noqa: E402

MODELS = Path(__file__).resolve().parents[1] / "build/models"
STEP, FIRST = 3, 10
CHANGED_STEP, CHANGES_EACH = 3, 10


DCGAN, DCGAN_SIDE, DCGAN_CHANNELS = "dcgan-discriminator, not trained", 64, [3, 64, 128, 256, 512]


def dcgan():
    """Four convolutions of stride 2 with LeakyReLU, and the floats of their weights."""
    random, floats = np.random.default_rng(1), 0
    picture = op.parameter([1, DCGAN_SIDE, DCGAN_SIDE, 3], np.uint8)
    x = op.transpose(op.convert(picture, "f32"), np.array([0, 3, 1, 2]))
    x = op.subtract(op.multiply(x, np.float32(1 / 127.5)), np.float32(1))
    for before, after in zip(DCGAN_CHANNELS, DCGAN_CHANNELS[1:]):
        kernel = random.normal(0, (2 / (25 * before))**0.5, (after, before, 5, 5)).astype(np.float32)
        x = op.prelu(op.convolution(x, kernel, [2, 2], [2, 2], [2, 2], [1, 1]), np.array([0.2], np.float32))
        floats += kernel.size
    return ov.Model([op.result(op.reshape(x, np.array([1, -1]), False))], [picture], "dcgan"), floats


def open_model(name):
    """The graph, the side of its input in pixels, and the MB of its weights."""
    if name == DCGAN:
        graph, floats = dcgan()
        return graph, DCGAN_SIDE, 4e-6 * floats
    folder = MODELS / name
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text())
    return folder / manifest["graph"], manifest["input"]["width"], sum(one["size"] for one in manifest["files"]) / 1e6


def embed(name, files):
    graph, side, megabytes = open_model(name)
    network = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    vectors, times = [], []
    for file in files:
        picture = pixels(file, side)
        began = time.process_time()
        vector = network(picture)[0][0]
        times.append(time.process_time() - began)
        vectors.append(vector / np.linalg.norm(vector))
    return np.array(vectors), 1e3 * float(np.median(times)), megabytes


def changed(pictures, folder):
    """Files of changed pictures, and of which of `pictures` each was made."""
    copies_set.write_set(pictures[::CHANGED_STEP], folder, "embedders", CHANGES_EACH)
    files = sorted(file for file in folder.glob("*__*") if "__original" not in file.name)
    return files, np.array([CHANGED_STEP * int(file.name[:3]) for file in files])


def nearest(asked, known, count):
    return np.argsort(-(asked @ known.T), axis=1)[:, :count]


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    known, asked = sorted((folder / "train").glob("*/*"))[::STEP], sorted((folder / "validation").glob("*/*"))
    names = sys.argv[2:] or sorted(one.name for one in MODELS.glob("efficientnet*"))
    of_known, of_asked = [np.array([file.parent.name for file in files]) for files in (known, asked)]
    print(f"{len(known)} known, {len(asked)} asked\n\n| model | nearest neighbour | share in the first ten | same picture, changed | CPU ms | MB | "
          "cosine to f32: mean, least |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    made = {}
    with tempfile.TemporaryDirectory() as made_here:
        copies, of_which = changed(asked, Path(made_here))
        for name in [*names, DCGAN]:
            vectors, milliseconds, megabytes = embed(name, known + asked + copies)
            made[name] = vectors
            all_known, all_asked, all_copies = np.split(vectors, [len(known), len(known) + len(asked)])
            right = of_known[nearest(all_asked, all_known, FIRST)] == of_asked[:, None]
            found = nearest(all_copies, np.vstack([all_asked, all_known]), 1)[:, 0] == of_which
            f32 = made.get(name.removesuffix("-int8")) if name.endswith("-int8") else None
            cosine = "" if f32 is None else "{:.3f}, {:.3f}".format(*(f(np.sum(f32 * vectors, axis=1)) for f in (np.mean, np.min)))
            print(f"| {name} | {right[:, 0].mean():.3f} | {right.mean():.3f} | {found.mean():.3f} | {milliseconds:.1f} | {megabytes:.1f} | {cosine} |",
                  flush=True)


if __name__ == "__main__":
    main()

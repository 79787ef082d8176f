"""Decodes each JPEG of a folder, shrinks it to 256 px and takes its pHash, as Python programs do it: {name: [pictures a CPU second, one a
round]} as JSON. What is not installed is left out, by name, under "missing". Arguments: folder, seconds for each, rounds."""
import io
import json
import sys
import time
from pathlib import Path

FILES = [path.read_bytes() for path in sorted(Path(sys.argv[1]).glob("*.jpg"))]
SECONDS, ROUNDS, SIDE = float(sys.argv[2]), int(sys.argv[3]), 256


def pillow(scaled):
    from PIL import Image

    def read(data):
        picture = Image.open(io.BytesIO(data))
        if scaled:
            picture.draft("RGB", (SIDE, SIDE))
        picture = picture.convert("RGB")
        picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
        return picture
    return read


def imagehash(scaled):
    import imagehash as hashes
    read = pillow(scaled)
    return lambda data: hashes.phash(read(data))


def opencv(scaled):
    import cv2
    import numpy
    cv2.setNumThreads(1)

    def read(data):
        picture = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_REDUCED_COLOR_2 if scaled else cv2.IMREAD_COLOR)
        scale = SIDE / max(picture.shape)
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        grey = cv2.resize(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (32, 32), interpolation=cv2.INTER_AREA).astype(numpy.float32)
        low = cv2.dct(grey)[:8, :8]
        return low > numpy.median(low)
    return read


def vips(_):
    import pyvips
    pyvips.cache_set_max(0)  # VIPS_CONCURRENCY=1 comes from tools/bench_analyse.py
    return lambda data: pyvips.Image.thumbnail_buffer(data, SIDE, height=SIDE).write_to_memory()


def rate(work):
    work(FILES[0])
    done, began, count = time.process_time() + SECONDS, time.process_time(), 0
    while time.process_time() < done:
        work(FILES[count % len(FILES)])
        count += 1
    return count / (time.process_time() - began)


WAYS = {"Pillow, no hash": (pillow, False), "Pillow, JPEG scaled, no hash": (pillow, True), "imagehash": (imagehash, False),
        "imagehash, JPEG scaled": (imagehash, True), "OpenCV": (opencv, False), "OpenCV, JPEG scaled": (opencv, True), "libvips, no hash": (vips, True)}
result = {"missing": []}
for name, (make, scaled) in WAYS.items():
    try:
        work = make(scaled)
    except (ImportError, OSError):
        result["missing"].append(name)
        continue
    result[name] = [rate(work) for _ in range(ROUNDS)]
print(json.dumps(result))

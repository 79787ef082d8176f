"""JPEGs of a folder as Python programs read them: shrunk to 256 px with a pHash; and analysed, to a thumbnail of 256 px and a preview of 640
px, hashes, colours and an embedding. {"shrunk": {name: [pictures a CPU second, one a round]}, "analysed": …, "missing": names of what is not
installed} as JSON. Arguments: folder, seconds for each, rounds, the network's graph."""
import io
import json
import sys
import time
from pathlib import Path

FILES = [path.read_bytes() for path in sorted(Path(sys.argv[1]).glob("*.jpg"))]
SECONDS, ROUNDS, SIDE = float(sys.argv[2]), int(sys.argv[3]), 256
GRAPH, PREVIEW = sys.argv[4], 640


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


def whole_by_pillow(_):
    """What Magpie keeps of a picture, but for PDQ: decoded once at a scale, as Pillow can."""
    import imagehash as hashes
    import numpy
    import openvino
    from PIL import Image
    network = openvino.Core().compile_model(GRAPH, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})

    def read(data):
        picture = Image.open(io.BytesIO(data))
        picture.draft("RGB", (PREVIEW, PREVIEW))
        picture = picture.convert("RGB")
        picture.thumbnail((PREVIEW, PREVIEW), Image.Resampling.BOX)
        thumbnail = picture.copy()
        thumbnail.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
        for image in picture, thumbnail:
            image.save(io.BytesIO(), "JPEG", quality=85)
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        middle = picture.resize((224, 224), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
        colours = thumbnail.quantize(5).getcolors()
        return hashes.phash(thumbnail), hashes.dhash(thumbnail), colours, network(numpy.asarray(middle)[None])[0]
    return read


def whole_by_vips(_):
    """Thumbnail and preview alone."""
    import pyvips
    pyvips.cache_set_max(0)

    def read(data):
        preview = pyvips.Image.thumbnail_buffer(data, PREVIEW, height=PREVIEW, size="down").copy_memory()
        return [picture.jpegsave_buffer(Q=85) for picture in (preview, preview.thumbnail_image(SIDE, height=SIDE))]
    return read


def rate(work):
    work(FILES[0])
    done, began, count = time.process_time() + SECONDS, time.process_time(), 0
    while time.process_time() < done:
        work(FILES[count % len(FILES)])
        count += 1
    return count / (time.process_time() - began)


SHRUNK = {"Pillow, no hash": (pillow, False), "Pillow, JPEG scaled, no hash": (pillow, True), "imagehash": (imagehash, False),
          "imagehash, JPEG scaled": (imagehash, True), "OpenCV": (opencv, False), "OpenCV, JPEG scaled": (opencv, True), "libvips, no hash": (vips, True)}
ANALYSED = {"Pillow, imagehash and OpenVINO": (whole_by_pillow, True), "libvips, thumbnail and preview alone": (whole_by_vips, True)}


def rates(ways, missing):
    found = {}
    for name, (make, scaled) in ways.items():
        try:
            work = make(scaled)
        except (ImportError, OSError):
            missing.append(name)
            continue
        found[name] = [rate(work) for _ in range(ROUNDS)]
    return found


not_here = []
print(json.dumps({"shrunk": rates(SHRUNK, not_here), "analysed": rates(ANALYSED, not_here), "missing": not_here}))

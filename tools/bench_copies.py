#!/usr/bin/env python3
"""Finds copies in sets of changed pictures with `magpie inspect duplicates` and with its peers; raw result on stdout for bench_report.py.

`magpie crawl` is the same in a collection, where the time stated is what comparing looks adds to a crawl.

Sets are made by copies_set.py of real pictures: clothing photographs (the shared data), and others: drawings, wallpapers, pictures that come with
Python packages. Of each kind, half the sources were there to tune on; figures are of the other half (--half tune shows the first). Each method
gives a graph of pairs; joined pairs are clusters, and a cluster's pairs are what is counted, as for a person who is shown groups. A peer's
cut-off is the one with which it did best on this half itself, which flatters it. Times are CPU seconds, decoding and search included.
"""
import argparse
import functools
import http.server
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / "build/peers/python/bin/python"   # tools/setup/bench_peers.sh
SETS = ROOT / "build/bench/copies"
CLOTHING = Path(os.environ.get("MAGPIE_SHARED", ROOT.parent / "shared")) / "data" / "clothing"
STAMPS = Path("/usr/share/tuxpaint/stamps")
WALLPAPERS = [Path("/usr/share/wallpapers"), Path("/usr/share/backgrounds")]


def note(text):
    print(f"bench: {text}", file=sys.stderr)


def clothing(half):
    files = sorted(CLOTHING.glob("*/*/*.jpg"))
    if not files:
        note(f"no photographs in {CLOTHING}; garments are left out")
    files = files[half::2]
    return files[:: max(1, len(files) // 96)][:96]


def package_pictures():
    """Pictures inside the peers' Python packages."""
    found = []
    for package, folder, wanted in [("skimage", "data", "*"), ("sklearn", "datasets/images", "*")]:
        for base in (ROOT / "build/peers/python/lib").glob(f"python3*/site-packages/{package}/{folder}"):
            found += [f for f in sorted(base.glob(wanted)) if f.suffix in (".png", ".jpg") and f.stat().st_size > 12_000]
    # Two pictures of one scene, and one picture in grey and in colours, are nobody's idea of different pictures.
    return [f for f in found if f.name not in ("motorcycle_right.png", "chessboard_GRAY.png")]


def wallpapers():
    """The largest file of each, as they come in many sizes."""
    largest = {}
    for base in WALLPAPERS:
        for f in base.rglob("*"):
            if f.suffix in (".png", ".jpg", ".webp") and "dark" not in f.parent.name and not f.stem.endswith("-d") and f.stem != "screenshot":
                name = str(f).split("/contents/")[0]
                if f.stat().st_size > (largest[name].stat().st_size if name in largest else 0):
                    largest[name] = f
    return sorted(largest.values())


def others(half):
    stamps = [f for f in sorted(STAMPS.rglob("*.png")) if f.stat().st_size > 12_000 and "mirror" not in f.stem]
    kinds = {"stamps (tuxpaint-stamps-default)": stamps[:: max(1, len(stamps) // 80)], "wallpapers (plasma-workspace-wallpapers)": wallpapers(),
             "packages' pictures (tools/setup/bench_peers.sh)": package_pictures()}
    for kind, files in kinds.items():
        if not files:
            note(f"no {kind}; left out")
    return [f for files in kinds.values() for f in files][half::2]


def make_sets(half, smoke):
    import copies_set
    made = {}
    for name, sources, recoloured in [("garments", clothing(half), 12), ("others", others(half), 0)]:
        sources = sources[:6] if smoke else sources
        if sources:
            made[name] = SETS / f"{name}-{'test' if half else 'tune'}{'-smoke' if smoke else ''}"
            copies_set.write_set(sources, made[name], f"{name}{half}", recoloured=recoloured)
    return made


# ---- judging

def name_of(file):
    picture, change = Path(file).stem.split("__")
    return picture, change


def pairs(count):
    return count * (count - 1) // 2


def figures(files, cluster_of):
    """Precision, recall and F1 of pairs; and, of each change, the share of files that are with most of their picture's."""
    of_picture, sizes = defaultdict(Counter), Counter()
    for file in files:
        of_picture[name_of(file)[0]][cluster_of[file]] += 1
        sizes[cluster_of[file]] += 1
    right = sum(pairs(n) for clusters in of_picture.values() for n in clusters.values())
    given = sum(map(pairs, sizes.values()))
    wanted = sum(pairs(sum(clusters.values())) for clusters in of_picture.values())
    precision, recall = right / max(given, 1), right / max(wanted, 1)
    by_change = defaultdict(list)
    for file in files:
        picture, change = name_of(file)
        by_change[change].append(of_picture[picture].most_common(1)[0][0] == cluster_of[file])
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"f1": f1, "precision": precision, "recall": recall}, {change: sum(with_most) / len(with_most) for change, with_most in by_change.items()}


def joined(files, edges):
    parent = {file: file for file in files}

    def root(file):
        while parent[file] != file:
            parent[file] = parent[parent[file]]
            file = parent[file]
        return file
    for a, b in edges:
        parent[root(a)] = root(b)
    return {file: root(file) for file in files}


# ---- methods

def magpie(program, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([program, "inspect", "duplicates", folder], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    clusters = {line["path"]: line["cluster"] for line in lines if "__" in line["path"]}
    return clusters, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


def magpie_crawl(program, folder):
    """The same in a collection: a crawl finds copies as pictures come. Its own CPU time, less that of a crawl which only looks at hashes."""
    index = "<title>set</title>" + "".join(f'<img src="{file.name}" alt="picture">' for file in sorted(Path(folder).iterdir()) if "__" in file.name)
    (Path(folder) / "index.html").write_text(index)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    took = {}
    for compare in ("false", "true"):
        with tempfile.TemporaryDirectory(prefix="magpie-copies-") as parent:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([program, "crawl", "--collection", f"{parent}/c", "--agent", "magpie-bench", "--delay", "0", "--per-host", "8", "--allow-loopback",
                            f"http://127.0.0.1:{server.server_address[1]}/", "--set", "crawl.originals=false", "--set", f"analyse.compare={compare}"],
                           capture_output=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took[compare] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            with sqlite3.connect(f"{parent}/c/catalog.db") as catalog:
                rows = catalog.execute("SELECT u.url, i.copy_group FROM urls u JOIN images i ON i.id = u.image").fetchall()
    server.shutdown()
    (Path(folder) / "index.html").unlink()
    clusters = {f"{folder}/{urllib.parse.unquote(url.rpartition('/')[2])}": group for url, group in rows}
    return clusters, max(0.0, took["true"] - took["false"])


def best_cutoff(files, distances, cutoffs):
    """Clusters with each cut-off; the one with the best F1, with its name."""
    best = None
    for cutoff in cutoffs:
        found, by_change = figures(files, joined(files, distances(cutoff)))
        if best is None or found["f1"] > best[1]["f1"]:
            best = (cutoff, found, by_change)
    return best


def hash_methods():
    import imagehash
    import numpy as np
    from PIL import Image
    made = {"pHash": (imagehash.phash, range(2, 22, 2)), "dHash": (imagehash.dhash, range(2, 22, 2)), "wHash": (imagehash.whash, range(0, 14, 2))}

    def hasher(function):
        return lambda path: np.packbits(function(Image.open(path).convert("RGB")).hash.flatten())
    made = {name: (hasher(function), cutoffs) for name, (function, cutoffs) in made.items()}
    try:
        import pdqhash
        made["PDQ"] = (lambda path: np.packbits(pdqhash.compute(np.asarray(Image.open(path).convert("RGB")))[0]), range(20, 90, 10))
    except ImportError:
        note("pdqhash is not installed; run tools/setup/bench_peers.sh")
    return made


def run_hash(files, hash_of, cutoffs):
    import numpy as np
    began = time.process_time()
    hashes = np.stack([hash_of(file) for file in files])
    bits = np.unpackbits(hashes, axis=1).astype(np.int16)
    distance = bits.sum(1)[:, None] + bits.sum(1)[None] - 2 * (bits @ bits.T)
    took = time.process_time() - began

    def edges(cutoff):
        return [(files[a], files[b]) for a, b in np.argwhere(np.triu(distance <= cutoff, 1))]
    return best_cutoff(files, edges, cutoffs), took


def run_puzzle(files):
    """libpuzzle (Wong, Bern, Goldberg 2002): a signature of differences between neighbouring patches, and its own distance of two."""
    import ctypes
    import ctypes.util

    class Signature(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("values", ctypes.POINTER(ctypes.c_byte))]
    library = ctypes.CDLL(ctypes.util.find_library("puzzle") or "libpuzzle.so.1")
    distance = library.puzzle_vector_normalized_distance
    distance.restype = ctypes.c_double
    context = ctypes.create_string_buffer(4_096)  # more than its PuzzleContext
    library.puzzle_init_context(context)
    began = time.process_time()
    signatures = []
    for file in files:
        one = Signature()
        library.puzzle_init_cvec(context, ctypes.byref(one))
        known = library.puzzle_fill_cvec_from_file(context, ctypes.byref(one), file.encode()) == 0
        signatures.append(ctypes.byref(one) if known else None)  # WebP is none of its formats
    apart = {(a, b): distance(context, signatures[a], signatures[b], 1)
             for a in range(len(files)) for b in range(a) if signatures[a] and signatures[b]}
    took = time.process_time() - began

    def edges(cutoff):
        return [(files[a], files[b]) for (a, b), value in apart.items() if value <= cutoff]
    return best_cutoff(files, edges, [n / 20 for n in range(1, 15)]), took


def run_embedding(files):
    """Magpie's own embedder alone: pictures whose vectors are near are copies."""
    import numpy as np
    import openvino
    from calibrate_lite import pixels
    model = ROOT / "build/models/efficientnet-lite0-int8/lite0.xml"
    network = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    began = time.process_time()
    vectors = np.stack([network(pixels(file, 224))[0][0] for file in files])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    took = time.process_time() - began

    def edges(cutoff):
        return [(files[a], files[b]) for a, b in np.argwhere(np.triu(cosines >= cutoff, 1))]
    return best_cutoff(files, edges, [n / 100 for n in range(70, 100, 2)]), took


def run_local(files, kind):
    """ORB or AKAZE at 320 px, each picture and its mirror against all others, a similarity by RANSAC, inliers counted."""
    import cv2
    import numpy as np
    cv2.setNumThreads(1)
    began = time.process_time()
    maker = cv2.ORB_create(200) if kind == "ORB" else cv2.AKAZE_create()
    seen = []
    for file in files:
        grey = cv2.imread(file, cv2.IMREAD_GRAYSCALE)
        factor = 320 / max(grey.shape)
        grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else grey
        both = [maker.detectAndCompute(image, None) for image in (grey, cv2.flip(grey, 1))]
        seen.append([(np.float32([k.pt for k in keypoints]), descriptors) for keypoints, descriptors in both])
    matcher, inliers = cv2.BFMatcher(cv2.NORM_HAMMING), {}
    for a in range(len(files)):
        for b in range(a):
            inliers[a, b] = max(agreeing(cv2, matcher, seen[a][side], seen[b][0]) for side in (0, 1))
    took = time.process_time() - began

    def edges(cutoff):
        return [(files[a], files[b]) for (a, b), count in inliers.items() if count >= cutoff]
    return best_cutoff(files, edges, (8, 10, 12, 15, 20, 25, 30)), took


def agreeing(cv2, matcher, query, known):
    if query[1] is None or known[1] is None or min(len(query[1]), len(known[1])) < 8:
        return 0
    good = [m[0] for m in matcher.knnMatch(query[1], known[1], k=2) if len(m) == 2 and m[0].distance < 0.8 * m[1].distance]
    if len(good) < 8:
        return 0
    _, mask = cv2.estimateAffinePartial2D(query[0][[m.queryIdx for m in good]], known[0][[m.trainIdx for m in good]], ransacReprojThreshold=4)
    return 0 if mask is None else int(mask.sum())


def local_subset(files):
    """Each picture against each is slow in Python: the copies of one picture in twelve only."""
    chosen = {name for i, name in enumerate(sorted({name_of(f)[0] for f in files})) if i % 12 == 0}
    return [f for f in files if name_of(f)[0] in chosen]


def rows_of(name, kind, found, by_change, milliseconds, count, beside=None):
    lowest = dict(sorted(by_change.items(), key=lambda pair: pair[1])) if name == "magpie" else {}
    shown = {**found, "ms CPU a picture": milliseconds, "files": count, **(beside or {})}
    rows = [{"name": f"{kind}: {name}", "unit": "F1 of pairs", "values": [found["f1"]], "beside": shown}]
    for change, share in (lowest or by_change).items():
        if name == "magpie" or change in ("crop5", "crop25", "crop50", "mirror", "border15", "turn", "text", "squeeze", "grey"):
            rows.append({"name": f"{kind}: {name}: {change}", "unit": "found", "values": [share]})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--magpie", type=Path, required=True)
    parser.add_argument("--half", choices=["tune", "test"], default="test")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    if Path(sys.executable) != PYTHON and PYTHON.exists():
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    sys.path.insert(0, str(Path(__file__).parent))
    smoke = bool(os.environ.get("MAGPIE_BENCH_SMOKE"))
    rows, inputs = [], []
    for kind, folder in make_sets(0 if options.half == "tune" else 1, smoke).items():
        files = sorted(str(f) for f in folder.iterdir() if "__" in f.name)
        inputs.append(f"{kind} {len({name_of(f)[0] for f in files})} pictures in {len(files)} files")
        clusters, took = magpie(options.magpie, folder)
        rows += rows_of("magpie", kind, *figures(files, clusters), 1000 * took / len(files), len(files))
        clusters, took = magpie_crawl(options.magpie, folder)
        clusters = {file: clusters.get(file, file) for file in files}
        rows += rows_of("magpie crawl", kind, *figures(files, clusters), 1000 * took / len(files), len(files))
        if options.no_peers:
            continue
        for name, (hash_of, cutoffs) in hash_methods().items():
            (cutoff, found, by_change), took = run_hash(files, hash_of, cutoffs)
            rows += rows_of(name, kind, found, by_change, 1000 * took / len(files), len(files), {"best cut-off": cutoff})
        for name, run in {"libpuzzle": run_puzzle, "embedding alone": run_embedding}.items():
            try:
                (cutoff, found, by_change), took = run(files)
            except (ImportError, OSError) as error:
                note(f"{name} is left out: {error}; run tools/setup/bench_peers.sh")
                continue
            rows += rows_of(name, kind, found, by_change, 1000 * took / len(files), len(files), {"best cut-off": cutoff})
        part = local_subset(files)
        for name in ("ORB", "AKAZE"):
            (cutoff, found, by_change), took = run_local(part, name)
            rows += rows_of(f"{name} and RANSAC", kind, found, by_change, 1000 * took / len(part), len(part), {"best cut-off": cutoff})
    notes = [f"Half: {options.half}; " + "; ".join(inputs)]
    json.dump({"command": f"tools/bench_copies.py --half {options.half}", "notes": notes, "rows": rows}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Nearest neighbours on Fashion-MNIST (Debian's dataset-fashion-mnist), or on made vectors of 512 components in clusters, which vary as picture
embeddings do (--set): Magpie's graph beside hnswlib, FAISS, usearch and SymphonyQG (rabitqlib), one thread, the same unit vectors, cosine. Each engine is swept over its beam, in rounds that take turns; what counts is the most queries per CPU second among the
beams that reach a recall@10. Run by the peers' Python (tools/setup/bench_peers.sh), which has numpy and them. Raw result for bench_report.py."""
import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"
import numpy as np  # noqa: E402  (after the number of threads is set)

DATA = Path("/usr/share/datasets/fashion-mnist")
NEAREST = 10
TARGETS = (0.95, 0.99, 0.999)
BEAMS = (10, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 400)


def pictures(path, count):
    """Rows of unit length."""
    with gzip.open(path) as file:
        rows = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)[:count].astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def made_vectors(count, queries):
    """Clusters of 512 components whose variances fall as one over their rank, as those of picture embeddings do, turned at random; unit length."""
    rng, size, clusters = np.random.default_rng(1), 512, 1_000
    spread = (np.arange(1, size + 1) ** -0.5).astype(np.float32)
    turn = np.linalg.qr(rng.standard_normal((size, size)))[0].astype(np.float32)
    centres = rng.standard_normal((clusters, size), dtype=np.float32) * spread

    def draw(rows):
        found = centres[rng.integers(0, clusters, rows)] + 0.6 * rng.standard_normal((rows, size), dtype=np.float32) * spread
        found = found @ turn
        return found / np.linalg.norm(found, axis=1, keepdims=True)
    return draw(count), draw(queries)


def write(path, matrix):
    with open(path, "wb") as file:
        file.write(np.array(matrix.shape, np.uint32).tobytes())
        file.write(np.ascontiguousarray(matrix).tobytes())


def truth_of(base, queries):
    found = []
    for chunk in np.array_split(queries, max(1, len(queries) // 100)):
        found.append(np.argsort(-(chunk @ base.T), axis=1, kind="stable")[:, :NEAREST])
    return np.vstack(found).astype(np.uint32)


def recall(found, truth):
    return sum(len(set(map(int, a)) & set(map(int, b))) for a, b in zip(found, truth)) / truth.size


def build_hnswlib(base):
    import hnswlib
    index = hnswlib.Index("ip", base.shape[1])
    index.init_index(len(base), M=16, ef_construction=200, random_seed=1)
    index.set_num_threads(1)
    index.add_items(base, num_threads=1)

    def search(queries, beam):
        index.set_ef(beam)
        return index.knn_query(queries, NEAREST, num_threads=1)[0]
    return f"hnswlib {hnswlib.__version__ if hasattr(hnswlib, '__version__') else ''} M=16 efC=200".replace("  ", " "), search


def build_faiss(base):
    import faiss
    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(base.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 200
    index.add(base)

    def search(queries, beam):
        index.hnsw.efSearch = beam
        return index.search(queries, NEAREST)[1]
    return f"faiss {faiss.__version__} HNSW32,Flat efC=200", search


def build_usearch(base):
    from usearch.index import Index
    import usearch
    index = Index(ndim=base.shape[1], metric="cos", dtype="i8", connectivity=16, expansion_add=200)
    index.add(np.arange(len(base)), base, threads=1)

    def search(queries, beam):
        index.expansion_search = beam
        return index.search(queries, NEAREST, threads=1).keys
    return f"usearch {usearch.__version__} i8 M=16 efC=200", search


def build_symphony(base):
    import rabitqlib
    index = rabitqlib.SymqgIndex(base.shape[1], 32, metric="l2")  # of unit vectors, the same order
    index.build(np.ascontiguousarray(base), ef_construction=200, num_threads=1)

    def search(queries, beam):
        return ids_of(index.search(queries, NEAREST, beam, num_threads=1))
    return f"SymphonyQG (rabitqlib {version('rabitqlib')}) R=32 ef=200", search


def ids_of(answer):
    """Ids and distances come in one order or the other."""
    return next(part for part in answer if np.issubdtype(np.asarray(part).dtype, np.integer))


def sweep(search, queries, truth):
    """(recall, queries per CPU second) by beam."""
    points = []
    for beam in BEAMS:
        began = time.process_time()
        found = search(queries, beam)
        points.append((recall(found, truth), len(queries) / (time.process_time() - began)))
    return points


def sweep_magpie(program, folder):
    raw = subprocess.run([program, "--benchmark_format=json", "--benchmark_min_time=0.3"], env={**os.environ, "MAGPIE_VECTORS": folder}, check=True,
                         capture_output=True, text=True)
    runs = json.loads(raw.stdout)["benchmarks"]
    return [(run["recall@10"], run["queries_per_cpu_s"]) for run in runs], runs[0]["build_cpu_s"]


def rate_at(points, target):
    """The best rate at a recall, between two beams in proportion, as no beam meets it exactly."""
    points = sorted(points)
    best = max((rate for reached, rate in points if reached >= target), default=None)
    for (low, slow_rate), (high, fast_rate) in zip(points, points[1:]):
        if low < target <= high:
            best = max(best or 0, slow_rate + (fast_rate - slow_rate) * (target - low) / (high - low))
    return best


def vectors_of(options):
    if options.set == "made":
        return made_vectors(options.vectors, options.queries)
    if not options.data.is_dir():
        sys.exit(f"bench: {options.data} is not there; install dataset-fashion-mnist, or give --data")
    return (pictures(options.data / "train-images-idx3-ubyte.gz", options.vectors), pictures(options.data / "t10k-images-idx3-ubyte.gz", options.queries))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="magpie_vec_bench")
    parser.add_argument("--set", choices=("fashion-mnist", "made"), default="fashion-mnist")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--vectors", type=int, default=60_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    base, queries = vectors_of(options)
    truth = truth_of(base, queries)
    notes, engines, build_s, rates = [], {}, {}, {}
    for build in (build_hnswlib, build_faiss, build_usearch, build_symphony):
        began = time.process_time()
        try:
            name, search = build(base)
        except ImportError as missing:
            notes.append(f"Left out, as it is not installed: {missing.name}.")
            continue
        engines[name], build_s[name] = search, time.process_time() - began
        print(f"bench: {name} built in {build_s[name]:.0f} CPU s", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        for file, matrix in (("base.f32", base), ("queries.f32", queries), ("truth.u32", truth)):
            write(f"{folder}/{file}", matrix)
        for round_number in range(options.rounds):
            points, build_s["Magpie"] = sweep_magpie(options.program, folder)
            all_points = {"Magpie": points, **{name: sweep(search, queries, truth) for name, search in engines.items()}}
            for name, points in all_points.items():
                print(f"bench: round {round_number + 1}, {name}: " + " ".join(f"{r:.4f}/{q:.0f}" for r, q in points), file=sys.stderr)
                for target in TARGETS:
                    if (rate := rate_at(points, target)) is not None:
                        rates.setdefault((target, name), []).append(rate)
    hnswlib = next((name for name in engines if name.startswith("hnswlib")), None)
    rows = []
    for (target, name), values in sorted(rates.items(), key=lambda item: item[0][0]):
        beside = {"build CPU s": round(build_s[name], 1)}
        if hnswlib and (target, hnswlib) in rates:
            # Round by round, as both of a round ran in the same minute.
            beside["times hnswlib"] = round(float(np.median([a / b for a, b in zip(values, rates[target, hnswlib])])), 2)
        rows.append({"name": f"{options.set} {base.shape[1]}, recall@10 {target}: {name}", "unit": "queries/CPU s", "values": values, "beside": beside})
    json.dump({"command": "tools/bench_vec.py", "notes": notes, "rows": rows}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Decoding, shrinking to 256 px and hashing of JPEGs of 1, 2 and 4 MP, by Magpie and by programs of Python, each on one core in turn; raw
result on stdout for bench_report.py. Input: the shared clothing photographs, enlarged, quality 85. Peers: tools/setup/bench_peers.sh."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PHOTOGRAPHS = Path(os.environ.get("MAGPIE_SHARED", ROOT.parent / "shared")) / "data/clothing/train"
PYTHON = ROOT / "build/peers/python/bin/python"
SMOKE = bool(os.environ.get("MAGPIE_BENCH_SMOKE"))
MEGAPIXELS = [1, 2, 4]


def write_pictures(folder, megapixels, count):
    paths = sorted(PHOTOGRAPHS.rglob("*.jpg"))
    for number, path in enumerate(paths[::max(1, len(paths) // count)][:count]):
        picture = Image.open(path).convert("RGB")
        scale = (megapixels * 1e6 / (picture.width * picture.height)) ** 0.5
        picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC).save(folder / f"{number:03}.jpg", quality=85)


def magpie_rates(program, folder, seconds, rounds):
    words = [program, "--benchmark_filter=ShrinkAndPhash|AnalysePicture", "--benchmark_format=json", f"--benchmark_min_time={seconds}",
             f"--benchmark_repetitions={rounds}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "MAGPIE_BENCH_PICTURES": str(folder)})
    rates = {}
    for run in json.loads(done.stdout)["benchmarks"]:
        if run["run_type"] == "iteration" and run["name"].endswith("/0"):
            rates.setdefault(run["name"], []).append(run["items_per_second"])
    return {"Magpie": rates["BM_ShrinkAndPhash/0"], "Magpie, with thumbnail, preview, three hashes and colours": rates["BM_AnalysePicture/0"]}


def peer_rates(folder, seconds, rounds):
    done = subprocess.run([PYTHON, ROOT / "bench/peers/pictures_bench.py", folder, str(seconds), str(rounds)], capture_output=True, text=True,
                          env={**os.environ, "VIPS_CONCURRENCY": "1"})
    if done.returncode != 0:
        print(f"bench: no peers: {done.stderr[-400:]}", file=sys.stderr)
        return {"missing": ["all peers"]}
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="magpie_image_bench")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    count, seconds, rounds = (3, 0.05, 1) if SMOKE else (60, 0.5, options.rounds)
    rows, missing = [], set()
    for megapixels in MEGAPIXELS if PHOTOGRAPHS.is_dir() else []:
        with tempfile.TemporaryDirectory() as kept:
            folder = Path(kept)
            write_pictures(folder, megapixels, count)
            rates = {**magpie_rates(options.program, folder, seconds, rounds), **peer_rates(folder, seconds, rounds)}
        missing.update(rates.pop("missing", []))
        rows += [{"name": f"{megapixels} MP to 256 px and pHash: {name}", "unit": "pictures/CPU s", "values": values} for name, values in rates.items()]
    notes = [f"Not installed: {', '.join(sorted(missing))}."] if missing else []
    if not rows:
        notes.append("The shared photographs are not here, so the peers were left out.")
    print(json.dumps({"command": "tools/bench_analyse.py", "notes": notes, "rows": rows}))


if __name__ == "__main__":
    main()

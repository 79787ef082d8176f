#!/usr/bin/env python3
"""JPEGs of 1, 2 and 4 MP, by Magpie and by programs of Python, each on one core in turn: decoded, shrunk to 256 px and hashed; and analysed as
a whole, to thumbnail, preview, three hashes, colours and embedding. Raw result on stdout for bench_report.py. Input: the shared clothing
photographs, enlarged, quality 85. Peers: tools/setup/bench_peers.sh."""
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
DESCRIBED = "Magpie, with thumbnail, preview, three hashes and colours"


def write_pictures(folder, megapixels, count):
    paths = sorted(PHOTOGRAPHS.rglob("*.jpg"))
    for number, path in enumerate(paths[::max(1, len(paths) // count)][:count]):
        picture = Image.open(path).convert("RGB")
        scale = (megapixels * 1e6 / (picture.width * picture.height)) ** 0.5
        picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC).save(folder / f"{number:03}.jpg", quality=85)


def magpie_rates(program, names, folder, seconds, rounds):
    """{words: [pictures a CPU second, one a round]} of the benchmarks `names` ({name: words}) of one program."""
    words = [program, f"--benchmark_filter={'|'.join(names)}", "--benchmark_format=json", f"--benchmark_min_time={seconds}",
             f"--benchmark_repetitions={rounds}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "MAGPIE_BENCH_PICTURES": str(folder)})
    rates = {words: [] for words in names.values()}
    for run in json.loads(done.stdout)["benchmarks"]:
        if run["run_type"] == "iteration":
            rates[names[run["name"]]].append(run["items_per_second"])
    return rates


def peer_rates(folder, seconds, rounds):
    """({name: rates} to 256 px, {name: rates} of the whole analysis, names of what is not installed)."""
    done = subprocess.run([PYTHON, ROOT / "bench/peers/pictures_bench.py", folder, str(seconds), str(rounds), ROOT / "build/models/efficientnet-lite0-int8/lite0.xml"],
                          capture_output=True, text=True, env={**os.environ, "VIPS_CONCURRENCY": "1"})
    if done.returncode != 0:
        print(f"bench: no peers: {done.stderr[-400:]}", file=sys.stderr)
        return {}, {}, ["all peers"]
    found = json.loads(done.stdout)
    return found["shrunk"], found["analysed"], found["missing"]


def rows_of(title, rates):
    return [{"name": f"{title}: {name}", "unit": "pictures/CPU s", "values": values} for name, values in rates.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="the folder of magpie_image_bench and magpie_analyse_bench")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    count, seconds, rounds = (3, 0.05, 1) if SMOKE else (60, 0.5, options.rounds)
    rows, missing = [], set()
    for megapixels in MEGAPIXELS if PHOTOGRAPHS.is_dir() else []:
        with tempfile.TemporaryDirectory() as kept:
            folder = Path(kept)
            write_pictures(folder, megapixels, count)
            shrunk = magpie_rates(options.programs / "magpie_image_bench", {"BM_ShrinkAndPhash/0": "Magpie", "BM_AnalysePicture/0": DESCRIBED}, folder, seconds, rounds)
            analysed = magpie_rates(options.programs / "magpie_analyse_bench", {"BM_AnalyseHere/int8:1/detects:0": "Magpie"}, folder, seconds, rounds)
            peers_shrunk, peers_analysed, not_here = peer_rates(folder, seconds, rounds)
        missing.update(not_here)
        rows += rows_of(f"{megapixels} MP to 256 px and pHash", {**shrunk, **peers_shrunk})
        rows += rows_of(f"{megapixels} MP, whole analysis", {**analysed, **peers_analysed})
    notes = [f"Not installed: {', '.join(sorted(missing))}."] if missing else []
    if not rows:
        notes.append("The shared photographs are not here, so the peers were left out.")
    print(json.dumps({"command": "tools/bench_analyse.py", "notes": notes, "rows": rows}))


if __name__ == "__main__":
    main()

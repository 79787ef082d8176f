#!/usr/bin/env python3
"""A photograph of 2 MP sent to a running `magpie serve` over some thousand pictures: CPU time of the server and its workers, and wall time, from
the first byte of the question to the last of the answer, warm. Raw result on stdout for bench_report.py. Input: the shared clothing
photographs, collected as they are (400 px); those of validation, enlarged, are asked."""
import argparse
import http.client
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
CLOTHING = Path(os.environ.get("MAGPIE_SHARED", ROOT.parent / "shared")) / "data/clothing"
SMOKE = bool(os.environ.get("MAGPIE_BENCH_SMOKE"))
PIXELS = 2e6
WARM_UP = 20


def enlarged(path):
    picture = Image.open(path).convert("RGB")
    scale = (PIXELS / (picture.width * picture.height)) ** 0.5
    file = io.BytesIO()
    picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
    return file.getvalue()


def cpu_seconds(pid):
    """Of the process and all below it that are still there: workers live as long as their server."""
    total = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += sum(map(cpu_seconds, (task / "children").read_text().split()))
    # Of all threads, in nanoseconds; /proc/PID/stat counts in hundredths of a second.
    return total + sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def connect(server, port):
    for _ in range(600):
        if server.poll() is not None:
            sys.exit(f"bench: the server ended with {server.returncode}")
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().read() is not None:
                return connection
        except OSError:
            connection.close()
            time.sleep(0.1)
    sys.exit("bench: the server did not answer within a minute")


def ask(connection, picture):
    connection.request("POST", "/api/v1/search?limit=50", picture, {"Content-Type": "image/jpeg"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit(f"bench: the search was answered with {answer.status}: {body[:300]}")
    return json.loads(body)


def asked(magpie, collection, port, pictures):
    """[(wall ms, CPU ms)] of each question, and how many pictures each answer had."""
    server = subprocess.Popen([magpie, "serve", "--collection", collection, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        connection = connect(server, port)
        took, hits = [], []
        for i, picture in enumerate(pictures[:WARM_UP] + pictures):
            cpu, began = cpu_seconds(server.pid), time.monotonic()
            answer = ask(connection, picture)
            wall = time.monotonic() - began
            if i >= WARM_UP:
                took.append((1e3 * wall, 1e3 * (cpu_seconds(server.pid) - cpu)))
                hits.append(len(answer["hits"]))
        return took, hits
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--magpie", required=True)
    parser.add_argument("--port", type=int, default=18_766)
    options = parser.parse_args()
    rows, notes = [], []
    if not CLOTHING.is_dir():
        notes.append("The shared photographs are not here, so no picture was sent.")
    else:
        known = CLOTHING / ("validation/dress" if SMOKE else "train")
        pictures = [enlarged(path) for path in sorted((CLOTHING / "validation").glob("*/*.jpg"))[::40 if SMOKE else 2]]
        with tempfile.TemporaryDirectory(prefix="magpie-query-") as folder:
            subprocess.run([options.magpie, "collect", known, "--collection", f"{folder}/c", "--set", "analyse.detector=none"], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            took, hits = asked(options.magpie, f"{folder}/c", options.port, pictures)
        walls, cpus = zip(*took)
        beside = {"asked": len(took), "known": sum(1 for _ in known.rglob("*.jpg")), "bytes of each": round(statistics.mean(map(len, pictures))),
                  "hits": round(statistics.mean(hits), 1), "wall ms p50": round(statistics.median(walls), 1), "wall ms p90": round(sorted(walls)[len(walls) * 9 // 10], 1)}
        rows.append({"name": "POST of a photograph of 2 MP to its answer, warm", "unit": "CPU ms", "values": [statistics.median(cpus)], "beside": beside})
    json.dump({"command": "tools/bench_query.py", "notes": notes, "rows": rows}, sys.stdout)


if __name__ == "__main__":
    main()

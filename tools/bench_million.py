#!/usr/bin/env python3
"""A collection of a million pictures with embeddings as real ones lie (bench/million.cc says how they are made), and what asking it takes:
recall@10, time and memory of the nearest ten behind filters, with all memory, page cache included, held under a limit; and whole searches over
HTTP. Making it takes some 7 CPU minutes, its graph (--graph) 10 more, and 21 GB of disk for a while; --keep leaves it for the next time. The limit
needs root and the memory controller of cgroup v1; without them it is left out, and the table says so. Raw result for bench_report.py."""
import argparse
import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GROUP = Path("/sys/fs/cgroup/memory/magpie-bench")
LIMIT_BYTES = 1_000_000_000
P99_MS = 20  # what the highest rate must keep


def make(options, folder):
    embeddings, collection = folder / "photographs.txt", folder / "collection"
    if not embeddings.exists():
        subprocess.run([options.program, "embed", options.photographs, options.model, embeddings], check=True)
    if not collection.exists():
        subprocess.run([options.magpie, "init", collection], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([options.program, "make", collection, embeddings, str(options.pictures)], check=True)
    if options.graph:
        subprocess.run([options.program, "graph", collection], check=True)
    truth = folder / "truth.txt"
    if not truth.exists():
        subprocess.run([options.program, "truth", collection, embeddings, truth], check=True)
    return collection, embeddings, truth


def limit(collection):
    """What of the index is in the page cache leaves it, so that what is read anew counts against the limit; None where there is no limit."""
    try:
        GROUP.mkdir(exist_ok=True)
        (GROUP / "memory.limit_in_bytes").write_text(str(LIMIT_BYTES))
        (GROUP / "memory.max_usage_in_bytes").write_text("0")
    except OSError:
        return None
    os.sync()
    for path in (collection / "index").iterdir():
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return lambda: (GROUP / "cgroup.procs").write_text(str(os.getpid()))


def ask(options, collection, embeddings, truth):
    enter = limit(collection)
    ran = subprocess.run([options.program, "ask", collection, embeddings, truth], check=True, capture_output=True, text=True, preexec_fn=enter)
    peak = int((GROUP / "memory.max_usage_in_bytes").read_text()) / 1e6 if enter else None
    return json.loads(ran.stdout), peak


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid, which):
    return next(int(line.split()[1]) / 1_000 for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(which))


def percentile(ascending, share):
    return ascending[min(len(ascending) * share // 100, len(ascending) - 1)]


def at_rate(ask, targets, rate):
    """Latencies in ms of requests that are due at a steady rate: from when each was due, so that waiting for the one before counts."""
    took, began = [], time.monotonic()
    for i, target in enumerate(targets):
        due = began + i / rate
        time.sleep(max(0, due - time.monotonic()))
        ask(target)
        took.append((time.monotonic() - due) * 1_000)
    return sorted(took)


def over_http(options, collection, pictures):
    """Searches like a picture, within a shop or with a colour and a currency, with facets: the server has one core, the caller the others."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:-1] or cores)
    server = subprocess.Popen([options.magpie, "serve", "--collection", collection, "--port", str(options.port), "--set", "bridge.train=false"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,  # learning the bridge would be measured, too
                              preexec_fn=lambda: os.sched_setaffinity(0, cores[-1:]))
    try:
        rng = random.Random(9)
        connection = http.client.HTTPConnection("127.0.0.1", options.port)
        targets = [f"/api/v1/search?like={rng.randint(1, pictures)}&facets=true&exact=false&limit=50&" +
                   (f"shop=shop{rng.randrange(200)}.test" if i % 2 else "colour=red&currency=EUR") for i in range(options.requests)]

        def ask(target):
            connection.request("GET", target)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                sys.exit(f"bench: {target} answered {answer.status}: {body[:300]}")
            return len(body)

        for _ in range(600):
            try:
                ask("/healthz")
                break
            except OSError:
                connection.close()
                time.sleep(0.1)
        began = time.monotonic()
        sizes = [ask(target) for target in targets]  # what they need of the disk is in memory from here on
        first = (time.monotonic() - began) / len(targets)
        used = cpu_seconds(server.pid)
        took = at_rate(ask, targets, options.rate)
        used = (cpu_seconds(server.pid) - used) / len(targets)
        highest, rate = 0, options.rate
        while percentile(at_rate(ask, targets, rate), 99) <= P99_MS:
            highest, rate = rate, rate * 1.1
        return {"p50": percentile(took, 50), "p99": percentile(took, 99), "cpu_ms": used * 1_000, "first_ms": first * 1_000, "highest": highest,
                "bytes": statistics.mean(sizes), "anon_mb": resident_mb(server.pid, "RssAnon"), "file_mb": resident_mb(server.pid, "RssFile")}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
        os.sched_setaffinity(0, cores)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="magpie_million")
    parser.add_argument("--magpie", required=True)
    parser.add_argument("--photographs", required=True, help="a folder of folders of JPEGs, one a class")
    parser.add_argument("--model", required=True, help="an embedding model's folder")
    parser.add_argument("--pictures", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="where it is kept, or was kept")
    parser.add_argument("--graph", action="store_true", help="build the graph of the index, too")
    parser.add_argument("--rate", type=float, default=100, help="requests a second over HTTP")
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--port", type=int, default=18_765)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as own:
        folder = options.keep or Path(own)
        folder.mkdir(exist_ok=True)
        collection, embeddings, truth = make(options, folder)
        asked, peak = ask(options, collection, embeddings, truth)
        served = over_http(options, collection, asked["pictures"])
    rows = []
    for ground in asked["grounds"]:
        beside = {"recall@10": round(ground["recall"], 3), "by graph": round(ground["by_graph"], 2), "p99 ms": round(ground["p99_ms"], 1),
                  "p50 from disk": round(ground["first_ms"], 1), "anonymous MB": round(ground["anon_mb"]), "mapped MB": round(ground["file_mb"])}
        rows.append({"name": f"nearest ten among {ground['among']}", "unit": "ms p50", "values": [ground["p50_ms"]], "beside": beside})
    rows.append({"name": f"HTTP, {options.rate:.0f} a second: filter, facets, 50 hits", "unit": "ms p50", "values": [served["p50"]],
                 "beside": {"p99 ms": round(served["p99"], 1), "CPU ms a request": round(served["cpu_ms"], 2), "bytes": round(served["bytes"]),
                            f"most a second with a p99 of {P99_MS} ms": round(served["highest"]), "asked for the first time, ms": round(served["first_ms"], 1),
                            "anonymous MB": round(served["anon_mb"]), "mapped MB": round(served["file_mb"])}})
    notes = [f"{asked['pictures']:,} pictures, {asked['queries']} queries each.",
             f"Over HTTP: {options.requests:,} requests, each asked once before; the server has one core, and a request waits for the one before."]
    notes.append(f"Asked with all memory, page cache included, limited to {LIMIT_BYTES / 1e6:.0f} MB; {peak:.0f} MB were used at most."
                 if peak else "Memory was not limited, as there was no right to.")
    json.dump({"command": "tools/bench_million.py", "notes": notes, "rows": rows}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()

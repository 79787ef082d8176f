#!/usr/bin/env python3
"""What searches take while the model of a running `magpie serve` is changed: one caller asks every 50 ms, by picture with facets and by words in
turn, before, through each stage of the change, and behind it. Raw result on stdout for bench_report.py. Input: the shared clothing photographs."""
import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench_query import CLOTHING, SMOKE, connect

FROM, TO = "efficientnet-lite0", "efficientnet-lite0-int8"
PAUSE, QUIET = 0.05, 10  # seconds between two questions; of the rest before and behind


class Caller(threading.Thread):
    """(when, ms) of each answer; the first that is not 200 ends the benchmark."""

    def __init__(self, port, pictures):
        super().__init__(daemon=True)
        self.port, self.pictures, self.took, self.failed, self.done = port, pictures, [], None, threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        for i in range(1 << 30):
            if self.done.wait(PAUSE):
                return
            words = "q=shirt&limit=50" if i % 2 else f"like={1 + i * 7 % self.pictures}&limit=50&facets=true"
            began = time.monotonic()
            connection.request("GET", f"/api/v1/search?{words}")
            answer = connection.getresponse()
            body = answer.read()
            self.took.append((began, 1e3 * (time.monotonic() - began)))
            if answer.status != 200:
                self.failed = f"{words} was answered with {answer.status}: {body[:300]}"
                return


def change(connection):
    """[(stage, when it was first seen)] to the change's end, and its last view."""
    connection.request("POST", "/api/v1/model_changes", json.dumps({"model": TO}), {"Content-Type": "application/json"})
    view = json.load(connection.getresponse())
    stages = []
    while view["state"] == "running":
        connection.request("GET", f"/api/v1/model_changes/{view['change_id']}")
        view = json.load(connection.getresponse())
        if not stages or stages[-1][0] != view["stage"]:
            stages.append((view["stage"], time.monotonic()))
        time.sleep(0.02)
    if view["state"] != "finished":
        sys.exit(f"bench: the change is {view['state']}: {view['message']}")
    return stages, view


def rows_of(stages, took):
    rows = []
    for (stage, begin), (_, end) in zip(stages, stages[1:] + [("", float("inf"))]):
        times = sorted(ms for when, ms in took if begin <= when < end)
        if not times:
            continue
        beside = {"p95": round(times[len(times) * 95 // 100], 1), "max": round(times[-1], 1), "asked": len(times)}
        if end < float("inf"):
            beside["seconds"] = round(end - begin, 1)
        rows.append({"name": f"a search while: {stage}", "unit": "ms p50", "values": [times[len(times) // 2]], "beside": beside})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--magpie", required=True)
    parser.add_argument("--port", type=int, default=18_767)
    options = parser.parse_args()
    if not CLOTHING.is_dir():
        json.dump({"command": "tools/bench_model_change.py", "notes": ["The shared photographs are not here, so nothing was measured."], "rows": []}, sys.stdout)
        return
    photographs = CLOTHING / ("validation/dress" if SMOKE else ".")
    with tempfile.TemporaryDirectory(prefix="magpie-change-") as folder:
        subprocess.run([options.magpie, "collect", photographs, "--collection", f"{folder}/c", "--set", "analyse.detector=none", "--set", f"model.embedder={FROM}"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server = subprocess.Popen([options.magpie, "serve", "--collection", f"{folder}/c", "--port", str(options.port), "--set", "analyse.detector=none"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            connection = connect(server, options.port)
            connection.close()
            caller = Caller(options.port, sum(1 for _ in photographs.rglob("*.jpg")))
            caller.start()
            began = time.monotonic()
            time.sleep(QUIET)
            stages, view = change(http.client.HTTPConnection("127.0.0.1", options.port))
            ended = time.monotonic()
            time.sleep(QUIET)
            caller.done.set()
            caller.join()
            if caller.failed:
                sys.exit(f"bench: {caller.failed}")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
    stages = [("nothing changes", began), *[stage for stage in stages if stage[0] != "done"], ("it is done", ended)]
    notes = [f"{view['pictures']} pictures from {view['before']} to {view['after']}; all {len(caller.took)} searches were answered."]
    json.dump({"command": "tools/bench_model_change.py", "notes": notes, "rows": rows_of(stages, caller.took)}, sys.stdout)


if __name__ == "__main__":
    main()

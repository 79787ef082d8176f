#!/usr/bin/env python3
"""HTTP answers per second of the server's own CPU time: Magpie's server with its JSON writer (bench/http_answers.cc) beside FastAPI on uvicorn, with
uvloop and httptools. Both say the same: 50 search results, 11 KB of JSON, written anew for each request. wrk asks, with one thread and 64
connections, rounds interleaved; where there are two cores the server has the first and wrk the last. Needs wrk (Debian) and the peers'
Python (tools/setup/bench_peers.sh). Raw result for bench_report.py."""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 64


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def on_core(core, *command):
    return ["taskset", "-c", str(core), *map(str, command)] if os.cpu_count() > 1 else list(map(str, command))


class Server:
    def __init__(self, name, command, paths):
        self.name, self.paths, self.port = name, paths, free_port()
        self.process = subprocess.Popen(on_core(0, *[str(word).replace("PORT", str(self.port)) for word in command]), cwd=ROOT / "bench/peers",
                                        stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.get("/hello")
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    sys.exit(f"bench: {name} does not answer; its command is {' '.join(map(str, command))}")
                time.sleep(0.1)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return answer.read()

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1_000

    def load(self, path, seconds):
        """(answers per CPU second, answers per second, p99 in ms) under wrk."""
        used, began = self.cpu_seconds(), time.monotonic()
        said = subprocess.run(on_core(os.cpu_count() - 1, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", "30s",
                                      f"http://127.0.0.1:{self.port}{path}"), check=True, capture_output=True, text=True).stdout
        took, used = time.monotonic() - began, self.cpu_seconds() - used
        if "Non-2xx" in said or "Socket errors" in said:
            sys.exit(f"bench: {self.name} failed under load:\n{said}")
        answers = int(re.search(r"(\d+) requests in", said)[1])
        p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
        return answers / used, answers / took, float(p99) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def same(servers):
    """All say the same; what they say."""
    said = {path: json.loads(server.get(path)) for server in servers for path in server.paths if path != "/hello"}
    first = servers[0].get("/search")
    if any(answer != json.loads(first) for answer in said.values()):
        sys.exit("bench: the servers do not give the same answers")
    return len(first)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, required=True, help="magpie_http_answers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of load, a round")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("bench: wrk is not installed; apt-get install wrk, or tools/setup/bench_peers.sh")
    servers = [Server(f"Magpie, handlers on {threads}", [options.program.resolve(), "PORT", threads.split()[0]], ["/hello", "/search"])
               for threads in ("1 thread", "4 threads")]
    uvicorn = ROOT / "build/peers/python/bin/uvicorn"
    if uvicorn.exists():
        servers.append(Server("FastAPI on uvicorn", [uvicorn, "fastapi_answers:app", "--port", "PORT", "--log-level", "warning", "--no-access-log"],
                              ["/hello", "/search", "/search-json"]))
    else:
        print("bench: FastAPI is left out; tools/setup/bench_peers.sh installs it", file=sys.stderr)
    try:
        size, rates, beside = same(servers), {}, {}
        for number in range(options.rounds):
            for server in servers:
                for path in server.paths:
                    by_cpu, by_wall, p99 = server.load(path, options.seconds)
                    rates.setdefault((path, server.name), []).append(by_cpu)
                    beside[path, server.name] = {"answers/wall s": round(by_wall), "p99 ms": p99, "resident MB": round(server.resident_mb())}
            print(f"bench: round {number + 1}: " + ", ".join(f"{name} {path} {v[-1]:.0f}" for (path, name), v in rates.items()), file=sys.stderr)
    finally:
        for server in servers:
            server.stop()
    rows = [{"name": f"{path}: {name}", "unit": "answers/server CPU s", "values": values, "beside": beside[path, name]}
            for (path, name), values in sorted(rates.items())]
    notes = [f"/search is {size:,} bytes of JSON; wrk with one thread and {CONNECTIONS} connections; the server has one core to itself and wrk."]
    json.dump({"command": "tools/bench_http.py", "notes": notes, "rows": rows}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()

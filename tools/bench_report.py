#!/usr/bin/env python3
"""Joins raw benchmark results with machine, date, commit and command, keeps them as JSON and as a table, and prints the table.

A raw file is Google Benchmark's JSON, or {"command": .., "notes": [..], "rows": [{"name", "unit", "values": [one a round], "beside": {..}}]}.
What is kept has the same rows, with min, median and max of the rounds. See bench/README.md.
"""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

OTHERS_CORES_MAX = 0.15   # of all cores together: what a quiet machine does by itself is below
STANDARD_KEYS = {"name", "family_index", "per_family_instance_index", "run_name", "run_type", "repetitions", "repetition_index", "threads",
                 "iterations", "real_time", "cpu_time", "time_unit", "items_per_second", "bytes_per_second", "error_occurred", "error_message"}


def machine():
    fields = dict(line.split(":", 1) for line in subprocess.run(["lscpu"], capture_output=True, text=True).stdout.splitlines() if ":" in line)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": fields.get("Model name", "unknown").strip(), "cores": os.cpu_count(), "memory_gib": round(memory / 2**30, 1),
            "kernel": f"{platform.system()} {platform.release()} {platform.machine()}"}


def row(name, unit, values, beside=None):
    return {"name": name, "unit": unit, "min": min(values), "median": statistics.median(values), "max": max(values), "rounds": len(values),
            "beside": beside or {}}


def rows_of_benchmark(name, runs, noun):
    """Rows of one benchmark's rounds: its rate, or its latencies, or its time; with its other counters beside the first."""
    failed = next((r for r in runs if r.get("error_occurred")), None)
    if failed:
        return [{"name": name, "error": failed["error_message"]}]
    counters = [key for key in runs[0] if key not in STANDARD_KEYS]
    latencies = [key for key in counters if key in ("p50_ms", "p99_ms")]
    beside = {key: statistics.median(r[key] for r in runs) for key in counters if key not in latencies}
    wall = name.endswith("/real_time")
    if latencies:
        rows = [row(f"{name} {key[:3]}", "ms", [r[key] for r in runs]) for key in latencies]
        beside["iterations"] = min(r["iterations"] for r in runs)
    elif "items_per_second" in runs[0]:
        rows = [row(name, f"{noun}/{'wall' if wall else 'CPU'} s", [r["items_per_second"] for r in runs])]
    else:
        unit = runs[0]["time_unit"]
        rows = [row(name, f"{unit} {'wall' if wall else 'CPU'}", [r["real_time" if wall else "cpu_time"] for r in runs])]
        if not wall:
            beside[f"wall {unit}"] = statistics.median(r["real_time"] for r in runs)
    if "bytes_per_second" in runs[0]:
        beside["MB/CPU s"] = statistics.median(r["bytes_per_second"] for r in runs) / 1e6
    rows[0]["beside"] = beside
    return rows


def read_google(path, raw, noun):
    by_name = {}
    for run in raw["benchmarks"]:
        if run.get("run_type", "iteration") == "iteration":
            by_name.setdefault(run["run_name"], []).append(run)
    rows = [r for name, runs in by_name.items() for r in rows_of_benchmark(name.removeprefix("BM_"), runs, noun)]
    return {"command": Path(raw["context"]["executable"]).name, "notes": [], "rows": rows}


def read_raw(path, noun):
    text = Path(path).read_text()
    if not text.strip():
        sys.exit(f"bench: {path} is empty; the program ended before its first result")
    raw = json.loads(text)
    if "benchmarks" in raw:
        return read_google(path, raw, noun)
    return {**raw, "rows": [row(r["name"], r["unit"], r["values"], r.get("beside")) for r in raw["rows"]]}


def shown(value):
    if not isinstance(value, (int, float)):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def table(result):
    m, load = result["machine"], result["load_average_before"]
    lines = [f"# {result['workload']}", "",
             f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['kernel']}; {result['date']}; commit {result['commit']}  ",
             f"Input: {result['input']}  "]
    lines += [f"Command: `{command}`  " for command in result["commands"]]
    lines += [f"{note}  " for note in result["notes"]]
    others = result["others_cores"]
    lines.append(f"Load average before the first run: {load[0]} of 1, {load[1]} of 5 minutes; other programs took {others} of {m['cores']} cores during this one"
                 + (": **the machine was busy, so times are too long and rates too low**" if others >= OTHERS_CORES_MAX else ""))
    lines += ["", "| what | unit | median | min | max | beside it |", "| --- | --- | ---: | ---: | ---: | --- |"]
    for r in result["rows"]:
        if "error" in r:
            lines.append(f"| {r['name']} | | | | | not run: {r['error']} |")
        else:
            beside = ", ".join(f"{key} {shown(value)}" for key, value in r["beside"].items())
            lines.append(f"| {r['name']} | {r['unit']} | {shown(r['median'])} | {shown(r['min'])} | {shown(r['max'])} | {beside} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", required=True)
    parser.add_argument("--unit", default="", help="what an item is, in Google Benchmark's items a second")
    parser.add_argument("--input", required=True)
    parser.add_argument("--load", required=True, help="load averages before the run, as in /proc/loadavg")
    parser.add_argument("--others", required=True, type=float, help="cores that other programs took during the run")
    parser.add_argument("--commit", required=True, help="what was measured")
    parser.add_argument("--results", required=True, help="folder the result is kept in")
    parser.add_argument("raw", nargs="+")
    options = parser.parse_args()

    parts = [read_raw(path, options.unit) for path in options.raw]
    result = {"workload": options.workload, "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
              "commit": options.commit, "machine": machine(),
              "load_average_before": [float(x) for x in options.load.split()[:3]], "others_cores": max(0.0, options.others),
              "input": options.input,
              "commands": [f"./dev bench {options.workload}"] + [p["command"] for p in parts], "notes": [n for p in parts for n in p["notes"]],
              "rows": [r for p in parts for r in p["rows"]]}
    folder = Path(options.results)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{options.workload}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    (folder / f"{options.workload}.md").write_text(table(result))
    print(table(result))


if __name__ == "__main__":
    main()

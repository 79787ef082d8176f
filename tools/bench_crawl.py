#!/usr/bin/env python3
"""Crawls the example shop in rounds, with magpie and with a peer where one is at hand; raw result on stdout for bench_report.py.

What was fetched is counted in the shop's access log, the same for each crawler: distinct addresses answered with status 200, robots.txt and
sitemaps left out.
An uncounted crawl goes first, so that the shop has its pages made.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "system"))
from magpie_system import Shop  # noqa: E402

SECONDS_MAX = 600
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """(of the process itself, of its children that have ended). A process that has ended but is not waited for still answers."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, children_user, children_system = map(int, fields[11:15])
    return (user + system) / TICKS, (children_user + children_system) / TICKS


def fetched(entries):
    """(pages, objects): an object is a page or a picture."""
    good = {(e["host"], e["path"]) for e in entries if e["status"] == 200 and e["path"] != "/robots.txt" and not e["path"].startswith("/sitemap")}
    return sum(not path.startswith("/img/") for _, path in good), len(good)


def measure(words, shop, log):
    """One run of a crawler."""
    before, shop_before = len(shop.log()), sum(cpu_seconds(shop.process.pid))
    began = time.monotonic()
    process = subprocess.Popen(words, stdout=log, stderr=log)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    wall = time.monotonic() - began
    own, children = cpu_seconds(process.pid)
    code = process.wait()
    pages, objects = fetched(shop.log()[before:])
    return {"code": code, "pages": pages, "objects": objects, "wall_s": wall, "cpu_s": own, "workers_cpu_s": children,
            "shop_cpu_s": sum(cpu_seconds(shop.process.pid)) - shop_before}


def magpie_words(magpie, shop, folder):
    return [str(magpie), "crawl", "--collection", str(folder / "collection"), "--set", "crawl.retries_max=0", "--agent", "magpie-bench", "--delay", "0",
            "--per-host", "16", "--allow-loopback", "--max-seconds", str(SECONDS_MAX), *shop.seeds()]


def wget_words(program, shop, folder):
    return [program, "--quiet", "--recursive", "--level=inf", "--page-requisites", "--tries=1", f"--directory-prefix={folder}", *shop.seeds()]


def run(name, make_words, shop, folder, codes):
    # What a run has written stays until the last has ended: on ext4, files made right after thousands were deleted took six times the system time.
    target = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))
    os.sync()
    words = make_words(shop, target)
    with open(folder / f"{name}.log", "a", encoding="utf-8") as log:
        result = measure(words, shop, log)
    if result["code"] not in codes or result["objects"] == 0:
        sys.exit(f"bench: {' '.join(words)} ended with {result['code']} and {result['objects']} objects:\n"
                 + (folder / f"{name}.log").read_text()[-2000:])
    print(f"bench: {name}: {result}", file=sys.stderr)
    return result


def rows_of(name, rounds):
    cpu = [r["cpu_s"] + r["workers_cpu_s"] for r in rounds]
    per = lambda what, seconds: [r[what] / s for r, s in zip(rounds, seconds)]  # noqa: E731
    wall = [r["wall_s"] for r in rounds]
    middle = sorted(rounds, key=lambda r: r["wall_s"])[len(rounds) // 2]
    beside = {key: round(middle[key], 2) for key in ("pages", "objects", "wall_s", "cpu_s", "workers_cpu_s", "shop_cpu_s")}
    rows = [{"name": f"{name}: pages", "unit": "pages/wall s", "values": per("pages", wall), "beside": beside},
            {"name": f"{name}: pages", "unit": "pages/CPU s", "values": per("pages", cpu)},
            {"name": f"{name}: pages and pictures", "unit": "objects/wall s", "values": per("objects", wall)},
            {"name": f"{name}: pages and pictures", "unit": "objects/CPU s", "values": per("objects", cpu)}]
    if any(r["workers_cpu_s"] > 0 for r in rounds):
        rows.append({"name": f"{name}: main process alone", "unit": "objects/CPU s", "values": per("objects", [r["cpu_s"] for r in rounds])})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--magpie", default=str(ROOT / "build/release/magpie"))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not os.access(options.magpie, os.X_OK):
        sys.exit(f"bench: {options.magpie} is not built; run ./dev bench, which builds it")

    crawlers = {"magpie": (lambda shop, folder: magpie_words(options.magpie, shop, folder), {0})}
    peer = shutil.which("wget2") or shutil.which("wget")
    if peer:  # 8: the server answered some request with an error, which the shop does on purpose
        crawlers[Path(peer).name] = (lambda shop, folder: wget_words(peer, shop, folder), {0, 8})
    notes = ["magpie fetches, archives, extracts, decodes, hashes, embeds and indexes. cpu_s is its main process, workers_cpu_s its workers."]
    notes.append(f"{Path(peer).name} fetches, follows links and saves files, no more, over one connection: read its objects beside those of magpie's main process."
                 if peer else "No peer ran: neither wget2 nor wget is on this machine.")

    (ROOT / "build" / "bench").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="crawl-", dir=ROOT / "build" / "bench"))
    shop = None
    try:
        shop = Shop(folder)
        rounds = {name: [] for name in crawlers}
        smoke = "MAGPIE_BENCH_SMOKE" in os.environ
        for i in range(1 if smoke else options.rounds + 1):
            for name, (make_words, codes) in crawlers.items():
                result = run(name, make_words, shop, folder, codes)
                if i > 0 or smoke:
                    rounds[name].append(result)
        command = " ".join(magpie_words("magpie", shop, Path("DIR"))).replace(f":{shop.port}", ":PORT").replace("DIR/collection", "DIR")
        json.dump({"command": command, "notes": notes, "rows": [r for name in crawlers for r in rows_of(name, rounds[name])]}, sys.stdout)
    finally:
        if shop:
            shop.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

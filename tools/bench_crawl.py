#!/usr/bin/env python3
"""Crawls a synthetic web (tests/site) with magpie and with each peer that is installed; raw result on stdout for bench_report.py.

All crawlers meet the same web on the same server, follow links on their seeds' hosts with as many requests at once, and are judged by the
server's access log: distinct addresses of pages and pictures answered with status 200. CPU time is that of the whole process tree. A crawler
that has not ended after SECONDS_MAX is stopped, and its rate is that of what it had fetched.
"""
import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "system"))
from bench_peers import img2dataset_words, magpie, peers  # noqa: E402
from synthetic import SyntheticWeb  # noqa: E402

SMOKE = "MAGPIE_BENCH_SMOKE" in os.environ
SECONDS_MAX = 60
LONG_SECONDS_MAX = 600  # for magpie and img2dataset: what they had fetched is not what they had done, so they are left to end
TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.2


def say(words):
    print(f"bench: {words}", file=sys.stderr, flush=True)


# ---- one run --------------------------------------------------------------------------------------------------------
def cpu_seconds(pid, alone=False):
    """Of the process and its children that have ended and were waited for, or of it alone. A process that has ended but is not waited for still
    answers."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13 if alone else 15])) / TICKS


def tree(pid):
    """The process and everything below it."""
    children = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def memory_bytes(pid):
    """Of one process; what it shares with others counts in part, so that a tree's sum has it once."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))


class TreeWatch(threading.Thread):
    """Samples a process with everything below it: peak memory, and the CPU time of children that nobody waits for when all are killed."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.cpu, self.done = pid, 0, 0.0, threading.Event()

    def run(self):
        while not self.done.wait(SAMPLE_SECONDS):
            memory, cpu = 0, 0.0
            for pid in tree(self.pid):
                try:
                    cpu += cpu_seconds(pid)
                    memory += memory_bytes(pid)
                except OSError:  # it has ended meanwhile
                    continue
            self.peak, self.cpu = max(self.peak, memory), max(self.cpu, cpu)

    def finish(self):
        self.done.set()
        self.join()


def stop_after(process, seconds):
    """Waits, and ends it when it does not end by itself: whether that was so. Asked first, so that a parent can wait for its
    children; then all of them are killed."""
    end, stopped = time.monotonic() + seconds, False
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() > end:
            for pid in tree(process.pid)[::-1] if stopped else [process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if stopped else signal.SIGINT)
            stopped, end = True, time.monotonic() + 10
        time.sleep(0.01)
    return stopped


def objects_of(requests):
    """(pages, pictures), distinct, answered with 200."""
    got = {(r.host, r.path) for r in requests if r.status == 200 and r.path != "/robots.txt" and not r.path.startswith("/sitemap")}
    pictures = sum(path.startswith("/img/") for _, path in got)
    return len(got) - pictures, pictures


def measure(words, web, codes, log_path, seconds_max=SECONDS_MAX):
    words = [str(word) for word in words]
    skip, web_before = web.count(), web.cpu_seconds()
    os.sync()
    with open(log_path, "ab") as log:
        began = time.monotonic()
        process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    watch = TreeWatch(process.pid)
    watch.start()
    stopped = stop_after(process, seconds_max)
    wall = time.monotonic() - began
    watch.finish()
    cpu, alone = max(cpu_seconds(process.pid), watch.cpu), cpu_seconds(process.pid, alone=True)
    code = process.wait()
    requests = list(web.requests(skip))
    pages, pictures = objects_of(requests)
    result = {"pages": pages, "pictures": pictures, "requests": len(requests), "wall_s": wall, "cpu_s": cpu, "main_cpu_s": alone, "peak_MB": watch.peak / 1e6,
              "server_cpu_s": web.cpu_seconds() - web_before, "first": requests[0].time if requests else 0, "last": requests[-1].time if requests else 0,
              "stopped": stopped}
    if (code not in codes and not stopped) or pages + pictures == 0:
        raise RuntimeError(f"{' '.join(words)} ended with {code}, {pages} pages and {pictures} pictures:\n{Path(log_path).read_text(errors='replace')[-1500:]}")
    return result


# ---- workloads ------------------------------------------------------------------------------------------------------
class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rows, self.notes = [], []

    def scaled(self, pages, smoke_pages):
        return smoke_pages if SMOKE else pages * self.options.scale

    def web(self, name, **options):
        folder = self.folder / name
        folder.mkdir()
        web = SyntheticWeb(folder, seed=7, **options)
        (folder / "seeds.txt").write_text("".join(seed + "\n" for seed in web.seeds()))
        return web, folder

    def rounds(self, name, make_words, web, codes=frozenset({0}), rounds=None, seconds_max=SECONDS_MAX):
        results = []
        for number in range(rounds or self.options.rounds):
            # What a run has written stays until the last has ended: on ext4, files made right after thousands were deleted took six times the system time.
            target = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
            results.append(measure(make_words(target), web, codes, self.folder / f"{name}.log", seconds_max))
            say(f"{name}: { {key: round(value, 2) for key, value in results[-1].items() if key not in ('first', 'last', 'stopped')} }")
            if results[-1]["stopped"]:
                self.notes.append(f"{name} had not ended after {seconds_max} s and was stopped; its rate is that of what it had fetched.")
                break
        return results

    def add(self, name, unit, results, value):
        middle = sorted(results, key=value)[len(results) // 2]
        beside = {key: round(middle[key], 2) for key in ("pages", "pictures", "wall_s", "cpu_s", "main_cpu_s", "peak_MB", "server_cpu_s") if middle[key]}
        self.rows.append({"name": name, "unit": unit, "values": [value(r) for r in results], "beside": beside})

    def ratio(self, name, ours, theirs, value):
        best = statistics.median(map(value, ours)) / statistics.median(map(value, theirs))
        self.rows.append({"name": name, "unit": "times", "values": [best], "beside": {}})

    def beside_peers(self, title, unit, web, folder, ours, pictures):
        """Every crawler on one web; then magpie's rate by each peer's."""
        objects = lambda r: r["pages"] + r["pictures"]  # noqa: E731
        rate = lambda r: objects(r) / r["cpu_s"]  # noqa: E731
        kept = {}
        for crawler in [ours, *peers()]:
            if pictures and not crawler.takes_pictures:
                continue
            if crawler.program is None:
                self.missing(crawler.name)
                continue
            words = lambda target: crawler.words(folder / "seeds.txt", target, pictures)  # noqa: B023,E731
            try:
                seconds_max = LONG_SECONDS_MAX if crawler.name == "magpie" else SECONDS_MAX
                kept[crawler.name] = self.rounds(crawler.name, words, web, crawler.codes, seconds_max=seconds_max)
            except RuntimeError as error:
                if crawler.name == "magpie":
                    raise
                self.notes.append(f"{crawler.name} failed at '{title}' and is left out there.")
                say(error)
                continue
            self.add(f"{title}: {crawler.name}", f"{unit}/CPU s", kept[crawler.name], rate)
            if crawler.name == "magpie":
                self.add(f"{title}: magpie's main process alone", f"{unit}/CPU s", kept["magpie"], lambda r: objects(r) / r["main_cpu_s"])
        for name in list(kept)[1:]:
            self.ratio(f"{title}: magpie by {name}", kept["magpie"], kept[name], rate)

    def missing(self, name):
        note = f"{name} is not installed and was left out; tools/setup/bench_peers.sh installs it."
        if note not in self.notes:
            say(note)
            self.notes.append(note)

    def pages(self):
        web, folder = self.web("pages", hosts=4, pages=self.scaled(2_500, 100), links=20, page_bytes=2_000)
        try:
            self.beside_peers("pages", "pages", web, folder, magpie(self.options.magpie), pictures=False)
        finally:
            web.stop()

    def archived(self):
        """Pages read, pictures kept as they are: what the peers do with pictures."""
        web, folder = self.web("archived", hosts=4, pages=self.scaled(1_000, 20), links=20, page_bytes=2_000, pictures=4, picture_side=120)
        try:
            self.beside_peers("pages with pictures, archived", "objects", web, folder, magpie(self.options.magpie, pictures="archive"), pictures=True)
        finally:
            web.stop()

    def pictures(self):
        """No peer decodes, compares and embeds."""
        web, folder = self.web("pictures", hosts=4, pages=self.scaled(100, 20), links=20, page_bytes=2_000, pictures=4, picture_side=120)
        try:
            for stage in "describe", "embed":
                crawler = magpie(self.options.magpie, pictures=stage)
                words = lambda target: crawler.words(folder / "seeds.txt", target, True)  # noqa: B023,E731
                results = self.rounds(f"magpie-{stage}", words, web, seconds_max=LONG_SECONDS_MAX)
                self.add(f"pages with pictures, crawl.pictures={stage}: magpie", "objects/CPU s", results, lambda r: (r["pages"] + r["pictures"]) / r["cpu_s"])
        finally:
            web.stop()

    def fairness(self):
        """One huge and 999 small hosts, one request at a time to each: the huge one's requests, `delay` apart, are the least time there is."""
        huge, delay = (60, 0.05) if SMOKE else (600, 0.05)
        web, folder = self.web("fairness", hosts=20 if SMOKE else 1_000, pages=4, huge=huge, links=8, page_bytes=1_000)
        crawler = magpie(self.options.magpie, delay=delay, per_host=1)
        try:
            results = self.rounds("fairness", lambda target: crawler.words(folder / "seeds.txt", target, False), web, rounds=1, seconds_max=LONG_SECONDS_MAX)
        finally:
            web.stop()
        ideal = huge * delay  # robots.txt comes first, so there are as many pauses as pages
        self.add("one huge and 999 small hosts: time by the ideal schedule", "times", results, lambda r: (r["last"] - r["first"]) / ideal)
        self.notes.append(f"Fairness: {huge} pages of the huge host, 4 of each small one, {delay} s between requests to one host: {ideal:.0f} s at best.")

    def picture_list(self):
        """A list of picture addresses: fetched, decoded, shrunk to 256 px and written."""
        web, folder = self.web("list", hosts=4, pages=self.scaled(100, 10), links=2, pictures=4, picture_side=600)
        try:
            urls = folder / "urls.txt"
            urls.write_text("".join(url + "\n" for url in sorted(web.addresses()["picture"])))
            rate = lambda r: r["pictures"] / r["cpu_s"]  # noqa: E731
            crawler = magpie(self.options.magpie, pictures="describe")  # thumbnails of 256 px, and larger ones, hashes and colours
            ours = self.rounds("magpie", lambda target: crawler.words(urls, target, True), web, seconds_max=LONG_SECONDS_MAX)
            self.add("list of pictures, to 256 px: magpie", "pictures/CPU s", ours, rate)
            if img2dataset_words(urls, folder) is None:
                return self.missing("img2dataset")
            theirs = self.rounds("img2dataset", lambda target: img2dataset_words(urls, target), web, seconds_max=LONG_SECONDS_MAX)
            self.add("list of pictures, to 256 px: img2dataset", "pictures/CPU s", theirs, rate)
            self.ratio("list of pictures, to 256 px: magpie by img2dataset", ours, theirs, rate)
        finally:
            web.stop()


WORKLOADS = {"pages": Bench.pages, "archived": Bench.archived, "pictures": Bench.pictures, "fairness": Bench.fairness, "list": Bench.picture_list}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--magpie", default=str(ROOT / "build/release/magpie"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=int, default=1, help="so many times as many pages and pictures")
    parser.add_argument("--only", choices=WORKLOADS, nargs="+", default=list(WORKLOADS))
    options = parser.parse_args()
    if not os.access(options.magpie, os.X_OK):
        sys.exit(f"bench: {options.magpie} is not built; run ./dev bench, which builds it")
    options.magpie = str(Path(options.magpie).resolve())
    os.environ["MAGPIE"] = options.magpie  # the server lies beside it
    options.rounds = 1 if SMOKE else options.rounds

    (ROOT / "build" / "bench").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="crawl-", dir=ROOT / "build" / "bench"))
    try:
        bench = Bench(options, folder)
        for name in options.only:
            WORKLOADS[name](bench)
        command = " ".join(map(str, magpie("magpie").words(Path("SEEDS"), Path("DIR"), False))).replace("DIR/collection", "DIR")
        notes = ["magpie fetches, archives, extracts and indexes; with crawl.pictures=describe it decodes, shrinks and hashes pictures too, with embed it embeds "
                 "them. wget2 and httrack save what they fetch; scrapy and colly save with "
                 "pictures only; spider keeps nothing; none of them extracts, decodes or embeds. img2dataset decodes, shrinks and encodes."]
        json.dump({"command": command, "notes": notes + bench.notes, "rows": bench.rows}, sys.stdout)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

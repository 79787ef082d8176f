"""kill -9 at random moments of a crawl of many small hosts; then nothing is lost, and only what was in flight at a kill was asked for again.

MAGPIE_KILL_PAGES and MAGPIE_KILLS make it larger (./dev bench kill: 200,000 pages and 100 kills); MAGPIE_KILL_RESULT names a file for the figures.
"""
import json
import os
import random
import time

from magpie_system import SITE_FILES, SystemTest, main, wait_for
from synthetic import SyntheticWeb

PAGES = int(os.environ.get("MAGPIE_KILL_PAGES", "5000"))
KILLS = int(os.environ.get("MAGPIE_KILLS", "8"))
SEED = int(os.environ.get("MAGPIE_KILL_SEED", "20261122"))
PAGES_PER_HOST = 100 if PAGES < 20_000 else 1_000
WORKERS = 16  # crawl.workers: fetches in flight
# Asked for and not yet acknowledged: fetches, fetched documents, requests to workers, and the recorder's batch; where the disk or the machine is
# slow, the finished documents before the recorder too (docs/ARCHITECTURE.md, "Processes and threads").
IN_FLIGHT_MEAN = WORKERS + 64 + 64 + 256
IN_FLIGHT_MAX = IN_FLIGHT_MEAN + 1_024
WAIT_SECONDS = 300


class KillSynthetic(SystemTest):
    def crawl_until_killed(self, web, words, chance):
        """Starts the crawl and kills it at a random moment: (requests so far, seconds from start to first request), or None if it ended before."""
        before, began = web.count(), time.monotonic()
        process = self.start(*words)
        wait_for("a request", lambda: web.count() > before or process.poll() is not None, WAIT_SECONDS)
        back_after = time.monotonic() - began
        target = before + chance.randint(1, 2 * PAGES // (KILLS + 2))
        wait_for("requests", lambda: web.count() >= target or process.poll() is not None, WAIT_SECONDS)
        time.sleep(chance.random() * 0.1)
        if process.poll() is not None:
            self.assertEqual(process.returncode, 0, (self.folder / "stderr.log").read_text()[-2000:])
            return None
        self.kill(process)
        time.sleep(0.05)  # what it had sent before it died may still be on its way into the log
        return web.count(), back_after

    def repeats(self, requests, kills):
        """(for each kill, addresses that it took the answer of, so that they were asked for again; those asked for again without a kill between)."""
        answered, again, needless, run = {}, [0] * len(kills), [], 0
        for number, request in enumerate(requests):
            while run < len(kills) and number >= kills[run]:
                run += 1
            if request.path in SITE_FILES or request.status not in (200, 404):
                continue
            url = (request.host, request.path)
            if answered.get(url) == run:
                needless.append(url)
            elif url in answered:
                again[answered[url]] += 1  # by the kill that ended the run of that answer; its turn may come several runs later
            answered[url] = run
        return again, needless

    def write_result(self, path, figures):
        """In the form that tools/bench_report.py reads."""
        words = f"MAGPIE_KILL_PAGES={PAGES} MAGPIE_KILLS={KILLS} MAGPIE_KILL_SEED={SEED} tests/system/test_kill_synthetic.py"
        rows = [{"name": name, "unit": unit, "values": [value]} for name, unit, value in figures]
        notes = [f"crawl.workers is {WORKERS}; asked for again may be at most {IN_FLIGHT_MAX} a kill, {IN_FLIGHT_MEAN} in the mean: fetches and "
                 "what the queues behind them hold."]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"command": words, "notes": notes, "rows": rows}, file)

    def test_nothing_is_lost_and_only_what_was_in_flight_is_asked_for_again(self):
        chance = random.Random(SEED)
        web = SyntheticWeb(self.folder, hosts=PAGES // PAGES_PER_HOST, pages=PAGES_PER_HOST, links=20, off_host=0.3, page_bytes=1_500, missing=0.02,
                           failing=0.005, busy=0.002, reset=0.002, seed=SEED)
        self.addCleanup(web.stop)
        seeds = self.folder / "seeds.txt"
        seeds.write_text("\n".join(web.seeds()))
        collection = self.folder / "collection"
        words = [*self.crawl_words(collection, ["--seeds", seeds]), "--set", f"crawl.workers={WORKERS}", "--set", "crawl.retry_delay=200ms"]

        began, kills, back_after = time.monotonic(), [], []
        while len(kills) < KILLS and (killed := self.crawl_until_killed(web, words, chance)):
            kills.append(killed[0])
            back_after.append(killed[1])
        self.assertGreaterEqual(len(kills), KILLS // 2, "the crawl ended before it could be killed")
        self.magpie(*words, timeout=3_600)
        wall = time.monotonic() - began

        requests, addresses = list(web.requests()), web.addresses()
        got = {web.url(r) for r in requests if r.status == 200 and r.path not in SITE_FILES}
        self.assertEqual(sorted(addresses["page"] - got)[:10], [], "pages never answered")
        self.assertEqual(sorted(addresses["missing"] - {web.url(r) for r in requests if r.status == 404})[:10], [], "never asked for")
        pages, _ = self.store(collection)
        self.assertEqual(sorted(addresses["page"] ^ set(pages))[:10], [], "pages and the collection differ")

        again, needless = self.repeats(requests, kills)
        figures = [("pages fetched and kept", "pages", len(addresses["page"] & set(pages))), ("kills", "kills", len(kills)),
                   ("pages lost", "pages", len(addresses["page"] - set(pages))), ("requests, robots.txt and passing faults included", "requests", len(requests)),
                   ("asked for again, all kills together", "addresses", sum(again)), ("asked for again after one kill, at most", "addresses", max(again)),
                   ("asked for again though no kill came between", "addresses", len(needless)),
                   ("from start to first request, at most", "wall s", round(max(back_after), 2)), ("from first start to end", "wall s", round(wall, 1))]
        print("\n".join(f"{value:>10} {unit:10} {name}" for name, unit, value in figures))
        if path := os.environ.get("MAGPIE_KILL_RESULT"):
            self.write_result(path, figures)
        self.assertEqual(needless[:10], [], f"{len(needless)} were asked for again though no kill came between")
        self.assertLessEqual(max(again), IN_FLIGHT_MAX, f"asked for again after each kill: {again}")
        self.assertLessEqual(sum(again), IN_FLIGHT_MEAN * len(kills), f"asked for again after each kill: {again}")


if __name__ == "__main__":
    main()

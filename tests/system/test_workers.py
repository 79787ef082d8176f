"""Workers are killed while they read pages and pictures: each costs its own document a failed row, nothing else."""
import json
import os
import random
import signal
import subprocess
import time

from magpie_system import SystemTest, main, wait_for


def workers_of(pid):
    found = subprocess.run(["pgrep", "-P", str(pid), "-f", "magpie worker|worker --fd"], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


class Workers(SystemTest):
    def test_a_killed_worker_costs_its_document_and_nothing_else(self):
        chance = random.Random(7)
        shop = self.shop()
        seeds = shop.seeds(2)
        alone = self.folder / "alone"
        self.magpie(*self.crawl_words(alone, seeds))
        collection = self.folder / "c"
        process = self.start(*self.crawl_words(collection, seeds))
        kills = 0
        wait_for("workers", lambda: workers_of(process.pid))
        while process.poll() is None and kills < 12:
            asked = len(shop.requests())
            wait_for("progress", lambda: len(shop.requests()) > asked + 20 or process.poll() is not None)
            children = workers_of(process.pid)
            if children:
                try:
                    os.kill(chance.choice(children), signal.SIGSEGV)
                    kills += 1
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
        wait_for("the end of the crawl", lambda: process.poll() is not None, 240)
        self.assertEqual(process.returncode, 0)
        self.assertGreaterEqual(kills, 3)
        before = json.loads(self.magpie("status", "--collection", alone, "--json"))
        after = json.loads(self.magpie("status", "--collection", collection, "--json"))
        crashed = {f["cause"]: f["count"] for f in after["failures"]}.get("crashed", 0)
        self.assertLessEqual(crashed, kills)
        self.assertGreaterEqual(crashed, 1, "no kill met a worker at work")
        self.assertEqual({f["cause"]: f["count"] for f in before["failures"]}.get("crashed", 0), 0)
        print(f"{kills} workers killed, {crashed} documents failed, {after['images']} of {before['images']} pictures kept")


if __name__ == "__main__":
    main()

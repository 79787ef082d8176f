"""kill -9 in the middle of a crawl, several times; then the result is the same as that of a crawl left alone."""
import random
import time

from magpie_system import SystemTest, main, wait_for

KILLS = 8
SEED = 20261121
IN_FLIGHT_MAX = 64  # crawl.workers: what may be under way when the process dies


class Kill(SystemTest):
    def test_nothing_is_lost_and_only_what_was_in_flight_is_asked_for_again(self):
        chance = random.Random(SEED)
        shop = self.shop(latency=1)
        seeds = shop.seeds(3)
        alone = self.folder / "alone"
        self.magpie(*self.crawl_words(alone, seeds))
        whole = set(shop.requests())
        shop.log_path.write_text("")  # the shop appends

        killed = self.folder / "killed"
        words = self.crawl_words(killed, seeds)
        runs = 0
        for kill in range(KILLS):
            asked = len(shop.requests())
            process = self.start(*words)
            target = asked + chance.randint(20, 260)
            wait_for("requests", lambda: len(shop.requests()) >= target or process.poll() is not None, 120)
            if process.poll() is not None:
                break
            time.sleep(chance.random() * 0.15)
            self.kill(process)
            runs += 1
        self.assertGreaterEqual(runs, 3, "the crawl ended before it could be killed")
        self.magpie(*words)

        counts = shop.counts()
        self.assertEqual(sorted(whole - set(counts))[:10], [], "never asked for after kills")
        again = {r: n for r, n in counts.items() if n > 1 and r[1] != "/robots.txt"}
        self.assertLessEqual(sum(n - 1 for n in again.values()), runs * (IN_FLIGHT_MAX + 320),
                             "more was repeated than can have been in flight or unwritten")
        pages, images = self.store(alone)
        pages_killed, images_killed = self.store(killed)
        self.assertEqual(sorted(set(pages) ^ set(pages_killed)), [])
        self.assertEqual(sorted(set(images) ^ set(images_killed)), [])
        for sha, image in images.items():
            self.assertEqual(sorted(image["urls"]), sorted(images_killed[sha]["urls"]))
        total = self.magpie("search", "--collection", alone, "--json", "--limit", "0", "")
        total_killed = self.magpie("search", "--collection", killed, "--json", "--limit", "0", "")
        import json
        self.assertEqual(json.loads(total)["total"], json.loads(total_killed)["total"], "the index differs")
        print(f"{runs} kills; {sum(n - 1 for n in again.values())} of {sum(counts.values())} requests were repeats")


if __name__ == "__main__":
    main()

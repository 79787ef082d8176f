"""kill -9 in the middle of a crawl, several times; then the result is the same as that of a crawl left alone."""
import json
import random
import time

from magpie_system import SITE_FILES, SystemTest, main, wait_for

KILLS = 8
SEED = 20261121
UNWRITTEN_MAX = 660  # fetched and not written down yet: the queues of 64 documents, 64 requests for workers and 256 finished ones, a batch of 256, and a few in hand


class Kill(SystemTest):
    def repeats(self, shop, killed_at):
        """How many requests came again after each kill, and those that came again though no kill lay between."""
        before, repeats, needless = {}, [0] * len(killed_at), []
        for entry in shop.log():
            request = (entry["host"], entry["path"])
            if request in before and request[1] not in SITE_FILES and "/broken/" not in request[1]:
                between = [number for number, kill in enumerate(killed_at) if before[request] <= kill <= entry["t"]]
                if between:
                    repeats[between[0]] += 1
                else:
                    needless.append(request)
            before[request] = entry["t"]
        return repeats, needless

    def findable(self, collection):
        """Pictures in the index, those behind another one as its copies included."""
        count, offset = 0, 0
        while True:
            answer = json.loads(self.magpie("search", "--collection", collection, "--json", "--limit", 200, "--offset", offset, ""))
            if not answer["hits"]:
                return count
            count += sum(1 + hit["copies"] for hit in answer["hits"])
            offset += len(answer["hits"])

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
        killed_at = []
        for kill in range(KILLS):
            asked = len(shop.requests())
            process = self.start(*words)
            target = asked + chance.randint(20, 260)
            wait_for("requests", lambda: len(shop.requests()) >= target or process.poll() is not None, 120)
            if process.poll() is not None:
                break
            time.sleep(chance.random() * 0.15)
            self.kill(process)
            killed_at.append(time.time())
        self.assertGreaterEqual(len(killed_at), 3, "the crawl ended before it could be killed")
        self.magpie(*words)

        counts = shop.counts()
        self.assertEqual(sorted(whole - set(counts))[:10], [], "never asked for after kills")
        repeats, needless = self.repeats(shop, killed_at)
        self.assertEqual(needless[:10], [], f"{len(needless)} were asked for again though no kill lay between")
        self.assertLessEqual(max(repeats), UNWRITTEN_MAX, f"asked for again after each kill: {repeats}")
        pages, images = self.store(alone)
        pages_killed, images_killed = self.store(killed)
        self.assertEqual(sorted(set(pages) ^ set(pages_killed)), [])
        self.assertEqual(sorted(set(images) ^ set(images_killed)), [])
        for sha, image in images.items():
            self.assertEqual(sorted(image["urls"]), sorted(images_killed[sha]["urls"]))
        # Which pictures form a group depends on the order they came in; that each is in the index does not.
        self.assertEqual(self.findable(alone), self.findable(killed), "pictures in the index")
        print(f"{len(killed_at)} kills; {sum(repeats)} of {sum(counts.values())} requests were repeats, {max(repeats)} at most after one")


if __name__ == "__main__":
    main()

"""Words find pictures whose pages never used them, once the collection's bridge is learnt; nonsense finds nothing, and forgetting removes it."""
import colorsys
import json
import struct
import subprocess
import unittest
import zlib
from random import Random

from local_web import Web
from magpie_system import MAGPIE, SLOWNESS, SystemTest, main

HUES = {"red": 0.0, "green": 0.33, "blue": 0.63}
THINGS = ["wall", "carpet", "curtain", "paper", "cloth", "door", "box", "ball", "book", "bag"]
PLACES = ["in the kitchen", "on a table", "at school", "by the sea", "for children", "from a market", "under the roof", "in the garden"]
NAMED = 75   # of each hue
SIDE = 120


def png(hue, seed):
    """Tiles in shades of one hue, no two pictures alike."""
    random, tiles = Random(seed), {}
    for x in range(6):
        for y in range(6):
            shade = colorsys.hsv_to_rgb((hue + random.uniform(-0.03, 0.03)) % 1, random.uniform(0.5, 1), random.uniform(0.3, 1))
            tiles[x, y] = bytes(int(255 * part) for part in shade)
    rows = b"".join(b"\0" + b"".join(tiles[x * 6 // SIDE, y * 6 // SIDE] for x in range(SIDE)) for y in range(SIDE))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pictures():
    """Bytes and words of each; the last ones of a hue have none."""
    made = []
    for name, hue in HUES.items():
        for i in range(NAMED + 5):
            words = f"{name} {THINGS[i % 10]} {PLACES[i // 10]}" if i < NAMED else ""
            made.append((png(hue, len(made)), words, name))
    return made


class Bridge(SystemTest):
    def setUp(self):
        super().setUp()
        self.pictures, self.collection = pictures(), self.folder / "collection"
        web = Web(self.answer)
        self.addCleanup(web.stop)
        self.site = web.url("127.0.0.1")

    def answer(self, request):
        number = "".join(filter(str.isdigit, request.path))
        if request.path == "/":
            return 200, {}, "".join(f'<a href="/p{i}">{i}</a> ' for i in range(len(self.pictures)))
        if not number or int(number) >= len(self.pictures):
            return 404, {}, ""
        picture, words, _ = self.pictures[int(number)]
        if request.path.startswith("/i"):
            return 200, {"Content-Type": "image/png"}, picture
        return 200, {}, f'<html lang=en><title>{number}</title><img src="/i{number}" alt="{words}">'

    def search(self, *words):
        done = subprocess.run([MAGPIE, "search", "--collection", str(self.collection), "--json", *words], capture_output=True, text=True, timeout=120 * SLOWNESS)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def numbers(self, answer):
        return [int("".join(filter(str.isdigit, hit["page_url"].rsplit("/", 1)[1]))) for hit in answer["hits"]]

    def words_find_red_walls(self):
        found = self.search("rote Wand", "-n", "10")
        self.assertTrue(found["hits"] and all(hit["by_looks"] for hit in found["hits"]))
        right = [n for n in self.numbers(found) if self.pictures[n][2] == "red"]
        self.assertGreater(len(right), len(found["hits"]) / 2)

    def test_words_of_no_page_find_what_looks_so(self):
        settings = ["crawl.agent=magpie-test", "crawl.host_delay=0s", "crawl.allow_loopback=true", "analyse.detector=none"]
        self.magpie("crawl", self.site, "--collection", self.collection, *[word for one in settings for word in ("--set", one)])
        self.assertEqual(self.search("rote Wand")["total"], 0)
        trained = subprocess.run([MAGPIE, "bridge", "train", "--json", "--collection", str(self.collection)], capture_output=True, text=True, timeout=300 * SLOWNESS)
        if trained.returncode != 0 and "text model" in trained.stderr:
            raise unittest.SkipTest(trained.stderr.strip())
        self.assertEqual(trained.returncode, 0, trained.stderr)
        facts = json.loads(trained.stdout)
        self.assertGreaterEqual(facts["texts"], 200)
        self.assertEqual(json.loads(self.magpie("bridge", "show", "--json", "--collection", self.collection))["texts"], facts["texts"])
        status = json.loads(self.magpie("status", "--json", "--collection", self.collection))["bridge"]
        self.assertEqual((status["texts"], status["recall_at_10"]), (facts["texts"], facts["recall_at_10"]))

        self.words_find_red_walls()
        self.assertEqual(self.search("rote Wand", "--set", "search.looks=false")["total"], 0)
        exact = self.search("green", "curtain", "by", "the", "sea")
        self.assertEqual(self.pictures[self.numbers(exact)[0]][1], "green curtain by the sea")
        self.assertFalse(exact["hits"][0]["by_looks"])
        self.assertEqual(self.search("qwrtz plmnk vbx")["total"], 0)

        self.magpie("rebuild", "--model", "efficientnet-lite0", "--collection", self.collection)
        self.words_find_red_walls()
        self.assertEqual([file.name for file in sorted((self.collection / "bridge").iterdir())], ["bridge", "texts"])

        self.magpie("forget", "page", self.site + "p3", "--collection", self.collection, "--yes")
        self.assertFalse((self.collection / "bridge").exists())
        self.assertIsNone(json.loads(self.magpie("status", "--json", "--collection", self.collection))["bridge"])
        self.assertEqual(self.search("rote Wand")["total"], 0)


if __name__ == "__main__":
    main()

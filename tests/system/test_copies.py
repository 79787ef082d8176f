#!/usr/bin/env python3
"""Copies are linked with a reason, and what people say of them holds: without a server, beside one, and through later crawls."""
import io
import json
import random
import sqlite3

from PIL import Image, ImageDraw, ImageOps

from local_web import Web
from magpie_system import SystemTest, answers, free_port, main, wait_for


def scene(number, side=600):
    """A picture of its own, with much to see."""
    draw = random.Random(number)
    image = Image.new("RGB", (side, side * 3 // 4), tuple(draw.randrange(256) for _ in range(3)))
    pen = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, size = draw.randrange(side), draw.randrange(side), draw.randrange(10, side // 5)
        colour = tuple(draw.randrange(256) for _ in range(3))
        (pen.ellipse if draw.random() < 0.5 else pen.rectangle)((x, y, x + size, y + size), fill=colour)
    return image


def jpeg(image):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return 200, {"Content-Type": "image/jpeg"}, out.getvalue()


class Copies(SystemTest):
    def setUp(self):
        super().setUp()
        self.sizes = [600, 400]
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)
        self.collection = self.folder / "c"

    def answer(self, request):
        parts = request.path.strip("/").split("-")
        if parts == [""]:
            return 200, {}, "<title>Scenes</title>" + "".join(f'<img src="/{i}-{size}.jpg" alt="scene {i}">' for i in range(3) for size in self.sizes)
        if not parts[0].isdigit():
            return 404, {}, ""
        picture = scene(int(parts[0]))
        return jpeg(picture.resize((int(parts[1][:-4]), int(parts[1][:-4]) * 3 // 4)))

    def crawl(self):
        words = self.crawl_words(self.collection, [self.web.url("127.0.0.1")], per_host=2)
        self.magpie(*words, "--set", "crawl.originals=false")

    def copies(self, *words):
        return [json.loads(line) for line in self.magpie("copies", *words, "--collection", self.collection, "--json").splitlines()]

    def groups(self):
        return sorted(sorted(group["images"]) for group in self.copies("list"))

    def check_reviews(self):
        """The same with a server and without."""
        before = self.groups()
        odd, stays = before[0][1], before[0][0]
        split, = self.copies("split", str(odd))
        self.assertEqual(split["action"], "split")
        self.assertEqual(self.groups(), before[1:])
        merged, = self.copies("merge", str(odd), str(before[1][0]))
        self.assertEqual(self.groups(), [sorted([odd] + before[1]), before[2]])
        self.copies("undo", str(merged["review"]))
        self.copies("undo", str(split["review"]))
        self.assertEqual(self.groups(), before)
        self.copies("keep", str(stays))
        self.assertEqual(len(self.copies("list", "--unreviewed")), 2)
        self.assertEqual([review["undone"] for review in self.copies("reviews")][:3], [False, True, True])

    def test_links_have_reasons_and_reviews_hold(self):
        self.crawl()
        groups = self.copies("list")
        self.assertEqual([len(group["images"]) for group in groups], [2, 2, 2])
        for group in groups:
            link, = group["links"]
            self.assertEqual((link["found_by"], sorted([link["image"], link["copy_of"]])), ("hashes", group["images"]))
            self.assertIn("of 256 bits", link["because"])
        self.check_reviews()
        # What was split stays so when a third copy of both comes.
        odd = groups[0]["images"][1]
        self.copies("split", str(odd))
        self.sizes.append(300)
        self.magpie("revisit", "--all", "--collection", self.collection,
                    *[word for setting in ("crawl.agent=magpie-test", "crawl.host_delay=0s", "crawl.allow_loopback=true") for word in ("--set", setting)])
        self.assertEqual(sum(len(group) for group in self.groups()), 8, "the new one is a copy of one of the two")
        self.assertFalse(any({odd, groups[0]["images"][0]} <= set(group) for group in self.groups()))

    def test_beside_a_server(self):
        self.crawl()
        port = free_port()
        self.start("serve", "--collection", self.collection, "--port", port)
        wait_for("the server", lambda: answers(port))
        self.check_reviews()
        api = f"http://127.0.0.1:{port}/api/v1"
        group = self.get_json(f"{api}/copies?limit=1")["groups"][0]
        self.assertEqual(len(group["images"]), 2)
        self.assertIn("of 256 bits", group["links"][0]["because"])
        # Searches follow: two hits of what was one.
        total = lambda: self.get_json(f"{api}/search?q=scene")["total"]
        wait_for("three hits", lambda: total() == 3)
        self.copies("split", str(group["image_ids"][1]))
        wait_for("the split to be found", lambda: total() == 4)


class CopiesByLooks(SystemTest):
    """What no hash tells: parts, frames, turns."""

    def setUp(self):
        super().setUp()
        self.changed = {"whole": lambda p: p, "part": lambda p: p.crop((90, 60, 480, 390)), "framed": lambda p: ImageOps.expand(p, 50, "navy"),
                        "turned": lambda p: p.rotate(90, expand=True)}
        self.shown = list(self.changed)
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)
        self.collection = self.folder / "c"

    def answer(self, request):
        number, _, change = request.path.strip("/").removesuffix(".jpg").partition("-")
        if not number:
            return 200, {}, "<title>Scenes</title>" + "".join(f'<img src="/{i}-{change}.jpg" alt="scene {i}">' for i in range(3) for change in self.shown)
        return jpeg(self.changed[change](scene(int(number)))) if number.isdigit() else (404, {}, "")

    def crawl(self, *settings):
        words = self.crawl_words(self.collection, [self.web.url("127.0.0.1")], per_host=2)
        self.magpie(*words, *[word for setting in ("crawl.originals=false", *settings) for word in ("--set", setting)])

    def groups(self):
        """Scenes and changes of the pictures in each group, with the reasons given."""
        groups = []
        for line in self.magpie("copies", "list", "--collection", self.collection, "--json").splitlines():
            group = json.loads(line)
            names = [self.name_of(image) for image in group["images"]]
            groups.append((sorted(names), group["links"]))
        return sorted(groups, key=lambda group: group[0])

    def name_of(self, image):
        with sqlite3.connect(self.collection / "catalog.db") as catalog:
            url, = catalog.execute("SELECT url FROM urls WHERE image = ?", (image,)).fetchone()
        return url.rpartition("/")[2].removesuffix(".jpg")

    def check_groups(self):
        self.assertEqual([names for names, _ in self.groups()], [sorted(f"{i}-{change}" for change in self.shown) for i in range(3)])

    def test_a_crawl_finds_them_by_its_end(self):
        self.crawl()
        self.check_groups()
        links = [link for _, links in self.groups() for link in links]
        self.assertGreaterEqual(len(links), 9)
        self.assertEqual({link["found_by"] for link in links}, {"looks", "hashes"})
        self.assertTrue(all("of the other" in link["because"] for link in links if link["found_by"] == "looks"), links)
        self.assertTrue(any("turned by" in link["because"] for link in links), links)
        self.assertIn("0 compared", self.rebuild(), "each is compared once")

    def rebuild(self):
        self.magpie("rebuild", "--analyse", "--collection", self.collection)
        return self.stderr

    def test_what_was_not_compared_is_later(self):
        self.crawl("analyse.compare=false")
        self.assertEqual([names for names, _ in self.groups()], [[f"{i}-turned", f"{i}-whole"] for i in range(3)], "by hashes alone")
        self.assertIn("12 compared (6 copies found)", self.rebuild())
        self.check_groups()

    def test_a_later_crawl_compares_with_what_was_there(self):
        self.shown = ["whole", "framed"]
        self.crawl()
        self.check_groups()
        self.shown = list(self.changed)
        self.magpie("revisit", "--all", "--collection", self.collection,
                    *[word for setting in ("crawl.agent=magpie-test", "crawl.host_delay=0s", "crawl.allow_loopback=true") for word in ("--set", setting)])
        self.check_groups()


if __name__ == "__main__":
    main()

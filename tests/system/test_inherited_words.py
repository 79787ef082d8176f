#!/usr/bin/env python3
"""Pictures without words are found by those of pictures that look like them, marked as inherited; and no longer once those are gone."""
import io
import json
import random

from PIL import Image, ImageDraw

from local_web import Web
from magpie_system import SystemTest, main

STYLES = {"crimson": "ellipse", "stripes": "lines", "lattice": "rectangle"}
OF_A_STYLE = 8


def drawn(style, number, side=320):
    """One of many that look alike and are no copies."""
    chance = random.Random(f"{style}-{number}")
    image = Image.new("RGB", (side, side), {"crimson": "white", "stripes": "navy", "lattice": "black"}[style])
    pen = ImageDraw.Draw(image)
    for _ in range(14):
        x, y, size = chance.randrange(side), chance.randrange(side), chance.randrange(30, 70)
        if style == "crimson":
            pen.ellipse((x - size, y - size, x + size, y + size), fill=(200 + chance.randrange(40), 10, 40))
        elif style == "stripes":
            pen.line((0, y, side, y + chance.randrange(-40, 40)), fill=(250, 220, 30), width=8)
        else:
            pen.rectangle((x, y, x + size, y + size), outline=(40, 230, 90), width=5)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


class InheritedWords(SystemTest):
    def setUp(self):
        super().setUp()
        self.named = 5  # of each style
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)
        self.collection = self.folder / "c"

    def answer(self, request):
        name = request.path.strip("/")
        if name == "":
            return 200, {}, "<title>All</title>" + "".join(f'<a href="/{page}">more</a>' for page in [*STYLES, "others"])
        if name in STYLES:
            return 200, {}, "<title>Page</title>" + "".join(f'<img src="/{i}{name[0]}.jpg" alt="the {name} pattern">' for i in range(self.named))
        if name == "others":
            return 200, {}, "<title>Page</title>" + "".join(f'<img src="/{i}{style[0]}.jpg">' for style in STYLES for i in range(self.named, OF_A_STYLE))
        style = next((style for style in STYLES if name.endswith(f"{style[0]}.jpg")), None)
        if style is None:
            return 404, {}, ""
        return 200, {"Content-Type": "image/jpeg"}, drawn(style, int(name[0]))

    def crawl(self, *words):
        self.magpie(*self.crawl_words(self.collection, [self.web.url("127.0.0.1")], per_host=2), "--set", "crawl.originals=false", *words)

    def found(self, words, some=True):
        """image_id -> the fields its words stand in."""
        answer = json.loads(self.magpie("search", "--collection", self.collection, "--limit", 50, "--why", "--json", words, code=0 if some else 1))
        return {hit["image_id"]: {field for word in hit["why"]["words"] for field in word["fields"]} for hit in answer["hits"]}

    def test_words_go_to_look_alikes_and_go_with_their_source(self):
        self.crawl()
        for style in STYLES:
            found = self.found(style)
            own = [image for image, fields in found.items() if "alt" in fields]
            inherited = [image for image, fields in found.items() if fields == {"inherited"}]
            self.assertEqual(len(own), self.named, style)
            self.assertGreaterEqual(len(inherited), 2, f"{style}: {found}")
        self.magpie("forget", "--collection", self.collection, "page", self.web.url("127.0.0.1", "/crimson"), "--yes")
        self.assertEqual(self.found("crimson", some=False), {}, "nobody says it any more")
        self.assertGreaterEqual(len(self.found("stripes")), self.named + 2)

    def test_who_comes_first_makes_no_difference(self):
        self.named = 0
        self.crawl()
        self.assertEqual(self.found("lattice", some=False), {})
        self.named = 5
        self.magpie("revisit", "--collection", self.collection, "--all", "--set", "crawl.allow_loopback=true", "--set", "crawl.host_delay=0ms")
        self.assertGreaterEqual(len(self.found("lattice")), self.named + 2)

    def test_it_can_be_turned_off_and_made_up_for(self):
        self.crawl("--set", "analyse.inherit_words=false")
        self.assertEqual(len(self.found("lattice")), self.named)
        self.magpie("rebuild", "--collection", self.collection, "--analyse")
        self.assertIn("24 looked around", self.stderr)
        self.assertGreaterEqual(len(self.found("lattice")), self.named + 2)


if __name__ == "__main__":
    main()

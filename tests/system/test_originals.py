#!/usr/bin/env python3
"""Pictures whose addresses spell a smaller size: the original is asked for where the server has it, and left alone where it has not."""
import contextlib
import io
import sqlite3

from PIL import Image

from local_web import Web
from magpie_system import SystemTest, main

PAGES = 30


def picture(number, side):
    """As told apart by colour and size."""
    image = Image.new("RGB", (side, side), ((number * 47) % 256, (number * 91) % 256, (number * 13) % 256))
    image.paste((255, 255, 255), (side // 4, side // 4, side // 4 + side * (number % 7 + 1) // 16, side // 2))
    out = io.BytesIO()
    image.save(out, "PNG")
    return 200, {"Content-Type": "image/png"}, out.getvalue()


class Originals(SystemTest):
    def setUp(self):
        super().setUp()
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)

    def answer(self, request):
        path, _, query = request.path.partition("?")
        folder, _, name = path.strip("/").partition("/")
        if not folder:
            return 200, {}, "<title>All</title>" + "".join(f'<a href="/p/{i}">thing {i}</a> ' for i in range(PAGES))
        if folder == "p":
            i = int(name)
            return 200, {}, (f'<title>Thing {i}</title><h1>Thing {i}</h1><img src="/has/{i}-200x200.png" alt="it">'
                             f'<img src="/lacks/{i}_200x.png" alt="it from behind"><img src="/ignores/{i}.png?width=200" alt="it from afar">')
        if folder not in ("has", "lacks", "ignores"):
            return 404, {}, ""
        number = int(name.split("-")[0].split("_")[0].split(".")[0])
        sized = "200x" in name
        if folder == "has":
            return picture(number, 200 if sized else 640)
        if folder == "lacks":
            return picture(number + 1000, 200) if sized else (404, {}, "")
        return picture(number + 2000, 200)

    def asked(self, folder):
        return [path for command, path in self.web.asked("127.0.0.1") if path.startswith(f"/{folder}/")]

    def test_what_the_server_has_is_found_and_the_rest_left_alone(self):
        collection = self.folder / "c"
        words = self.crawl_words(collection, [self.web.url("127.0.0.1")], per_host=2)
        self.magpie(*words, "--set", "crawl.pictures=describe")
        with contextlib.closing(sqlite3.connect(f"file:{collection / 'catalog.db'}?mode=ro", uri=True)) as catalog:
            shown = catalog.execute("SELECT u.url, i.width FROM image_refs r JOIN urls u ON u.id = r.url LEFT JOIN images i ON i.id = u.image").fetchall()
            learnt, = catalog.execute("SELECT value FROM meta WHERE key = 'picture_sizes'").fetchone()
        self.assertEqual(len(shown), 3 * PAGES)
        self.assertTrue(all(width for _, width in shown), "every picture is there, in one size or the other")
        large = [url for url, width in shown if width == 640]
        self.assertGreaterEqual(len(large), 15)  # until the first have come, only some are tried
        self.assertTrue(all("/has/" in url for url in large))
        self.assertLessEqual(sum("_200x" not in path for path in self.asked("lacks")), 20)
        self.assertLessEqual(sum("width" not in path for path in self.asked("ignores")), 20)
        self.assertIn("suffix -#x#", learnt)
        self.assertEqual(len(self.web.asked("127.0.0.1")), len(set(self.web.asked("127.0.0.1"))), "nothing is asked for twice")
        # Reading the archive again changes nothing, and another visit asks for no original that is known to be none.
        self.magpie("rebuild", "--collection", collection, "--extract", "--dry-run")
        self.assertIn("0 would change", self.stderr)
        before = set(self.asked("lacks") + self.asked("ignores"))
        self.magpie("revisit", "--all", "--collection", collection, "--set", "crawl.agent=test", "--set", "crawl.allow_loopback=true",
                    "--set", "crawl.host_delay=0", "--set", "crawl.pictures=describe")
        fresh = set(self.asked("lacks") + self.asked("ignores")) - before
        self.assertTrue(all("200" in path for path in fresh), fresh)
        self.assertEqual(len({path for path in self.asked("has") if "200" not in path}), PAGES, "what is proved is asked for on every page")

    def test_it_can_be_switched_off(self):
        collection = self.folder / "off"
        self.magpie(*self.crawl_words(collection, [self.web.url("127.0.0.1")], per_host=2), "--set", "crawl.pictures=describe",
                    "--set", "crawl.originals=false")
        self.assertTrue(all("200" in path for folder in ("has", "lacks", "ignores") for path in self.asked(folder)))


if __name__ == "__main__":
    main()

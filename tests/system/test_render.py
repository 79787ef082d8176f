#!/usr/bin/env python3
"""Pages that leave all to scripts: found, shown in a browser, and then the same as the pages of the shop that says it all by itself."""
import contextlib
import os
import shutil
import signal
import sqlite3
import sys
import unittest
from pathlib import Path
from urllib.parse import unquote

from magpie_system import AGENT, SystemTest, main, wait_for

PAGES = 24
PAGE_FIELDS = "title, description, language, keywords, site_name, robots"
PRODUCT_FIELDS = "name, brand, description, sku, gtin, category, price, currency, old_price, availability, images, url, variants"


def browsers_of(folder):
    """The processes of browsers with a profile in this folder, each browser's first one."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if b"--user-data-dir=" + str(folder).encode() in command and b"--type=" not in command:
                found.append(int(process.name))
    return found


class Render(SystemTest):
    def setUp(self):
        super().setUp()
        self.shop = self.shop()
        self.app = f"http://127.0.0.5:{self.shop.port}/"

    def words(self, collection, *more):
        return self.crawl_words(collection, [self.app], per_host=4) + [
            "--max-pages-per-host", PAGES, "--set", "crawl.pictures=archive", "--set", "crawl.revisit_first=1s", *more]

    def paths(self, start):
        return [path for host, path in self.shop.requests() if host == "127.0.0.5" and path.startswith(start)]

    def pages(self, collection):
        """What the catalog says of each page of the app: its fields, those of its products, and its pictures; by path."""
        with contextlib.closing(sqlite3.connect(f"file:{collection / 'catalog.db'}?mode=ro", uri=True)) as catalog:
            pages = {}
            for page, url, *fields in catalog.execute(f"SELECT pages.id, url, {PAGE_FIELDS} FROM pages JOIN urls USING (id)"):
                products = catalog.execute(f"SELECT {PRODUCT_FIELDS} FROM products WHERE page = ? ORDER BY ord", (page,)).fetchall()
                pictures = catalog.execute("SELECT first, alt, caption, of_product FROM image_refs WHERE page = ? ORDER BY ord", (page,)).fetchall()
                pages[url.partition(f":{self.shop.port}")[2]] = repr((fields, products, pictures)).replace("127.0.0.5", "127.0.0.1"), len(products)
        return pages

    def twins(self, paths):
        """What the shop itself says at the same paths."""
        seeds = self.folder / "twins.txt"
        seeds.write_text("".join(f"http://127.0.0.1:{self.shop.port}{path}\n" for path in paths))
        static = self.folder / "static"
        self.magpie("crawl", "--collection", static, "--agent", AGENT, "--delay", "0", "--per-host", "8", "--allow-loopback", "--seeds", seeds,
                    "--set", "crawl.depth_max=0", "--set", "crawl.sitemaps=false", "--set", "crawl.pictures=archive")
        return self.pages(static)

    def served(self):
        """Paths of the pages that the app has given. Which ones a crawl asks for within its limit of pages differs from one to the next."""
        return {entry["path"] for entry in self.shop.log() if entry["host"] == "127.0.0.5" and entry["status"] == 200
                and not entry["path"].startswith(("/img/", "/api/", "/broken/", "/app.js", "/robots.txt"))}

    def assert_as_twins(self, pages, *, all_served=True):
        if all_served:
            self.assertEqual(set(pages), self.served())
        self.assertGreater(len(pages), PAGES / 2)  # some of its links lead to no page
        twins = self.twins(pages)
        for path, (fields, _) in pages.items():
            self.assertEqual(fields, twins[path][0], path)
        self.assertGreaterEqual(sum(products > 0 for _, products in pages.values()), 2)

    def test_shells_are_found_shown_kept_and_read_again(self):
        collection = self.folder / "app"
        self.magpie(*self.words(collection))
        pages = self.pages(collection)
        self.assert_as_twins(pages)
        # Scripts come once, data once a page, all through the crawl: its agent, and nothing that robots.txt refuses.
        self.assertEqual(len(self.paths("/app.js")), 1)
        asked = self.paths("/api/page")
        self.assertEqual(len(asked), len(set(asked)))
        self.assertEqual(self.paths("/api/forbidden") + self.paths("/app.css") + self.paths("/private/"), [])
        self.assertEqual({entry["agent"].split("/")[0] for entry in self.shop.log() if entry["host"] == "127.0.0.5"}, {AGENT})
        self.assertFalse((collection / "browser").exists(), "the profile is gone")
        self.assertIn("as a browser showed it", self.magpie("why", "--collection", collection, self.app))
        # What was shown lies in the archive: another reading, and another collection, find the same.
        self.magpie("rebuild", "--collection", collection, "--extract", "--dry-run", "--json")
        self.assertIn("0 would change", self.stderr)
        again = self.folder / "again"
        self.magpie("crawl", "--collection", again, "--from-archive", *sorted((collection / "archive").glob("*.warc.gz")),
                    "--set", "crawl.pictures=archive")
        self.assertEqual(self.pages(again), pages)
        # The shells have not changed, but what is behind them may have: each is shown again.
        before = len(self.paths("/api/page"))
        shown = {unquote(path.partition("=")[2]) for path in asked} & set(pages)
        self.magpie("revisit", "--all", "--collection", collection, "--set", f"crawl.agent={AGENT}", "--set", "crawl.allow_loopback=true",
                    "--set", "crawl.host_delay=0", "--set", "crawl.pictures=archive")
        again = {unquote(path.partition("=")[2]) for path in self.paths("/api/page")[before:]}
        self.assertGreaterEqual(len(shown & again), 5)  # the job's limit of pages counts new ones, too

    def test_never_starts_no_browser(self):
        collection = self.folder / "never"
        self.magpie(*self.words(collection, "--render", "never"))
        self.assertEqual([products for _, products in self.pages(collection).values()], [0])
        self.assertEqual(self.paths("/app.js"), [])
        self.assertNotIn("browser.started", self.stderr)

    def test_a_killed_browser_is_started_again_and_nothing_is_lost(self):
        collection = self.folder / "killed"
        crawl = self.start(*self.words(collection))
        wait_for("some pages", lambda: len(self.paths("/api/page")) >= 4)
        for process in wait_for("the browser", lambda: browsers_of(collection)):
            os.kill(process, signal.SIGKILL)
        self.assertEqual(crawl.wait(timeout=300), 0)
        self.assertIn("browser.died", (self.folder / "stderr.log").read_text())
        self.assert_as_twins(self.pages(collection))
        self.assertEqual(browsers_of(collection), [])

    def test_a_killed_crawl_takes_its_browser_along_and_goes_on(self):
        collection = self.folder / "crash"
        crawl = self.start(*self.words(collection))
        wait_for("some pages", lambda: len(self.paths("/api/page")) >= 4)
        self.kill(crawl)
        wait_for("the browser's end", lambda: not browsers_of(collection))
        self.magpie(*self.words(collection))
        # What was served and not yet kept waits again, and others may be drawn before it.
        self.assert_as_twins(self.pages(collection), all_served=False)


class NoBrowser(SystemTest):
    def test_a_missing_browser_is_said_and_costs_nothing_but_its_pages(self):
        shop = self.shop()
        words = self.crawl_words(self.folder / "none", [f"http://127.0.0.5:{shop.port}/"]) + ["--set", "crawl.browser=/nowhere/chromium"]
        self.magpie(*words)
        self.assertIn("1 page leaves all to scripts and was taken as it stands", self.stderr)
        self.assertIn("/nowhere/chromium", self.stderr)
        self.magpie(*self.crawl_words(self.folder / "always", [f"http://127.0.0.5:{shop.port}/"]), "--render", "always",
                    "--set", "crawl.browser=/nowhere/chromium", code=3)
        self.assertIn("crawl.render is 'always', but", self.stderr)
        doctor = self.magpie("doctor", "--collection", self.folder / "none", "--set", "crawl.browser=/nowhere/chromium")
        self.assertIn("absent  browser", doctor)


if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
    print("skipped: there is no Chromium (apt install chromium)", file=sys.stderr)
    Render = unittest.skip("there is no Chromium (apt install chromium)")(Render)

if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What was crawled once can be read again from WARC files, ours and others', without the network; and rebuild says what that changes."""
import collections
import contextlib
import gzip
import json
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import threading
import unittest

from magpie_system import MAGPIE, SITE_FILES, SystemTest, main, wait_for
from synthetic import SyntheticWeb

SEED = 20261122
UNWRITTEN_MAX = 660  # as in test_kill.py


class Trap:
    """Listens where a site was, and counts who still comes."""

    def __init__(self, port):
        self.visits = 0
        self.socket = socket.create_server(("0.0.0.0", port))
        threading.Thread(target=self.count, daemon=True).start()

    def count(self):
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.visits += 1


class Replay(SystemTest):
    def web(self, **options):
        web = SyntheticWeb(self.folder, **options)
        self.addCleanup(web.stop)
        return web

    def closed(self, site):
        """The site is gone; in its place a trap."""
        site.stop()
        trap = Trap(site.port)
        self.addCleanup(trap.socket.close)
        return trap

    def files(self, collection):
        return sorted((collection / "archive").glob("*.warc.gz"))

    def records(self, *files):
        lines = [json.loads(line) for file in files for line in self.magpie("inspect", "warc", file).splitlines()]
        return [line for line in lines if line["type"] == "response"]

    def assert_same(self, one, other):
        pages, images = self.store(one)
        pages_too, images_too = self.store(other)
        self.assertEqual(pages, pages_too)
        self.assertEqual(sorted(map(str, set(images) ^ set(images_too))), [])
        for sha, image in images.items():
            self.assertEqual(sorted(image["urls"]), sorted(images_too[sha]["urls"]))

    def products(self, collection):
        with contextlib.closing(sqlite3.connect(f"file:{collection}/catalog.db?mode=ro", uri=True)) as catalog:
            return sorted(catalog.execute("SELECT urls.url, ord, name, brand, price, currency, availability, products.images "
                                          "FROM products JOIN urls ON urls.id = products.page"))

    def test_a_replayed_shop_is_the_crawled_one(self):
        shop = self.shop()
        crawled, again = self.folder / "crawled", self.folder / "again"
        self.magpie(*self.crawl_words(crawled, shop.seeds(1)))
        trap = self.closed(shop)
        self.magpie("crawl", "--collection", again, "--from-archive", *self.files(crawled))
        self.assertEqual(trap.visits, 0, "asked the network")
        self.assertGreater(len(self.store(crawled)[1]), 50)
        self.assert_same(crawled, again)
        self.assertEqual(self.products(crawled), self.products(again))
        self.assertGreater(len(self.products(again)), 20)
        dates = {line["target_uri"]: line["date"] for line in self.records(*self.files(crawled))}
        dates_again = {line["target_uri"]: line["date"] for line in self.records(*self.files(again))}
        self.assertLessEqual(dates_again.items(), dates.items(), "received when it was")
        self.assertEqual({url.rpartition("/")[2] for url in set(dates) - set(dates_again)}, {"sitemap.xml", "sitemap-1.xml", "sitemap-2.xml"})
        url = next(iter(self.store(again)[0]))
        self.assertIn(url, self.magpie("why", "-C", again, url))

        # Once more, and into the collection it came from: nothing is kept twice.
        for collection in again, crawled:
            before = [file.stat().st_size for file in self.files(collection)]
            self.magpie("crawl", "--collection", collection, "--from-archive", *self.files(crawled))
            self.assertEqual([file.stat().st_size for file in self.files(collection)], before)
        self.assert_same(crawled, again)
        self.assertEqual(trap.visits, 0)

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_no_socket_is_opened(self):
        web = self.web(hosts=2, pages=20, pictures=1)
        crawled, trace = self.folder / "crawled", self.folder / "trace"
        self.magpie(*self.crawl_words(crawled, web.seeds()))
        self.closed(web)
        subprocess.run(["strace", "-f", "-qq", "-e", "trace=socket,connect,sendto", "-o", trace, MAGPIE, "crawl", "--collection",
                        self.folder / "again", "--from-archive", *self.files(crawled)], check=True, capture_output=True)
        calls = [line for line in trace.read_text().splitlines() if re.search(r"\b(socket|connect|sendto)\(", line)]
        self.assertEqual(calls, [])
        self.assert_same(crawled, self.folder / "again")

    @unittest.skipUnless(shutil.which("wget"), "wget is not installed")
    def test_wgets_files_are_read(self):
        shop = self.shop()
        subprocess.run(["wget", "--quiet", "--recursive", "--level=2", "--page-requisites", "--execute", "robots=off", "--compression=auto",
                        "--warc-file", self.folder / "wget", "--directory-prefix", self.folder / "files", shop.seeds(1)[0]])
        file = self.folder / "wget.warc.gz"
        self.closed(shop)
        packed = file.read_bytes()
        types = {}
        for record in self.records(file):
            text = gzip.decompress(packed[record["offset"]:record["offset"] + record["length"]])
            found = re.search(rb"\r\n\r\nHTTP/1\.\d 200 .*?\r\nContent-Type: *([^;\r\n]*)", text, re.DOTALL | re.IGNORECASE)
            types[record["target_uri"]] = found[1].decode() if found else None
        self.magpie("crawl", "--collection", self.folder / "c", "--from-archive", file)
        pages, images = self.store(self.folder / "c")
        self.assertEqual(sorted(pages), sorted(url for url, kind in types.items() if kind == "text/html"))
        self.assertGreater(len(pages), 10)
        urls = {url for image in images.values() for url in image["urls"]}
        self.assertGreater(len(urls), 20)
        self.assertLessEqual(urls, set(types))
        self.assertGreater(len(self.products(self.folder / "c")), 5)

        # The same unpacked, as others write it.
        plain = self.folder / "plain.warc"
        plain.write_bytes(gzip.decompress(packed))
        self.magpie("crawl", "--collection", self.folder / "plain", "--from-archive", plain)
        self.assert_same(self.folder / "c", self.folder / "plain")

    def test_damage_costs_itself_and_is_said(self):
        web = self.web(hosts=2, pages=60, pictures=0)
        crawled, whole, torn = self.folder / "crawled", self.folder / "whole", self.folder / "torn.warc.gz"
        self.magpie(*self.crawl_words(crawled, web.seeds()))
        self.closed(web)
        file, = self.files(crawled)
        records = self.records(file)
        data = bytearray(file.read_bytes())
        victim = records[len(records) // 2]
        middle = victim["offset"] + victim["length"] // 2
        data[middle:middle + 4] = bytes(byte ^ 0x55 for byte in data[middle:middle + 4])
        torn.write_bytes(data[:-9])
        lost = {victim["target_uri"], records[-1]["target_uri"]}
        out = self.magpie("crawl", "--collection", whole, "--from-archive", torn, "--json")
        self.assertIn("2 places do not read (the first: torn.warc.gz at offset", self.stderr)
        self.assertEqual(json.loads(out)["pages_fetched"], len(records) - 2)
        self.assertEqual(set(self.store(crawled)[0]) - set(self.store(whole)[0]), lost)

    def test_what_is_no_warc_is_refused_before_anything_is_made(self):
        page = self.folder / "page.warc"
        page.write_text("<!doctype html>")
        for file, words in (page, "is no WARC file"), (self.folder / "missing.warc", "missing.warc"):
            self.magpie("crawl", "--collection", self.folder / "c", "--from-archive", file, code=2 if file == page else 1)
            self.assertIn(words, self.stderr)
        self.assertFalse((self.folder / "c").exists())
        self.magpie("crawl", "--from-archive", page, "http://a.test/", code=2)

    def test_an_old_archive_takes_nothing_back(self):
        options = {"hosts": 2, "pages": 40, "products": 0.5, "pictures": 0}
        web = self.web(**options)
        old, now = self.folder / "old", self.folder / "now"
        self.magpie(*self.crawl_words(old, web.seeds()))
        web.stop()
        web = self.web(**options, port=web.port, generation=1, changing=0.5)
        self.magpie(*self.crawl_words(now, web.seeds()))
        self.closed(web)
        self.assertNotEqual(self.products(old), self.products(now))
        before = self.products(now)
        self.magpie("crawl", "--collection", now, "--from-archive", *self.files(old))
        self.assertEqual(self.products(now), before)
        self.magpie("crawl", "--collection", old, "--from-archive", *self.files(now))
        self.assertEqual(self.products(old), before, "a newer one brings the collection up to date")

    def test_a_killed_replay_goes_on(self):
        chance = random.Random(SEED)
        web = self.web(hosts=3, pages=700, products=0.2, pictures=0)
        crawled, killed = self.folder / "crawled", self.folder / "killed"
        self.magpie(*self.crawl_words(crawled, web.seeds()))
        trap = self.closed(web)
        words = ["crawl", "--collection", killed, "--from-archive", *self.files(crawled)]

        def written():
            try:
                with contextlib.closing(sqlite3.connect(f"file:{killed}/catalog.db?mode=ro", uri=True)) as catalog:
                    return catalog.execute("SELECT count(*) FROM pages").fetchone()[0]
            except sqlite3.OperationalError:
                return 0

        kills = 0
        while kills < 4:
            process, target = self.start(*words), written() + chance.randint(1, 400)
            wait_for("pages", lambda: written() >= target or process.poll() is not None, 120)
            if process.poll() is not None:
                break
            self.kill(process)
            kills += 1
        self.assertGreaterEqual(kills, 2, "the replay ended before it could be killed")
        self.magpie(*words)
        self.assert_same(crawled, killed)
        copies = collections.Counter(record["target_uri"] for record in self.records(*self.files(killed)))
        self.assertEqual(set(copies), {record["target_uri"] for record in self.records(*self.files(crawled))})
        self.assertLessEqual(sum(copies.values()) - len(copies), kills * UNWRITTEN_MAX)
        self.assertEqual(json.loads(self.magpie("status", "-C", killed, "--json"))["jobs"][0]["state"], "finished")
        self.assertEqual(trap.visits, 0)

    def test_pictures_that_were_only_archived_are_analysed_later(self):
        web = self.web(hosts=2, pages=60, products=0.5, pictures=2)
        analysed, archived = self.folder / "analysed", self.folder / "archived"
        self.magpie(*self.crawl_words(analysed, web.seeds()))
        words = [*self.crawl_words(archived, web.seeds()), "--set", "crawl.pictures=archive"]
        self.magpie(*words)
        self.assertEqual(self.store(archived), (self.store(analysed)[0], {}), "no picture was looked at")
        asked = web.count()
        self.magpie("revisit", "-C", archived, "--all", "--set", "crawl.pictures=archive", "--set", "crawl.host_delay=0ms", "--set",
                    "crawl.allow_loopback=true")
        again = [request for request in web.requests(skip=asked) if request.path not in SITE_FILES]
        self.assertEqual({request.status for request in again}, {304}, "what only lies in the archive is not sent again")
        self.assertGreater(len(again), 100, "pictures, too")

        asked = web.count()
        process = self.start("rebuild", "-C", archived, "--analyse")
        wait_for("pictures", lambda: self.store(archived)[1] or process.poll() is not None, 60)
        self.kill(process)
        self.magpie("rebuild", "-C", archived, "--analyse")
        counts = json.loads(self.magpie("rebuild", "-C", archived, "--analyse", "--json"))
        self.assertEqual(counts, {"analysed": 0, "embedded": 0, "detected": 0, "compared": 0, "copies": 0, "looked_around": 0, "failed": 0}, "nothing is left")
        self.assert_same(analysed, archived)
        self.assertEqual(web.count(), asked, "nothing was fetched")

    def test_pictures_that_were_only_described_are_embedded_later(self):
        web = self.web(hosts=1, pages=30, products=0.5, pictures=1)
        embedded, described = self.folder / "embedded", self.folder / "described"
        self.magpie(*self.crawl_words(embedded, web.seeds()))
        self.magpie(*self.crawl_words(described, web.seeds()), "--set", "crawl.pictures=describe")
        self.assert_same(embedded, described)
        self.assertEqual(self.vectors(described), {}, "the network was not asked")
        self.magpie("search", "-C", described, "--like", 1, code=1)
        counts = json.loads(self.magpie("rebuild", "-C", described, "--analyse", "--json"))
        pictures = len(self.store(described)[1])
        self.assertLess(counts.pop("copies"), pictures)
        self.assertGreaterEqual(counts.pop("looked_around"), pictures)
        self.assertEqual(counts, {"analysed": 0, "embedded": pictures, "detected": 0, "compared": pictures, "failed": 0})
        self.assertEqual(self.vectors(described), self.vectors(embedded))
        self.magpie("search", "-C", described, "--like", 1)
        self.magpie(*self.crawl_words(self.folder / "c", web.seeds()), "--set", "crawl.pictures=some", code=2)

    def vectors(self, collection):
        with contextlib.closing(sqlite3.connect(f"file:{collection}/catalog.db?mode=ro", uri=True)) as catalog:
            return dict(catalog.execute("SELECT images.sha256, vector FROM embeddings JOIN images ON images.id = embeddings.image"))

    def test_rebuild_reads_every_page_again_and_says_what_changed(self):
        web = self.web(hosts=1, pages=60, products=0.5, pictures=1)
        collection = self.folder / "c"
        words = self.crawl_words(collection, web.seeds())
        self.magpie(*words)
        known, products, asked = self.store(collection), self.products(collection), web.count()

        def rebuild(*flags):
            *changes, counts = map(json.loads, self.magpie("rebuild", "-C", collection, "--extract", "--json", *flags).splitlines())
            return changes, counts

        changes, counts = rebuild()
        self.assertEqual((changes, counts["pages"], counts["changed"]), ([], len(known[0]), 0), "the same extractor says the same")
        self.magpie("rebuild", "-C", collection, code=2)

        # As if an older extractor had written it: other words on some pages, another price, a picture overlooked and never fetched.
        with contextlib.closing(sqlite3.connect(collection / "catalog.db")) as catalog, catalog:
            titled, priced, overlooked = (row[0] for row in (
                catalog.execute("SELECT max(page) FROM products").fetchone(), catalog.execute("SELECT min(page) FROM products").fetchone(),
                catalog.execute("SELECT max(page) FROM image_refs WHERE page NOT IN (SELECT page FROM products)").fetchone()))
            self.assertEqual(len({titled, priced, overlooked}), 3)
            picture, = catalog.execute("SELECT url FROM image_refs WHERE page = ?", [overlooked]).fetchone()
            catalog.execute("UPDATE pages SET title = 'Untitled', language = 'xx', signature = 0 WHERE id = ?", [titled])
            catalog.execute("UPDATE products SET price = '0.01' WHERE page = ?", [priced])
            catalog.execute("UPDATE pages SET signature = 0 WHERE id IN (?, ?)", [priced, overlooked])
            catalog.execute("DELETE FROM image_refs WHERE page = ?", [overlooked])
            catalog.execute("UPDATE urls SET image = NULL WHERE id = ?", [picture])
            pages = dict(catalog.execute("SELECT id, url FROM urls WHERE id IN (?, ?, ?)", [titled, priced, overlooked]))
        self.assertNotEqual(self.products(collection), products)

        for flags in ["--dry-run"], []:
            changes, counts = rebuild(*flags)
            self.assertEqual(counts["changed"], 3)
            by_url = {change["url"]: {field["field"]: field for field in change["changes"]} for change in changes}
            self.assertEqual(by_url[pages[titled]]["title"]["before"], "Untitled")
            self.assertEqual(by_url[pages[titled]]["title"]["after"], known[0][pages[titled]]["title"])
            self.assertEqual(by_url[pages[titled]]["language"]["before"], "xx")
            self.assertIn(" 0.01 ", by_url[pages[priced]]["products"]["before"])
            self.assertEqual(list(by_url[pages[overlooked]]), ["images"])
            self.assertEqual(by_url[pages[overlooked]]["images"]["before"], "")
        self.assertEqual(rebuild("--limit", 0)[1]["changed"], 0, "written down")
        self.assertEqual(self.products(collection), products)
        self.assertEqual(self.store(collection)[0], known[0])
        self.assertEqual(web.count(), asked, "nothing was fetched")
        self.magpie(*words)
        self.assertEqual(self.store(collection), known, "the next crawl brings the picture")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""magpie forget: what is forgotten is in no file any more, all else is still there, and kill -9 at any moment changes neither."""
import contextlib
import gzip
import hashlib
import json
import re
import shutil
import sqlite3
import time
import urllib.error

import magpie_system
from magpie_system import SystemTest, wait_for


def inflated(file):
    """What a file says to whoever reads it: a WARC file's records, else its bytes."""
    return gzip.decompress(file.read_bytes()) if file.name.endswith(".warc.gz") else file.read_bytes()


class TestForget(SystemTest):
    def setUp(self):
        super().setUp()
        self.collection = self.folder / "collection"
        self.example = self.shop()
        # Enough of two shops: lists, products, pictures that both have.
        self.magpie(*self.crawl_words(self.collection, self.example.seeds(2)), "--set", "crawl.max_pages_per_host=40", timeout=600)

    def files(self):
        return [file for file in sorted(self.collection.rglob("*")) if file.is_file()]

    def assert_nothing_names(self, needles):
        """`needles`: {bytes: bytes that may follow it where it is only the beginning of something else}"""
        for file in self.files():
            data = inflated(file)
            for needle in needles:
                # An address that goes on is another one.
                hits = [data[max(0, hit.start() - 60):hit.end() + 60] for hit in re.finditer(re.escape(needle) + rb"(?![\w./?%-])", data)]
                self.assertEqual(hits, [], f"{needle!r} in {file.name}")

    def details(self):
        """Products and pictures as the store tells: pages by address, pictures by SHA-256."""
        return self.store(self.collection)

    def a_product(self, host):
        """The address of a page with one product of its own that has a picture, and that a list links to."""
        with contextlib.closing(sqlite3.connect(self.collection / "catalog.db")) as catalog:
            rows = catalog.execute(
                "SELECT u.url FROM pages p JOIN urls u ON u.id = p.id WHERE p.shop = ? AND (SELECT COUNT(*) FROM products o WHERE o.page = p.id) = 1 "
                "AND EXISTS (SELECT 1 FROM image_refs r JOIN urls i ON i.id = r.url WHERE r.page = p.id AND r.product IS NOT NULL AND i.image IS "
                "NOT NULL) ORDER BY u.url", (f"{host}:{self.example.port}",))
            return rows.fetchone()[0]

    def forget(self, *words, code=0):
        return json.loads(self.magpie("forget", *words, "--yes", "--json", "--collection", self.collection, code=code))

    def archived_bodies(self):
        return {hashlib.sha256(body).hexdigest() for body in self.bodies()}

    def bodies(self):
        for file in self.collection.glob("archive/*.warc.gz"):
            for record in gzip.decompress(file.read_bytes()).split(b"WARC/1.1\r\n")[1:]:
                if b"WARC-Type: response" in record:
                    yield record.split(b"\r\n\r\n", 2)[2].removesuffix(b"\r\n\r\n")

    def test_a_picture(self):
        pages, images = self.details()
        digest, image = next(iter(sorted(images.items())))
        urls = [url.encode() for url in image["urls"]]
        self.assertIn(digest, self.archived_bodies())
        report = self.forget("picture", digest)
        self.assertEqual(report["search"]["found"], [])
        self.assertEqual(report["catalog"]["pictures"], 1)
        self.assertGreaterEqual(report["archive"]["removed"], 1)
        self.assertGreaterEqual(report["variants"]["removed"], 1)
        self.assert_nothing_names([digest.encode(), bytes.fromhex(digest), *urls])
        self.assertNotIn(digest, self.archived_bodies())
        pages_left, images_left = self.details()
        self.assertEqual(set(pages_left), set(pages))
        self.assertEqual(set(images_left), set(images) - {digest})
        # It is not fetched again, by this crawl or another.
        before = self.example.counts()
        self.magpie("revisit", "--all", "--collection", self.collection, "--set", f"crawl.agent={magpie_system.AGENT}", "--set",
                    "crawl.allow_loopback=true", "--set", "crawl.host_delay=100ms")
        after = self.example.counts()
        for url in image["urls"]:
            host, path = url.split("/")[2], "/" + url.split("/", 3)[3]
            asked = [key for key in after if key[1] == path and key[0] in (host, host.split(":")[0]) and after[key] > before[key]]
            self.assertEqual(asked, [])
        self.assertNotIn(digest, self.details()[1])
        self.magpie("forget", "picture", digest, "--yes", "--collection", self.collection, code=1)
        self.magpie("forget", "picture", digest, "--allow", "--collection", self.collection)

    def test_a_product_and_a_host(self):
        pages, images = self.details()
        url = self.a_product("127.0.0.1")
        dry = json.loads(self.magpie("forget", "page", url, "--dry-run", "--json", "--collection", self.collection))
        self.assertEqual(set(self.details()[0]), set(pages), "a dry run removes nothing")
        report = self.forget("page", url)
        self.assertEqual(report["search"]["found"], [])
        self.assertEqual(report["catalog"], dry["catalog"])
        self.assertEqual(report["archive"]["removed"], dry["archive"]["removed"])
        self.assertGreaterEqual(report["catalog"]["products"], 1)
        self.assertGreaterEqual(report["catalog"]["pictures"], 1)
        self.assertGreaterEqual(report["archive"]["changed"], 1, "lists that link to it")
        self.assert_nothing_names([url.encode()])
        pages_left, images_left = self.details()
        self.assertEqual(set(pages_left), set(pages) - {url})
        self.assertLess(len(images) - len(images_left), 12)

        host = f"127.0.0.2:{self.example.port}"
        report = self.forget("host", host)
        self.assertEqual(report["search"]["found"], [])
        self.assertEqual(set(self.details()[0]), {page for page in pages_left if f"//{host}/" not in page})
        self.assert_nothing_names([f"//{host}".encode()])
        found = self.magpie("search", "", "--json", "--limit", "200", "--collection", self.collection)
        self.assertNotIn(host, found)
        self.assertIn(f"127.0.0.1:{self.example.port}", found)
        self.magpie(*self.crawl_words(self.collection, [f"http://{host}/"]), code=1)
        self.assertIn("forgotten", self.stderr)
        self.magpie("forget", "host", host, "--allow", "--collection", self.collection)

    def test_killed_at_any_moment(self):
        pages, images = self.details()
        url = self.a_product("127.0.0.1")
        host = f"127.0.0.2:{self.example.port}"
        whole = self.folder / "whole"
        shutil.copytree(self.collection, whole)
        expected = None
        kills = 0
        for wait in [0, 0.03, 0.06, 0.1, 0.14, 0.18, 0.22, 0.27, 0.33, 0.4, 0.5, 0.65, 0.8, 1.0]:
            shutil.rmtree(self.collection)
            shutil.copytree(whole, self.collection)
            process = self.start("forget", "host", host, "--yes", "--collection", self.collection)
            wait_for("its beginning", lambda: (self.collection / "forgetting").exists() or process.poll() is not None)
            time.sleep(wait * magpie_system.SLOWNESS)  # somewhere in the middle
            kills += process.poll() is None
            self.kill(process)
            # Whoever writes next finishes it: here one who forgets something else.
            report = self.forget("page", url)
            self.assertEqual(report["search"]["found"], [], f"killed after {wait} s")
            self.assertFalse((self.collection / "forgetting").exists())
            self.assert_nothing_names([f"//{host}".encode(), url.encode()])
            left = tuple(set(part) for part in self.details())
            self.assertEqual(left[0], {page for page in pages if f"//{host}/" not in page} - {url})
            expected = expected or left
            self.assertEqual(left, expected)
            damaged = [line for line in self.magpie("inspect", "warc", *self.collection.glob("archive/*.warc.gz")).splitlines() if "damage" in line]
            self.assertEqual(damaged, [])
        self.assertGreater(kills, 3)

    def test_beside_a_server(self):
        port = magpie_system.free_port()
        self.start("serve", "--port", port, "--collection", self.collection)
        wait_for("the server", lambda: magpie_system.answers(port))
        origin = f"http://127.0.0.1:{port}"
        found = self.get_json(f"{origin}/api/v1/search?limit=1")["hits"][0]["image_id"]
        begun = self.get_json(f"{origin}/api/v1/images/{found}", method="DELETE")
        ended = wait_for("the end", lambda: (view := self.get_json(f"{origin}/api/v1/forgettings/{begun['forget_id']}"))["state"] != "running" and view)
        self.assertEqual(ended["state"], "finished", ended)
        self.assertEqual(ended["report"]["search"]["found"], [])
        with self.assertRaises(urllib.error.HTTPError) as gone:
            self.get_json(f"{origin}/api/v1/images/{found}")
        self.assertEqual(gone.exception.code, 404)
        report = self.forget("host", f"127.0.0.2:{self.example.port}")
        self.assertEqual(report["search"]["found"], [])
        answer = self.get_json(f"{origin}/api/v1/search?limit=200")
        self.assertNotIn(f"127.0.0.2:{self.example.port}", json.dumps(answer))
        self.assertGreater(len(answer["hits"]), 10)


if __name__ == "__main__":
    magpie_system.main()

"""A whole crawl of the example shop, counted against the shop's own access log."""
import json
import sys
from pathlib import Path

from magpie_system import ROOT, SystemTest, main

sys.path.insert(0, str(ROOT / "tests" / "site"))
import shop as shop_module  # noqa: E402
import stamps as stamp_module  # noqa: E402


class Crawl(SystemTest):
    @classmethod
    def setUpClass(cls):
        site = shop_module.Site(stamp_module.load(), None, 0)
        cls.products = {(address, p.path): p for address, pages in site.shops.items() for p in pages.products}

    def test_everything_once_and_nothing_forbidden(self):
        shop = self.shop()
        collection = self.folder / "c"
        self.magpie(*self.crawl_words(collection, shop.seeds()))

        counts = shop.counts()
        twice = {request: n for request, n in counts.items() if n > 1}
        self.assertEqual({r: n for r, n in twice.items() if "/broken/" not in r[1]}, {}, "asked for more than once")
        forbidden = [r for r in counts if r[1].startswith("/private/") or r[1] == "/cart"]
        self.assertEqual(forbidden, [], "robots.txt forbids these")
        for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"):
            self.assertEqual(shop.requests()[[h for h, _ in shop.requests()].index(host)], (host, "/robots.txt"), "robots.txt comes first")
        self.assertTrue(all("magpie-test" in entry["agent"] for entry in shop.log()))

        missing = [path for path in self.products if counts[path] == 0]
        self.assertEqual(missing, [], "products never fetched")
        pages, images = self.store(collection)
        self.assertEqual([p for p in self.products if f"http://{p[0]}:{shop.port}{p[1]}" not in pages], [])
        seen = {url for image in images.values() for url in image["urls"]}
        wanted = {f"http://{a}:{shop.port}{p.image(600)}" for (a, _), p in self.products.items()}
        self.assertEqual(sorted(wanted - seen)[:10], [], "the largest picture of a product was not kept")
        self.check_products(shop, pages)
        self.check_status(collection, len(pages), sum(1 for image in images.values() if image["width"]))
        self.check_proof(shop, collection)

    def check_products(self, shop, pages):
        answers = {}
        questions = []
        marked = [(key, p) for key, p in self.products.items() if p.shop.markup != "none"]
        chosen = marked[::40] + [(key, p) for key, p in marked if p.sizes()][:8]
        import urllib.request
        for (address, path), product in chosen:
            url = f"http://{address}:{shop.port}{path}"
            html = urllib.request.urlopen(url).read().decode("utf-8")
            questions.append(json.dumps({"id": url, "url": url, "html": html}))
            answers[url] = product
        lines = self.magpie("inspect", "page", stdin="\n".join(questions) + "\n").splitlines()
        for line in map(json.loads, lines):
            product = answers[line["id"]]
            first = line["products"][0]
            self.assertEqual((first["name"], first["price"], first["currency"], first["brand"], first["sku"]),
                             (product.name, product.amount, product.currency, product.brand, product.sku))
            self.assertEqual(first["availability"], "InStock" if product.in_stock else "OutOfStock")
            variants = [({option["name"]: option["value"] for option in variant["options"]}, variant.get("availability")) for variant in first.get("variants", [])]
            self.assertEqual(variants, [({"size": size}, None if left else "OutOfStock") for size, left in product.sizes()])

    def check_status(self, collection, pages, images):
        status = json.loads(self.magpie("status", "--collection", collection, "--json"))
        self.assertEqual(status["pages"], pages)
        self.assertEqual(status["images"], images)
        causes = {entry["cause"]: entry["count"] for entry in status["failures"]}
        self.assertGreaterEqual(causes.get("decode", 0), 2, "the cut-off JPEG is named a failure")
        self.assertIn("robots", causes)
        self.assertIn("not-found", causes)

    def check_proof(self, shop, collection):
        """What the ledger says of a host is what the host's own log says."""
        host = f"127.0.0.1:{shop.port}"
        ledger = json.loads(self.magpie("status", "--collection", collection, "--host", f"http://{host}/", "--json"))
        self.assertEqual(ledger["requests"], sum(1 for entry in shop.log() if entry["host"] == "127.0.0.1" and "magpie-test" in entry["agent"]))
        self.assertEqual(ledger["robots"]["state"], "read")
        self.assertGreater(ledger["robots"]["refused"], 0)
        self.assertIn("/private/", [line["rule"] for line in ledger["robots"]["lines"]])
        self.assertLessEqual(ledger["parallel_peak"], 8)
        self.assertEqual(len(ledger["visits"]), 1)
        text = self.magpie("status", "--collection", collection, "--host", host, "--proof")
        self.assertIn("Disallow: /private/", text)
        self.assertIn("smallest gap", text)
        self.magpie("status", "--collection", collection, "--host", "nobody.test", code=1)
        self.magpie("status", "--collection", collection, "--proof", code=2)

    def test_wrong_usage_is_said_with_the_next_step(self):
        self.magpie("crawl", "--collection", self.folder / "x", "http://127.0.0.1:1/", code=2)
        self.assertIn("agent", self.stderr)
        self.magpie("crawl", "--collection", self.folder / "y", "--agent", "a", "gopher://a", code=2)
        self.magpie("search", "--collection", self.folder / "none", "x", code=1)
        self.assertIn("magpie init", self.stderr)
        self.magpie("serach", code=2)
        self.assertIn("'serach'", self.stderr)

    def test_a_flag_takes_one_value_and_leaves_the_words_behind_it(self):
        self.magpie("crawl", "--collection", self.folder / "z", "--agent", "a", "--set", "crawl.workers=2", "gopher://a", code=2)
        self.assertIn("gopher://a", self.stderr)


if __name__ == "__main__":
    main()

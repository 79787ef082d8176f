#!/usr/bin/env python3
"""A shop that marks up some of its pages teaches how to read the others, those read before included."""
import contextlib
import json
import sqlite3

from local_web import Web, png
from magpie_system import SystemTest, main

PRODUCTS = 40


def is_marked(number):
    return number % 3 == 0


class LearntFields(SystemTest):
    def setUp(self):
        super().setUp()
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)

    def facts(self, number):
        return f"Werkstück {chr(65 + number % 26)}{chr(65 + number // 26)}", f"{number + 20}.{number:02d}", f"WK/{number}-x", number % 4 != 1

    def answer(self, request):
        kind, _, number = request.path.strip("/").partition("/")
        if kind == "i":
            return 200, {"Content-Type": "image/png"}, png(int(number.removesuffix(".png")))
        if not kind:
            return 200, {}, "<title>Werkstatt</title>" + "".join(f'<a href="/w/{i}">{self.facts(i)[0]}</a> <b class="amount">{i}.00 €</b>' for i in range(PRODUCTS))
        if kind != "w" or int(number) >= PRODUCTS:
            return 404, {}, ""
        number = int(number)
        name, price, sku, in_stock = self.facts(number)
        markup = json.dumps({"@type": "Product", "name": name, "sku": sku, "offers": {
            "price": price, "priceCurrency": "EUR", "availability": "https://schema.org/" + ("InStock" if in_stock else "OutOfStock")}})
        return 200, {}, (
            f'<title>{name} | Werkstatt</title>{f"<script type=application/ld+json>{markup}</script>" if is_marked(number) else ""}<body>'
            f'<header><b class="amount">9.99 €</b> Gutschein</header><main class="ware"><div class="titel"><span>{name}</span></div>'
            f'<img src="/i/{number}.png" width="600" height="600"><div class="kauf"><div class="monat"><b class="amount">3.50 €</b></div>'
            f'<div class="ganz n-{number}77"><b class="amount">{price} €</b></div></div><p class="z"><em>Kennzahl {sku}</em></p>'
            f'<p class="lagerampel">{"greifbar" if in_stock else "fort"}</p></main>'
            f'<aside><div class="kauf"><b class="amount">8.00 €</b></div></aside>')

    def products(self, collection):
        with contextlib.closing(sqlite3.connect(f"file:{collection / 'catalog.db'}?mode=ro", uri=True)) as catalog:
            rows = catalog.execute("SELECT u.url, p.name, price, currency, sku, availability, evidence FROM products p JOIN urls u ON u.id = p.page").fetchall()
            learnt = catalog.execute("SELECT DISTINCT field FROM selectors WHERE agreed >= 3 AND disagreed = 0").fetchall()
        return {url.rpartition("/")[2]: fields for url, *fields in rows}, {field for field, in learnt}

    def test_pages_without_markup_are_read_as_those_with_it(self):
        collection = self.folder / "c"
        self.magpie(*self.crawl_words(collection, [self.web.url("127.0.0.1")], per_host=2), "--set", "crawl.pictures=archive")
        products, learnt = self.products(collection)
        self.assertLessEqual({"name", "price", "sku", "availability"}, learnt)
        for number in range(PRODUCTS):
            name, price, sku, in_stock = self.facts(number)
            with self.subTest(number=number, marked=is_marked(number)):
                *fields, evidence = products[str(number)]
                self.assertEqual(fields, [name, price, "EUR", sku, "InStock" if in_stock else "OutOfStock"])
                self.assertEqual("8" in json.loads(evidence)[1::4], not is_marked(number), "where its fields were read")
        self.assertNotIn("", products, "the list of all is no product")
        self.assertEqual(len(self.web.asked("127.0.0.1")), len(set(self.web.asked("127.0.0.1"))), "nothing is fetched twice for it")
        with contextlib.closing(sqlite3.connect(f"file:{collection / 'catalog.db'}?mode=ro", uri=True)) as catalog:
            paces = catalog.execute("SELECT DISTINCT depth, interval_s FROM urls JOIN pages USING (id) WHERE url LIKE '%/w/%'").fetchall()
            changes = catalog.execute("SELECT COUNT(*) FROM product_changes").fetchone()
        self.assertEqual(paces, [(1, 86_400)], "a page that is read once more was not visited once more")
        self.assertEqual(changes, (0,), "and its shop has changed nothing")
        # Another reading of the archive finds the same.
        self.magpie("rebuild", "--collection", collection, "--extract", "--dry-run")
        self.assertIn("0 would change", self.stderr)


if __name__ == "__main__":
    main()

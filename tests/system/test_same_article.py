#!/usr/bin/env python3
"""One article in several shops is one product with several offers, the cheapest first, and what each cost before."""
import io
import json
import random
import sqlite3

from PIL import Image, ImageDraw

from local_web import Names, Web
from magpie_system import SystemTest, answers, free_port, main, wait_for


def photograph(number, side):
    draw = random.Random(number)
    image = Image.new("RGB", (480, 480), "white")
    pen = ImageDraw.Draw(image)
    for _ in range(50):
        x, y, size = draw.randrange(60, 360), draw.randrange(60, 360), draw.randrange(10, 90)
        pen.rectangle((x, y, x + size, y + size), fill=tuple(draw.randrange(256) for _ in range(3)))
    out = io.BytesIO()
    image.resize((side, side)).save(out, "JPEG", quality=85)
    return out.getvalue()


class SameArticle(SystemTest):
    def setUp(self):
        super().setUp()
        # Shop: product's name, brand, GTIN, number, price, picture and its side.
        self.shops = {
            "a.test": ("Boss Original highlighter, yellow", "Stabilo", "4006381333931", "70/24", "1.19", (1, 400)),
            "b.test": ("Textmarker BOSS gelb", "", "04006381333931", "A-1", "0.99", (2, 400)),
            "c.test": ("Boss Original highlighter (yellow)", "", "", "", "1.49", (1, 300)),
            "d.test": ("Boss Original highlighter, yellow", "Stabilo", "4005556050178", "70/25", "1.05", (1, 350)),
        }
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)
        self.names = Names(lambda name, number: "127.0.0.1")
        self.addCleanup(self.names.stop)
        self.collection = self.folder / "c"

    def answer(self, request):
        name, brand, gtin, sku, price, (picture, side) = self.shops[request.host]
        if request.path == "/p.jpg":
            return 200, {"Content-Type": "image/jpeg"}, photograph(picture, side)
        product = {"@context": "https://schema.org", "@type": "Product", "name": name, "sku": sku, "image": "/p.jpg",
                   "offers": {"@type": "Offer", "price": price, "priceCurrency": "EUR", "availability": "https://schema.org/InStock"}}
        if brand:
            product["brand"] = brand
        if gtin:
            product["gtin13"] = gtin
        return 200, {}, (f"<title>{name}</title><h1>{name}</h1><img src=/p.jpg alt='{name}'><p>{price} EUR"
                         f"<script type=application/ld+json>{json.dumps(product)}</script>")

    def test_offers_of_all_shops(self):
        settings = ("crawl.agent=magpie-test", "crawl.host_delay=0s", "crawl.allow_loopback=true", "crawl.originals=false", f"net.resolvers={self.names.address}")
        self.magpie("crawl", "--collection", self.collection, *[word for one in settings for word in ("--set", one)],
                    *[self.web.url(shop) for shop in self.shops])
        self.shops["b.test"] = (*self.shops["b.test"][:4], "0.89", (2, 400))
        self.magpie("revisit", "--all", "--collection", self.collection, *[word for one in settings for word in ("--set", one)])
        port = free_port()
        self.start("serve", "--collection", self.collection, "--port", port)
        wait_for("the server", lambda: answers(port))
        with sqlite3.connect(self.collection / "catalog.db") as catalog:
            ids = {shop.partition(":")[0]: product for shop, product in
                   catalog.execute("SELECT g.shop, p.id FROM products p JOIN pages g ON g.id = p.page")}
        product = self.get_json(f"http://127.0.0.1:{port}/api/v1/products/{ids['a.test']}")
        self.assertEqual(product["gtin"], "04006381333931")
        told = [(offer["shop"].partition(":")[0], offer["price"]["amount"], offer["same_by"]) for offer in product["offers"]]
        self.assertEqual(told, [("b.test", "0.89", "gtin"), ("a.test", "1.19", None), ("c.test", "1.49", "picture_and_name")])
        past, = product["offers"][0]["past_prices"]
        self.assertEqual(past["price"], {"amount": "0.99", "currency": "EUR"})
        self.assertEqual(product["offers"][1]["past_prices"], [])
        # The other way round, too; the fourth is another article under the same picture and name.
        other = self.get_json(f"http://127.0.0.1:{port}/api/v1/products/{ids['d.test']}")
        self.assertEqual([offer["shop"].partition(":")[0] for offer in other["offers"]], ["d.test", "c.test"])


if __name__ == "__main__":
    main()

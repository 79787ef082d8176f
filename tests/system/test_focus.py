#!/usr/bin/env python3
"""A crawl that may take only so many pages of a site finds out which of them are worth it."""
from local_web import Web, png
from magpie_system import SystemTest, main

POSTS, PRODUCTS, PAGES_MAX = 600, 100, 150


class Focus(SystemTest):
    def setUp(self):
        super().setUp()
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)

    def answer(self, request):
        """A blog of many pages with a shop in it; each page leads to ten of the blog's and to one of the shop's."""
        kind, _, number = request.path.strip("/").partition("/")
        if request.path.endswith(".png"):
            return 200, {"Content-Type": "image/png"}, png(int(number.removesuffix(".png")) % 200)
        if kind not in ("", "blog", "shop"):
            return 404, {}, ""
        number = int(number.rpartition("-")[2] or 0)
        links = "".join(f'<a href="/blog/some-thoughts-{(number * 7 + i * 53) % POSTS}">thoughts</a>' for i in range(10))
        links += f'<a href="/shop/fine-thing-{(number * 13 + 1) % PRODUCTS}">a thing</a>'
        links += "".join(f'<img src="/icons/{i}.png" alt="icon">' for i in range(6))
        if kind != "shop":
            return 200, {}, f"<title>Post {number}</title><p>Some thoughts, the {number}th of many, on this and that.</p>{links}"
        return 200, {}, (f'<title>Thing {number}</title><div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">Thing {number}</h1>'
                         f'<img itemprop="image" src="/img/{number}.png"><div itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
                         f'<span itemprop="price">{number + 1}.00</span><meta itemprop="priceCurrency" content="EUR"></div></div>{links}')

    def products_found(self, *settings):
        collection = self.folder / f"c{len(self.web.requests)}"
        words = self.crawl_words(collection, [self.web.url("127.0.0.1")], per_host=2)
        self.magpie(*words, "--max-pages-per-host", PAGES_MAX, "--set", "crawl.pictures=archive", *settings)
        pages = self.store(collection)[0]
        self.assertLessEqual(len(pages), PAGES_MAX)
        return sum("/shop/" in url for url in pages)

    def test_more_products_for_the_same_number_of_pages(self):
        aimless, focused = self.products_found("--set", "crawl.focus=false"), self.products_found()
        self.assertGreater(aimless, 0)
        self.assertGreater(focused, 2 * aimless, f"{aimless} without")
        self.assertGreater(focused, PRODUCTS // 2)


if __name__ == "__main__":
    main()

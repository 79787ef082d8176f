"""What a site's tdmrep.json reserves is kept out of the picture search; what it frees is in it."""
import json

from local_web import Names, Web, png
from magpie_system import SystemTest, main


class Reservations(SystemTest):
    def setUp(self):
        super().setUp()
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)

    def answer(self, request):
        if request.path == "/robots.txt":
            return 404, {}, ""
        if request.path == "/.well-known/tdmrep.json":
            rules = [{"location": "/", "tdm-reservation": 1}, {"location": "/free/", "tdm-reservation": 0}]
            return (200, {"Content-Type": "application/json"}, json.dumps(rules)) if request.host == "reserved.test" else (404, {}, "")
        if request.path.endswith(".png"):
            return 200, {"Content-Type": "image/png"}, png(sum(request.path.encode()) % 200)
        if request.path == "/":
            return 200, {}, '<title>a</title><p>Start</p><a href="/free/b">b</a><img src="/a.png" alt="kept out">'
        return 200, {}, '<title>b</title><p>Free</p><img src="/free/b.png" alt="let in">'

    def crawl(self, host, *settings):
        names = Names(lambda name, number: "127.0.0.1")
        self.addCleanup(names.stop)
        collection = self.folder / host
        self.magpie(*self.crawl_words(collection, [self.web.url(host)]), "--set", f"net.resolvers={names.address}", *settings)
        _, images = self.store(collection)
        return {url for image in images.values() if image["indexed"] for url in image["urls"]}

    def test_reserved_pictures_are_not_in_the_search(self):
        self.assertEqual(self.crawl("reserved.test"), {self.web.url("reserved.test", "/free/b.png")})
        self.assertEqual(self.web.asked("reserved.test")[:3], [("GET", "/robots.txt"), ("GET", "/.well-known/tdmrep.json"), ("GET", "/")])
        self.assertEqual(self.web.asked("reserved.test").count(("GET", "/.well-known/tdmrep.json")), 1)
        self.assertEqual(self.crawl("free.test"), {self.web.url("free.test", "/a.png"), self.web.url("free.test", "/free/b.png")})

    def test_it_can_be_switched_off(self):
        self.assertEqual(len(self.crawl("reserved.test", "--set", "crawl.tdm_file=false")), 2)
        self.assertNotIn(("GET", "/.well-known/tdmrep.json"), self.web.asked("reserved.test"))


if __name__ == "__main__":
    main()

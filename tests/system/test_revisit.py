#!/usr/bin/env python3
"""A second crawl asks only whether pages have changed, notes what changed about products, and failures can be asked again by cause."""
import json
import subprocess
from collections import Counter

from magpie_system import MAGPIE, SITE_FILES, SystemTest, main, wait_for
from synthetic import SyntheticWeb

PAGES = {"hosts": 3, "pages": 60, "products": 0.5, "pictures": 0, "failing": 0.05}


class Revisit(SystemTest):
    def web(self, **options):
        web = SyntheticWeb(self.folder, **options)
        self.addCleanup(web.stop)
        return web

    def crawl(self, web):
        self.magpie(*self.crawl_words(self.folder / "c", web.seeds()), "--set", "crawl.retries_max=0")

    def statuses(self, web, skip):
        return Counter(request.status for request in web.requests(skip) if request.path not in SITE_FILES)

    def test_only_what_changed_is_sent_again(self):
        web = self.web(**PAGES)
        self.crawl(web)
        first, known = web.count(), self.store(self.folder / "c")
        self.assertGreater(self.statuses(web, 0)[200], 150)
        self.assertEqual(self.magpie("changes", "-C", self.folder / "c", code=1), "")
        self.crawl(web)
        second = self.statuses(web, first)
        self.assertEqual(second[304], self.statuses(web, 0)[200], "every page was asked again, and none was sent again")
        self.assertEqual(second[200], 0)
        self.assertEqual(self.store(self.folder / "c"), known)

        # The same web a while later, on the same port: some pages say something else.
        web.stop()
        web = self.web(**PAGES, port=web.port, generation=1, changing=0.3)
        before = web.count()
        self.crawl(web)
        third = self.statuses(web, before)
        self.assertGreater(third[200], 20)
        self.assertEqual(third[200] + third[304], second[304])
        changes = [json.loads(line) for line in self.magpie("changes", "-C", self.folder / "c", "--json", "--limit", 1000).splitlines()]
        self.assertGreater(len(changes), 3)
        self.assertLessEqual(len({change["url"] for change in changes}), third[200])
        for change in changes:
            self.assertIn(change["field"], {"price", "availability", "variants", "images", "gone"})
            self.assertNotEqual(change["before"], change["after"])
        later = changes[2]["id"]
        rest = self.magpie("changes", "-C", self.folder / "c", "--json", "--after", later).splitlines()
        self.assertEqual([json.loads(line)["id"] for line in rest], [change["id"] for change in changes[3:]])

    def test_what_is_due_is_asked_whether_it_changed(self):
        web = self.web(**PAGES)
        pace = ("--set", "crawl.revisit_first=1s", "--set", "crawl.revisit_min=1s", "--set", "crawl.revisit_max=1h")
        polite = ("--set", "crawl.allow_loopback=true", "--set", "crawl.agent=x", "--set", "crawl.host_delay=0s", *pace)
        self.magpie(*self.crawl_words(self.folder / "c", web.seeds()), "--set", "crawl.retries_max=0", *pace)
        fetched = self.statuses(web, 0)[200]
        wait_for("all pages to be due", lambda: len(self.due()) == fetched)
        before = web.count()
        self.magpie("revisit", "-C", self.folder / "c", *polite)
        self.assertEqual(self.statuses(web, before), Counter({304: fetched}), "each page once, none sent again, failed ones left alone")
        before = web.count()
        self.magpie("revisit", "-C", self.folder / "c", "--all", *polite)
        self.assertEqual(self.statuses(web, before), Counter({304: fetched}))
        self.magpie("revisit", "-C", self.folder / "c", "--job", 7, *polite, code=1)

    def due(self):
        done = subprocess.run([MAGPIE, "revisit", "-C", self.folder / "c", "--dry-run"], capture_output=True, text=True, check=False)
        return done.stdout.splitlines()

    def test_failures_are_asked_again_by_cause(self):
        web = self.web(**PAGES)
        self.crawl(web)
        before = web.count()
        failed = {web.url(request) for request in web.requests() if request.status == 500}
        self.assertGreater(len(failed), 3)
        self.magpie("retry", "-C", self.folder / "c", "--cause", "dns,tls", "--set", "crawl.allow_loopback=true", "--set", "crawl.agent=x", code=1)
        self.assertIn("nothing of job 1 failed", self.stderr)
        self.magpie("retry", "-C", self.folder / "c", "--cause", "rain", code=2)
        self.magpie("retry", "-C", self.folder / "c", "--cause", "status", "--set", "crawl.allow_loopback=true", "--set", "crawl.agent=x",
                    "--set", "crawl.host_delay=0s", "--set", "crawl.retries_max=0")
        again = {web.url(request) for request in list(web.requests())[before:] if request.path not in SITE_FILES}
        self.assertEqual(again, failed)


if __name__ == "__main__":
    main()

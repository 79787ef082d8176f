"""The whole hostile web (tests/site/hostile.py) in one crawl, then each theme asked: what came in, what was asked for, and why not."""
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from magpie_system import AGENT, MAGPIE, ROOT, SITE_FILES, SystemTest, free_port, main, wait_for

# Two ports in a row, of which the second speaks TLS; chosen before the module is read, as its pages name them.
os.environ.setdefault("HOSTILE_PORT", str(free_port()))
sys.path.insert(0, str(ROOT / "tests" / "site"))
import hostile  # noqa: E402

NOT_HTTP = "http://127.0.64.250:{port}/"  # nobody listens there
SAFETY_NET_S = 80
SETTINGS = ["crawl.backoff_first=1s", "crawl.fetch_max=5s", "crawl.retry_delay=300ms", "crawl.backoff_wait_max=15s", "crawl.retry_after_wait_max=20s"]
NEVER_ENDING = ("calendar", "sessions", "nest", "facets", "same", "soft404")
PAGES_MAX = 90


class Web:
    """The server and its log."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.log_path = self.folder / "access.log"
        pem = self.folder / "self-signed.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out", self.folder / "cert.pem", "-days", "2",
                        "-subj", "/CN=nobody.test"], check=True, capture_output=True)
        pem.write_bytes(pem.read_bytes() + (self.folder / "cert.pem").read_bytes())
        self.process = subprocess.Popen([sys.executable, ROOT / "tests/site/hostile.py", "--log", self.log_path, "--tls", pem], stderr=subprocess.DEVNULL)
        wait_for("the hostile web", self.answers)

    def answers(self):
        assert self.process.poll() is None, "the hostile web does not start"
        try:
            return all(urllib.request.urlopen(hostile.SITES[name].url(), timeout=5).status == 200 for name in ("links", "pages"))
        except OSError:
            return False

    def crawl(self, name, seeds, delay="0.02", per_host=2, pages=PAGES_MAX):
        """One crawl from its seeds to its end."""
        self.log_path.write_bytes(b"")
        collection = self.folder / name
        file = self.folder / f"{name}.seeds"
        file.write_text("".join(f"{seed}\n" for seed in seeds))
        began = time.monotonic()
        done = subprocess.run([MAGPIE, "crawl", "--collection", collection, "--seeds", file, "--agent", AGENT, "--delay", delay, "--per-host", str(per_host),
                               "--max-pages-per-host", str(pages), "--max-seconds", str(SAFETY_NET_S), "--allow-loopback",
                               *[word for setting in SETTINGS for word in ("--set", setting)]], capture_output=True, text=True, timeout=SAFETY_NET_S + 60)
        log = [json.loads(line) for line in self.log_path.read_text().splitlines()]
        return Crawl(collection, time.monotonic() - began, done, log)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Crawl:
    """What came of a crawl: what was asked, by the server's log, and what was kept, by the program."""

    def __init__(self, collection, took, done, log):
        self.collection, self.took, self.code, self.stderr, self.log = collection, took, done.returncode, done.stderr, log
        self.counts = collections.Counter((entry["host"], entry["path"]) for entry in log)
        self.by_host = collections.defaultdict(list)
        for entry in log:
            self.by_host[entry["host"]].append(entry)
        out = subprocess.run([MAGPIE, "inspect", "store", collection], capture_output=True, text=True, check=True).stdout
        self.store = [json.loads(line) for line in out.splitlines()]
        self.pages = {self.place(line["url"]): line for line in self.store if line["kind"] == "page"}
        self.images = {self.place(url): line for line in self.store if line["kind"] == "image" for url in line["urls"]}

    @staticmethod
    def place(url):
        names = {site.address: site.name for site in hostile.SITES.values()}
        parts = urlsplit(url)
        return names.get(parts.hostname, parts.hostname), parts.path + (f"?{parts.query}" if parts.query else "")

    def rests(self, host):
        """How often the host was left alone after trouble, by the ledger."""
        words = [MAGPIE, "status", "--collection", self.collection, "--host", hostile.SITES[host].url(), "--json"]
        return len(json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)["rests"])

    def why(self, host, path="/"):
        url = hostile.SITES[host].url(path) if host in hostile.SITES else host
        done = subprocess.run([MAGPIE, "why", "--collection", self.collection, "--json", url], capture_output=True, text=True)
        return json.loads(done.stdout) if done.stdout else {"cause": "unknown", "fetched": False, "detail": done.stderr}


def setUpModule():
    global temporary, web
    temporary = tempfile.TemporaryDirectory(prefix="magpie-hostile-")
    web = Web(temporary.name)


def tearDownModule():
    web.stop()
    temporary.cleanup()


class Hostile(SystemTest):
    @classmethod
    def setUpClass(cls):
        seeds = [site.url() for site in hostile.SITES.values()]
        seeds += [NOT_HTTP.format(port=hostile.PORT), f"http://no-such-host.invalid:{hostile.PORT}/", f"https://{hostile.SITES['links'].address}:{hostile.PORT + 1}/",
                  f"https://{hostile.SITES['links'].address}:{hostile.PORT}/"]
        cls.web = web.crawl("all", seeds)
        cls.more_seeds = seeds[-4:]

    # ---- words for the checks ----
    def asked(self, host, path="/"):
        return self.web.counts[host, path]

    def cause(self, host, path="/"):
        return self.web.why(host, path)["cause"]

    def is_kept(self, host, *paths):
        for path in paths:
            with self.subTest(host=host, path=path):
                self.assertTrue((host, path) in self.web.pages, self.web.why(host, path))

    def is_not_kept(self, host, *paths):
        for path in paths:
            with self.subTest(host=host, path=path):
                self.assertFalse((host, path) in self.web.pages)

    def ends_as(self, host, causes):
        for path, wanted in causes.items():
            with self.subTest(host=host, path=path):
                why = self.web.why(host, path)
                self.assertIn(why["cause"], wanted.split("|"), why)

    def was_asked(self, host, times):
        for path, wanted in times.items():
            with self.subTest(host=host, path=path):
                self.assertEqual(self.asked(host, path), wanted)

    def paths(self, host):
        return {entry["path"] for entry in self.web.by_host[host]} - set(SITE_FILES)

    # ---- the crawl as a whole ----
    def test_it_ends_by_itself(self):
        self.assertEqual(self.web.code, 0, self.web.stderr[-2000:])
        self.assertLess(self.web.took, SAFETY_NET_S, "the safety net ended it")
        self.assertNotIn("the time was over", self.web.stderr)

    def test_every_host_that_could_be_reached_was_asked_for_robots_first(self):
        for host, entries in self.web.by_host.items():
            with self.subTest(host=host):
                self.assertEqual(entries[0]["path"], "/robots.txt")
        self.assertTrue(all(AGENT in entry["agent"] for entry in self.web.log))

    def test_nothing_off_the_seeds_was_asked(self):
        self.assertTrue(all(entry["host"] in hostile.SITES for entry in self.web.log))
        self.assertFalse([line["url"] for line in self.web.store if "127.0.99" in line["url"]])

    def test_no_worker_died(self):
        status = json.loads(self.magpie("status", "--collection", self.web.collection, "--json"))
        causes = {entry["cause"]: entry["count"] for entry in status["failures"]}
        self.assertNotIn("crashed", causes)
        self.assertNotIn("out-of-memory", causes)

    # ---- robots.txt ----
    def check_robots(self, name, yes, no):
        host = "robots-" + name
        with self.subTest(robots=name):
            self.assertEqual(sorted(p for p in yes if not self.asked(host, p)), [], "allowed and not asked")
            self.assertEqual(sorted(p for p in no if self.asked(host, p)), [], "forbidden and asked")

    def test_robots_4xx_is_no_rules(self):
        for name in ("404", "403", "401", "410", "204", "html", "redirect-6", "redirect-loop"):
            self.check_robots(name, ["/", "/yes", "/no"], [])

    def test_robots_that_cannot_be_read_is_no_access(self):
        for name in ("500", "503", "reset", "silent", "trickle", "redirect-outside"):
            self.check_robots(name, [], ["/", "/yes", "/no"])
            self.assertLessEqual(self.asked("robots-" + name, "/robots.txt"), 3)

    def test_robots_in_every_wrapping_is_read(self):
        for name in ("bom", "cr-lines", "gzip", "wrong-type", "nul", "endless", "redirect-1", "redirect-5", "redirect-host", "other-agent", "too-long-line", "500-then-200"):
            self.check_robots(name, ["/", "/yes"], ["/no"])
        self.check_robots("513kb", ["/", "/yes", "/late"], ["/no"])

    def test_robots_groups_and_patterns(self):
        self.check_robots("merge", ["/", "/yes"], ["/no", "/also"])
        self.check_robots("patterns", ["/", "/yes", "/no.php?x", "/p/free", "/q?y=1"], ["/no.php", "/a%3Cd.html", "/caf%C3%A9/x", "/p/paid", "/q?x=1"])

    def test_why_names_the_line_of_robots(self):
        why = self.web.why("robots-patterns", "/p/paid")
        self.assertEqual(why["cause"], "robots")
        self.assertIn("line 5: Disallow: /p/", why["detail"])

    # ---- meta robots and rights ----
    def test_pages_that_are_not_to_be_found(self):
        noindex = ("noindex", "none", "own-agent", "header-noindex", "header-two", "header-own-agent")
        for name in ("plain", "nofollow", "noimageindex", "other-agent", "header-nofollow", "header-other-agent", "noai") + noindex:
            with self.subTest(page=name):
                self.assertEqual(self.web.pages["meta", "/" + name]["indexed"], name not in noindex)

    def test_links_that_are_not_to_be_followed(self):
        for name in ("nofollow", "none", "own-agent", "header-nofollow", "header-two", "header-own-agent"):
            self.was_asked("meta", {f"/from-{name}": 0})
        for name in ("plain", "noindex", "noimageindex", "other-agent", "header-noindex", "header-other-agent", "noai"):
            self.was_asked("meta", {f"/from-{name}": 1})
        self.was_asked("meta", {"/rel-nofollow": 0, "/rel-nofollow-2": 0, "/rel-both": 1})

    def test_pictures_that_are_not_to_be_found(self):
        hidden = ("noindex", "none", "noimageindex", "own-agent", "header-noindex", "header-two", "header-own-agent", "noai", "tdm-meta", "tdm-header")
        for name in ("plain", "nofollow", "other-agent", "header-other-agent") + hidden:
            with self.subTest(picture=name):
                image = self.web.images.get(("meta", f"/picture-{name}.png"))
                self.assertEqual(bool(image and image["indexed"]), name not in hidden)
        self.assertTrue(self.web.images["meta", "/header-fine.png"]["indexed"])
        self.assertFalse(self.web.images["meta", "/header-noindex.png"]["indexed"])
        self.assertEqual(self.cause("meta", "/header-noindex.png"), "opted-out")

    # ---- throttling ----
    def longest_pause(self, host):
        times = [entry["t"] for entry in self.web.by_host[host]]
        return max(b - a for a, b in zip(times, times[1:]))

    def test_retry_after_rests_the_host_and_the_page_comes_after_all(self):
        for host, least in (("retry-seconds", 2.0), ("retry-date", 1.9), ("retry-none", 1.0), ("retry-junk", 1.0)):
            with self.subTest(host=host):
                self.assertGreaterEqual(self.longest_pause(host), least - 0.05)
                self.assertEqual(self.asked(host, "/2"), 2)
                self.is_kept(host, "/1", "/2", "/3", "/4")
        self.is_kept("retry-past", "/2")

    def test_hosts_that_are_throttled_for_ever_are_given_up(self):
        for host, most in (("retry-year", 4), ("always-503", 8), ("always-429", 10)):
            with self.subTest(host=host):
                self.assertLessEqual(len(self.web.by_host[host]), 2 + most)
                for path in ("/1", "/19"):
                    why = self.web.why(host, path)
                    self.assertEqual(why["cause"], "throttled", why)
        self.assertIn("given up", self.web.why("always-503", "/19")["detail"])

    def test_a_page_that_is_down_does_not_take_its_host_along(self):
        self.is_kept("one-503", *[f"/{i}" for i in range(10) if i != 3])
        self.assertEqual(self.cause("one-503", "/3"), "throttled")

    def test_a_silent_host_is_given_up(self):
        silent = sum(1 for entry in self.web.by_host["silent"] if entry["path"] not in (*SITE_FILES, "/"))
        self.assertLessEqual(silent, 10, "five rests after two time-outs each")
        self.ends_as("silent", {"/0": "timeout", "/9": "timeout"})

    def test_failures_have_causes_and_passing_ones_are_tried_again(self):
        self.ends_as("flaky-500", {"/once": "none", "/always": "status", "/501": "status", "/404": "not-found", "/410": "not-found", "/418": "status"})
        self.was_asked("flaky-500", {"/once": 2, "/always": 3, "/501": 1, "/404": 1, "/410": 1, "/418": 1})

    def test_hosts_that_cannot_be_reached(self):
        refused, unknown, self_signed, no_tls = [self.web.why(seed) for seed in self.more_seeds]
        self.assertEqual(refused["cause"], "connect")
        self.assertEqual(unknown["cause"], "dns")
        self.assertEqual(self_signed["cause"], "tls")
        self.assertEqual(no_tls["cause"], "tls")

    # ---- redirects ----
    def test_redirects_lead_on(self):
        self.is_kept("redirects", *[f"/target-{status}" for status in (301, 302, 303, 307, 308)])
        self.is_kept("redirects", "/chain-0", "/below/target?x=1", "/with%20space/target", "/caf%C3%A9", "/across-end", "/canonical-a", "/canonical-b", "/refresh-self")
        self.is_kept("redirects-2", "/schemeless-target")
        self.assertEqual(self.asked("redirects", "/target-302"), 1)
        image = self.web.images["redirects", "/stays.png"]
        self.assertTrue(image["indexed"])

    def test_redirects_that_lead_nowhere_end(self):
        self.ends_as("redirects", {"/self": "redirects", "/fragment-self": "redirects", "/loop-b": "redirects", "/no-location": "protocol", "/300": "protocol|status",
                                   "/to-private": "scope|guard", "/to-metadata": "scope|guard", "/to-file": "scope", "/to-javascript": "scope", "/to-ftp": "scope",
                                   "/to-data": "scope"})
        self.assertLessEqual(sum(1 for entry in self.web.by_host["redirects"] if entry["path"].startswith("/growing")), 12)
        self.was_asked("redirects", {"/forbidden/x": 0})
        self.assertEqual(self.cause("redirects", "/forbidden/x"), "robots")

    # ---- bodies ----
    def test_slow_answers_end(self):
        self.ends_as("slow", {"/trickled-body": "timeout", "/trickled-head": "timeout", "/silent": "timeout", "/stalls": "timeout"})
        self.is_kept("slow", "/but-comes", "/after-slow")

    def test_bodies_that_lie(self):
        self.ends_as("bodies", {"/endless-chunks": "too-large", "/endless-stream": "too-large", "/length-too-long": "protocol", "/length-huge": "too-large",
                                "/bad-chunk": "protocol", "/huge-chunk": "protocol", "/cut-chunks": "protocol", "/reset": "protocol", "/empty-reply": "protocol"})
        self.is_kept("bodies", "/fine", "/length-too-short", "/short-keep-alive")

    def test_encodings(self):
        for path, title in (("/gzip", "gzip"), ("/x-gzip", "x-gzip"), ("/deflate", "deflate"), ("/raw-deflate", "raw deflate"), ("/identity", "identity"), ("/twice", "twice")):
            with self.subTest(path=path):
                self.assertEqual(self.web.pages["encodings", path]["title"], title)
        self.ends_as("encodings", {"/gzip-bomb": "too-large", "/gzip-bomb-twice": "too-large", "/deflate-bomb": "too-large", "/many": "protocol"})

    def test_what_is_hardly_http(self):
        self.is_kept("protocol", "/fine", "/http-1.0", "/no-headers", "/no-reason", "/lf-only", "/103", "/header-folding", "/header-5000")
        self.ends_as("protocol", {"/ssh": "protocol", "/garbage": "protocol", "/headers-forever": "too-large", "/1xx-forever": "too-large|timeout", "/status-words": "protocol",
                                  "/204": "content-type", "/205": "content-type", "/304": "protocol|status"})

    # ---- pages ----
    def test_heavy_pages_cost_themselves_only(self):
        for path, title in (("/deep", "deep"), ("/deep-mixed", "deep mixed"), ("/attributes", "attributes"), ("/links", "links"), ("/one-line", "one line"),
                            ("/entities", "entities"), ("/comment", "comment"), ("/json-ld", "json-ld"), ("/xhtml", "xhtml"), ("/no-type", "no type")):
            with self.subTest(path=path):
                self.assertEqual(self.web.pages["pages", path]["title"], title)
        self.is_kept("pages", "/from-one-line", "/from-nul", "/from-json-ld", "/from-xhtml")
        self.ends_as("pages", {"/over-limit": "too-large", "/pdf": "content-type"})

    def test_charsets(self):
        for charset, words in hostile._WORDS.items():
            for where in ("meta", "header"):
                with self.subTest(charset=charset, where=where):
                    self.assertEqual(self.web.pages["charsets", f"/{where}-{charset}"]["title"], words)
        for path in ("/header-wins", "/bom-wins"):
            self.assertEqual(self.web.pages["charsets", path]["title"], "\u017dlu\u0165")
        self.assertEqual(self.web.pages["charsets", "/utf-16-bom"]["title"], "sixteen bits")
        self.assertEqual(self.web.pages["charsets", "/utf-16-header"]["title"], "sixteen bits by header")
        self.assertEqual(self.web.pages["charsets", "/unknown"]["title"], "unknown charset")

    # ---- webs without an end ----
    def test_endless_webs_stop_at_the_page_limit(self):
        for host in NEVER_ENDING:
            with self.subTest(host=host):
                self.assertLessEqual(len(self.paths(host)), PAGES_MAX)
        self.assertEqual(len(self.paths("facets")), PAGES_MAX, "the limit is exact")

    def test_session_ids_make_no_new_pages(self):
        asked = {entry["path"] for entry in self.web.by_host["sessions"]}
        self.assertEqual(asked, {*SITE_FILES, "/", "/shop", "/shop?a=1", "/item-1?x=1"})

    def test_pages_that_are_all_the_same_lead_nowhere(self):
        self.assertLess(len(self.paths("same")), PAGES_MAX)

    # ---- answers that are no content ----
    def test_captchas_end_as_such_and_slow_their_host_down(self):
        for host in ("captcha", "captcha-403"):
            with self.subTest(host=host):
                self.assertGreater(self.web.rests(host), 0)
                asked = [path for path in self.paths(host) if path != "/"]
                self.ends_as(host, {path: "captcha" for path in [*asked, "/0", "/19"]})
                self.was_asked(host, {"/behind": 0})
                self.is_not_kept(host, *asked)
        self.assertTrue(self.web.why("captcha", "/0")["fetched"] or self.web.why("captcha", "/0")["detail"])
        self.ends_as("forbidden", {"/0": "status", "/2": "status"})
        self.was_asked("forbidden", {"/behind": 0})

    def test_words_for_slowing_down_are_heard(self):
        self.ends_as("rate-limit", {"/3": "rate-limited"})
        self.assertGreater(self.web.rests("rate-limit"), 0)
        self.is_kept("rate-limit", "/0", "/7")
        self.was_asked("rate-limit", {"/behind": 0})

    def test_error_pages_with_status_200_are_no_pages(self):
        wrong = ("/english", "/german", "/persian", "/gone", "/server")
        self.ends_as("soft-errors", {path: "soft-error" for path in wrong})
        self.is_not_kept("soft-errors", *wrong)
        self.was_asked("soft-errors", {"/behind": 0})
        self.assertIn("page not found", self.web.why("soft-errors", "/english")["detail"])
        lost = [path for path in self.paths("soft404") if path.startswith(("/gone", "/lost"))]
        self.assertGreater(len(lost), 20)
        self.ends_as("soft404", {path: "soft-error" for path in lost[:20]})
        self.assertFalse([path for path in lost if path.endswith("/again")])

    def test_honest_pages_that_look_like_errors_are_kept(self):
        for name in ("product-404", "about-404", "picture-404", "header-login", "newsletter", "film"):
            self.is_kept("soft-errors", "/honest-" + name)
            self.was_asked("soft-errors", {"/from-" + name: 1})

    def test_the_same_words_for_every_address_are_no_content(self):
        self.is_kept("alike", "/real")
        same = [self.cause("alike", path) for path in self.paths("alike") - {"/", "/real"}]
        self.assertEqual(same.count("none"), 20, "crawl.repeats_max of them cannot be told")
        self.assertEqual(same.count("soft-error"), len(same) - 20)
        self.assertGreater(len(same), 40)

    def test_login_walls_are_no_pages(self):
        walls = [path for path in self.paths("login") if path.startswith("/login")]
        self.assertGreater(len(walls), 5)
        self.ends_as("login", {path: "login-wall" for path in walls})
        self.is_not_kept("login", *walls)

    def test_stand_ins_are_not_found(self):
        for i in range(12):
            for name in ("stand-in", "dot"):
                self.assertFalse(self.web.images["placeholders", f"/{name}-{i}.png"]["indexed"])
        self.ends_as("placeholders", {"/dot-0.png": "placeholder"})
        for path in ("/true.png", "/lazy.png"):
            self.assertTrue(self.web.images["placeholders", path]["indexed"], path)

    def test_failures_are_counted_by_cause(self):
        status = json.loads(self.magpie("status", "--collection", self.web.collection, "--json"))
        causes = {entry["cause"]: entry["count"] for entry in status["failures"]}
        for cause in ("soft-error", "captcha", "rate-limited", "login-wall", "placeholder"):
            self.assertGreater(causes.get(cause, 0), 0, cause)

    # ---- cookies ----
    def test_a_cookie_opens_the_gate_and_goes_to_nobody_else(self):
        self.assertEqual(self.web.pages["cookies", "/gate"]["title"], "behind the gate")
        self.assertIn("passed=yes", self.web.pages["cookies", "/behind"]["title"])
        self.assertIn(("cookies", "/wall-2"), self.web.counts)
        self.assertTrue(any(line["title"] == "past the wall" for line in self.web.pages.values()))
        self.assertEqual([entry["path"] for entry in self.web.log if entry["cookie"] and not entry["host"].startswith("cookie")], [])
        self.is_kept("cookie-flood", "/flood", "/0", "/1", "/2")
        self.assertLess(max(len(entry["cookie"]) for entry in self.web.log), 17_000)

    # ---- pictures ----
    def test_pictures(self):
        for path in ("/good.png", "/no-ending", "/wrong-type.png", "/thing-0.png", "/thing-4.png"):
            with self.subTest(path=path):
                self.assertTrue(self.web.images["pictures", path]["indexed"])
        for path in ("/html.png", "/zero.png", "/cut.png", "/bomb.png", "/svg-entity.svg", "/svg-bomb.svg", "/text.jpg", "/404.png", "/endless.png"):
            with self.subTest(path=path):
                image = self.web.images.get(("pictures", path))
                self.assertFalse(image and image["indexed"], image)
        self.is_not_kept("pictures", "/html.png")
        same = {self.web.images["pictures", f"/thing-{i}.png"]["sha256"] for i in range(5)}
        self.assertEqual(len(same), 1, "five addresses of one picture")

    def test_the_largest_of_each_picture_is_asked_for(self):
        self.was_asked("responsive", {"/s-large.png": 1, "/s-small.png": 0, "/p-large.png": 1, "/p-small.png": 0, "/late.png": 1, "/noscript.png": 1})

    # ---- links ----
    def test_links_in_many_forms(self):
        self.was_asked("links", {path: 1 for path in ("/area", "/unquoted", "/single", "/linebreak", "/entity", "/fragment", "/dot/same", "/Case", "/case", "/next",
                                                      "/control%01%02char", "/back/slash", "/space%20in%20path", "/elsewhere/based", "/js-based", "/from-foreign-map",
                                                      "/double//slash", "/credentials")})
        self.was_asked("links", {path: 0 for path in ("/script", "/post", "/style.css", "/preload.js", "/delete?id=1", "/in-comment")})
        injected = [entry for entry in self.web.by_host["links"] if "\n" in entry["path"] or "\r" in entry["path"]]
        self.assertEqual(injected, [])

    # ---- sitemaps ----
    def test_sitemaps(self):
        self.is_kept("sitemaps", "/from-index", "/from-gzip", "/from-big", "/from-broken", "/from-text", "/from-rss")
        self.was_asked("sitemaps", {"/loop.xml": 1, "/loop-2.xml": 1, "/bomb.xml.gz": 1})
        deep = [entry["path"] for entry in self.web.by_host["sitemaps"] if entry["path"].startswith("/deep-")]
        self.assertLessEqual(len(deep), 8, "indexes inside indexes have a limit")

    def test_no_host_was_asked_more_than_two_things_at_once(self):
        # Where the server is done with a request when its answer is out.
        for host in ("polite", "polite-parallel", "facets", "calendar", "charsets"):
            with self.subTest(host=host):
                self.assertLessEqual(max(entry["parallel"] for entry in self.web.by_host[host]), 2)


class Politeness(SystemTest):
    """Delays, rests and parallel limits as the server saw them, with nothing else going on."""

    def test_captchas_slow_their_host_down(self):
        crawl = web.crawl("captchas", [hostile.SITES[name].url() for name in ("captcha", "captcha-403")])
        for host in ("captcha", "captcha-403"):
            times = [entry["t"] for entry in crawl.by_host[host]]
            self.assertLess(len(times), 20, "robots.txt, its front page, and what was under way before each of five rests at most")
            self.assertGreaterEqual(max(b - a for a, b in zip(times, times[1:])), 1.9, "the second rest")

    def test_delay_and_parallel_limits(self):
        crawl = web.crawl("polite", [hostile.SITES[name].url() for name in ("polite", "polite-delay", "polite-parallel")], delay="0.3", per_host=3)
        self.assertEqual(crawl.code, 0, crawl.stderr[-2000:])
        self.assertEqual([len(crawl.by_host[name]) for name in ("polite", "polite-delay", "polite-parallel")], [15, 7, 15])
        for host, delay in (("polite", 0.3), ("polite-parallel", 0.3), ("polite-delay", 1.5)):
            times = [entry["t"] for entry in crawl.by_host[host]]
            # The delay of robots.txt counts from its answer on. A server sees a request a little later than it starts.
            gaps = [b - a for a, b in zip(times[1:], times[2:])]
            self.assertGreaterEqual(min(gaps), delay - 0.03, host)
        self.assertEqual(max(entry["parallel"] for entry in crawl.by_host["polite-parallel"]), 3, "as many as allowed, and no more")

    def test_the_page_limit_is_exact(self):
        crawl = web.crawl("limit", [hostile.SITES[name].url() for name in ("facets", "calendar")], delay="0", per_host=4, pages=17)
        for host in ("facets", "calendar"):
            self.assertEqual(sum(1 for entry in crawl.by_host[host] if entry["path"] not in SITE_FILES), 17)

    def test_what_was_rate_limited_can_be_asked_again(self):
        site = hostile.SITES["rate-limit"]
        while b"Too Many" in urllib.request.urlopen(site.url("/3")).read():
            pass  # every second answer is that
        crawl = web.crawl("retry", [site.url()])
        self.assertEqual(crawl.why("rate-limit", "/3")["cause"], "rate-limited")
        self.magpie("retry", "-C", crawl.collection, "--cause", "rate-limited", "--set", "crawl.allow_loopback=true", "--set", f"crawl.agent={AGENT}")
        why = crawl.why("rate-limit", "/3")
        self.assertEqual(why["cause"], "none", why)


if __name__ == "__main__":
    main()

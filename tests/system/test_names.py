"""Names are looked up by the name servers that the settings give, kept, judged, and what fails says why."""
import json
import urllib.request

from local_web import Names, Web
from magpie_system import AGENT, SITE_FILES, SystemTest, answers, free_port, main, wait_for


def page(request):
    if request.path == "/robots.txt":
        return 404, {}, ""
    links = "".join(f'<a href="/p{i}">{i}</a>' for i in range(5))
    return 200, {}, f"<title>{request.host}{request.path}</title><p>A page of {request.host}.</p>{links}"


class NameServers(SystemTest):
    def setUp(self):
        super().setUp()
        self.web = Web(page)
        self.addCleanup(self.web.stop)

    def names(self, answer):
        names = Names(answer)
        self.addCleanup(names.stop)
        return names

    def crawl(self, collection, names, hosts, *words):
        return self.magpie(*self.crawl_words(collection, [self.web.url(host) for host in hosts]), "--set", "net.resolvers=" + ",".join(one.address for one in names),
                           "--set", "net.dns_timeout=300ms", "--set", "crawl.retry_delay=100ms", *words)

    def why(self, collection, url):
        return self.magpie("why", "--collection", collection, url)

    def test_each_name_is_asked_for_once_and_failures_say_why(self):
        broken = self.names(lambda name, number: 2)
        silent = self.names(lambda name, number: None)
        good = self.names(lambda name, number: "127.0.0.1" if name in ("one.test", "two.test") else 3)
        collection = self.folder / "c"
        self.crawl(collection, [broken, silent, good], ["one.test", "two.test", "gone.test"])
        for host in ("one.test", "two.test"):
            self.assertEqual(sorted(self.web.asked(host)), sorted(("GET", path) for path in [*SITE_FILES, "/", *(f"/p{i}" for i in range(5))]))
            self.assertEqual(good.asked.count(host), 1)
        self.assertEqual(good.asked.count("gone.test"), 1, "that it is not there is remembered over the retries")
        self.assertIn("dns", self.why(collection, self.web.url("gone.test")))
        self.assertIn("Domain name not found", self.why(collection, self.web.url("gone.test")))

    def test_a_name_that_changes_its_address_leads_nowhere_else(self):
        # Public at first sight, then this machine's: without a judged and kept address that is how a page reaches what is behind a firewall.
        names = self.names(lambda name, number: {"inner.test": "127.0.0.1", "meta.test": "169.254.169.254"}.get(name, "192.0.2.1" if number == 0 else "127.0.0.1"))
        collection = self.folder / "c"
        words = ["crawl", "--collection", collection, "--agent", AGENT, "--delay", "0", "--set", f"net.resolvers={names.address}", "--set", "crawl.retry_delay=100ms"]
        self.magpie(*words, *[self.web.url(host) for host in ("inner.test", "meta.test", "rebinding.test")])
        self.assertEqual(self.web.requests, [])
        self.assertIn("127.0.0.1 is loopback", self.why(collection, self.web.url("inner.test")))
        self.assertIn("169.254.169.254 is link-local", self.why(collection, self.web.url("meta.test")))
        self.assertIn("192.0.2.1 is documentation", self.why(collection, self.web.url("rebinding.test")))
        self.assertEqual(names.asked.count("rebinding.test"), 1)

    def test_metrics_count_what_was_asked(self):
        names = self.names(lambda name, number: "127.0.0.1" if name == "one.test" else 3)
        collection = self.folder / "c"
        self.magpie("init", collection)
        port = free_port()
        process = self.start("serve", "--collection", collection, "--port", port, "--set", "crawl.allow_loopback=true", "--set", f"crawl.agent={AGENT}", "--set",
                             f"net.resolvers={names.address}", "--set", "crawl.retry_delay=100ms")
        wait_for("magpie serve", lambda: answers(port) or process.poll() is not None)
        base = f"http://127.0.0.1:{port}"
        body = json.dumps({"seeds": [self.web.url("one.test"), self.web.url("gone.test")], "options": {"delay_ms": 0}}).encode()
        job = self.get_json(base + "/api/v1/jobs", data=body, headers={"Content-Type": "application/json"}, method="POST")["job_id"]
        wait_for("the crawl's end", lambda: self.get_json(f"{base}/api/v1/jobs/{job}")["state"] == "finished")
        with urllib.request.urlopen(base + "/metrics", timeout=30) as answer:
            lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))
        self.assertEqual(lines["magpie_dns_misses_total"], "2")
        self.assertEqual(lines["magpie_dns_failures_total"], "1")
        self.assertGreaterEqual(int(lines["magpie_dns_hits_total"]), 6)
        self.assertEqual(lines["magpie_dns_seconds_count"], "2")

    def test_a_server_that_is_none_is_refused_with_its_setting(self):
        collection = self.folder / "c"
        self.magpie(*self.crawl_words(collection, [self.web.url("one.test")]), "--set", "net.resolvers=dns.example", code=3)
        self.assertIn("net.resolvers", self.stderr)


if __name__ == "__main__":
    main()

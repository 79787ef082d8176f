"""Outside its windows a crawl rests, says until when, and goes on by itself."""
import json
from datetime import datetime, timedelta, timezone

from local_web import Web
from magpie_system import AGENT, SystemTest, answers, free_port, main, wait_for


class Windows(SystemTest):
    def setUp(self):
        super().setUp()
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)

    def answer(self, request):
        if request.path == "/robots.txt":
            return 404, {}, ""
        if request.path == "/.well-known/tdmrep.json":
            return 404, {}, ""
        return 200, {}, f'<title>{request.path}</title><p>A page</p><a href="/b">b</a>'

    def serve(self, *settings):
        collection = self.folder / "c"
        self.magpie("init", collection)
        port = free_port()
        words = [word for setting in ("crawl.allow_loopback=true", f"crawl.agent={AGENT}", *settings) for word in ("--set", setting)]
        process = self.start("serve", "--collection", collection, "--port", port, *words)
        wait_for("magpie serve", lambda: answers(port) or process.poll() is not None)
        return collection, f"http://127.0.0.1:{port}/api/v1/jobs"

    def test_it_rests_and_says_until_when(self):
        now = datetime.now(timezone.utc)
        opens = (now + timedelta(hours=3)).replace(second=0, microsecond=0)
        collection, jobs = self.serve(f"crawl.windows={opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}", "crawl.time_zone=UTC")
        body = json.dumps({"seeds": [f"http://127.0.0.1:{self.web.port}/"], "options": {"delay_ms": 0}}).encode()
        job = f"{jobs}/{self.get_json(jobs, data=body, headers={'Content-Type': 'application/json'}, method='POST')['job_id']}"
        until = wait_for("the rest", lambda: self.get_json(job)["progress"]["rests_until"])
        self.assertEqual(datetime.fromisoformat(until.replace("Z", "+00:00")), opens)
        wait_for("its line in the status", lambda: f"rests until {opens:%Y-%m-%dT%H:%M:%SZ}" in self.magpie("status", "--collection", collection))
        self.assertEqual(self.web.requests, [])
        self.get_json(job + "/cancel", data=b"{}", headers={"Content-Type": "application/json"}, method="POST")
        wait_for("the cancel", lambda: self.get_json(job)["state"] == "cancelled")
        self.assertIsNone(self.get_json(job)["progress"]["rests_until"])

    def test_it_goes_on_when_the_next_window_opens(self):
        now = datetime.now(timezone.utc)
        opens = (now + timedelta(seconds=70)).replace(second=0, microsecond=0)
        collection = self.folder / "c"
        self.magpie(*self.crawl_words(collection, [f"http://127.0.0.1:{self.web.port}/"]), "--set",
                    f"crawl.windows={opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}", "--set", "crawl.time_zone=UTC")
        self.assertGreaterEqual(datetime.now(timezone.utc), opens)
        self.assertEqual(len(self.store(collection)[0]), 2)

    def test_windows_that_are_none_are_refused(self):
        self.magpie(*self.crawl_words(self.folder / "c", [f"http://127.0.0.1:{self.web.port}/"]), "--set", "crawl.windows=noon", code=2)
        self.assertIn("crawl.windows", self.stderr)
        self.magpie("retry", "-C", self.folder / "c", code=1)
        self.assertIn("nothing was crawled yet", self.stderr)


if __name__ == "__main__":
    main()

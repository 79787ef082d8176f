"""A crawl that is cancelled in a running server goes on with what was left when it is started again."""
import json

from magpie_system import AGENT, SITE_FILES, SystemTest, answers, free_port, main, wait_for


class Cancel(SystemTest):
    def test_a_cancelled_crawl_goes_on_where_it_stopped(self):
        shop = self.shop(latency=5)
        collection = self.folder / "c"
        self.magpie("init", collection)
        port = free_port()
        process = self.start("serve", "--collection", collection, "--port", port, "--set", "crawl.allow_loopback=true", "--set", f"crawl.agent={AGENT}")
        wait_for("magpie serve", lambda: answers(port) or process.poll() is not None)
        jobs = f"http://127.0.0.1:{port}/api/v1/jobs"

        def post(url, body):
            return self.get_json(url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST")

        crawl = {"seeds": shop.seeds(2), "options": {"delay_ms": 20, "requests_per_host": 1}}
        job = f"{jobs}/{post(jobs, crawl)['job_id']}"
        wait_for("some requests", lambda: len(shop.requests()) > 400)  # by then few pages bring links that would wake their host
        post(job + "/cancel", {})
        wait_for("the cancel", lambda: self.get_json(job)["state"] == "cancelled")
        asked = len(shop.requests())
        self.assertGreater(self.get_json(job)["progress"]["queued"], 50, "too little was left for this test to say anything")

        self.assertEqual(f"{jobs}/{post(jobs, crawl)['job_id']}", job, "the same crawl goes on under its number")
        wait_for("requests of the second run", lambda: len(shop.requests()) > asked + 60 or self.get_json(job)["state"] == "finished")
        self.assertGreater(len(shop.requests()), asked + 60, "it ended with addresses waiting")
        self.assertEqual({r: n for r, n in shop.counts().items() if n > 1 and r[1] not in SITE_FILES and "/broken/" not in r[1]}, {}, "asked for again")


if __name__ == "__main__":
    main()

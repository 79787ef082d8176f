"""magpie serve with a crawl handed to it: pictures are findable while the crawl runs, and everything is there after a restart."""
import json
import shlex
import signal
import subprocess
import time
import urllib.error
import urllib.request

from magpie_system import AGENT, MAGPIE, SystemTest, answers, free_port, main, wait_for


class Serve(SystemTest):
    def serve(self, collection):
        port = free_port()
        process = self.start("serve", "--collection", collection, "--port", port, "--set", "crawl.allow_loopback=true", "--set", f"crawl.agent={AGENT}")
        wait_for("magpie serve", lambda: answers(port) or process.poll() is not None)
        self.assertIsNone(process.poll(), (self.folder / "stderr.log").read_text()[-2000:])
        return process, f"http://127.0.0.1:{port}"

    def test_findable_within_seconds_while_the_crawl_runs(self):
        shop = self.shop(latency=20)
        collection = self.folder / "c"
        self.magpie("init", collection)
        process, base = self.serve(collection)
        self.assertEqual(self.get_json(base + "/api/v1/search")["total"], 0)
        crawl = subprocess.Popen([MAGPIE, *map(str, self.crawl_words(collection, shop.seeds(2), delay="0.005", per_host=4))],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.kill, crawl)
        wait_for("the first findable picture", lambda: self.get_json(base + "/api/v1/search")["total"] > 0, 30)
        self.assertIsNone(crawl.poll(), "the crawl should still run")
        jobs = self.get_json(base + "/api/v1/jobs")
        self.assertEqual((jobs["total"], jobs["jobs"][0]["state"]), (1, "running"))
        with urllib.request.urlopen(base + "/api/v1/events", timeout=20) as events:
            self.assertEqual(events.headers["content-type"].split(";")[0], "text/event-stream")
            seen = {events.readline().decode().strip() for _ in range(200)}
            self.assertTrue({"event: progress", "event: image"} <= seen, seen)
        wait_for("the end of the crawl", lambda: crawl.poll() is not None, 180)
        self.assertEqual(crawl.returncode, 0)

        answer = self.get_json(base + "/api/v1/search?q=penguin&facets=true&limit=5")
        self.assertGreater(answer["total"], 0)
        self.assertIn("enguin", answer["hits"][0]["title"])
        self.assertEqual(sum(v["count"] for v in answer["facets"]["shop"]), answer["total"])
        hit = answer["hits"][0]
        with urllib.request.urlopen(base + hit["thumbnail"]) as thumbnail:
            body = thumbnail.read()
            self.assertIn("immutable", thumbnail.headers["cache-control"])
            tag = thumbnail.headers["etag"]
        with self.assertRaises(urllib.error.HTTPError) as unchanged:
            urllib.request.urlopen(urllib.request.Request(base + hit["thumbnail"], headers={"If-None-Match": tag}))
        self.assertEqual(unchanged.exception.code, 304)
        by_picture = self.get_json(base + "/api/v1/search", data=body, headers={"Content-Type": "image/jpeg"}, method="POST")
        self.assertEqual(by_picture["hits"][0]["image_id"], hit["image_id"], "a picture finds itself first")
        like = self.get_json(f"{base}/api/v1/search?like={hit['image_id']}")
        self.assertNotIn(hit["image_id"], [h["image_id"] for h in like["hits"]])
        with urllib.request.urlopen(base + "/metrics") as metrics:
            self.assertIn(b"magpie_", metrics.read())
        self.assertEqual(urllib.request.urlopen(base + "/healthz").status, 200)

        found = json.loads(self.magpie("search", "--collection", collection, "--json", "penguin"))
        self.assertEqual(found["total"], answer["total"], "the command line and the server agree")
        other = self.get_json(base + "/api/v1/search?q=-penguin&limit=1")["hits"][0]["image_id"]
        for words in (["--sort", "price", "--facets", "--", "penguin"], ["--like", f"{hit['image_id']}*0.5", "--unlike", other, "--beyond"],
                      ["--image", self.write("phone.jpg", body), "--pixels-min", 1000]):
            self.check_spellings(collection, base, words)
        self.kill(process)
        process, base = self.serve(collection)
        self.assertEqual(self.get_json(base + "/api/v1/search?q=penguin")["total"], answer["total"], "all is there after kill -9")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=20), 0)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def check_spellings(self, collection, base, words):
        """The same hits here, from the server, and asked for as an address, as JSON and as a command."""
        def ask(*asked):
            answer = json.loads(self.magpie("search", "--json", *asked))
            return answer["total"], [hit["image_id"] for hit in answer["hits"]], answer.get("facets")
        wanted = ask("--collection", collection, *words)
        self.assertGreater(wanted[0], 0, words)
        self.assertEqual(ask("--server", base, *words), wanted)
        if "--image" in words:
            return  # a file of this machine is in no address
        for spelling in ("url", "json", "command"):
            spelt = self.magpie("search", "--as", spelling, *words).strip()
            again = shlex.split(spelt)[2:] if spelling == "command" else ["--query", spelt]
            facets = ["--facets"] if "--facets" in words else []
            self.assertEqual(ask("--server", base, *facets, *again), wanted, spelt)

    def test_other_origins_and_host_names_are_refused(self):
        collection = self.folder / "c"
        self.magpie("init", collection)
        _, base = self.serve(collection)
        for code, headers, url in ((421, {"Host": "evil.example"}, "/api/v1/search"), (403, {"Origin": "http://evil.example"}, "/api/v1/jobs")):
            request = urllib.request.Request(base + url, headers={**headers, "Content-Type": "application/json"}, data=b"{}" if "Origin" in headers else None)
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            self.assertEqual(refused.exception.code, code, headers)

    def test_one_manager_per_collection(self):
        collection = self.folder / "c"
        self.magpie("init", collection)
        self.serve(collection)
        self.magpie("serve", "--collection", collection, "--port", free_port(), code=3)
        self.assertIn("managed by process", self.stderr)


if __name__ == "__main__":
    main()

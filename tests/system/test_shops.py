#!/usr/bin/env python3
"""Shops as jobs: added, previewed, activated, paused and scheduled, by command and by editing their file."""
import json
import os
import signal
import sqlite3
import urllib.error

from magpie_system import AGENT, SystemTest, free_port, answers, main, wait_for


class Shops(SystemTest):
    def setUp(self):
        super().setUp()
        self.shop = self.shop()
        self.address = f"http://127.0.0.2:{self.shop.port}/"
        self.name = f"127.0.0.2_{self.shop.port}"
        self.collection = self.folder / "shops"
        self.file = self.collection / "shops" / f"{self.name}.yaml"

        # Where previews are made: of this test alone, so that what they leave can be told.
        self.scratch = self.folder / "scratch"
        self.scratch.mkdir()
        before = os.environ.get("TMPDIR")
        os.environ["TMPDIR"] = str(self.scratch)
        self.addCleanup(lambda: os.environ.pop("TMPDIR") if before is None else os.environ.update(TMPDIR=before))

    def command(self, action, *words, **options):
        return self.magpie("shop", action, *words, "--collection", self.collection, **options)

    def known(self):
        return json.loads(self.command("list", "--json").splitlines()[0])

    def test_add_preview_run_and_yield(self):
        self.command("add", self.address, "--profile", "any", "--delay", "0", "--every", "1d")
        self.assertIn(f"address: {self.address}", self.file.read_text())
        self.assertEqual({key: self.known()[key] for key in ("name", "state", "schedule", "standing")},
                         {"name": self.name, "state": "queued", "schedule": "every 1d", "standing": "not crawled yet"})
        # Ten products as they will be read, and nothing kept.
        *products, yields = map(json.loads, self.command("preview", self.name, "--agent", AGENT, "--allow-loopback", "--json").splitlines())
        self.assertEqual(len(products), 10)
        for product in products:
            self.assertTrue(product["name"] and product["price"] and product["currency"] == "EUR" and product["width"] >= 420, product)
        self.assertEqual(yields["share_with_price"], 1)
        self.assertTrue(0 < yields["share_with_picture"] < 1, "copies of other shops' pictures are smaller than 500 px")
        self.assertFalse((self.collection / "catalog.db").exists())
        self.assertEqual([path for _, path in self.shop.requests() if path == "/cart" or path.startswith("/private/")], [])
        before = len(self.shop.requests())
        # Here and now, whatever its state; then what it has brought, and what that cost.
        self.command("run", self.name, "--agent", AGENT, "--allow-loopback", "--max-pages", "30", "--set", "crawl.pictures=describe")
        shown, brought = map(json.loads, self.command("show", self.name, "--json").splitlines())
        self.assertIn("crawled", shown["standing"])
        self.assertGreaterEqual(brought["products"], 10)
        self.assertEqual((brought["share_with_price"], brought["share_with_brand"]), (1, 1))
        self.assertEqual(brought["share_complete"], brought["share_with_picture"])
        self.assertEqual(brought["products_new"], brought["products"])
        first = brought["requests_per_new_product"] * brought["products_new"]
        self.assertAlmostEqual(first, len([host for host, _ in self.shop.requests() if host.startswith("127.0.0.2")]) - before)
        self.assertGreater(brought["bytes_per_new_product"], 1000)
        self.assertGreater(brought["seconds_per_new_product"], 0)
        # A second crawl that finds nothing new makes each new product dearer.
        self.command("run", self.name, "--agent", AGENT, "--allow-loopback", "--max-pages", "30", "--set", "crawl.pictures=describe")
        _, again = map(json.loads, self.command("show", self.name, "--json").splitlines())
        self.assertEqual(again["products_new"] - again["products"], brought["products_new"] - brought["products"])
        self.assertGreater(again["requests_per_new_product"] * again["products_new"], first)

    def test_a_profile_changes_what_is_followed_and_what_counts(self):
        profile = self.folder / "planes.yaml"
        profile.write_text("words: [spacecraft]\navoid: [motorcycles]\nfields: [gtin]\npicture_side_min: 601\nclasses: {plane: [plane, flugzeug]}\n")
        self.command("add", self.address, "--profile", profile, "--delay", "0")
        *_, yields = map(json.loads, self.command("preview", self.name, "--agent", AGENT, "--allow-loopback", "--json").splitlines())
        self.assertEqual((yields["share_with_picture"], yields["share_complete"]), (0, 0))
        self.assertIn("other", yields["classes"])

    def test_a_server_crawls_what_is_active_and_due(self):
        self.command("add", self.address, "--delay", "1", "--max-pages", "1000")
        port = free_port()
        server = self.start("serve", "--collection", self.collection, "--port", port, "--set", f"crawl.agent={AGENT}",
                            "--set", "crawl.allow_loopback=true", "--set", "crawl.pictures=archive")
        wait_for("the server", lambda: answers(port))
        jobs = lambda: self.get_json(f"http://127.0.0.1:{port}/api/v1/jobs")["jobs"]
        self.command("list")
        self.assertEqual(jobs(), [], "a queued shop is not crawled")
        self.command("activate", self.name)
        wait_for("its crawl", lambda: [job["state"] for job in jobs()] == ["running"])
        wait_for("some pages", lambda: jobs()[0]["progress"]["pages_fetched"] >= 2)
        # Paused by its file: the crawl stops, and goes on under its number when the shop is active again.
        self.file.write_text(self.file.read_text().replace("state: active", "state: paused"))
        wait_for("its end", lambda: jobs()[0]["state"] == "cancelled")
        self.assertIn("paused", jobs()[0]["message"])
        before = jobs()[0]["progress"]["pages_fetched"]
        self.command("activate", self.name)
        wait_for("more pages", lambda: jobs()[0]["progress"]["pages_fetched"] > before)
        self.assertEqual(len(jobs()), 1)
        # A file that does not read harms no other.
        (self.collection / "shops" / "broken.yaml").write_text("address: [\n")
        self.command("deactivate", self.name)
        wait_for("its end", lambda: jobs()[0]["state"] == "cancelled")
        self.kill(server, signal.SIGTERM)

    def serve(self, *settings):
        self.magpie("init", self.collection)
        port = free_port()
        server = self.start("serve", "--collection", self.collection, "--port", port, "--set", f"crawl.agent={AGENT}",
                            "--set", "crawl.allow_loopback=true", *settings)
        wait_for("the server", lambda: answers(port))
        base = f"http://127.0.0.1:{port}/api/v1/"

        def api(path, body=None, code=None):
            data = None if body is None else json.dumps(body).encode()
            try:
                answer = self.get_json(base + path, data=data, headers={"Content-Type": "application/json"})
                self.assertIsNone(code, f"{path} was answered")
                return answer
            except urllib.error.HTTPError as problem:
                said = json.load(problem)
                self.assertEqual(said["code"], code, said)
                return said["detail"]
        return server, api

    def test_the_api_does_what_commands_do(self):
        server, api = self.serve("--set", "crawl.pictures=describe")
        # What it would bring, of an address that is no shop yet: with pictures, and nothing kept.
        preview = api("previews", {"address": self.address, "delay": "0s", "count": 4})
        self.assertEqual(preview["state"], "running")
        again = api("previews", {"address": self.address, "delay": "0s", "count": 4})
        self.assertEqual(again["preview_id"], preview["preview_id"], "one of the same shop is given in its place")
        wait_for("its end", lambda: api(f"previews/{preview['preview_id']}")["state"] == "finished")
        preview = api(f"previews/{preview['preview_id']}")
        self.assertEqual([product["price"]["currency"] for product in preview["products"]], ["EUR"] * 4)
        self.assertEqual(preview["yield"]["share_with_price"], 1)
        pictured = [product for product in preview["products"] if product["thumbnail"]]
        self.assertTrue(pictured and all(product["width"] >= 420 for product in pictured))
        self.assertEqual(api("stats")["pages"], 0)
        self.assertEqual(api("shops")["shops"], [])
        # Added, and seen by commands; changed by a command, and seen by the API.
        shop = api("shops", {"address": self.address, "profile": "art", "delay": "0s", "max_pages": 12, "schedule": {"every": "1d"}})
        self.assertEqual((shop["name"], shop["state"], shop["next_at"]), (self.name, "queued", None))
        self.assertIn("profile: art", self.file.read_text())
        self.command("schedule", self.name, "--at", "6:00")
        self.command("pause", self.name)
        shop = api(f"shops/{self.name}")
        self.assertEqual((shop["schedule"], shop["state"]), ({"at": ["06:00"]}, "paused"))
        # Run by a command beside the server, though it is paused: by the server, with its profile.
        self.command("run", self.name, "--max-pages", "5", "--json")
        self.assertIn("handed to the running magpie serve as job 1", self.stderr)
        job = api(f"shops/{self.name}")["job"]
        self.assertEqual((job["state"], job["options"]["pages_per_host_max"]), ("finished", 5))
        settings = sqlite3.connect(self.collection / "catalog.db").execute("SELECT settings FROM jobs").fetchone()[0]
        self.assertEqual(json.loads(settings)["profile"], "art")
        brought = wait_for("its yield", lambda: api(f"shops/{self.name}")["yield"])
        self.assertEqual(brought["products_new"], brought["products"])
        # Active, it is crawled; removed, that crawl stops and what it has brought stays.
        api(f"shops/{self.name}/change", {"state": "active", "delay": "1s", "max_pages": None, "schedule": None})
        self.assertNotIn("max_pages", self.file.read_text())
        self.assertIsNone(api(f"shops/{self.name}")["next_at"], "it was crawled, and is to be once")
        api(f"shops/{self.name}/run", {})
        api(f"shops/{self.name}/run", {}, code="job_running")
        wait_for("some pages", lambda: api(f"shops/{self.name}")["job"]["progress"]["pages_fetched"] >= 2)
        self.assertIn("is being crawled", api("previews", {"shop": self.name}, code="shop_busy"))
        api(f"shops/{self.name}/remove", {})
        self.assertFalse(self.file.exists())
        wait_for("its end", lambda: api("jobs")["jobs"][0]["state"] == "cancelled")
        self.assertGreater(api("stats")["pages"], 2)
        self.kill(server, signal.SIGTERM)

    def test_commands_beside_a_server_go_through_it(self):
        server, api = self.serve("--set", "crawl.pictures=describe")
        profile = self.folder / "planes.yaml"
        profile.write_text("words: [spacecraft]\nfields: [price]\nclasses: {plane: [plane, flugzeug]}\n")
        self.command("add", self.address, "--profile", profile, "--delay", "0", "--max-pages", "1000")
        *products, yields = map(json.loads, self.command("preview", self.name, "--count", "5", "--json").splitlines())
        self.assertEqual([product["currency"] for product in products], ["EUR"] * 5)
        self.assertTrue(any(product["width"] >= 420 for product in products))
        self.assertEqual((yields["share_with_price"], yields["share_complete"]), (1, 1))
        self.assertGreater(yields["classes"]["other"], 0)
        self.assertEqual(api("previews/1")["state"], "finished")
        self.command("preview", self.name, "--count", "500", code=2)
        self.assertIn("count must be a whole number from 1 to 50", self.stderr)
        # Of a host that refuses, why; one that is slow ends soon with its server.
        preview = api("previews", {"address": "http://127.0.0.2:9/"})
        wait_for("its end", lambda: api(f"previews/{preview['preview_id']}")["state"] == "finished")
        self.assertIn("127.0.0.2:9/: connect", api(f"previews/{preview['preview_id']}")["message"])
        # Paused, and crawled by hand all the same, until somebody pauses it once more.
        self.command("pause", self.name)
        hand = self.start("shop", "run", self.name, "--delay", "1", "--collection", self.collection)
        wait_for("some pages", lambda: (api(f"shops/{self.name}")["job"] or {"progress": {"pages_fetched": 0}})["progress"]["pages_fetched"] >= 4)
        self.command("pause", self.name)
        wait_for("its end", lambda: api(f"shops/{self.name}")["job"]["state"] == "cancelled")
        hand.wait(timeout=60)
        self.assertEqual(api(f"shops/{self.name}")["profile"], str(profile))
        self.command("remove", self.name)
        self.assertEqual(api("shops")["shops"], [])
        # A preview under way is stopped by its asker, or ends with the server, and leaves nothing behind.
        slow = api("previews", {"address": self.address, "delay": "1s", "profile": "art"})
        wait_for("a page", lambda: api(f"previews/{slow['preview_id']}")["pages"] >= 1)
        api(f"previews/{slow['preview_id']}/cancel", {})
        wait_for("its end", lambda: api(f"previews/{slow['preview_id']}")["state"] == "cancelled")
        api("previews", {"address": self.address, "delay": "1s", "profile": "art"})
        self.kill(server, signal.SIGTERM)
        self.assertEqual(server.returncode, 0)
        self.assertEqual(list(self.scratch.glob("magpie-preview-*")), [])

    def test_the_api_refuses_in_the_words_of_commands(self):
        _, api = self.serve()
        api("shops", {"address": self.address, "name": "mine"})
        secret = self.folder / "secret.yaml"
        secret.write_text("password: x\n")
        for path, body, code, said in (("shops", {"address": self.address, "name": "mine"}, "shop_exists", "there is a shop 'mine' already"),
                                       ("shops", {"address": "ftp://a.test"}, "shop_invalid", "'ftp://a.test' is no http or https address"),
                                       ("shops", {"address": self.address, "name": "../../x"}, "shop_invalid", "name: '../../x' is none"),
                                       ("shops/mine/change", {"profile": "cars"}, "shop_invalid", "there is no profile 'cars'; Magpie has any, art, fashion"),
                                       ("shops/mine/change", {"profile": str(secret)}, "shop_invalid", "is a file"),
                                       ("shops/mine/change", {"state": "on"}, "shop_invalid", "state: 'on' is none of queued, active, paused, inactive"),
                                       ("shops/mine/change", {"schedule": {"at": ["25:00"]}}, "shop_invalid", "'25:00' is no time of day like 06:00"),
                                       ("shops/mine/change", {"schedule": {"every": "1s"}}, "shop_invalid", "at least 1m"),
                                       ("shops/mine/change", {"max_pages": 0}, "shop_invalid", "max_pages: '0' is no whole number"),
                                       ("shops/mine/run", {"agent": "two words"}, "crawl_disabled", "must be one word"),
                                       ("shops/yours/run", {}, "shop_not_found", "there is no shop 'yours'; there is mine")):
            self.assertIn(said, api(path, body, code=code))
        # A file that does not read is named, and harms no other; until it is mended nothing can be done to it.
        (self.collection / "shops" / "broken.yaml").write_text("address: [\n")
        listed = api("shops")
        self.assertEqual([shop["name"] for shop in listed["shops"]], ["mine"])
        self.assertIn("broken.yaml", listed["problems"][0])
        self.assertIn("broken.yaml", api("shops/broken/change", {"state": "active"}, code="shop_invalid"))

    def test_what_is_wrong_is_said(self):
        self.command("add", self.address)
        self.command("add", self.address, code=3)
        self.assertIn("there is a shop", self.stderr)
        for words, code, said in ((("activate", "nobody"), 1, f"there is no shop 'nobody'; there is {self.name}"),
                                  (("schedule", self.name), 2, "say when"), (("schedule", self.name, "--at", "25:00"), 2, "no time of day"),
                                  (("schedule", self.name, "--every", "1s"), 2, "at least 1m"), (("dance", self.name), 2, "nothing that magpie shop does"),
                                  (("activate", self.name, "--profile", "cars"), 1, "there is no profile 'cars'; Magpie has any, art, fashion")):
            self.command(*words, code=code)
            self.assertIn(said, self.stderr)
        self.command("schedule", self.name, "--at", "6:00,18:30")
        self.assertIn('schedule: {at: ["06:00", "18:30"]}', self.file.read_text())
        self.file.write_text(self.file.read_text() + "colour: red\n")
        self.command("list", code=1)
        self.assertIn(f"{self.name}.yaml: colour: no key of a shop", self.stderr)


if __name__ == "__main__":
    main()

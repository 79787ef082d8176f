#!/usr/bin/env python3
"""Shops as jobs: added, previewed, activated, paused and scheduled, by command and by editing their file."""
import json
import signal

from magpie_system import AGENT, SystemTest, free_port, answers, main, wait_for


class Shops(SystemTest):
    def setUp(self):
        super().setUp()
        self.shop = self.shop()
        self.address = f"http://127.0.0.2:{self.shop.port}/"
        self.name = f"127.0.0.2_{self.shop.port}"
        self.collection = self.folder / "shops"
        self.file = self.collection / "shops" / f"{self.name}.yaml"

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
        # Here and now, whatever its state; then what it has brought, and what that cost.
        self.command("run", self.name, "--agent", AGENT, "--allow-loopback", "--max-pages", "30", "--set", "crawl.pictures=describe")
        shown, brought = map(json.loads, self.command("show", self.name, "--json").splitlines())
        self.assertIn("crawled", shown["standing"])
        self.assertGreaterEqual(brought["products"], 10)
        self.assertEqual((brought["share_with_price"], brought["share_with_brand"]), (1, 1))
        self.assertEqual(brought["share_complete"], brought["share_with_picture"])
        self.assertGreater(brought["requests_per_product"], 1)
        self.assertGreater(brought["bytes_per_product"], 1000)
        self.assertGreater(brought["seconds_per_product"], 0)

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

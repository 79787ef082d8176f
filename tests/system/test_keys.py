#!/usr/bin/python3
"""magpie keys and serve: beyond loopback nobody asks without a key, keys are shown once, and a revoked one is refused at once."""
import json
import os
import stat
import urllib.error
import urllib.request

import magpie_system
from magpie_system import SystemTest, wait_for


class TestKeys(SystemTest):
    def setUp(self):
        super().setUp()
        self.collection = self.folder / "collection"
        self.magpie("init", self.collection)

    def keys(self, *words, code=0):
        return self.magpie("keys", *words, "--collection", self.collection, code=code)

    def status(self, path, key=None, method="GET"):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            self.problem = json.load(refused)
            return refused.code

    def serve(self, *words):
        self.port = magpie_system.free_port()
        process = self.start("serve", "--port", self.port, "--collection", self.collection, *words)
        wait_for("the server", lambda: magpie_system.answers(self.port))
        return process

    def test_beyond_loopback_a_key_is_needed(self):
        self.magpie("serve", "--bind", "0.0.0.0", "--port", magpie_system.free_port(), "--collection", self.collection, code=1)
        self.assertIn("magpie keys add", self.stderr)
        reader = self.keys("add", "reader").strip()
        owner = json.loads(self.keys("add", "owner", "--scope", "manage", "--expires", "30d", "--json"))["key"]
        file = self.collection / "keys"
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        self.assertNotIn(reader[4:], file.read_text())
        self.assertEqual([json.loads(line)["name"] for line in self.keys("list", "--json").splitlines()], ["owner", "reader"])
        self.keys("add", "reader", code=3)
        self.keys("add", "two words", code=2)

        self.serve("--bind", "0.0.0.0")
        self.assertEqual(self.status("/healthz"), 200)
        self.assertEqual(self.status("/api/v1/stats"), 401)
        self.assertEqual(self.status("/api/v1/stats", "mgp_wrong"), 401)
        self.assertEqual(self.status("/api/v1/stats", reader), 200)
        self.assertEqual(self.status("/api/v1/images/1", reader, "DELETE"), 403)
        self.assertEqual(self.problem["code"], "scope_missing")
        self.assertEqual(self.status("/api/v1/images/1", owner, "DELETE"), 404, "there is no picture yet")
        self.keys("revoke", "reader")
        self.assertEqual(self.status("/api/v1/stats", reader), 401)
        self.assertEqual(self.status("/api/v1/stats", owner), 200)
        # Commands of the collection's owner need none: the socket is theirs.
        self.magpie("forget", "host", "nobody.test", "--yes", "--collection", self.collection, code=1)
        self.assertIn("nothing is known", self.stderr)
        log = (self.folder / "stderr.log").read_text()
        self.assertNotIn(reader, log)
        self.assertNotIn(owner, log)

    def test_on_loopback_none_is_needed_and_an_open_server_may_be_read(self):
        process = self.serve()
        self.assertEqual(self.status("/api/v1/stats"), 200)
        self.kill(process)
        self.serve("--bind", "0.0.0.0", "--set", "serve.open=true", "--set", "serve.rate=1", "--set", "serve.burst=3")
        self.assertEqual([self.status("/api/v1/stats") for _ in range(3)], [200, 200, 200])
        self.assertEqual(self.status("/api/v1/stats"), 429)
        self.assertEqual(self.problem["code"], "too_many_requests")
        wait_for("its turn", lambda: self.status("/api/v1/stats") == 200, 20)
        wait_for("its turn", lambda: self.status("/api/v1/images/1", method="DELETE") == 401, 20)


if __name__ == "__main__":
    magpie_system.main()

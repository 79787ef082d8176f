"""magpie serve does what docs/openapi.yaml says, as schemathesis asks it: the description's own examples, each parameter and each body's member at
its bounds and beyond them, undeclared methods. Answers must have a described status, type and shape; what the description forbids must be refused,
and nothing may end in a 5xx. Refusals of what the description lets pass are not judged: JSON Schema cannot say all that a request must be."""
import signal
import subprocess

from magpie_system import AGENT, ROOT, SystemTest, answers, free_port, main, wait_for

CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
          "response_headers_conformance", "negative_data_rejection", "unsupported_method"]
EXAMPLES = 10  # made for each operation, besides those at the bounds
SECONDS_MAX = 400


class OpenApi(SystemTest):
    def setUp(self):
        super().setUp()
        installed = subprocess.run([ROOT / "tools/setup/schemathesis.sh"], capture_output=True, text=True)
        if installed.returncode != 0:
            self.skipTest(f"schemathesis cannot be installed here: {installed.stderr[-300:]}")
        self.program = installed.stdout.strip()

    def test_the_server_does_what_its_description_says(self):
        shop, collection, port = self.shop(), self.folder / "c", free_port()
        self.magpie("init", collection)
        self.magpie(*self.crawl_words(collection, shop.seeds(1)))
        server = self.start("serve", "--collection", collection, "--port", port, "--set", f"crawl.agent={AGENT}")
        wait_for("magpie serve", lambda: answers(port) or server.poll() is not None)
        # Event streams never end, so they cannot be asked in this way.
        said = subprocess.run([self.program, "run", ROOT / "docs/openapi.yaml", "--url", f"http://127.0.0.1:{port}", "--phases", "examples,coverage",
                               "--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES), "--seed", "7", "--generation-database", "none",
                               "--exclude-path", "/api/v1/events", "--request-timeout", "30", "--warnings", "off", "--no-color"],
                              cwd=self.folder, capture_output=True, text=True, timeout=SECONDS_MAX)
        self.assertEqual(said.returncode, 0, said.stdout[-12_000:] + said.stderr[-2_000:])
        self.assertRegex(said.stdout, r"[1-9]\d\d+ generated", "hundreds of requests were made")
        self.assertIsNone(server.poll(), "the server has ended")
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=60), 0)


if __name__ == "__main__":
    main()

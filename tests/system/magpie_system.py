"""What the system tests share: the example shop on a free port, the program under test, and the shop's access log."""
import collections
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAGPIE = os.environ.get("MAGPIE", str(ROOT / "build" / "release" / "magpie"))
AGENT = "magpie-test"
SITE_FILES = ("/robots.txt", "/.well-known/tdmrep.json")  # asked for anew in each run
SLOWNESS = float(os.environ.get("MAGPIE_TEST_SLOWNESS", "1"))  # of a program under a sanitizer


def shared():
    """The folder of outside cases, or None."""
    folder = Path(os.environ.get("MAGPIE_SHARED", ROOT.parent / "shared"))
    return folder if folder.is_dir() else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, seconds=60):
    """Polls until condition() is true, and returns what it gave."""
    end = time.monotonic() + seconds * SLOWNESS
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"after {seconds * SLOWNESS:.0f} s still not: {what}")


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Shop:
    """The example shop with its access log."""

    def __init__(self, folder, latency=0):
        self.port = free_port()
        self.log_path = Path(folder) / "access.log"
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/site/serve.py", "--port", str(self.port), "--log", self.log_path, "--latency", str(latency)],
            stderr=subprocess.DEVNULL)
        wait_for("the example shop", lambda: answers(self.port))

    def seeds(self, count=4):
        return [f"http://127.0.0.{i}:{self.port}/" for i in range(1, count + 1)]

    def requests(self):
        """[(host, path)] in order of arrival."""
        if not self.log_path.exists():
            return []
        return [(entry["host"], entry["path"]) for entry in self.log()]

    def log(self):
        whole = self.log_path.read_text().rpartition("\n")[0]  # a line may be half written
        return [json.loads(line) for line in whole.splitlines()]

    def counts(self):
        return collections.Counter(self.requests())

    def stop(self):
        self.process.terminate()
        self.process.wait()


class SystemTest(unittest.TestCase):
    """A folder of its own per test, and the program run as a user would."""
    maxDiff = 2000

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="magpie-system-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def shop(self, **options):
        shop = Shop(self.folder, **options)
        self.addCleanup(shop.stop)
        return shop

    def magpie(self, *words, code=0, stdin=None, timeout=300):
        """Runs to the end, checks the exit code, and returns stdout."""
        done = subprocess.run([MAGPIE, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=timeout * SLOWNESS)
        self.assertEqual(done.returncode, code, f"magpie {' '.join(map(str, words))}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
        self.stderr = done.stderr
        return done.stdout

    def start(self, *words):
        with open(self.folder / "stderr.log", "ab") as log:
            process = subprocess.Popen([MAGPIE, *map(str, words)], stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)
        self.addCleanup(self.kill, process)
        return process

    def kill(self, process, number=signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
        process.wait()

    def crawl_words(self, collection, seeds, delay="0", per_host=8):
        return ["crawl", "--collection", collection, "--agent", AGENT, "--delay", delay, "--per-host", per_host, "--allow-loopback", *seeds]

    def store(self, collection):
        """(pages by URL, pictures by SHA-256) as `magpie inspect store` tells."""
        lines = [json.loads(line) for line in self.magpie("inspect", "store", collection).splitlines()]
        pages = {line["url"]: line for line in lines if line["kind"] == "page"}
        images = {line["sha256"]: line for line in lines if line["kind"] == "image"}
        return pages, images

    def get_json(self, url, **options):
        with urllib.request.urlopen(urllib.request.Request(url, **options), timeout=30 * SLOWNESS) as answer:
            return json.load(answer)


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])

"""The synthetic web (tests/site) for tests and benchmarks: started on a free port, with its list of addresses and its access log."""
import itertools
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")


def program():
    """Built beside the program under test."""
    built = Path(os.environ.get("MAGPIE", ROOT / "build" / "release" / "magpie")).parent / "tests" / "site" / "magpie_synthetic_web"
    if not built.exists():
        raise FileNotFoundError(f"{built} is not built; run ./dev build all")
    return str(built)


class Request(NamedTuple):
    time: float   # seconds of the epoch
    host: str
    path: str
    status: int   # 0: the connection was reset


class SyntheticWeb:
    """Options as on the command line: SyntheticWeb(folder, hosts=10, off_host=0.2)."""

    def __init__(self, folder, **options):
        self.log_path = Path(folder) / "synthetic.log"
        self.words = [program()]
        for name, value in options.items():
            self.words += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
        self.hosts = options.get("hosts", 10)
        self.counted_bytes = self.counted = 0
        self.process = subprocess.Popen([*self.words, "--log", self.log_path], stdout=subprocess.PIPE, text=True)
        ready = self.process.stdout.readline()
        if not ready.startswith("listening on "):
            raise RuntimeError(f"{' '.join(self.words)} did not start")
        self.port = int(ready.split()[-1])

    def seeds(self):
        return [f"http://127.{h // 62500}.{h // 250 % 250}.{h % 250 + 1}:{self.port}/" for h in range(self.hosts)]

    def addresses(self):
        """{"page": {url, ..}, "picture": .., "missing": .., "failing": ..}: what a whole crawl meets."""
        found = {"page": set(), "picture": set(), "missing": set(), "failing": set()}
        for line in subprocess.run([*self.words, "--port", str(self.port), "--list"], capture_output=True, text=True, check=True).stdout.splitlines():
            kind, _, url = line.partition(" ")
            found[kind].add(url)
        return found

    def count(self):
        """Requests so far; cheap, as only what is new is read."""
        if self.log_path.exists():
            with open(self.log_path, "rb") as log:
                log.seek(self.counted_bytes)
                new = log.read()
            self.counted_bytes += len(new)
            self.counted += new.count(b"\n")
        return self.counted

    def requests(self, skip=0):
        """In order of arrival, the first `skip` left out."""
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            for line in itertools.islice(log, skip, None):
                if line == "full\n":
                    raise RuntimeError(f"{self.log_path} is full: give the web a larger --log-bytes-max")
                time, host, path, status = line.rstrip("\n").split(" ")
                yield Request(int(time) / 1e6, host, path, int(status))

    def url(self, request):
        return f"http://{request.host}:{self.port}{request.path}"

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

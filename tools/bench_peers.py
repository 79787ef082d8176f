"""How each crawler is started on the same seeds, with the same number of requests at once, and what of it is at hand on this machine."""
import shutil
from pathlib import Path
from typing import Callable, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "build" / "peers"   # filled by tools/setup/bench_peers.sh
PROGRAMS = ROOT / "bench" / "peers"
PER_HOST = 16
AGENT = "magpie-bench"


class Crawler(NamedTuple):
    name: str
    program: str | None                  # None: not on this machine
    words: Callable[[Path, Path, bool], list]   # (seeds file, folder of its own, are pictures wanted)
    codes: frozenset = frozenset({0})
    takes_pictures: bool = True


def first(*paths):
    return next((str(path) for path in paths if path and Path(path).exists()), None)


def magpie(program, delay=0, per_host=PER_HOST, seconds_max=600, pictures="embed"):
    settings = [] if pictures == "embed" else ["--set", f"crawl.pictures={pictures}"]
    return Crawler("magpie", program, lambda seeds, folder, _: [
        program, "crawl", "--collection", folder / "collection", "--set", "crawl.retries_max=0", *settings, "--agent", AGENT, "--delay", delay, "--per-host", per_host,
        "--allow-loopback", "--max-seconds", seconds_max, "--seeds", seeds])


def peers():
    python, wget2, httrack = first(PEERS / "python/bin/python"), shutil.which("wget2"), shutil.which("httrack")
    colly, spider = first(PEERS / "colly_bench"), first(PEERS / "spider_bench")
    kept = lambda folder, pictures: [folder] if pictures else []  # noqa: E731
    return [
        Crawler("scrapy", python, lambda seeds, folder, pictures: [python, PROGRAMS / "scrapy_bench.py", seeds, PER_HOST, *kept(folder, pictures)]),
        Crawler("colly", colly, lambda seeds, folder, pictures: [colly, seeds, PER_HOST, *kept(folder, pictures)]),
        # 8: some request was answered with an error
        Crawler("wget2", wget2, lambda seeds, folder, _: [
            wget2, "--quiet", "--recursive", "--level=inf", "--no-robots", "--tries=1", f"--max-threads={PER_HOST}", f"--directory-prefix={folder}",
            f"--input-file={seeds}"], frozenset({0, 8})),
        Crawler("httrack", httrack, lambda seeds, folder, _: [
            httrack, "--list", seeds, "-O", folder, "-q", "-%v0", "-s0", "-I0", "-r1000", f"-c{PER_HOST}", "-%c0", "-A1000000000", "-R0",
            "--disable-security-limits"]),
        Crawler("spider", spider, lambda seeds, _, __: [spider, seeds, PER_HOST], takes_pictures=False),
    ]


def img2dataset_words(urls, folder):
    """None when it is not installed."""
    program = first(PEERS / "python/bin/img2dataset")
    return program and [program, "--url_list", urls, "--input_format", "txt", "--output_folder", folder / "dataset", "--output_format", "files",
                        "--image_size", 256, "--resize_mode", "keep_ratio", "--processes_count", 2, "--thread_count", 32, "--timeout", 30,
                        "--compute_hash", "sha256"]

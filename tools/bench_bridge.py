#!/usr/bin/env python3
"""How well words find pictures whose pages never used them: magpie's searches with the bridge, beside those by words alone.

  bench_bridge.py --magpie build/release/magpie [--clothing FOLDER] [--stamps FOLDER] [--only stamps|clothing]

stamps    Debian's tuxpaint-stamps-default: photographs and drawings with a sentence each in many languages. A site shows each with its
          English sentence as alternative text, but for one in five, which has none. Asked with the sentences of each language:
          "named": those that have an English one; "unnamed": those that have no word at all, which words cannot find.
clothing  photographs of ten classes. A site shows those of train with the class's English name, and those of validation without any.
          Asked with the names in five languages; what counts is the share of the right class in the first ten, of "named" and "unnamed".
Each site is crawled, the bridge learnt, and asked over HTTP twice: search.looks on and off. Writes a table to stdout. "better" and
"worse" count the queries whose own figure the bridge moved: an average may stay while some lose what others win.
"""
import argparse
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request
from pathlib import Path

LANGUAGES = ["en", "de", "fr", "es", "ru", "ja"]
CLASSES = {
    "dress": ["dress", "Kleid", "robe", "vestido", "платье"], "hat": ["hat", "Hut", "chapeau", "sombrero", "шляпа"],
    "longsleeve": ["longsleeve", "Langarmshirt", "t-shirt à manches longues", "camiseta de manga larga", "лонгслив"],
    "outwear": ["outerwear jacket", "Jacke", "veste", "chaqueta", "куртка"], "pants": ["pants", "Hose", "pantalon", "pantalones", "брюки"],
    "shirt": ["shirt", "Hemd", "chemise", "camisa", "рубашка"], "shoes": ["shoes", "Schuhe", "chaussures", "zapatos", "обувь"],
    "shorts": ["shorts", "kurze Hose", "short", "pantalones cortos", "шорты"], "skirt": ["skirt", "Rock", "jupe", "falda", "юбка"],
    "t-shirt": ["t-shirt", "T-Shirt", "tee-shirt", "camiseta", "футболка"]}
NONSENSE = ["qwrtz plmnk", "xkcd zzyzx blorp", "asdf jkl", "tax return form 1040", "kubernetes ingress", "vbnm hjkl uiop", "0x7f3a"]
FIRST = 10


class Site:
    """Pages of one picture each, with its name, in a folder of links. Names are English, or missing."""

    def __init__(self, pictures):
        self.pictures = pictures  # path, name or ""
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body, kind = site.answer(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/"

    def answer(self, path):
        number = re.search(r"\d+", path)
        if path == "/":
            links = "".join(f'<a href="/p{i}.html">{i}</a> ' for i in range(len(self.pictures)))
            return f"<!doctype html><html lang=en><title>All</title><p>{links}".encode(), "text/html; charset=utf-8"
        if not number or int(number[0]) >= len(self.pictures):
            return None, "text/plain"
        file, name = self.pictures[int(number[0])]
        if path.startswith("/i"):
            return file.read_bytes(), "image/png" if file.suffix == ".png" else "image/jpeg"
        words = name.replace("&", "&amp;").replace('"', "&quot;")
        page = f'<!doctype html><html lang=en><title>{number[0]}</title><p><img src="/i{number[0]}" alt="{words}" width=300 height=300>'
        return page.encode(), "text/html; charset=utf-8"


class Collection:
    def __init__(self, magpie, pictures):
        self.magpie, self.site, self.folder = magpie, Site(pictures), tempfile.TemporaryDirectory(prefix="magpie-bridge-")
        self.run("crawl", self.site.address, "--agent", "magpie-bench", "--allow-loopback", "--set",
                 "analyse.detector=none", "--set", "crawl.host_delay=0s", "--set", "crawl.per_host=8")
        self.bridge = json.loads(self.run("bridge", "train", "--json"))

    def run(self, command, *words):
        done = subprocess.run([self.magpie, command, "--collection", self.folder.name, *words], capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise SystemExit(f"magpie {command}: {done.stderr[-2000:]}")
        return done.stdout

    def ask(self, looks, queries):
        """The numbers of the pictures found by each query, best first."""
        port = 18_000 + os.getpid() % 10_000 + (1 if looks else 0)
        server = subprocess.Popen([self.magpie, "serve", "--collection", self.folder.name, "--port", str(port), "--set", "bridge.train=false",
                                   "--set", f"search.looks={'true' if looks else 'false'}"], stderr=subprocess.PIPE, text=True)
        try:
            for line in server.stderr:
                if f":{port}" in line:
                    break
            threading.Thread(target=server.stderr.read, daemon=True).start()
            answers = []
            for words in queries:
                query = urllib.parse.urlencode({"q": words, "limit": 50, "facets": "false"})
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/search?{query}", timeout=60) as answer:
                    found = json.load(answer)
                answers.append((found["total"], [int(re.search(r"/p(\d+)", hit["page_url"])[1]) for hit in found["hits"]]))
            return answers
        finally:
            server.terminate()
            server.wait()


def read_stamps(folder):
    stamps = []
    for picture in sorted(folder.rglob("*.png")):
        words = picture.with_suffix(".txt")
        if not words.exists():
            continue
        lines = words.read_text(encoding="utf-8", errors="replace").splitlines()
        names = {"en": lines[0].strip()} if lines else {}
        for line in lines[1:]:
            match = re.match(r"(\w+)\.utf8=(.+)", line)
            if match and match[1] in LANGUAGES:
                names[match[1]] = match[2].strip()
        if len(names.get("en", "")) > 3:
            stamps.append((picture, names))
    return stamps


def say_nonsense(collection, what):
    totals = [total for total, _ in collection.ask(True, NONSENSE)]
    print(f"| {what} | nonsense: hits of {len(NONSENSE)} queries | | {', '.join(map(str, totals))} | | | |")


def say_row(what, figure, alone, beside):
    """The figures of each query, by words alone and with the bridge."""
    better, worse = (sum(sign * (b - a) > 0 for a, b in zip(alone, beside)) for sign in (1, -1))
    mean = [sum(figures) / len(figures) for figures in (alone, beside)]
    print(f"| {what} | {figure} | {mean[0]:.3f} | {mean[1]:.3f} | {better} | {worse} | {len(alone)} |", flush=True)


def measure_stamps(magpie, folder, step):
    stamps = read_stamps(folder)[::step]
    unnamed = {i for i in range(len(stamps)) if i % 5 == 2}
    collection = Collection(magpie, [(file, "" if i in unnamed else names["en"]) for i, (file, names) in enumerate(stamps)])
    say_bridge("stamps", collection.bridge)
    for language in LANGUAGES:
        asked = [i for i, (_, names) in enumerate(stamps) if language in names]
        asked = [i for i in asked if i in unnamed] + [i for i in asked if i not in unnamed][::4]
        found = [collection.ask(looks, [stamps[i][1][language] for i in asked]) for looks in (False, True)]
        for kind, inside in (("named", lambda i: i not in unnamed), ("unnamed", lambda i: i in unnamed)):
            here = [n for n, i in enumerate(asked) if inside(i)]
            if here:
                say_row(f"stamps, {kind}", f"recall@10, {language}", *([int(asked[n] in answers[n][1][:FIRST]) for n in here] for answers in found))
    say_nonsense(collection, "stamps")


def say_bridge(what, bridge):
    print(f"| {what} | trial: recall@10 of {bridge['held_back']} texts left out, among {bridge['pool']} | | {bridge['recall_at_10']:.3f} | | | "
          f"{bridge['texts']} texts |", flush=True)


def measure_clothing(magpie, folder, step):
    pictures, classes = [], []
    for part in ("train", "validation"):
        for name in CLASSES:
            for file in sorted((folder / part / name).iterdir())[::step]:
                pictures.append((file, CLASSES[name][0] if part == "train" else ""))
                classes.append((name, part))
    collection = Collection(magpie, pictures)
    say_bridge("clothing", collection.bridge)
    for place, language in enumerate(["en", "de", "fr", "es", "ru"]):
        names = list(CLASSES)
        found = [collection.ask(looks, [CLASSES[name][place] for name in names]) for looks in (False, True)]
        say_row("clothing", f"right in the first ten, {language}",
                *([sum(classes[i][0] == name for i in answers[n][1][:FIRST]) / FIRST for n, name in enumerate(names)] for answers in found))
    say_nonsense(collection, "clothing")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--magpie", required=True)
    parser.add_argument("--stamps", type=Path, default=Path("/usr/share/tuxpaint/stamps"))
    parser.add_argument("--clothing", type=Path, help="with train/CLASS and validation/CLASS")
    parser.add_argument("--only", choices=["stamps", "clothing"])
    parser.add_argument("--step", type=int, default=1, help="take every n-th picture")
    options = parser.parse_args()
    print("| set | what | words alone | with the bridge | better | worse | queries |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    if options.only != "clothing" and options.stamps.is_dir():
        measure_stamps(options.magpie, options.stamps, options.step)
    if options.only != "stamps" and options.clothing and options.clothing.is_dir():
        measure_clothing(options.magpie, options.clothing, options.step)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Reads the shared shop pages with `magpie inspect page` and with extruct + price-parser; raw result on stdout for bench_report.py.

Both get the same pages and addresses; the first product counts. A value is right when the case lists it, with decimals, letter case and spaces
aside; no availability counts as InStock. F1 = 2PR / (P + R): precision over the answers given, recall over the values wanted; attributes that a
case says nothing of are left out. --misses shows each wrong value instead.
"""
import argparse
import gzip
import json
import os
import subprocess
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("MAGPIE_SHARED", ROOT.parent / "shared")) / "cases" / "products"
PYTHON = ROOT / "build/peers/python/bin/python"   # tools/setup/bench_peers.sh
PEER = ROOT / "bench/peers/extruct_bench.py"
ATTRIBUTES = ["price", "sku", "availability", "currency", "brand"]


def cases():
    path = SHARED / "cases.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def question(case):
    html = gzip.decompress((SHARED / case["input"]["html_gz_file"]).read_bytes())
    return {"id": case["id"], "url": case["input"]["url"], "content_type": "text/html; charset=utf-8", "html": html.decode(errors="replace")}


def answers(words, questions):
    done = subprocess.run([str(word) for word in words], input=questions, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stderr[-800:]}")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {answer["id"]: (answer.get("products") or [{}])[0] for answer in found}


def plain(attribute, value):
    text = " ".join(str(value or "").split()).lower()
    if attribute == "price" and text:
        try:
            return f"{Decimal(text):f}".rstrip("0").rstrip(".") if "." in text else f"{Decimal(text):f}"
        except InvalidOperation:
            return text
    return text


class Count:
    def __init__(self):
        self.right = self.given = self.wanted = 0

    def figures(self):
        precision = self.right / self.given if self.given else 0.0
        recall = self.right / self.wanted if self.wanted else 0.0
        f1 = 2 * precision * recall / (precision + recall) if self.right else 0.0
        return {"f1": f1, "precision": precision, "recall": recall, "right": self.right, "given": self.given, "wanted": self.wanted}


def score(found, wanted):
    """Figures by attribute, and what was wrong: (case, attribute, wanted, got)."""
    counts, misses = {attribute: Count() for attribute in ATTRIBUTES}, []
    for case in wanted:
        product = found.get(case["id"], {})
        for attribute, values in case["expect_any_of"].items():
            got = product.get(attribute) or ("InStock" if attribute == "availability" else "")
            right = plain(attribute, got) in {plain(attribute, value) for value in values}
            count = counts[attribute]
            count.wanted += 1
            count.given += bool(got)
            count.right += right
            if not right:
                misses.append((case, attribute, values, got))
    return {attribute: count.figures() for attribute, count in counts.items()}, misses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--magpie", required=True)
    parser.add_argument("--misses", action="store_true", help="show each wrong value, in place of the table")
    options = parser.parse_args()

    rows, notes, wanted = [], [], cases()
    if not wanted:
        notes.append("The shared shop pages are not here, so nothing was scored; set MAGPIE_SHARED to their folder.")
        print(f"bench: {notes[-1]}", file=sys.stderr)
    questions = "".join(json.dumps(question(case)) + "\n" for case in wanted)
    readers = {"magpie": [options.magpie, "inspect", "page"]}
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", "import extruct, price_parser"], capture_output=True).returncode == 0:
        readers["extruct + price-parser"] = [PYTHON, PEER]
    else:
        notes.append("extruct and price-parser are not installed and were left out; tools/setup/bench_peers.sh installs them.")
        print(f"bench: {notes[-1]}", file=sys.stderr)
    for name, words in readers.items() if wanted else ():
        figures, misses = score(answers(words, questions), wanted)
        if options.misses:
            for case, attribute, values, got in misses:
                print(f"{name} {case['id']} {attribute}: wanted {' or '.join(values)[:60]}, got {got!r}; {case['input']['url']}")
            continue
        for attribute, beside in figures.items():
            f1 = beside.pop("f1")
            rows.append({"name": f"{attribute}: {name}", "unit": "F1", "values": [f1], "beside": beside})
    if not options.misses:
        rows.sort(key=lambda row: ATTRIBUTES.index(row["name"].split(":")[0]))
        print(json.dumps({"command": f"tools/bench_extract.py on {len(wanted)} pages", "notes": notes, "rows": rows}))


if __name__ == "__main__":
    main()

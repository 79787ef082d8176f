#!/usr/bin/env python3
"""Draws what a detector finds in photographs, as one sheet to look at.

  contact_sheet.py FOLDER DETECTOR SHEET.jpg [COUNT]

The program itself looks: it collects COUNT (24) photographs of FOLDER, evenly spread over its folders, into a collection of its own, and the
boxes are read from its catalog. Says how many have what, and the CPU time a picture (magpie models bench). MAGPIE names the program; Debian's
python3-pil draws.
"""
import collections
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

MAGPIE = os.environ.get("MAGPIE", str(Path(__file__).resolve().parents[1] / "build/release/magpie"))
SIDE, COLUMNS, MARGIN = 240, 6, 8
COLOURS = ["#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf"]


def choose(folder, count):
    """As many of each folder, in turn."""
    by_folder = collections.defaultdict(list)
    for path in sorted(folder.rglob("*.jp*g")):
        by_folder[path.parent].append(path)
    kinds = list(by_folder.values())
    chosen = [kind[len(kind) // (count // len(kinds) + 2) * (turn + 1)] for turn in range(count // len(kinds) + 1) for kind in kinds
              if turn < len(kind)]
    return chosen[:count]


def look(photographs, detector, work):
    """By a photograph's SHA-256 its boxes: (label, score, left, top, right, bottom) in shares of it."""
    named = work / "photographs"
    named.mkdir()
    for number, path in enumerate(photographs):
        shutil.copy(path, named / f"{number:03}.jpg")
    subprocess.run([MAGPIE, "collect", named, "--collection", work / "collection", "--set", f"analyse.detector={detector}"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = collections.defaultdict(list)
    with sqlite3.connect(f"file:{work}/collection/catalog.db?mode=ro", uri=True) as catalog:
        for sum_of, *box in catalog.execute("SELECT i.sha256, r.label, r.score, r.x_min, r.y_min, r.x_max, r.y_max FROM regions r "
                                            "JOIN images i ON i.id = r.image ORDER BY r.number"):
            found[bytes(sum_of)].append(box)
    return found


def tile(path, boxes):
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((SIDE, SIDE))
    pen, font = ImageDraw.Draw(picture), ImageFont.truetype("DejaVuSans.ttf", 11)
    for number, (label, score, left, top, right, bottom) in enumerate(boxes):
        colour = COLOURS[number % len(COLOURS)]
        corners = (left * picture.width, top * picture.height, right * picture.width - 1, bottom * picture.height - 1)
        pen.rectangle(corners, outline=colour, width=2)
        words, at = f"{label} {score:.2f}", (corners[0] + 2, corners[1] + 1 + 13 * (number % 3))
        pen.rectangle(pen.textbbox(at, words, font=font), fill=colour)
        pen.text(at, words, fill="white", font=font)
    return picture


def main():
    if len(sys.argv) not in (4, 5):
        raise SystemExit(__doc__)
    folder, detector, sheet_path = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    photographs = choose(folder, int(sys.argv[4]) if len(sys.argv) == 5 else 24)
    with tempfile.TemporaryDirectory() as work:
        found = look(photographs, detector, Path(work))
    rows = -(-len(photographs) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (SIDE + MARGIN) + MARGIN, rows * (SIDE + MARGIN) + MARGIN), "white")
    for number, path in enumerate(photographs):
        sheet.paste(tile(path, found[hashlib.sha256(path.read_bytes()).digest()]),
                    (MARGIN + number % COLUMNS * (SIDE + MARGIN), MARGIN + number // COLUMNS * (SIDE + MARGIN)))
    sheet.save(sheet_path, quality=85)
    time = json.loads(subprocess.run([MAGPIE, "models", "bench", detector, "--json"], check=True, capture_output=True, text=True).stdout)
    labels = collections.Counter(label for boxes in found.values() for label in {box[0] for box in boxes})
    with_boxes = sum(1 for boxes in found.values() if boxes)
    print(f"| {detector} | {time['cpu_ms']:.1f} | {with_boxes} of {len(photographs)} | "
          f"{', '.join(f'{label} {count}' for label, count in labels.most_common(8))} |")


if __name__ == "__main__":
    main()

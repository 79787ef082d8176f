#!/usr/bin/env python3
"""Whether a search by picture ends where relevance ends: precision, recall and F1 of what Magpie finds, beside the cut-off in similarity that, the
same for all queries of a set, would have been best for that very set, chosen when all answers are known. Relevant is what is of the query's class.

  clothing   photographs of ten classes: those of FOLDER/validation are asked about, those of FOLDER/train are the collection
  stamps     Debian's tuxpaint-stamps-default, filed by what they show ("animals/birds"): each of a class of eight or more is asked about
  both       the stamps and FOLDER/validation in one collection, asked about as the stamps are

Magpie's rule is asked (bench/relevance.cc) by whole searches. Raw result for bench_report.py."""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

CLASS_FOLDERS = 2  # of a stamp's path


def stamps_as_photographs(stamps, folder):
    """On white, in a folder a class."""
    for number, path in enumerate(sorted(stamps.rglob("*.png"))):
        place = folder / "-".join(path.parent.relative_to(stamps).parts[:CLASS_FOLDERS])
        place.mkdir(parents=True, exist_ok=True)
        picture = Image.open(path).convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        white.convert("RGB").save(place / f"{number}.jpg", quality=92)


def rows_of(name, asked):
    best = max(asked["fixed"], key=lambda one: one["f1"])
    chosen = {**asked["boundary"], "relevance_min": asked["relevance_min"]}
    lines = [("the query's own boundary", chosen, {"relevance_min": chosen["relevance_min"]}), ("best one cut-off", best, {"cut-off": best["cut_off"]})]
    lines += [("the query's own boundary", one, {"relevance_min": one["relevance_min"]}) for one in asked["boundaries"]
              if abs(one["relevance_min"] - asked["relevance_min"]) > 0.001]
    return [{"name": f"{name}: {what}", "unit": "F1", "values": [round(one["f1"], 3)],
             "beside": {"precision": round(one["precision"], 3), "recall": round(one["recall"], 3), "found": round(one["found"]), **by}}
            for what, one, by in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=Path, required=True, help="folder of magpie_relevance and magpie_million")
    parser.add_argument("--model", required=True, help="an embedding model's folder")
    parser.add_argument("--clothing", type=Path, help="with train/CLASS and validation/CLASS")
    parser.add_argument("--stamps", type=Path, default=Path("/usr/share/tuxpaint/stamps"))
    options = parser.parse_args()

    def embed(pictures, file):
        subprocess.run([options.programs / "magpie_million", "embed", pictures, options.model, file], check=True)
        return file

    def ask(collection, queries):
        done = subprocess.run([options.programs / "magpie_relevance", collection, queries], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    with tempfile.TemporaryDirectory() as kept:
        folder, asked = Path(kept), {}
        if options.clothing:
            train = embed(options.clothing / "train", folder / "train")
            validation = embed(options.clothing / "validation", folder / "validation")
            asked["clothing"] = ask(train, validation)
        if options.stamps.is_dir():
            stamps_as_photographs(options.stamps, folder / "pictures")
            stamps = embed(folder / "pictures", folder / "stamps")
            asked["stamps"] = ask(stamps, "-")
        if len(asked) == 2:
            both = folder / "both"
            both.write_text(stamps.read_text() + validation.read_text())
            asked["both"] = ask(both, "-")
    if not asked:
        sys.exit("bench: no pictures; name --clothing, or install tuxpaint-stamps-default")
    notes = [f"{name}: {one['pictures']:,} pictures, {one['queries']:,} queries; F1 is the mean of the queries' own." for name, one in asked.items()]
    json.dump({"command": "tools/bench_relevance.py", "notes": notes, "rows": [row for name, one in asked.items() for row in rows_of(name, one)]},
              sys.stdout, indent=1)


if __name__ == "__main__":
    main()

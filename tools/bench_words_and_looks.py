#!/usr/bin/env python3
"""What looks tell of words, and how the two are best weighed together; on the stamps and clothes of bench_bridge.py.

  bench_words_and_looks.py --magpie build/release/magpie [--clothing FOLDER] [--stamps FOLDER] [--step N]

inherit  The words of half the pictures are hidden. Each of those is given the words of its ten nearest named pictures that are like it
         beyond a bound, with the share of their likeness that says each word. Precision and recall are of words, over three draws of the half.
         Likeness is (cosine - background) / (1 - background), as in where relevance ends (src/search/README.md), or the cosine itself.
fusion   A picture and words ask together for pictures of the same folder (stamps) or class (clothing); half the pictures have no words.
         Every rule ranks the same scores: BM25 of names, which stands in for the index here, and the cosine. "worse" counts queries
         whose recall@10 is under today's.
Vectors are those of the collection that Magpie makes of the pictures, read from its catalog. Wants python3-numpy.
"""
import argparse
import math
import re
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from bench_bridge import CLASSES, Site, read_stamps

STOP = set("a an the of in on at with and or to for from by is are it this that his her its as be".split())
NEAREST, FIRST, QUERIES, DRAWS = 10, 10, 250, 3


def words_of(text):
    words = (word for word in re.findall(r"[^\W\d_]{2,}", text.lower()) if word not in STOP)
    return {word[:-1] if word.endswith("s") and len(word) > 3 else word for word in words}


class Set:
    """Pictures as Magpie sees them: a unit vector, a set of words and a class each."""

    def __init__(self, magpie, pictures):
        site = Site([(file, name) for file, name, _ in pictures])
        with tempfile.TemporaryDirectory(prefix="magpie-words-") as folder:
            subprocess.run([magpie, "crawl", site.address, "--collection", folder, "--agent", "magpie-bench", "--allow-loopback", "--set",
                            "analyse.detector=none", "--set", "analyse.compare=false", "--set", "crawl.host_delay=0s", "--set",
                            "crawl.per_host=8"], check=True, capture_output=True)
            with sqlite3.connect(f"{folder}/catalog.db") as catalog:
                rows = catalog.execute("SELECT min(u.url), e.vector FROM embeddings e JOIN urls u ON u.image = e.image "
                                       "GROUP BY e.image ORDER BY e.image").fetchall()
        numbers = [int(re.search(r"/i(\d+)$", url)[1]) for url, _ in rows]
        self.vectors = np.array([np.frombuffer(vector, dtype="<f4") for _, vector in rows])
        self.vectors /= np.linalg.norm(self.vectors, axis=1, keepdims=True)
        self.words = [words_of(pictures[number][1]) for number in numbers]
        self.classes = np.array([pictures[number][2] for number in numbers])


def inherited(words, near, likeness):
    """word -> the share of likeness that says it, and how many do."""
    shares = {}
    for picture, share in zip(near, likeness / likeness.sum()):
        for word in words[picture]:
            before = shares.get(word, (0, 0))
            shares[word] = (before[0] + share, before[1] + 1)
    return shares


def measure_inheriting(name, one):
    bounds = [("cosine", bound) for bound in (0.5, 0.65, 0.8)] + [("likeness", bound) for bound in (0.3, 0.4, 0.5, 0.6, 0.7)]
    rules = [(share, sayers) for share in (0, 0.3, 0.5) for sayers in (1, 2)]
    right, given, heirs, hidden_words, hidden_count = {}, {}, {}, 0, 0
    for draw in range(DRAWS):
        hidden = np.zeros(len(one.words), bool)
        hidden[np.random.default_rng(draw).permutation(len(one.words))[:len(one.words) // 2]] = True
        known = np.where(~hidden)[0]
        cosines = one.vectors[hidden] @ one.vectors[known].T
        background = cosines.mean(1, keepdims=True)
        likenesses = (cosines - background) / (1 - background)
        for picture, cosine, likeness in zip(np.where(hidden)[0], cosines, likenesses):
            nearest = np.argsort(-cosine)[:NEAREST]
            hidden_words += len(one.words[picture])
            hidden_count += 1
            for kind, bound in bounds:
                near = nearest[(cosine if kind == "cosine" else likeness)[nearest] >= bound]
                if not len(near):
                    continue
                shares = inherited(one.words, known[near], np.maximum(likeness[near], 1e-6))
                for least, sayers in rules:
                    taken = {word for word, (share, count) in shares.items() if share >= least and count >= sayers}
                    key = (kind, bound, least, sayers)
                    right[key] = right.get(key, 0) + len(taken & one.words[picture])
                    given[key] = given.get(key, 0) + len(taken)
                    heirs[key] = heirs.get(key, 0) + bool(taken)
    for kind, bound, least, sayers in sorted(right):
        key = (kind, bound, least, sayers)
        print(f"| {name} | {kind} ≥ {bound:.2f}, share ≥ {least}, said by {sayers} | {right[key] / max(1, given[key]):.3f} | "
              f"{right[key] / hidden_words:.3f} | {heirs[key] / hidden_count:.3f} |")


def bm25(words, asked):
    lengths = np.array([len(one) for one in words], float)
    scores = np.zeros(len(words))
    for word in asked:
        has = np.array([word in one for one in words])
        if has.any():
            rarity = math.log(1 + (len(words) - has.sum() + 0.5) / (has.sum() + 0.5))
            scores += has * rarity * 2.2 / (1 + 1.2 * (0.25 + 0.75 * lengths / lengths[lengths > 0].mean()))
    return scores


def rules_of(text, cosine, sample):
    """Each rule's scores, best highest. A rule sees no more of the collection than a search could: a sample of cosines, all word scores."""
    background, spread = sample.mean(), sample.std()
    boundary = background + 0.2 * (1 - background)
    by_words = text / max(text.max(), 1e-9)
    by_looks = np.clip((cosine - boundary) / (1 - boundary), 0, 1)

    def reciprocal(scores, candidates):
        order = np.argsort(-scores, kind="stable")
        order = order[candidates[order]]
        places = np.zeros(len(scores))
        places[order] = 1 / (60 + np.arange(1, len(order) + 1))
        return places

    def percentile(scores, of):
        of = np.sort(of)
        return (np.searchsorted(of, scores, "left") + np.searchsorted(of, scores, "right")) / 2 / len(of)

    text_percentile, looks_percentile = percentile(text, text), percentile(cosine, sample)
    surprise = -np.log(np.maximum(1 - text_percentile, 0.5 / len(text))) * (text > 0)
    surprise += -np.log(np.maximum(1 - looks_percentile, 0.5 / len(sample))) * (cosine >= boundary)
    return {"today": 0.5 * by_words + 0.5 * by_looks, "words alone": by_words, "looks alone": by_looks,
            "reciprocal rank fusion": reciprocal(text, text > 0) + reciprocal(cosine, cosine >= boundary),
            "percentiles": text_percentile + looks_percentile, "log percentiles (Fisher)": surprise,
            "standard scores": (text - text.mean()) / max(text.std(), 1e-6) + (cosine - background) / spread}


def quality(scores, relevant):
    """recall@10 and nDCG@10."""
    found = relevant[np.argsort(-scores, kind="stable")[:FIRST]]
    most = min(FIRST, int(relevant.sum()))
    discounts = 1 / np.log2(np.arange(FIRST) + 2)
    return found.sum() / most, (found * discounts).sum() / discounts[:most].sum()


def ask_all(one, kind):
    random, answers = np.random.default_rng(3), {}
    words = [set() if hides else own for hides, own in zip(random.random(len(one.words)) < 0.5, one.words)]
    sample = random.permutation(len(words))[:300]
    for query in random.permutation(len(words))[:QUERIES]:
        relevant = (one.classes == one.classes[query]).astype(float)
        relevant[query] = 0
        if relevant.sum() < 5:
            continue
        asked = {"its own words": one.words[query], "its class": words_of(one.classes[query].split(".")[-1]),
                 "another's words": one.words[random.choice(np.where(relevant > 0)[0])]}[kind]
        text, cosine = bm25(words, asked), one.vectors @ one.vectors[query]
        for rule, scores in rules_of(text, cosine, cosine[sample[sample != query]]).items():
            scores[query] = -1e9
            answers.setdefault(rule, []).append(quality(scores, relevant))
    return {rule: np.array(qualities) for rule, qualities in answers.items()}


def measure_fusion(name, one):
    for kind in ("its own words", "its class", "another's words"):
        answers = ask_all(one, kind)
        today = answers["today"][:, 0]
        for rule, qualities in answers.items():
            recall, gain = qualities.mean(0)
            moved = qualities[:, 0] - today
            print(f"| {name}, {kind} | {rule} | {recall:.3f} | {gain:.3f} | {(moved > 1e-9).sum()} | {(moved < -1e-9).sum()} | {len(today)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--magpie", required=True)
    parser.add_argument("--stamps", type=Path, default=Path("/usr/share/tuxpaint/stamps"))
    parser.add_argument("--clothing", type=Path, help="with train/CLASS and validation/CLASS")
    parser.add_argument("--step", type=int, default=3, help="take every n-th photograph of clothing")
    options = parser.parse_args()
    sets = {}
    if options.stamps.is_dir():
        stamps = read_stamps(options.stamps)
        sets["stamps"] = Set(options.magpie, [(file, names["en"], ".".join(file.parent.relative_to(options.stamps).parts[:2]))
                                              for file, names in stamps])
    if options.clothing:
        files = [(file, name) for part in ("train", "validation") for name in CLASSES
                 for file in sorted((options.clothing / part / name).iterdir())[::options.step]]
        sets["clothing"] = Set(options.magpie, [(file, CLASSES[name][0], name) for file, name in files])
    print("| set | a word is taken where | precision | recall | of the hidden are given any |\n| --- | --- | ---: | ---: | ---: |")
    for name, one in sets.items():
        measure_inheriting(name, one)
    print("\n| set, asked by a picture and | rule | recall@10 | nDCG@10 | better | worse | queries |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, one in sets.items():
        measure_fusion(name, one)


if __name__ == "__main__":
    main()

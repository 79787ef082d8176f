#!/usr/bin/env python3
"""Search by words with facets at 200,000 products: Magpie beside tantivy and SQLite FTS5, one thread, the same records and queries. Records are
named and filed as Debian's packages are (section, maintainer) and speak with paragraphs of the manuals in /usr/share/doc; queries are one to three
words of one record, all of which must be there; answers are the first 20 by BM25, and with facets the counts of all found by section and by
maintainer. Run by the peers' Python (tools/setup/bench_peers.sh), which has tantivy. Raw result for bench_report.py."""
import argparse
import html
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORD = re.compile(r"[a-z]{3,}")
TEXT_BYTES = 450
PEER_QUERIES = 300  # SQLite takes tens of milliseconds for one


def packages():
    """(name and what it is, section, maintainer) of all that this Debian knows."""
    raw = subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True, text=True).stdout
    found = []
    for block in raw.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(" "))
        if "Package" in fields:
            maintainer = re.sub(r"\s*<.*", "", fields.get("Maintainer", ""))
            found.append((f"{fields['Package']} {fields.get('Description', '')}", fields.get("Section", ""), maintainer))
    return found


def manuals():
    """Their words, one after the other."""
    texts = []
    for path in sorted(filter(Path.is_file, Path("/usr/share/doc").rglob("*.html"))):
        page = re.sub(r"(?s)<(script|style|head).*?</\1>|<[^>]*>", " ", path.read_text(errors="replace"))
        texts.append(" ".join(html.unescape(page).split()))
    return " ".join(texts)


def make(folder, count):
    folder.mkdir(exist_ok=True)
    rng = random.Random(5)
    known, text = packages(), manuals()
    records = []
    for i in range(count):
        name, section, maintainer = known[i % len(known)]
        size = int(TEXT_BYTES * rng.uniform(0.4, 1.6))
        begin = rng.randrange(len(text) - size)
        records.append((name, section, maintainer, text[begin:begin + size]))
    queries = []
    while len(queries) < 1_000:
        words = WORD.findall(" ".join(rng.choice(records)).lower())
        if len(words) >= 3:
            queries.append(" ".join(rng.sample(words, rng.randint(1, 3))))
    (folder / "records.tsv").write_text("".join("\t".join(record) + "\n" for record in records))
    (folder / "queries.txt").write_text("".join(query + "\n" for query in queries))
    return records, queries


def rate(ask, queries):
    began = time.process_time()
    for query in queries:
        ask(query)
    return len(queries) / (time.process_time() - began)


def folder_mb(path):
    return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file()) / 1e6


def tantivy_peer(records, folder):
    import tantivy
    schema = tantivy.SchemaBuilder()
    schema.add_text_field("name", tokenizer_name="en_stem")
    schema.add_text_field("text", tokenizer_name="en_stem")
    schema.add_text_field("section", tokenizer_name="raw", fast=True)
    schema.add_text_field("maintainer", tokenizer_name="raw", fast=True)
    schema.add_integer_field("row", stored=True)
    index = tantivy.Index(schema.build(), path=str(folder))
    began = time.process_time()
    writer = index.writer(200_000_000, 1)
    for row, (name, section, maintainer, text) in enumerate(records):
        writer.add_document(tantivy.Document(name=name, text=text, section=section, maintainer=maintainer, row=row))
    writer.commit()
    writer.wait_merging_threads()
    built = time.process_time() - began
    index.reload()
    searcher = index.searcher()
    counts = {"section": {"terms": {"field": "section", "size": 50}}, "maintainer": {"terms": {"field": "maintainer", "size": 50}}}

    def parsed(query):
        return index.parse_query(" AND ".join(query.split()), ["name", "text"])

    def plain(query):
        return searcher.search(parsed(query), 20)

    def facet(query):
        wanted = parsed(query)
        searcher.search(wanted, 20)
        return searcher.aggregate(wanted, counts)
    return f"tantivy {tantivy.__version__} (from Python)", plain, facet, built, folder_mb(folder)


def sqlite_peer(records, folder):
    database = sqlite3.connect(folder / "fts.db")
    database.execute("CREATE TABLE product(id INTEGER PRIMARY KEY, section TEXT, maintainer TEXT)")
    database.execute("CREATE VIRTUAL TABLE words USING fts5(name, text, content='', tokenize='porter unicode61')")
    began = time.process_time()
    database.executemany("INSERT INTO product VALUES(?, ?, ?)", ((i, r[1], r[2]) for i, r in enumerate(records)))
    database.executemany("INSERT INTO words(rowid, name, text) VALUES(?, ?, ?)", ((i, r[0], r[3]) for i, r in enumerate(records)))
    database.execute("INSERT INTO words(words) VALUES('optimize')")
    database.commit()
    built = time.process_time() - began

    def plain(query):
        return database.execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words) LIMIT 20", (query,)).fetchall()

    def facet(query):
        plain(query)
        for column in ("section", "maintainer"):
            database.execute(f"SELECT {column}, count(*) FROM words JOIN product ON id = words.rowid WHERE words MATCH ? "
                             f"GROUP BY {column} ORDER BY 2 DESC LIMIT 50", (query,)).fetchall()
    return f"SQLite {sqlite3.sqlite_version} FTS5", plain, facet, built, folder_mb(folder)


def ask_magpie(program, folder, seconds):
    raw = subprocess.run([program, "--benchmark_format=json", f"--benchmark_min_time={seconds}"], env={**os.environ, "MAGPIE_TEXTS": str(folder)},
                         check=True, capture_output=True, text=True)
    return json.loads(raw.stdout)["benchmarks"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="magpie_text_bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=200_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        records, queries = make(folder, options.records)
        peers = []
        for build in (tantivy_peer, sqlite_peer):
            place = folder / build.__name__
            place.mkdir()
            try:
                peers.append(build(records, place))
            except ImportError as error:
                print(f"bench: {build.__name__} is left out: {error}; tools/setup/bench_peers.sh installs it", file=sys.stderr)
        rates, beside = {}, {}
        for round_number in range(options.rounds):
            plain, facet = ask_magpie(options.program, folder, 1)
            beside["Magpie"] = {"build CPU s": round(plain["build_cpu_s"], 1), "index MB": round(plain["index_mb"], 1),
                                "found on average": round(plain["mean_total"])}
            rates.setdefault(("plain", "Magpie"), []).append(plain["queries_per_cpu_s"])
            rates.setdefault(("with facets", "Magpie"), []).append(facet["queries_per_cpu_s"])
            for name, ask, ask_facets, built, megabytes in peers:
                beside[name] = {"build CPU s": round(built, 1), "index MB": round(megabytes, 1)}
                rates.setdefault(("plain", name), []).append(rate(ask, queries[:PEER_QUERIES]))
                rates.setdefault(("with facets", name), []).append(rate(ask_facets, queries[:PEER_QUERIES]))
            print(f"bench: round {round_number + 1}: " + ", ".join(f"{what} {name} {v[-1]:.0f}" for (what, name), v in rates.items()), file=sys.stderr)
        text_mb = (folder / "records.tsv").stat().st_size / 1e6
    rows = [{"name": f"{what}: {name}", "unit": "queries/CPU s", "values": values, "beside": beside[name]}
            for (what, name), values in sorted(rates.items(), key=lambda item: item[0][0], reverse=True)]
    notes = [f"{options.records:,} records, {text_mb:.0f} MB of text; 1,000 queries, of which peers were asked the first {PEER_QUERIES}."]
    json.dump({"command": "tools/bench_text.py", "notes": notes, "rows": rows}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()

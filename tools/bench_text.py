#!/usr/bin/env python3
"""Search by words with facets at 200,000 products: Magpie beside tantivy, SQLite FTS5 and Xapian, one thread, the same records and queries. Records are
named and filed as Debian's packages are (section, maintainer) and speak with paragraphs of the manuals in /usr/share/doc; queries are one to three
words of one record, all of which must be there; answers are the first 20 by BM25, and with facets the counts of all found by section and by
maintainer. --make FOLDER only makes records and queries; --program asks Magpie and the peers of them, of those in --texts FOLDER if it is given.
Run by the peers' Python (tools/setup/bench_peers.sh), which has tantivy; Xapian's Python is Debian's. Raw result for bench_report.py."""
import argparse
import html
import json
import os
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORD = re.compile(r"[a-z]{3,}")
TEXT_BYTES = 450
DEBIAN_PYTHON = "/usr/lib/python3/dist-packages"  # where python3-xapian is


def packages():
    """(name and what it is, section, maintainer) of all that this Debian knows."""
    raw = subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True, text=True).stdout
    found = []
    for block in raw.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(" "))
        if "Package" in fields:
            maintainer = re.sub(r"\s*<.*", "", fields.get("Maintainer", ""))
            found.append((f"{fields['Package']} {fields.get('Description', '')}", fields.get("Section", ""), maintainer))
    if not found:
        sys.exit("bench: apt-cache knows no packages, which the records are named after; run apt-get update")
    return found


def manuals():
    """Their words, one after the other."""
    texts = []
    for path in sorted(filter(Path.is_file, Path("/usr/share/doc").rglob("*.html"))):
        page = re.sub(r"(?s)<(script|style|head).*?</\1>|<[^>]*>", " ", path.read_text(errors="replace"))
        texts.append(" ".join(html.unescape(page).split()))
    text = " ".join(texts)
    if len(text) < 100 * TEXT_BYTES:
        sys.exit("bench: /usr/share/doc has no manuals in HTML, which the records speak with; install some, as python3-doc")
    return text


def make(folder, count):
    folder.mkdir(parents=True, exist_ok=True)
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


def read(folder):
    records = [line.split("\t") for line in (folder / "records.tsv").read_text().split("\n")[:-1]]
    return records, (folder / "queries.txt").read_text().split("\n")[:-1]


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

    def total(query):
        return searcher.search(parsed(query), 1).count
    return f"{tantivy.__version__.split(',')[0]} (from Python)", plain, facet, total, built, folder_mb(folder)


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

    def total(query):
        return database.execute("SELECT count(*) FROM words WHERE words MATCH ?", (query,)).fetchone()[0]
    return f"SQLite {sqlite3.sqlite_version} FTS5", plain, facet, total, built, folder_mb(folder)


def xapian_peer(records, folder):
    """Without positions, which nothing here asks for: they are most of what it writes."""
    sys.path.append(DEBIAN_PYTHON)
    import xapian
    database = xapian.WritableDatabase(str(folder / "xapian"), xapian.DB_CREATE)
    stemmer = xapian.Stem("english")
    generator = xapian.TermGenerator()
    generator.set_stemmer(stemmer)
    began = time.process_time()
    for name, section, maintainer, text in records:
        document = xapian.Document()
        document.add_value(0, section)
        document.add_value(1, maintainer)
        generator.set_document(document)
        generator.index_text_without_positions(name)
        generator.index_text_without_positions(text)
        database.add_document(document)
    database.commit()
    built = time.process_time() - began
    enquire = xapian.Enquire(database)
    parser = xapian.QueryParser()
    parser.set_stemmer(stemmer)
    parser.set_default_op(xapian.Query.OP_AND)
    parser.set_stemming_strategy(xapian.QueryParser.STEM_SOME)

    def plain(query):
        enquire.set_query(parser.parse_query(query))
        return [match.docid for match in enquire.get_mset(0, 20)]

    def facet(query):
        spies = [xapian.ValueCountMatchSpy(slot) for slot in (0, 1)]
        enquire.set_query(parser.parse_query(query))
        for spy in spies:
            enquire.add_matchspy(spy)
        enquire.get_mset(0, 20, len(records))  # all are looked at, as exact counts want it
        enquire.clear_matchspies()
        return [[(item.term, item.termfreq) for item in spy.top_values(50)] for spy in spies]

    def total(query):
        enquire.set_query(parser.parse_query(query))
        return enquire.get_mset(0, 1, len(records)).get_matches_estimated()
    return f"Xapian {xapian.version_string()}", plain, facet, total, built, folder_mb(folder)


def ask_magpie(program, folder, seconds):
    raw = subprocess.run([program, "--benchmark_format=json", f"--benchmark_min_time={seconds}"], env={**os.environ, "MAGPIE_TEXTS": str(folder)},
                         check=True, capture_output=True, text=True)
    return json.loads(raw.stdout)["benchmarks"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", help="magpie_text_bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--make", type=Path, metavar="FOLDER", help="only write records.tsv and queries.txt there")
    parser.add_argument("--texts", type=Path, metavar="FOLDER", help="where --make wrote them")
    options = parser.parse_args()
    if options.make:
        make(options.make, options.records)
        return
    if not options.program:
        parser.error("--program is needed, or --make")
    with tempfile.TemporaryDirectory() as kept:
        measure(options, Path(kept))


def measure(options, kept):
    folder = options.texts or kept
    if not options.texts:
        make(folder, options.records)
    records, queries = read(folder)
    peers = []
    for build in (tantivy_peer, sqlite_peer, xapian_peer):
        place = kept / build.__name__
        place.mkdir()
        try:
            peers.append(build(records, place))
        except ImportError as error:
            print(f"bench: {build.__name__} is left out: {error}; tools/setup/bench_peers.sh installs it", file=sys.stderr)
    rates = {}
    beside = {name: {"build CPU s": round(built, 1), "index MB": round(megabytes, 1), "found on average": round(statistics.mean(map(total, queries)))}
              for name, _, _, total, built, megabytes in peers}
    for round_number in range(options.rounds):
        plain, facet = ask_magpie(options.program, folder, 1)
        beside["Magpie"] = {"build CPU s": round(plain["build_cpu_s"], 1), "index MB": round(plain["index_mb"], 1),
                            "found on average": round(plain["mean_total"])}
        rates.setdefault(("plain", "Magpie"), []).append(plain["queries_per_cpu_s"])
        rates.setdefault(("with facets", "Magpie"), []).append(facet["queries_per_cpu_s"])
        for name, ask, ask_facets, *_ in peers:
            rates.setdefault(("plain", name), []).append(rate(ask, queries))
            rates.setdefault(("with facets", name), []).append(rate(ask_facets, queries))
        print(f"bench: round {round_number + 1}: " + ", ".join(f"{what} {name} {v[-1]:.0f}" for (what, name), v in rates.items()), file=sys.stderr)
    text_mb = (folder / "records.tsv").stat().st_size / 1e6
    rows = [{"name": f"{what}: {name}", "unit": "queries/CPU s", "values": values, "beside": beside[name]}
            for (what, name), values in sorted(rates.items(), key=lambda item: item[0][0], reverse=True)]
    json.dump({"command": "tools/bench_text.py", "notes": [f"{len(records):,} records, {text_mb:.0f} MB of text; {len(queries):,} queries."],
               "rows": rows}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()

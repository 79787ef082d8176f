// Search by words among products, whole searches as they are served (search/searcher.h), one thread: plain ones, and with counts by section
// and maintainer over everything found. MAGPIE_TEXTS names a folder with records.tsv (name, section, maintainer, text) and queries.txt;
// tools/bench_text.py makes it and asks the peers of the same. Without it, 2,000 made-up records.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <random>

#include "base/check.h"
#include "embedded/index.h"
#include "search/searcher.h"

namespace magpie {
namespace {

constexpr ImageId kCommit = 20'000;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  MAGPIE_CHECK(!lines.empty(), "{} cannot be read; tools/bench_text.py makes it", path.string());
  return lines;
}

/// Up to the next tab; takes it off.
std::string next_field(std::string_view& line) {
  const std::size_t end = std::min(line.find('\t'), line.size());
  std::string field(line.substr(0, end));
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

struct World {
  World() {
    std::string name = (fs::temp_directory_path() / "magpie-text-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    auto opened = embedded::open_index(folder, {.merge_in_background = false});
    MAGPIE_CHECK(opened.has_value(), "cannot open an index in {}", folder.string());
    index = std::move(*opened);
    read();
    const double began = cpu_seconds();
    for (const std::string& record : records) add(record);
    commit();
    MAGPIE_CHECK(index->merge_all().has_value(), "merge");
    build_seconds = cpu_seconds() - began;
  }
  ~World() { fs::remove_all(folder); }

  void read() {
    if (const char* texts = ::getenv("MAGPIE_TEXTS")) {
      records = lines_of(fs::path(texts) / "records.tsv");
      queries = lines_of(fs::path(texts) / "queries.txt");
      return;
    }
    std::mt19937 random(3);
    const auto words = [&](int count) {
      std::string text;
      for (int i = 0; i < count; ++i) text += fmt::format("word{} ", random() % (1 + random() % 2'000));
      return text;
    };
    for (int i = 0; i < 2'000; ++i) records.push_back(fmt::format("{}\tsection{}\tmaintainer{}\t{}", words(3), i % 30, i % 170, words(60)));
    for (int i = 0; i < 50; ++i) queries.push_back(words(1 + i % 3));
  }
  void add(std::string_view record) {
    IndexDocument document{.id = ++documents, .title = next_field(record), .language = "en"};
    document.category = next_field(record);
    document.brand = next_field(record);
    document.description = record;
    document.shop = "shop.test";
    document.copy_group = documents;
    MAGPIE_CHECK(index->text().add(std::move(document)).has_value(), "add");
    if (documents % kCommit == 0) commit();
  }
  void commit() { MAGPIE_CHECK(index->text().commit().has_value(), "commit"); }

  fs::path folder;
  std::unique_ptr<embedded::Index> index;
  std::vector<std::string> records, queries;
  ImageId documents = 0;
  double build_seconds = 0;
};

World& world() {
  static World only;
  return only;
}

void run(benchmark::State& state, std::vector<Facet> facets) {
  const World& w = world();
  const SearchSettings settings;
  const Searcher searcher(w.index->text(), w.index->vectors(), settings);
  std::size_t asked = 0;
  double total = 0;
  for (auto _ : state) {
    SearchQuery query{.words = w.queries[asked++ % w.queries.size()], .language = "en", .limit = 20, .facets = facets, .prices = false};
    const auto answer = searcher.search(query);
    MAGPIE_CHECK(answer.has_value(), "search failed");
    total += static_cast<double>(answer->total);
  }
  state.counters["queries_per_cpu_s"] = benchmark::Counter(static_cast<double>(asked), benchmark::Counter::kIsRate);
  state.counters["mean_total"] = total / static_cast<double>(asked);
  state.counters["documents"] = w.documents;
  state.counters["index_mb"] = static_cast<double>(w.index->bytes()) / 1e6;
  state.counters["build_cpu_s"] = w.build_seconds;
}

void BM_Words(benchmark::State& state) { run(state, {}); }
BENCHMARK(BM_Words)->Unit(benchmark::kMicrosecond);

void BM_WordsWithFacets(benchmark::State& state) { run(state, {Facet::kCategory, Facet::kBrand}); }
BENCHMARK(BM_WordsWithFacets)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace magpie

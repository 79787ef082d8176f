// Search at 100,000 pictures with 1,280-component embeddings, as it is served: filter, words, vectors, collapse, facets, prices.
// Quality stands beside time: recall@10 against a full float32 comparison, and bytes on disk per picture.
// MAGPIE_BENCH_SMOKE=1 shrinks the collection to 2,000; MAGPIE_BENCH_PICTURES makes it any size.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <random>
#include <set>

#include "base/check.h"
#include "embedded/index.h"
#include "search/searcher.h"
#include "vec/dot.h"
#include "vec/quantise.h"

namespace magpie {
namespace {

constexpr std::size_t kDims = 1'280;
constexpr std::size_t kCommit = 5'000;
constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

std::size_t collection_size() {
  if (const char* pictures = ::getenv("MAGPIE_BENCH_PICTURES")) return std::strtoul(pictures, nullptr, 10);
  return ::getenv("MAGPIE_BENCH_SMOKE") != nullptr ? 2'000 : 100'000;
}

/// Clusters of look-alikes, non-negative and sparse as embeddings behind a ReLU are.
class Pictures {
 public:
  explicit Pictures(std::size_t clusters) {
    for (std::size_t i = 0; i < clusters; ++i) centres_.push_back(draw(0.35, 1.0F));
  }
  Embedding next() {
    const Embedding& centre = centres_[random_() % centres_.size()];
    Embedding vector = draw(0.5, 0.45F);
    for (std::size_t i = 0; i < kDims; ++i) vector[i] = std::max(0.0F, vector[i] + centre[i]);
    MAGPIE_CHECK(vec::normalise(vector), "drawn vectors are not zero");
    return vector;
  }

 private:
  Embedding draw(double share, float size) {
    std::exponential_distribution<float> value(1 / size);
    Embedding vector(kDims, 0.0F);
    for (float& one : vector) {
      if (std::generate_canonical<double, 32>(random_) < share) one = value(random_);
    }
    return vector;
  }
  std::mt19937 random_{7};
  std::vector<Embedding> centres_;
};

IndexDocument make_document(ImageId id, std::mt19937& random) {
  // Word frequencies fall off as in real text: word n of 5,000 about 1/n as often as the first.
  const auto word = [&] {
    return fmt::format("word{} ", static_cast<int>(std::pow(5'000.0, std::generate_canonical<double, 32>(random))));
  };
  IndexDocument document{.id = id, .language = "en"};
  for (int i = 0; i < 5; ++i) document.title += word();
  for (int i = 0; i < 8; ++i) document.alt += word();
  for (int i = 0; i < 40; ++i) document.description += word();
  document.shop = fmt::format("shop{}.test", random() % 40);
  document.category = fmt::format("category {}", random() % 60);
  document.brand = fmt::format("brand {}", random() % 800);
  static const char* const kColours[] = {"black", "white", "grey", "red", "blue", "green", "brown"};
  document.colours = {kColours[random() % 7], kColours[random() % 7]};
  document.price_micros = static_cast<std::int64_t>(random() % 50'000) * 10'000;
  document.currency = random() % 4 == 0 ? "USD" : "EUR";
  document.fetched_at_seconds = 1'700'000'000 + id;
  document.copy_group = random() % 10 == 0 && id > 1 ? static_cast<ImageId>(1 + random() % (id - 1)) : id;
  return document;
}

struct World {
  World() : size(collection_size()), vectors_of(std::max<std::size_t>(size / 100, 1)) {
    std::string name = (fs::temp_directory_path() / "magpie-bench-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    open({.merge_in_background = false, .graph_vectors_min = kNever});
    const auto start = std::chrono::steady_clock::now();
    for (ImageId id = 1; id <= size; ++id) {
      add(id);
      if (id % kCommit == 0) commit();
    }
    commit();
    build_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    open({.merge_in_background = false});
    const auto merge_start = std::clock();
    MAGPIE_CHECK(index->merge_all().has_value(), "merge");
    graph_cpu_seconds = static_cast<double>(std::clock() - merge_start) / CLOCKS_PER_SEC;
    for (int i = 0; i < 50; ++i) queries.push_back(vectors_of.next());
  }
  ~World() { fs::remove_all(folder); }
  void open(embedded::IndexOptions options) {
    index.reset();
    auto opened = embedded::open_index(folder, std::move(options));
    MAGPIE_CHECK(opened.has_value(), "cannot open an index in {}", folder.string());
    index = std::move(*opened);
  }
  void add(ImageId id) {
    MAGPIE_CHECK(index->text().add(make_document(id, random)).has_value(), "add");
    MAGPIE_CHECK(index->vectors().add(id, vectors_of.next()).has_value(), "add");
  }
  void commit() { MAGPIE_CHECK(index->text().commit().has_value(), "commit"); }

  std::size_t size;
  std::mt19937 random{11};
  Pictures vectors_of;
  fs::path folder;
  std::unique_ptr<embedded::Index> index;
  std::vector<Embedding> queries;
  double build_seconds = 0;
  double graph_cpu_seconds = 0;  // merging all into one segment, and its graph
};

World& world() {
  static World only;
  return only;
}

/// Runs searches one by one and reports their latencies, not only their mean.
void run(benchmark::State& state, const std::function<SearchQuery(std::size_t)>& query_of) {
  World& w = world();
  const SearchSettings settings;
  const Searcher searcher(w.index->text(), w.index->vectors(), settings);
  std::vector<double> took_ms;
  double total = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    const auto answer = searcher.search(query_of(took_ms.size()));
    MAGPIE_CHECK(answer.has_value(), "search failed");
    total += static_cast<double>(answer->total);
    took_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(took_ms.begin(), took_ms.end());
  state.counters["pictures"] = static_cast<double>(w.size);
  state.counters["p50_ms"] = took_ms[took_ms.size() / 2];
  state.counters["p99_ms"] = took_ms[took_ms.size() * 99 / 100];
  state.counters["mean_total"] = total / static_cast<double>(took_ms.size());
}

void BM_NearestTen(benchmark::State& state) {
  World& w = world();
  const auto view = *w.index->vectors().snapshot();
  std::vector<double> took_ms;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(view->search({.vector = w.queries[took_ms.size() % w.queries.size()], .k = 10}));
    took_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(took_ms.begin(), took_ms.end());
  state.counters["p50_ms"] = took_ms[took_ms.size() / 2];
  state.counters["p99_ms"] = took_ms[took_ms.size() * 99 / 100];
  state.counters["bytes_per_picture"] = static_cast<double>(w.index->bytes()) / static_cast<double>(w.size);
  state.counters["build_seconds"] = w.build_seconds;

  double found = 0;
  constexpr std::size_t kChecked = 10;
  for (std::size_t q = 0; q < kChecked; ++q) {
    std::vector<std::pair<double, ImageId>> all;
    for (ImageId id = 1; id <= w.size; ++id) all.emplace_back(vec::dot(w.queries[q], **view->embedding(id)), id);
    std::partial_sort(all.begin(), all.begin() + 10, all.end(), std::greater<>());
    const auto matches = view->search({.vector = w.queries[q], .k = 10});
    std::set<ImageId> ids;
    for (const SimilarId& hit : matches->hits) ids.insert(hit.id);
    for (std::size_t i = 0; i < 10; ++i) found += ids.contains(all[i].second) ? 1 : 0;
  }
  state.counters["recall@10"] = found / (10.0 * kChecked);
}
BENCHMARK(BM_NearestTen)->Unit(benchmark::kMillisecond);

/// The ten nearest of those that a filter lets pass, one in state.range(0) of all, not necessarily exact: recall beside time.
void BM_NearestTenAmong(benchmark::State& state) {
  World& w = world();
  const auto view = *w.index->vectors().snapshot();
  IdSet allowed;
  for (ImageId id = 1; id <= w.size; ++id) {
    if (w.random() % static_cast<std::uint32_t>(state.range(0)) == 0) allowed.add(id);
  }
  const auto query = [&](std::size_t i, bool exact) {
    return view->search({.vector = w.queries[i % w.queries.size()], .k = 10, .allowed = &allowed, .exact = exact});
  };
  std::vector<double> took_ms;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(query(took_ms.size(), false));
    took_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  double found = 0, wanted = 0, walked = 0;
  for (std::size_t i = 0; i < w.queries.size(); ++i) {
    const auto fast = query(i, false), exact = query(i, true);
    walked += fast->plan == VectorPlan::kGraph ? 1 : 0;
    for (const SimilarId& hit : exact->hits) {
      wanted += 1;
      found += std::ranges::any_of(fast->hits, [&](const SimilarId& one) { return one.id == hit.id; }) ? 1 : 0;
    }
  }
  std::sort(took_ms.begin(), took_ms.end());
  state.counters["pictures"] = static_cast<double>(w.size);
  state.counters["p50_ms"] = took_ms[took_ms.size() / 2];
  state.counters["p99_ms"] = took_ms[took_ms.size() * 99 / 100];
  state.counters["recall@10"] = wanted > 0 ? found / wanted : 1;
  state.counters["by_graph"] = walked / static_cast<double>(w.queries.size());
  state.counters["graph_cpu_s"] = w.graph_cpu_seconds;
}
BENCHMARK(BM_NearestTenAmong)->Arg(1)->Arg(10)->Arg(100)->Arg(1'000)->Unit(benchmark::kMillisecond);

void BM_FirstPageByPicture(benchmark::State& state) {
  run(state, [](std::size_t i) {
    return SearchQuery{
        .picture = world().queries[i % world().queries.size()], .similarity_min = 0.6F, .facets = {}, .prices = false, .exact = false};
  });
}
BENCHMARK(BM_FirstPageByPicture)->Unit(benchmark::kMillisecond);

void BM_SearchByPicture(benchmark::State& state) {
  run(state, [](std::size_t i) { return SearchQuery{.picture = world().queries[i % world().queries.size()], .similarity_min = 0.6F}; });
}
BENCHMARK(BM_SearchByPicture)->Unit(benchmark::kMillisecond);

void BM_SearchByPictureFiltered(benchmark::State& state) {
  run(state, [](std::size_t i) {
    SearchQuery query{.picture = world().queries[i % world().queries.size()], .similarity_min = 0.6F};
    query.filter.shops = {fmt::format("shop{}.test", i % 40)};
    query.filter.colours = {"red", "blue"};
    return query;
  });
}
BENCHMARK(BM_SearchByPictureFiltered)->Unit(benchmark::kMillisecond);

void BM_SearchByWords(benchmark::State& state) {
  run(state, [](std::size_t i) { return SearchQuery{.words = fmt::format("word{} word{}", 2 + i % 30, 40 + i % 100)}; });
}
BENCHMARK(BM_SearchByWords)->Unit(benchmark::kMillisecond);

void BM_Browse(benchmark::State& state) {
  run(state, [](std::size_t i) { return SearchQuery{.offset = 50 * (i % 20)}; });
}
BENCHMARK(BM_Browse)->Unit(benchmark::kMillisecond);

void BM_CommitThousand(benchmark::State& state) {
  World& w = world();
  ImageId id = static_cast<ImageId>(w.size);
  for (auto _ : state) {
    state.PauseTiming();
    for (int i = 0; i < 1'000; ++i) w.add(++id);
    state.ResumeTiming();
    w.commit();
  }
}
BENCHMARK(BM_CommitThousand)->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace
}  // namespace magpie

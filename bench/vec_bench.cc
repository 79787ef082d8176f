// Nearest rows by a graph (vec/graph.h), one thread: queries per CPU second and recall@10 for several beams, the build's time, bytes a row.
// MAGPIE_VECTORS names a folder with base.f32 and queries.f32 (unit rows) and truth.u32 (ten nearest a query), each headed by u32 rows, u32
// columns; tools/bench_vec.py makes it and asks the peers of the same. Without it, 2,000 drawn vectors.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <random>
#include <set>

#include "base/check.h"
#include "vec/dot.h"
#include "vec/graph.h"

namespace magpie::vec {
namespace {

constexpr std::size_t kNearest = 10;
constexpr std::size_t kAhead = 3;  // rows that are fetched before their turn
/// Up to here all rows of the beam are compared by floats: making the query ready for codes would take longer than they save.
constexpr std::size_t kFloatsAlone = 24;
/// Beyond, rows of the beam that are compared by floats in the end: more than ten, as a byte a component may swap neighbours.
constexpr std::size_t compared_by_floats(std::size_t beam) { return 12 + beam / 8; }

template <class T>
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<T> values;
  std::span<const T> row(std::size_t i) const { return std::span(values).subspan(i * columns, columns); }
};

template <class T>
Matrix<T> read_matrix(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint32_t head[2] = {};
  file.read(reinterpret_cast<char*>(head), sizeof head);
  Matrix<T> matrix{head[0], head[1], {}};
  matrix.values.resize(matrix.rows * matrix.columns);
  file.read(reinterpret_cast<char*>(matrix.values.data()), static_cast<std::streamsize>(matrix.values.size() * sizeof(T)));
  MAGPIE_CHECK(file.good() && matrix.rows > 0, "{} cannot be read", path);
  return matrix;
}

Matrix<float> draw(std::size_t rows, std::mt19937& random, const Matrix<float>& centres) {
  std::normal_distribution<float> normal;
  Matrix<float> drawn{rows, 64, std::vector<float>(rows * 64)};
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t centre = centres.rows == 0 ? 0 : random() % centres.rows;
    const auto row = std::span(drawn.values).subspan(i * 64, 64);
    for (std::size_t j = 0; j < 64; ++j) row[j] = normal(random) + (centres.rows == 0 ? 0 : 10 * centres.row(centre)[j]);
    MAGPIE_CHECK(normalise(row), "drawn vectors are not zero");
  }
  return drawn;
}

struct World {
  World() {
    if (const char* folder = ::getenv("MAGPIE_VECTORS")) {
      base = read_matrix<float>(std::string(folder) + "/base.f32");
      queries = read_matrix<float>(std::string(folder) + "/queries.f32");
      truth = read_matrix<std::uint32_t>(std::string(folder) + "/truth.u32");
    } else {
      std::mt19937 random(5);
      const Matrix<float> centres = draw(20, random, {});
      base = draw(2'000, random, centres);
      queries = draw(50, random, centres);
    }
    size = padded(base.columns);
    widen(base);
    widen(queries);
    if (truth.rows == 0) compare_all();
    prepare();
    build();
  }
  /// Rows padded with zeros.
  void widen(Matrix<float>& matrix) const {
    std::vector<float> wide(matrix.rows * size, 0.0F);
    for (std::size_t i = 0; i < matrix.rows; ++i) std::ranges::copy(matrix.row(i), wide.begin() + static_cast<std::ptrdiff_t>(i * size));
    matrix = {matrix.rows, size, std::move(wide)};
  }
  void compare_all() {
    truth = {queries.rows, kNearest, {}};
    for (std::size_t q = 0; q < queries.rows; ++q) {
      TopK best(kNearest);
      for (std::uint32_t i = 0; i < base.rows; ++i) best.offer({static_cast<float>(dot(queries.row(q), base.row(i))), i});
      for (const Scored& one : best.take()) truth.values.push_back(one.id);
    }
  }
  void prepare() {
    centre.assign(size, 0.0F);
    for (std::size_t i = 0; i < base.values.size(); ++i) centre[i % size] += base.values[i] / static_cast<float>(base.rows);
    codes.resize(base.rows * size);
    for (std::size_t i = 0; i < base.rows; ++i) scales.push_back(quantise(base.row(i), std::span(codes).subspan(i * size, size)));
  }
  void build() {
    const auto start = std::clock();
    GraphBuilder builder(view());
    while (builder.add(1'000)) {}
    graph = builder.finish();
    build_seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }
  GraphRows view() const { return {base.rows, size, codes.data(), scales.data(), centre}; }

  std::size_t size = 0;
  Matrix<float> base, queries;
  Matrix<std::uint32_t> truth;
  std::vector<float> centre;
  std::vector<std::uint8_t> codes;
  std::vector<CodeScale> scales;
  Graph graph;
  double build_seconds = 0;
};

World& world() {
  static World only;
  return only;
}

/// The best `count` by `similarity`, which reads `size` values of each row from `matrix` on.
template <class T, class Similarity>
void compare(std::vector<Scored>& rows, std::size_t count, const std::vector<T>& matrix, std::size_t size, Similarity&& similarity) {
  const auto prefetch = [&](const Scored& one) {
    const char* const from = reinterpret_cast<const char*>(matrix.data() + one.id * size);
    for (std::size_t at = 0; at < size * sizeof(T); at += 64) __builtin_prefetch(from + at);
  };
  for (std::size_t i = 0; i < std::min(kAhead, rows.size()); ++i) prefetch(rows[i]);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size()) prefetch(rows[i + kAhead]);
    rows[i].score = similarity(matrix.data() + rows[i].id * size, rows[i].id);
  }
  const std::size_t kept = std::min(count, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kept), rows.end(), better);
  rows.resize(kept);
}

/// The ten nearest: a walk, then the codes of its best where they are many, then the floats of theirs.
std::vector<Scored> search(const World& w, std::size_t query, std::size_t beam, std::size_t& looks) {
  const auto vector = w.queries.row(query);
  const GraphView graph = w.graph.view(w.centre);
  Walked walked = walk(graph, ReducedQuery(vector, graph.reduction), {.beam = beam});
  looks += walked.looks;
  const DotFunctions& dots = dot_functions();
  if (beam > kFloatsAlone) {
    const QuantisedQuery quantised(vector);
    compare(walked.best, compared_by_floats(beam), w.codes, w.size, [&](const std::uint8_t* codes, std::uint32_t row) {
      return quantised.similarity(dots.codes(codes, quantised.values.data(), w.size), w.scales[row]);
    });
  }
  compare(walked.best, kNearest, w.base.values, w.size,
          [&](const float* row, std::uint32_t) { return dots.floats(vector.data(), row, w.size); });
  return walked.best;
}

void BM_NearestTen(benchmark::State& state) {
  const World& w = world();
  const auto beam = static_cast<std::size_t>(state.range(0));
  std::size_t asked = 0, looks = 0;
  for (auto _ : state) benchmark::DoNotOptimize(search(w, asked++ % w.queries.rows, beam, looks));
  double found = 0;
  for (std::size_t q = 0; q < w.queries.rows; ++q) {
    std::size_t ignored = 0;
    for (const Scored& one : search(w, q, beam, ignored)) found += std::ranges::count(w.truth.row(q), one.id) > 0 ? 1 : 0;
  }
  state.counters["recall@10"] = found / static_cast<double>(kNearest * w.queries.rows);
  state.counters["queries_per_cpu_s"] = benchmark::Counter(static_cast<double>(asked), benchmark::Counter::kIsRate);
  state.counters["looks"] = static_cast<double>(looks) / static_cast<double>(asked);
  state.counters["build_cpu_s"] = w.build_seconds;
  state.counters["vectors"] = static_cast<double>(w.base.rows);
  state.counters["graph_bytes_per_vector"] = static_cast<double>(kGraphDegree * sizeof(std::uint32_t) + sizeof(ReducedRow));
}
BENCHMARK(BM_NearestTen)->Arg(10)->Arg(16)->Arg(20)->Arg(24)->Arg(32)->Arg(48)->Arg(64)->Arg(96)->Arg(128)->Arg(192)->Arg(256);

}  // namespace
}  // namespace magpie::vec

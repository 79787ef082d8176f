#include "vec/graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "vec/dot.h"

namespace magpie::vec {
namespace {

/// Clusters of look-alikes, some of them copies, as a crawl finds pictures: one cluster after the other.
class Rows {
 public:
  /// The last `equal` of them are one picture.
  Rows(std::size_t count, std::size_t dims, std::uint32_t seed, std::size_t equal = 0)
      : random_(seed), size_(padded(dims)), centre_(size_, 0.0F) {
    for (std::size_t i = 0; i < std::max<std::size_t>(count / 100, 1); ++i) centres_.push_back(draw(dims, {}, 1));
    for (std::size_t i = 0; i < count; ++i) {
      const bool copy = i > 0 && (i + equal > count || random_() % 20 == 0);
      vectors_.push_back(copy ? vectors_.back() : draw(dims, centres_[i * centres_.size() / count], 0.6F));
      for (std::size_t j = 0; j < size_; ++j) centre_[j] += vectors_.back()[j] / static_cast<float>(count);
    }
    codes_.resize(count * size_);
    for (std::size_t i = 0; i < count; ++i) scales_.push_back(quantise(vectors_[i], std::span(codes_).subspan(i * size_, size_)));
  }
  GraphRows view() const { return {vectors_.size(), size_, codes_.data(), scales_.data(), centre_}; }
  std::vector<float> query() { return draw(size_, centres_[random_() % centres_.size()], 0.6F); }
  /// The k most similar rows that pass, by the floats.
  template <class Passes>
  std::vector<Scored> nearest(const std::vector<float>& query, std::size_t k, Passes&& passes) const {
    TopK best(k);
    for (std::uint32_t row = 0; row < vectors_.size(); ++row) {
      if (passes(row)) best.offer({similarity(query, row), row});
    }
    return best.take();
  }
  float similarity(const std::vector<float>& query, std::uint32_t row) const { return static_cast<float>(dot(query, vectors_[row])); }
  std::size_t count() const { return vectors_.size(); }
  const std::vector<float>& vector(std::uint32_t row) const { return vectors_[row]; }
  std::mt19937& random() { return random_; }

 private:
  std::vector<float> draw(std::size_t dims, const std::vector<float>& centre, float spread) {
    std::normal_distribution<float> normal(0, spread);
    std::vector<float> vector(size_, 0.0F);
    for (std::size_t i = 0; i < dims; ++i) vector[i] = normal(random_) + (centre.empty() ? 0.0F : 8 * centre[i]);
    EXPECT_TRUE(normalise(vector));
    return vector;
  }
  std::mt19937 random_;
  std::size_t size_;
  std::vector<std::vector<float>> centres_, vectors_;
  std::vector<float> centre_;
  std::vector<std::uint8_t> codes_;
  std::vector<CodeScale> scales_;
};

struct Built {
  explicit Built(const GraphRows& rows) : centre(rows.centre) {
    GraphBuilder builder(rows);
    while (builder.add(100)) {}
    graph = builder.finish();
  }
  GraphView view() const { return graph.view(centre); }
  Walked walk(const std::vector<float>& query, const WalkOptions& options, const std::function<bool(std::uint32_t)>& passes = {}) const {
    return vec::walk(view(), {query, view().reduction}, options, passes);
  }
  Graph graph;
  std::span<const float> centre;
};

/// Share of the ten nearest that are among what a walk kept, one of equals being as good as the other.
double recall(const Rows& rows, const std::vector<float>& query, const std::vector<Scored>& found, const std::vector<Scored>& expected) {
  if (expected.empty()) return 1;
  const float edge = expected.back().score - 1e-6F;
  const auto right = std::ranges::count_if(found, [&](const Scored& one) { return rows.similarity(query, one.id) >= edge; });
  return std::min(1.0, static_cast<double>(right) / static_cast<double>(expected.size()));
}

TEST(Graph, FindsTheNearest) {
  Rows rows(4'000, 60, 1);
  const Built graph(rows.view());
  double sum = 0;
  std::size_t looks = 0;
  for (int i = 0; i < 100; ++i) {
    const std::vector<float> query = rows.query();
    const Walked walked = graph.walk(query, {.beam = 64});
    EXPECT_TRUE(walked.finished);
    EXPECT_LE(walked.best.size(), 64U);
    sum += recall(rows, query, walked.best, rows.nearest(query, 10, [](std::uint32_t) { return true; }));
    looks += walked.looks;
  }
  EXPECT_GE(sum / 100, 0.98);
  EXPECT_LT(looks / 100, rows.count() / 3);  // or it were no better than a scan
}

TEST(Graph, FindsARowThatWalksStartAt) {
  const Rows rows(1'000, 40, 9);
  const Built graph(rows.view());
  for (std::uint32_t row = 0; row < rows.count(); ++row) {
    const std::vector<Scored> best = graph.walk(rows.vector(row), {.beam = 16}).best;
    const auto own = std::ranges::count_if(best, [&](const Scored& one) { return rows.similarity(rows.vector(row), one.id) > 0.9999F; });
    EXPECT_GE(own, 1) << row;
    std::set<std::uint32_t> ids;
    for (const Scored& one : best) EXPECT_TRUE(ids.insert(one.id).second) << "twice";
  }
}

TEST(Graph, ATrialTellsAGoodGraphFromABadOne) {
  const Rows rows(3'000, 60, 8);
  Built graph(rows.view());
  EXPECT_GE(graph_recall(rows.view(), graph.view(), 96, 30), 0.98);
  std::fill(graph.graph.edges.begin() + static_cast<std::ptrdiff_t>(graph.graph.edges.size() / 10), graph.graph.edges.end(), kNoRow);
  EXPECT_LT(graph_recall(rows.view(), graph.view(), 96, 30), 0.9);
}

TEST(Graph, TheSameRowsGiveTheSameGraph) {
  const Rows rows(1'500, 40, 2);
  const Built once(rows.view()), again(rows.view());
  EXPECT_EQ(once.graph.entry, again.graph.entry);
  EXPECT_EQ(once.graph.edges, again.graph.edges);
}

TEST(Graph, EveryRowIsReachedFromTheEntry) {
  const Rows rows(3'000, 20, 3);
  const Built graph(rows.view());
  std::vector<bool> reached(rows.count(), false);
  std::vector<std::uint32_t> waiting{graph.graph.entry};
  reached[graph.graph.entry] = true;
  while (!waiting.empty()) {
    const std::uint32_t row = waiting.back();
    waiting.pop_back();
    for (std::size_t i = 0; i < kGraphDegree; ++i) {
      const std::uint32_t to = graph.graph.edges[row * kGraphDegree + i];
      if (to == kNoRow) break;
      ASSERT_LT(to, rows.count());
      ASSERT_NE(to, row);
      if (!reached[to]) waiting.push_back(to);
      reached[to] = true;
    }
  }
  EXPECT_EQ(std::ranges::count(reached, false), 0);
}

TEST(Graph, FewRowsAndEqualRowsAreNoTrouble) {
  for (const std::size_t count : {1U, 2U, 40U}) {
    Rows rows(count, 8, 4);
    const Built graph(rows.view());
    const std::vector<float> query = rows.query();
    EXPECT_EQ(graph.walk(query, {.beam = 100}).best.size(), count);
  }
}

// A stand-in picture that is there five hundred times must not cut the others off.
TEST(Graph, ManyEqualRowsLeaveTheOthersWithinReach) {
  Rows rows(1'500, 48, 6, 500);
  const Built graph(rows.view());
  double sum = 0;
  constexpr int kQueries = 100;
  for (int i = 0; i < kQueries; ++i) {
    const std::vector<float> query = rows.query();
    const Walked walked = graph.walk(query, {.beam = 96});
    sum += recall(rows, query, walked.best, rows.nearest(query, 10, [](std::uint32_t) { return true; }));
  }
  EXPECT_GE(sum / kQueries, 0.95);
}

// Filters that let one row in two to one in a thousand pass: anywhere, only near the query, only far from it.
TEST(Graph, AFilterLowersNoRecall) {
  Rows rows(5'000, 48, 5);
  const Built graph(rows.view());
  for (const std::size_t one_in : {2U, 5U, 10U, 30U, 100U, 1'000U}) {
    for (const char* where : {"anywhere", "near", "far"}) {
      double sum = 0;
      constexpr int kQueries = 30;
      for (int i = 0; i < kQueries; ++i) {
        const std::vector<float> query = rows.query();
        std::vector<bool> passes(rows.count(), false);
        const std::vector<Scored> all = rows.nearest(query, rows.count(), [](std::uint32_t) { return true; });
        for (std::size_t rank = 0; rank < all.size(); ++rank) {
          const bool anywhere = rows.random()() % one_in == 0;
          const bool near = rank < all.size() / one_in, far = rank >= all.size() - all.size() / one_in;
          passes[all[rank].id] = *where == 'a' ? anywhere : *where == 'n' ? near : far;
        }
        const auto filter = [&](std::uint32_t row) -> bool { return passes[row]; };
        const Walked walked = graph.walk(query, {.beam = 64}, filter);
        for (const Scored& one : walked.best) EXPECT_TRUE(passes[one.id]);
        sum += recall(rows, query, walked.best, rows.nearest(query, 10, filter));
      }
      EXPECT_GE(sum / kQueries, 0.95) << "one in " << one_in << " " << where;
    }
  }
}

TEST(Graph, AWalkGivesUpWhereItIsTold) {
  Rows rows(3'000, 32, 6);
  const Built graph(rows.view());
  const std::vector<float> query = rows.query();
  const auto none = [](std::uint32_t) { return false; };
  const Walked walked = graph.walk(query, {.beam = 10, .looks_max = 500}, none);
  EXPECT_FALSE(walked.finished);
  EXPECT_LE(walked.looks, 500 + kGraphDegree);
  EXPECT_TRUE(graph.walk(query, {.beam = 10}, none).finished);
}

TEST(Graph, AnyBytesAreWalkedWithinBounds) {
  Rows rows(1'000, 16, 7);
  Built graph(rows.view());
  const std::vector<float> query = rows.query();
  for (int round = 0; round < 50; ++round) {
    std::vector<std::uint32_t> damaged = graph.graph.edges;
    for (int i = 0; i < 2'000; ++i) damaged[rows.random()() % damaged.size()] = rows.random()();
    GraphView view = graph.view();
    const ReducedQuery prepared(query, view.reduction);
    std::vector<ReducedRow> rows_damaged = graph.graph.rows;
    const auto bytes = std::as_writable_bytes(std::span(rows_damaged));
    for (int i = 0; i < 2'000; ++i) bytes[rows.random()() % bytes.size()] = static_cast<std::byte>(rows.random()());
    view.edges = damaged;
    view.rows = rows_damaged;
    for (const Scored& one : walk(view, prepared, {.beam = 50}).best) EXPECT_LT(one.id, rows.count());
    view.edges = std::span(damaged).first(rows.random()() % damaged.size());
    EXPECT_TRUE(walk(view, prepared, {}).best.empty());
    view.edges = damaged;
    view.entry = 1'000U + static_cast<std::uint32_t>(round);
    EXPECT_TRUE(walk(view, prepared, {}).best.empty());
  }
}

}  // namespace
}  // namespace magpie::vec

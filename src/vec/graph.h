#pragma once
// A graph over rows that finds a query's nearest rows by looking at few of them. Each row is joined with up to `degree` others: near ones,
// but none that a nearer neighbour already leads to. A walk starts at one row and at the best of some others, and goes on from the most
// similar row it knows until no known row is better than the worst of the `beam` best.
//
// After Subramanya and others, "DiskANN: Fast Accurate Billion-point Nearest Neighbor Search on a Single Node" (NeurIPS 2019), sections
// 2.2 and 2.3: one flat layer, rows added one by one in random order, neighbours pruned with slack `kAlpha`. A walk compares reduced rows
// (vec/reduce.h), 192 bytes of each, and the rows it ends with are for the caller to compare more closely.
//
// A graph knows rows by their place in GraphRows and nothing else. The same rows give the same graph, on every machine.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "vec/reduce.h"
#include "vec/top_k.h"

namespace magpie::vec {

/// Neighbours of row i are edges[i × kGraphDegree] on, ended by kNoRow where there are fewer. Bytes from a disk may be anything: a walk
/// takes a number that is no row for the end of a list.
inline constexpr std::size_t kGraphDegree = 32;
inline constexpr std::uint32_t kNoRow = std::numeric_limits<std::uint32_t>::max();
struct GraphView {
  std::span<const std::uint32_t> edges;  // rows.size() × kGraphDegree
  std::span<const ReducedRow> rows;
  ReductionView reduction;
  std::uint32_t entry = 0;  // from which every row can be reached
};

struct WalkOptions {
  std::size_t beam = 64;  // rows kept, from 1: more is slower and finds more
  /// Rows that are looked at before the walk gives up; a filter that lets next to nothing pass near the query can cost any number.
  std::size_t looks_max = std::numeric_limits<std::size_t>::max();
};
struct Walked {
  std::vector<Scored> best;  // `beam` at most, best first; similarities are estimates
  std::size_t looks = 0;     // rows looked at
  bool finished = true;      // false: gave up at looks_max
};
/// Walks from the entry. `passes`: which rows may be answered; the walk leads over all rows. Empty: all. Thread-safe. Cost: about 5 µs and
/// half a µs per row of the beam, over the share of rows that pass.
Walked walk(const GraphView& graph, const ReducedQuery& query, const WalkOptions& options,
            const std::function<bool(std::uint32_t)>& passes = {});

/// How good a graph is: the share of the ten nearest others of some `trials` rows, spread evenly, that walks find. Graphs do badly on rows
/// that fall into many tight clusters, all equally far from one another, as nothing then leads from one to the next. Truth is by one-byte
/// codes. Cost: trials × count × 60 ns.
double graph_recall(const GraphRows& rows, const GraphView& graph, std::size_t beam, std::size_t trials);

/// What a graph is, as a file keeps it; see GraphView.
struct Graph {
  std::vector<std::uint32_t> edges;
  std::vector<ReducedRow> rows;
  std::vector<std::uint8_t> directions;
  std::vector<DirectionScale> scales;
  std::uint32_t entry = 0;
  /// `centre` is that of the rows it was built of.
  GraphView view(std::span<const float> centre) const { return {edges, rows, {directions, scales, centre}, entry}; }
};

/// Builds a graph row by row, so that the caller can do other things, or stop, in between. Memory: 390 bytes a row,
/// and 130 more for finish(). Not thread-safe.
class GraphBuilder {
 public:
  /// `rows` stay where they are until finish(). Finds their directions: about a second at 1,280 components.
  explicit GraphBuilder(const GraphRows& rows);
  ~GraphBuilder();
  GraphBuilder(const GraphBuilder&) = delete;
  GraphBuilder& operator=(const GraphBuilder&) = delete;

  /// Adds up to `count` rows, or makes some ready, which all are first; false once all are in. Cost: about 0.2 ms for each of `count`.
  bool add(std::size_t count);
  /// Once, after add() said false. Each row can be reached from the entry.
  Graph finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace magpie::vec

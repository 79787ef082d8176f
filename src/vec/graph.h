#pragma once
// A graph over rows that finds a query's nearest rows by looking at few of them. Each row is joined with up to `degree` others: near ones,
// but none that a nearer neighbour already leads to. A walk starts at one row, and goes on from the most similar row it knows until no
// known row is better than the worst of the `beam` best.
//
// After Subramanya and others, "DiskANN: Fast Accurate Billion-point Nearest Neighbor Search on a Single Node" (NeurIPS 2019), sections
// 2.2 and 2.3: one flat layer, rows added one by one in random order, neighbours pruned with slack `kAlpha`. From Gao and Long's RaBitQ
// (vec/sketch.h) comes what a walk looks at first: a neighbour's sketch says nearly always whether it can be among the best, and only if
// so its one-byte codes are read. So a hop touches 160 bytes of most neighbours in place of 1,280.
//
// A graph knows rows by their place in GraphRows and nothing else. The same rows give the same graph, on every machine.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "vec/quantise.h"
#include "vec/sketch.h"
#include "vec/top_k.h"

namespace magpie::vec {

/// The rows a graph is over, all borrowed. `size` is padded().
struct GraphRows {
  std::size_t count = 0, size = 0;
  const std::uint8_t* codes = nullptr;    // count rows of `size`
  const CodeScale* scales = nullptr;      // count
  const std::uint64_t* words = nullptr;   // count rows of sketch_words(size)
  const SketchScale* sketches = nullptr;  // count
  std::span<const float> centre;          // of the sketches
};

/// Neighbours of row i are edges[i × kGraphDegree] on, ended by kNoRow where there are fewer. Bytes from a disk may be anything: a walk
/// takes a number that is no row for the end of a list.
inline constexpr std::size_t kGraphDegree = 32;
inline constexpr std::uint32_t kNoRow = std::numeric_limits<std::uint32_t>::max();
struct GraphView {
  std::span<const std::uint32_t> edges;  // count × kGraphDegree
  std::uint32_t entry = 0;               // where walks start
};

/// A query as a walk needs it.
class GraphQuery {
 public:
  /// `vector` is padded with zeros to the rotation's size; both of the rows' size. Cost: some 15 µs at 1,280 components.
  GraphQuery(std::span<const float> vector, const GraphRows& rows, const Rotation& rotation);

  /// Up to a few thousandths the cosine to a unit vector.
  float similarity(std::int32_t sum, const CodeScale& code) const { return scale_ * code.scale * static_cast<float>(sum - 128 * sum_); }
  const std::int8_t* bytes() const { return bytes_.data(); }
  const SketchQuery& sketched() const { return sketched_; }

 private:
  std::vector<std::int8_t> bytes_;
  std::int32_t sum_ = 0;
  float scale_ = 0;
  SketchQuery sketched_;
};

struct WalkOptions {
  std::size_t beam = 64;  // rows kept, from 1: more is slower and finds more
  /// Rows that are looked at before the walk gives up; a filter that lets next to nothing pass near the query can cost any number.
  std::size_t looks_max = std::numeric_limits<std::size_t>::max();
  /// Standard deviations of a sketch's error that are allowed for before a row is passed over. What a filter lets pass may lie far from the
  /// query, where similarities are so close together that the best are not far above the edge: 3 then, if it stops many.
  float gate_deviations = 1.5F;
};
struct Walked {
  std::vector<Scored> best;  // `beam` at most, in no order; similarities by one-byte codes
  std::size_t looks = 0;     // rows whose sketch was looked at
  bool finished = true;      // false: gave up at looks_max
};
/// Walks from the entry. `passes`: which rows may be answered; the walk leads over all rows. Empty: all. Thread-safe. Cost: about 20 µs and
/// 1 µs per row of the beam, over the share of rows that pass.
Walked walk(const GraphRows& rows, const GraphView& graph, const GraphQuery& query, const WalkOptions& options,
            const std::function<bool(std::uint32_t)>& passes = {});

/// How good a graph is: the share of the ten nearest others of some `trials` rows, spread evenly, that walks find. Graphs do badly on rows
/// that fall into many tight clusters, all equally far from one another, as nothing then leads from one to the next. Truth is by one-byte
/// codes. Cost: trials × count × 60 ns.
double graph_recall(const GraphRows& rows, const GraphView& graph, std::size_t beam, std::size_t trials);

/// Builds a graph row by row, so that the caller can do other things, or stop, in between. Memory: 200 bytes a row. Not thread-safe.
class GraphBuilder {
 public:
  /// `rows` stay where they are until finish(). Looks at each row once for the entry.
  explicit GraphBuilder(const GraphRows& rows);
  ~GraphBuilder();
  GraphBuilder(const GraphBuilder&) = delete;
  GraphBuilder& operator=(const GraphBuilder&) = delete;

  /// Adds up to `count` rows; false once all are in. Cost: about 0.3 ms a row.
  bool add(std::size_t count);
  /// After add() said false: the edges, ready for a GraphView with entry(). Each row can be reached from the entry.
  std::vector<std::uint32_t> finish();
  std::uint32_t entry() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace magpie::vec

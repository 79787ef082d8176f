#pragma once
// A row in 192 bytes, three cache lines, for walks over a graph (vec/graph.h): a look at a row costs a quarter of what its one-byte codes
// cost, and orders near rows nearly as well. Of a row's difference r from the centre c, the components along those directions are kept in
// which rows differ most (principal components), a byte each; of the rest of it only the length. With p = q - c
//   q·v = q·c + r·c + p·r,   p·r ≈ the sum over directions + kTailAgreement × |rest of p| |rest of r|
// as the rests of two look-alikes point the same way in part. Pictures' embeddings lie near a subspace of few dimensions: on
// Fashion-MNIST 180 of 784 directions keep 93 % of the squared differences. Where vectors fill all dimensions evenly the estimate is poor,
// and a trial (graph_recall) tells.
//
// After Jolliffe, "Principal Component Analysis" (2nd edition, 2002), sections 1.1 and 3.1, and Golub and Van Loan, "Matrix Computations"
// (4th edition, 2013), 8.2.4 (orthogonal iteration). Sums are of integers, or of floats in one order: the same rows give the same
// directions on every machine.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vec/dot.h"
#include "vec/quantise.h"

namespace magpie::vec {

/// The rows that a graph is over, all borrowed: unit vectors. `size` is padded().
struct GraphRows {
  std::size_t count = 0, size = 0;
  const std::uint8_t* codes = nullptr;  // count rows of `size`
  const CodeScale* scales = nullptr;    // count
  std::span<const float> centre;        // of the rows, `size`
};

inline constexpr std::size_t kReducedSize = 180;
/// Persisted.
struct ReducedRow {
  std::uint8_t codes[kReducedSize];  // component ≈ scale × (code - 128)
  float scale = 0;
  float centre_dot = 0;  // r·c
  float rest = 0;        // length of what the directions leave
};
static_assert(sizeof(ReducedRow) == 192);

/// One direction d has so many as bytes: component ≈ scale × (byte - 128). Persisted.
struct DirectionScale {
  float scale = 0;
  float centre = 0;  // d·c
};

/// Directions, borrowed.
struct ReductionView {
  std::span<const std::uint8_t> directions;  // kReducedSize × centre.size()
  std::span<const DirectionScale> scales;    // kReducedSize
  std::span<const float> centre;
};

class Reduction {
 public:
  /// Finds the directions from a sample of some 2,000 rows. Keeps `rows`. Cost: about a second at 1,280 components.
  explicit Reduction(const GraphRows& rows);
  /// Thread-safe. Cost: about 5 µs at 1,280 components.
  ReducedRow reduce(std::size_t row) const;
  ReductionView view() const { return {directions_, scales_, rows_.centre}; }

 private:
  void keep(std::size_t direction, std::span<const float> components);
  GraphRows rows_;
  std::vector<std::uint8_t> directions_;
  std::vector<DirectionScale> scales_;
};

/// A query ready to be compared with reduced rows.
class ReducedQuery {
 public:
  /// `vector` is a unit vector, padded with zeros to the centre's size. Cost: about 3 µs at 1,280 components.
  ReducedQuery(std::span<const float> vector, const ReductionView& reduction);

  /// About the cosine.
  float similarity(const ReducedRow& row) const {
    const std::uint8_t* const codes = row.codes;
    std::int32_t sum = 0;
    sums(&codes, 1, &sum);
    return similarity(row, sum);
  }
  /// The same for rows whose sums are known, which takes half the time for many at once. `rows`: each of a ReducedRow's codes.
  void sums(const std::uint8_t* const* rows, std::size_t count, std::int32_t* sums) const {
    bytes_each_(rows, count, values_, sizeof(ReducedRow), sums);
  }
  float similarity(const ReducedRow& row, std::int32_t sum) const {
    return base_ + row.centre_dot + rest_ * row.rest + scale_ * row.scale * static_cast<float>(sum - 128 * sum_);
  }

 private:
  std::int8_t values_[sizeof(ReducedRow)] = {};  // zeros after the components: what a row has there counts for nothing
  std::int32_t sum_ = 0;
  float scale_ = 0;
  float base_ = 0;  // q·c
  float rest_ = 0;
  decltype(DotFunctions::bytes_each) bytes_each_;
};

}  // namespace magpie::vec

#pragma once
// Dot products, the inner loop of every vector search. Each comes in three versions (AVX-512 with VNNI, AVX2 with FMA, plain C++)
// chosen once at run time by what the processor has; vec_test.cc holds them against each other.
//
// Operands are padded by the caller to a multiple of kPadding elements, so no version has a tail loop: zeros after a float vector
// and after a query; anything after codes, since the query is zero there.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace magpie::vec {

inline constexpr std::size_t kPadding = 64;
/// `dims` rounded up to a multiple of kPadding.
constexpr std::size_t padded(std::size_t dims) { return (dims + kPadding - 1) / kPadding * kPadding; }

enum class Instructions { kScalar, kAvx2, kAvx512 };
/// The best this processor has. Cost: a load.
Instructions best_instructions();

/// The dot products of one instruction set. `size` is a multiple of kPadding; operands need no alignment.
struct DotFunctions {
  /// Sum of a[i] × b[i]. Versions differ in the order of additions: by at most about 1e-6 for unit vectors.
  float (*floats)(const float* a, const float* b, std::size_t size);
  /// Sum of codes[i] × query[i], exact and the same in all versions for size <= 4'096 and |query[i]| <= kQueryValueMax.
  std::int64_t (*codes)(const std::uint8_t* codes, const std::int16_t* query, std::size_t size);
  /// Sum of codes[i] × query[i], exact and the same in all versions for size <= 4'096. Half the work of codes().
  std::int32_t (*bytes)(const std::uint8_t* codes, const std::int8_t* query, std::size_t size);
  /// bytes() of `count` rows here and there: sums[i] that of rows[i].
  void (*bytes_each)(const std::uint8_t* const* rows, std::size_t count, const std::int8_t* query, std::size_t size, std::int32_t* sums);
  /// Sum of (a[i] - 128) × (b[i] - 128), exact and the same in all versions for size <= 4'096.
  std::int32_t (*pair)(const std::uint8_t* a, const std::uint8_t* b, std::size_t size);
};
/// 255 × 8'191 × 4'096 / 8 lanes stays below 2^31, so 32-bit lanes never overflow.
inline constexpr std::int16_t kQueryValueMax = 8'191;

/// `instructions` must be at most best_instructions().
const DotFunctions& dot_functions(Instructions instructions);
const DotFunctions& dot_functions();

/// Rows of bits, one after the other.
struct SketchRows {
  const std::uint64_t* bits = nullptr;
  std::size_t count = 0, words = 0;  // rows, and words of each
};
/// For each row the sum over bit planes p of 2^p × the bits that the row and plane p have in common: the dot product of bits with numbers
/// of a few bits (vec/sketch.h). Plane p begins at planes[p × words]; there are kSketchPlanes.
using SketchSums = void (*)(const SketchRows& rows, const std::uint64_t* planes, std::uint32_t* sums);
inline constexpr int kSketchPlanes = 4;
/// For this processor: AVX-512 with VPOPCNTDQ, POPCNT, or plain C++.
SketchSums sketch_sums();
/// Those that this processor has, the plain one first, for tests.
std::vector<SketchSums> all_sketch_sums();

/// Dot product of vectors of any equal length, for occasional use. Thread-safe.
double dot(std::span<const float> a, std::span<const float> b);

}  // namespace magpie::vec

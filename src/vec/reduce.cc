#include "vec/reduce.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/check.h"
#include "vec/four.h"

namespace magpie::vec {
namespace {

// Cosine of what the directions leave of two near rows: 0.25 on Fashion-MNIST. What it is exactly matters little.
constexpr float kTailAgreement = 0.3F;
constexpr std::size_t kSampleMax = 2'048;  // and a multiple of kPadding; DotFunctions::pair is exact up to 4'096
constexpr int kIterations = 8;

using Vectors = std::vector<std::vector<float>>;

// Not DotFunctions::floats: its versions round differently.
float product(std::span<const float> a, std::span<const float> b) {
  Four sums[4] = {};
  for (std::size_t i = 0; i < a.size(); i += 16) {
    for (std::size_t four = 0; four < 4; ++four) sums[four] += load(a.data() + i + 4 * four) * load(b.data() + i + 4 * four);
  }
  return sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

void add_scaled(std::vector<float>& to, const std::vector<float>& from, float factor) {
  for (std::size_t i = 0; i < to.size(); i += 4) {
    const Four sum = load(to.data() + i) + load(from.data() + i) * factor;
    std::memcpy(to.data() + i, &sum, sizeof sum);
  }
}

std::vector<float> difference(const GraphRows& rows, std::size_t row) {
  std::vector<float> vector(rows.size);
  const std::uint8_t* const codes = rows.codes + row * rows.size;
  for (std::size_t i = 0; i < rows.size; ++i)
    vector[i] = rows.scales[row].scale * static_cast<float>(static_cast<int>(codes[i]) - 128) - rows.centre[i];
  return vector;
}

/// How the components of a sample of rows vary with one another, up to a factor: size × size.
Vectors covariance(const GraphRows& rows) {
  const std::size_t sample = std::min(rows.count, kSampleMax);
  std::vector<float> differences(sample * rows.size), most(rows.size, 0.0F);
  for (std::size_t i = 0; i < sample; ++i) {
    const std::vector<float> one = difference(rows, (2 * i + 1) * rows.count / (2 * sample));
    std::ranges::copy(one, differences.begin() + static_cast<std::ptrdiff_t>(i * rows.size));
    for (std::size_t j = 0; j < rows.size; ++j) most[j] = std::max(most[j], std::abs(one[j]));
  }
  // A component of all rows after the other, as one-byte codes, whose products are exact.
  const std::size_t length = padded(sample);
  std::vector<std::uint8_t> codes(rows.size * length, 128);
  for (std::size_t j = 0; j < rows.size; ++j) {
    const float inverse = most[j] > 0 ? 127 / most[j] : 0;
    for (std::size_t i = 0; i < sample; ++i)
      codes[j * length + i] = static_cast<std::uint8_t>(128 + std::lround(differences[i * rows.size + j] * inverse));
  }
  const auto pair = dot_functions().pair;
  Vectors matrix(rows.size, std::vector<float>(rows.size));
  for (std::size_t a = 0; a < rows.size; ++a) {
    for (std::size_t b = a; b < rows.size; ++b) {
      const auto sum = static_cast<float>(pair(codes.data() + a * length, codes.data() + b * length, length));
      matrix[a][b] = matrix[b][a] = sum * (most[a] / 127) * (most[b] / 127);
    }
  }
  return matrix;
}

/// Makes each of unit length and at right angles to those before it; zero if it is made up of them (Gram-Schmidt, twice for its rounding).
void straighten(Vectors& vectors) {
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const float before = product(vectors[i], vectors[i]);
    for (int twice = 0; twice < 2; ++twice) {
      for (std::size_t j = 0; j < i; ++j) add_scaled(vectors[i], vectors[j], -product(vectors[j], vectors[i]));
    }
    const float after = product(vectors[i], vectors[i]);
    const float factor = after > 1e-9F * before ? 1 / std::sqrt(after) : 0;
    for (float& value : vectors[i]) value *= factor;
  }
}

/// A matrix of ones and minus ones, always the same.
Vectors drawn_signs(std::size_t rows, std::size_t columns) {
  Vectors signs(rows, std::vector<float>(columns));
  std::uint64_t state = 1;
  for (std::vector<float>& row : signs) {
    for (float& value : row) {
      state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;  // MMIX's
      value = (state >> 63) != 0 ? 1.0F : -1.0F;
    }
  }
  return signs;
}

/// The space of the largest eigenvectors of a symmetric matrix, by orthogonal iteration. `count` is at most its size.
Vectors principal_directions(const Vectors& matrix, std::size_t count) {
  Vectors found = drawn_signs(count, matrix.size()), next = found;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    for (std::size_t row = 0; row < matrix.size(); ++row) {
      for (std::size_t i = 0; i < count; ++i) next[i][row] = product(matrix[row], found[i]);
    }
    straighten(next);
    std::swap(found, next);
  }
  return found;
}

/// Other directions of the same space, along each of which rows differ about as much: so a byte is as good for one as for the other.
Vectors evened(const Vectors& directions) {
  const Vectors signs = drawn_signs(directions.size(), directions.size());
  Vectors mixed;
  for (const std::vector<float>& row : signs) {
    std::vector<float>& sum = mixed.emplace_back(directions[0].size(), 0.0F);
    for (std::size_t i = 0; i < directions.size(); ++i) add_scaled(sum, directions[i], row[i]);
  }
  straighten(mixed);
  return mixed;
}

/// Of what has the components step × bytes, less the centre's.
std::array<float, kReducedSize> along_directions(std::span<const std::int8_t> bytes, float step, const ReductionView& reduction) {
  std::array<const std::uint8_t*, kReducedSize> directions;
  for (std::size_t i = 0; i < kReducedSize; ++i) directions[i] = reduction.directions.data() + i * bytes.size();
  std::array<std::int32_t, kReducedSize> products;
  dot_functions().bytes_each(directions.data(), kReducedSize, bytes.data(), bytes.size(), products.data());
  const std::int32_t offset = 128 * std::accumulate(bytes.begin(), bytes.end(), 0);
  std::array<float, kReducedSize> components;
  for (std::size_t i = 0; i < kReducedSize; ++i)
    components[i] = static_cast<float>(products[i] - offset) * reduction.scales[i].scale * step - reduction.scales[i].centre;
  return components;
}

void store_bytes(FourInts values, std::int8_t* to) {
  using FourBytes = std::int8_t __attribute__((vector_size(4)));
  const FourBytes narrow = __builtin_convertvector(values, FourBytes);
  std::memcpy(to, &narrow, sizeof narrow);
}

float length_left(double squares, std::span<const float> kept) {
  for (const float value : kept) squares -= double{value} * value;
  return static_cast<float>(std::sqrt(std::max(0.0, squares)));
}

}  // namespace

Reduction::Reduction(const GraphRows& rows) : rows_(rows), directions_(kReducedSize * rows.size, 128), scales_(kReducedSize) {
  MAGPIE_CHECK(rows.count > 0 && rows.size % kPadding == 0, "{} rows of {}", rows.count, rows.size);
  const Vectors found = evened(principal_directions(covariance(rows), std::min(kReducedSize, rows.size)));
  for (std::size_t i = 0; i < found.size(); ++i) keep(i, found[i]);
}

void Reduction::keep(std::size_t direction, std::span<const float> components) {
  const float most = largest(components);
  if (most <= 0) return;
  DirectionScale& scale = scales_[direction];
  scale.scale = most / 127;
  double centre = 0;
  for (std::size_t i = 0; i < components.size(); ++i) {
    const long byte = std::lround(components[i] / scale.scale);
    directions_[direction * rows_.size + i] = static_cast<std::uint8_t>(128 + byte);
    centre += static_cast<double>(byte) * rows_.centre[i];
  }
  scale.centre = static_cast<float>(centre * scale.scale);
}

ReducedRow Reduction::reduce(std::size_t row) const {
  std::vector<std::int8_t> bytes(rows_.size);
  for (std::size_t i = 0; i < rows_.size; ++i) bytes[i] = static_cast<std::int8_t>(rows_.codes[row * rows_.size + i] - 128);
  const auto components = along_directions(bytes, rows_.scales[row].scale, view());
  ReducedRow reduced;
  const float most = largest(components);
  reduced.scale = most > 0 ? most / 127 : 1;
  for (std::size_t i = 0; i < kReducedSize; ++i)
    reduced.codes[i] = static_cast<std::uint8_t>(128 + std::lround(components[i] / reduced.scale));
  const std::vector<float> from_centre = difference(rows_, row);
  reduced.centre_dot = product(from_centre, rows_.centre);
  reduced.rest = length_left(product(from_centre, from_centre), components);
  return reduced;
}

ReducedQuery::ReducedQuery(std::span<const float> vector, const ReductionView& reduction) : bytes_each_(dot_functions().bytes_each) {
  const std::size_t size = vector.size();
  const float step = std::max(largest(vector), 1e-30F) / 127, inverse = 1 / step;
  std::vector<std::int8_t> bytes(size);
  Four base{}, squares{};
  for (std::size_t i = 0; i < size; i += 4) {
    const Four here = load(vector.data() + i), centre = load(reduction.centre.data() + i);
    base += here * centre;
    squares += (here - centre) * (here - centre);
    store_bytes(rounded(here * inverse), bytes.data() + i);  // up to 127, as `step` is of the largest
  }
  base_ = sum_of(base);
  const auto components = along_directions(bytes, step, reduction);
  rest_ = kTailAgreement * length_left(sum_of(squares), components);
  const float most = largest(components);
  scale_ = most > 0 ? most / 127 : 1;
  FourInts sum{};
  static_assert(kReducedSize % 4 == 0);
  for (std::size_t i = 0; i < kReducedSize; i += 4) {
    const FourInts whole = rounded(load(components.data() + i) / scale_);
    store_bytes(whole, values_ + i);
    sum += whole;
  }
  sum_ = (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

}  // namespace magpie::vec

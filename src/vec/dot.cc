#include "vec/dot.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>

namespace magpie::vec {
namespace {

float floats_scalar(const float* a, const float* b, std::size_t size) {
  // Eight sums, so that rounding errors stay as small as in the vector versions.
  float sums[8] = {};
  for (std::size_t i = 0; i < size; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

std::int64_t codes_scalar(const std::uint8_t* codes, const std::int16_t* query, std::size_t size) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += std::int64_t{codes[i]} * query[i];
  return sum;
}

std::int32_t bytes_scalar(const std::uint8_t* codes, const std::int8_t* query, std::size_t size) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += std::int32_t{codes[i]} * query[i];
  return sum;
}

std::int32_t pair_scalar(const std::uint8_t* a, const std::uint8_t* b, std::size_t size) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += (std::int32_t{a[i]} - 128) * (std::int32_t{b[i]} - 128);
  return sum;
}

__attribute__((target("avx2,fma"))) float floats_avx2(const float* a, const float* b, std::size_t size) {
  __m256 sum0 = _mm256_setzero_ps(), sum1 = _mm256_setzero_ps();
  for (std::size_t i = 0; i < size; i += 16) {
    sum0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), sum0);
    sum1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), sum1);
  }
  const __m256 sum = _mm256_add_ps(sum0, sum1);
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  half = _mm_add_ss(half, _mm_shuffle_ps(half, half, 1));
  return _mm_cvtss_f32(half);
}

__attribute__((target("avx2"))) std::int64_t codes_avx2(const std::uint8_t* codes, const std::int16_t* query, std::size_t size) {
  __m256i sum = _mm256_setzero_si256();
  for (std::size_t i = 0; i < size; i += 16) {
    const __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i)));
    const __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query + i));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(wide, values));
  }
  alignas(32) std::int32_t lanes[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), sum);
  std::int64_t total = 0;
  for (const std::int32_t lane : lanes) total += lane;
  return total;
}

__attribute__((target("avx2"))) inline std::int32_t lanes_sum(__m256i lanes) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1));
  return _mm_cvtsi128_si32(half);
}

// Not _mm256_maddubs_epi16: its sums of two products do not fit into sixteen bits.
__attribute__((target("avx2"))) std::int32_t bytes_avx2(const std::uint8_t* codes, const std::int8_t* query, std::size_t size) {
  __m256i sum = _mm256_setzero_si256();
  for (std::size_t i = 0; i < size; i += 16) {
    const __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i)));
    const __m256i values = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(query + i)));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(wide, values));
  }
  return lanes_sum(sum);
}

__attribute__((target("avx2"))) std::int32_t pair_avx2(const std::uint8_t* a, const std::uint8_t* b, std::size_t size) {
  const __m128i zero = _mm_set1_epi8(static_cast<char>(0x80));  // codes without their offset are signed bytes
  const auto signed_at = [&](const std::uint8_t* from) __attribute__((target("avx2"), always_inline)) {
    return _mm256_cvtepi8_epi16(_mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), zero));
  };
  __m256i sum = _mm256_setzero_si256();
  for (std::size_t i = 0; i < size; i += 16) sum = _mm256_add_epi32(sum, _mm256_madd_epi16(signed_at(a + i), signed_at(b + i)));
  return lanes_sum(sum);
}

__attribute__((target("avx512f"))) float floats_avx512(const float* a, const float* b, std::size_t size) {
  __m512 sum0 = _mm512_setzero_ps(), sum1 = _mm512_setzero_ps();
  for (std::size_t i = 0; i < size; i += 32) {
    sum0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), sum0);
    sum1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), sum1);
  }
  // Not _mm512_reduce_add_ps: gcc 12 warns of its own header.
  alignas(64) float lanes[16];
  _mm512_store_ps(lanes, _mm512_add_ps(sum0, sum1));
  for (std::size_t width = 8; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

__attribute__((target("avx512f,avx512bw,avx512vnni"))) std::int64_t codes_avx512(const std::uint8_t* codes, const std::int16_t* query,
                                                                                 std::size_t size) {
  __m512i sum0 = _mm512_setzero_si512(), sum1 = _mm512_setzero_si512();
  for (std::size_t i = 0; i < size; i += 64) {
    const __m512i wide0 = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + i)));
    const __m512i wide1 = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + i + 32)));
    sum0 = _mm512_dpwssd_epi32(sum0, wide0, _mm512_loadu_si512(query + i));
    sum1 = _mm512_dpwssd_epi32(sum1, wide1, _mm512_loadu_si512(query + i + 32));
  }
  // The two sums hold half of the products each, so adding them as 32-bit lanes is within the bound of kQueryValueMax.
  alignas(64) std::int32_t lanes[16];
  _mm512_store_si512(lanes, _mm512_add_epi32(sum0, sum1));
  std::int64_t total = 0;
  for (const std::int32_t lane : lanes) total += lane;
  return total;
}

// Not _mm512_castsi512_si256, for the same reason.
__attribute__((target("avx512f"))) inline __m256i halves_sum(__m512i lanes) {
  return _mm256_add_epi32(_mm512_maskz_extracti64x4_epi64(0xF, lanes, 0), _mm512_maskz_extracti64x4_epi64(0xF, lanes, 1));
}
__attribute__((target("avx512f"))) inline std::int32_t lanes_sum_avx512(__m512i lanes) { return lanes_sum(halves_sum(lanes)); }

__attribute__((target("avx512f,avx512bw,avx512vnni"))) std::int32_t bytes_avx512(const std::uint8_t* codes, const std::int8_t* query,
                                                                                 std::size_t size) {
  __m512i sum0 = _mm512_setzero_si512(), sum1 = _mm512_setzero_si512();
  std::size_t i = 0;
  for (; i + 128 <= size; i += 128) {
    sum0 = _mm512_dpbusd_epi32(sum0, _mm512_loadu_si512(codes + i), _mm512_loadu_si512(query + i));
    sum1 = _mm512_dpbusd_epi32(sum1, _mm512_loadu_si512(codes + i + 64), _mm512_loadu_si512(query + i + 64));
  }
  if (i < size) sum0 = _mm512_dpbusd_epi32(sum0, _mm512_loadu_si512(codes + i), _mm512_loadu_si512(query + i));
  const __m512i sum = _mm512_add_epi32(sum0, sum1);
  return lanes_sum_avx512(sum);
}

// With b' = b - 128:  (a - 128) b' = a b' - 128 b', and the instruction wants one factor unsigned, the other signed.
__attribute__((target("avx512f,avx512bw,avx512vnni"))) std::int32_t pair_avx512(const std::uint8_t* a, const std::uint8_t* b,
                                                                                std::size_t size) {
  const __m512i zero = _mm512_set1_epi8(static_cast<char>(0x80));
  __m512i products = _mm512_setzero_si512(), offsets = _mm512_setzero_si512();
  for (std::size_t i = 0; i < size; i += 64) {
    const __m512i values = _mm512_xor_si512(_mm512_loadu_si512(b + i), zero);
    products = _mm512_dpbusd_epi32(products, _mm512_loadu_si512(a + i), values);
    offsets = _mm512_dpbusd_epi32(offsets, zero, values);
  }
  const __m512i sum = _mm512_sub_epi32(products, offsets);
  return lanes_sum_avx512(sum);
}

template <auto bytes>
void bytes_each(const std::uint8_t* const* rows, std::size_t count, const std::int8_t* query, std::size_t size, std::int32_t* sums) {
  for (std::size_t i = 0; i < count; ++i) sums[i] = bytes(rows[i], query, size);
}

// Four rows at once, as adding up the lanes of one takes as long as the products of 192 bytes.
__attribute__((target("avx512f,avx512bw,avx512vnni"))) void bytes_each_avx512(const std::uint8_t* const* rows, std::size_t count,
                                                                              const std::int8_t* query, std::size_t size,
                                                                              std::int32_t* sums) {
  std::size_t row = 0;
  for (; row + 4 <= count; row += 4) {
    __m512i sum0 = _mm512_setzero_si512(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (std::size_t i = 0; i < size; i += 64) {
      const __m512i values = _mm512_loadu_si512(query + i);
      sum0 = _mm512_dpbusd_epi32(sum0, _mm512_loadu_si512(rows[row] + i), values);
      sum1 = _mm512_dpbusd_epi32(sum1, _mm512_loadu_si512(rows[row + 1] + i), values);
      sum2 = _mm512_dpbusd_epi32(sum2, _mm512_loadu_si512(rows[row + 2] + i), values);
      sum3 = _mm512_dpbusd_epi32(sum3, _mm512_loadu_si512(rows[row + 3] + i), values);
    }
    const __m256i pairs =
        _mm256_hadd_epi32(_mm256_hadd_epi32(halves_sum(sum0), halves_sum(sum1)), _mm256_hadd_epi32(halves_sum(sum2), halves_sum(sum3)));
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + row), four);
  }
  bytes_each<bytes_avx512>(rows + row, count - row, query, size, sums + row);
}

constexpr DotFunctions kScalarDots{floats_scalar, codes_scalar, bytes_scalar, bytes_each<bytes_scalar>, pair_scalar};
constexpr DotFunctions kAvx2Dots{floats_avx2, codes_avx2, bytes_avx2, bytes_each<bytes_avx2>, pair_avx2};
constexpr DotFunctions kAvx512Dots{floats_avx512, codes_avx512, bytes_avx512, bytes_each_avx512, pair_avx512};

Instructions detect() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni")) {
    return Instructions::kAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Instructions::kAvx2;
  return Instructions::kScalar;
}

template <class Count>
inline void sketch_sums_of(const SketchRows& rows, const std::uint64_t* planes, std::uint32_t* sums, Count count) {
  for (std::size_t row = 0; row < rows.count; ++row) {
    const std::uint64_t* const bits = rows.bits + row * rows.words;
    std::uint32_t sum = 0;
    for (int plane = kSketchPlanes; plane-- > 0;) {
      const std::uint64_t* const other = planes + static_cast<std::size_t>(plane) * rows.words;
      std::uint32_t common = 0;
      for (std::size_t i = 0; i < rows.words; ++i) common += count(bits[i] & other[i]);
      sum = 2 * sum + common;
    }
    sums[row] = sum;
  }
}

void sketch_sums_plain(const SketchRows& rows, const std::uint64_t* planes, std::uint32_t* sums) {
  sketch_sums_of(rows, planes, sums, [](std::uint64_t word) { return static_cast<std::uint32_t>(std::popcount(word)); });
}

__attribute__((target("popcnt"), flatten)) void sketch_sums_popcnt(const SketchRows& rows, const std::uint64_t* planes,
                                                                   std::uint32_t* sums) {
  sketch_sums_of(
      rows, planes, sums,
      [](std::uint64_t word) __attribute__((target("popcnt"))) { return static_cast<std::uint32_t>(__builtin_popcountll(word)); });
}

// The four planes by name: as an array the compiler keeps their sums in memory.
static_assert(kSketchPlanes == 4);
__attribute__((target("avx512f,avx512vpopcntdq"))) void sketch_sums_avx512(const SketchRows& rows, const std::uint64_t* planes,
                                                                           std::uint32_t* sums) {
  const std::uint64_t *const plane1 = planes + rows.words, *const plane2 = plane1 + rows.words, *const plane3 = plane2 + rows.words;
  for (std::size_t row = 0; row < rows.count; ++row) {
    const std::uint64_t* const bits = rows.bits + row * rows.words;
    __m512i common0 = _mm512_setzero_si512(), common1 = common0, common2 = common0, common3 = common0;
    for (std::size_t i = 0; i < rows.words; i += 8) {
      const auto some = static_cast<__mmask8>(rows.words - i >= 8 ? 0xFF : (1 << (rows.words - i)) - 1);
      const __m512i here = _mm512_maskz_loadu_epi64(some, bits + i);
      const auto shared = [&](const std::uint64_t* plane) __attribute__((target("avx512f,avx512vpopcntdq"), always_inline)) {
        return _mm512_popcnt_epi64(_mm512_and_si512(here, _mm512_maskz_loadu_epi64(some, plane + i)));
      };
      common0 = _mm512_add_epi64(common0, shared(planes));
      common1 = _mm512_add_epi64(common1, shared(plane1));
      common2 = _mm512_add_epi64(common2, shared(plane2));
      common3 = _mm512_add_epi64(common3, shared(plane3));
    }
    const __m512i high = _mm512_add_epi64(_mm512_add_epi64(common3, common3), common2);
    const __m512i low = _mm512_add_epi64(_mm512_add_epi64(common1, common1), common0);
    const __m512i twice = _mm512_add_epi64(high, high);
    const __m512i all = _mm512_add_epi64(_mm512_add_epi64(twice, twice), low);
    const __m256i half = _mm256_add_epi64(_mm512_castsi512_si256(all), _mm512_maskz_extracti64x4_epi64(0xF, all, 1));
    const __m128i quarter = _mm_add_epi64(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    sums[row] = static_cast<std::uint32_t>(_mm_cvtsi128_si64(quarter) + _mm_extract_epi64(quarter, 1));
  }
}

}  // namespace

Instructions best_instructions() {
  static const Instructions best = detect();
  return best;
}

const DotFunctions& dot_functions(Instructions instructions) {
  switch (instructions) {
    case Instructions::kAvx512: return kAvx512Dots;
    case Instructions::kAvx2: return kAvx2Dots;
    case Instructions::kScalar: break;
  }
  return kScalarDots;
}

const DotFunctions& dot_functions() { return dot_functions(best_instructions()); }

SketchSums sketch_sums() {
  static const SketchSums best = all_sketch_sums().back();
  return best;
}

std::vector<SketchSums> all_sketch_sums() {
  std::vector<SketchSums> all = {sketch_sums_plain};
  if (__builtin_cpu_supports("popcnt")) all.push_back(sketch_sums_popcnt);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq")) all.push_back(sketch_sums_avx512);
  return all;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

}  // namespace magpie::vec

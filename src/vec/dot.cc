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

constexpr DotFunctions kScalarDots{floats_scalar, codes_scalar};
constexpr DotFunctions kAvx2Dots{floats_avx2, codes_avx2};
constexpr DotFunctions kAvx512Dots{floats_avx512, codes_avx512};

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

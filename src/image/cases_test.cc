// The shared outside cases: pictures with what other programs say about them (cases/README.md there explains max_bits and sure_bits).
#include <gtest/gtest.h>
#include <simdjson.h>

#include <charconv>
#include <cstdlib>

#include "base/files.h"
#include "base/hash.h"
#include "image/decode.h"
#include "image/hash.h"

namespace magpie::image {
namespace {

using simdjson::dom::element;

fs::path cases_folder() {
  const char* shared = std::getenv("MAGPIE_SHARED");
  return (shared != nullptr ? fs::path(shared) : fs::path(MAGPIE_SOURCE_DIR "/../shared")) / "cases/image";
}

// Bits that differ between two hex texts, of those set in `mask` if there is one.
int hex_distance(std::string_view a, std::string_view b, std::string_view mask) {
  int bits = 0;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < a.size(); ++i)
    bits += std::popcount(static_cast<unsigned>((digit(a[i]) ^ digit(b[i])) & (mask.empty() ? 15 : digit(mask[i]))));
  return bits;
}

void expect_hash(const element& expect, const char* key, const std::string& got) {
  element hash;
  if (expect[key].get(hash) != simdjson::SUCCESS) return;
  simdjson::dom::array masks;
  const bool masked = hash["sure_bits"].get(masks) == simdjson::SUCCESS;
  int best = 1'000;
  std::size_t i = 0;
  for (const element& right : hash["any_of"].get_array()) {
    const std::string_view mask = masked ? std::string_view(masks.at(i)) : std::string_view();
    best = std::min(best, hex_distance(got, std::string_view(right), mask));
    ++i;
  }
  EXPECT_LE(best, std::int64_t(hash["max_bits"])) << key << " " << got;
}

void expect_number(const element& expect, const char* key, std::int64_t got) {
  std::int64_t right = 0;
  if (expect[key].get(right) != simdjson::SUCCESS) return;
  EXPECT_EQ(got, right) << key;
}

void expect_answer(const element& expect, const Decoded& decoded) {
  EXPECT_EQ(to_string(decoded.header.format), std::string_view(expect["format"]));
  expect_number(expect, "width", decoded.header.size.width);
  expect_number(expect, "height", decoded.header.size.height);
  expect_number(expect, "frames", decoded.header.frames);
  expect_number(expect, "orientation", decoded.header.orientation);
  const PerceptualHashes hashes = perceptual_hashes(decoded.pixels.view());
  expect_hash(expect, "phash", magpie::to_hex(hashes.phash));
  expect_hash(expect, "dhash", magpie::to_hex(hashes.dhash));
  expect_hash(expect, "pdq", to_hex(hashes.pdq));
}

TEST(SharedCases, Image) {
  const auto lines = read_file(cases_folder() / "cases.jsonl");
  if (!lines) GTEST_SKIP() << "no shared cases at " << cases_folder() << "; set MAGPIE_SHARED to the folder that has them";
  simdjson::dom::parser parser;
  simdjson::dom::document_stream cases;
  ASSERT_FALSE(parser.parse_many(*lines).get(cases));
  int count = 0;
  for (element one : cases) {
    ++count;
    SCOPED_TRACE(std::string(std::string_view(one["id"])));
    const element expect = one["expect"];
    const auto bytes = read_file(cases_folder() / std::string(std::string_view(one["input"]["file"])));
    ASSERT_TRUE(bytes);
    const Result<Decoded> decoded = decode(*bytes, {}, {.apply_profile = false});
    bool is_error = false;
    if (expect["error"].get(is_error) == simdjson::SUCCESS && is_error) {
      EXPECT_FALSE(decoded);
      continue;
    }
    EXPECT_TRUE(decoded) << (decoded ? "" : decoded.error().message);
    if (decoded) expect_answer(expect, *decoded);
  }
  EXPECT_GE(count, 100);
}

}  // namespace
}  // namespace magpie::image

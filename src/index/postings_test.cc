#include "index/postings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace magpie::index {
namespace {

struct Made {
  std::vector<std::uint32_t> ordinals;
  std::vector<std::uint8_t> fields;
  std::vector<std::vector<std::uint32_t>> positions;
  std::string bytes;  // with padding
  std::uint32_t documents = 0;

  PostingCursor cursor() const {
    return {std::string_view(bytes).substr(0, bytes.size() - kPostingsPadding), static_cast<std::uint32_t>(ordinals.size()), documents,
            PostingLayout::kBlocks};
  }
};

Made make(std::size_t count, std::uint32_t gap_max, int field_values, std::mt19937& random) {
  Made made;
  std::vector<std::string> encoded;
  std::uint32_t ordinal = random() % gap_max;
  for (std::size_t i = 0; i < count; ++i) {
    made.ordinals.push_back(ordinal);
    made.fields.push_back(static_cast<std::uint8_t>(1 + random() % static_cast<unsigned>(field_values)));
    made.positions.emplace_back();
    encoded.emplace_back();
    if (random() % 5 != 0) {  // of the others nothing is known
      std::uint32_t position = random() % 3;
      for (std::uint32_t n = 1 + random() % 4; n > 0; --n, position += 1 + random() % 300) made.positions.back().push_back(position);
      encode_positions(made.positions.back(), encoded.back());
    }
    made.documents = ordinal + 1;
    ordinal += 1 + random() % gap_max;
  }
  std::vector<Posting> postings;
  for (std::size_t i = 0; i < count; ++i) postings.push_back({made.ordinals[i], made.fields[i], encoded[i]});
  encode_postings(postings, made.bytes);
  made.bytes.append(kPostingsPadding, '\0');
  return made;
}

TEST(PostingsTest, WhatWasWrittenIsRead) {
  std::mt19937 random(1);
  for (const std::size_t count : {1U, 2U, 127U, 128U, 129U, 1'000U}) {
    for (const std::uint32_t gap : {1U, 2U, 1'000U, 1U << 21}) {
      for (const int values : {1, 2, 5, 200}) {
        const Made made = make(count, gap, values, random);
        std::size_t i = 0;
        for (PostingCursor cursor = made.cursor(); !cursor.at_end(); cursor.next(), ++i) {
          ASSERT_LT(i, count);
          ASSERT_EQ(cursor.ordinal(), made.ordinals[i]);
          ASSERT_EQ(cursor.fields(), made.fields[i]);
          ASSERT_EQ(decode_positions(cursor.positions()), made.positions[i]);
        }
        ASSERT_EQ(i, count);
      }
    }
  }
}

TEST(PostingsTest, SeekingFindsTheFirstThatIsNotBelow) {
  std::mt19937 random(2);
  const Made made = make(5'000, 40, 3, random);
  for (int walk = 0; walk < 200; ++walk) {
    PostingCursor cursor = made.cursor();
    const std::uint32_t step = 1 + random() % (made.documents / 2);
    for (std::uint32_t wanted = random() % step; wanted < made.documents + step; wanted += 1 + random() % step) {
      const auto expected = std::ranges::lower_bound(made.ordinals, wanted);
      cursor.seek(wanted);
      ASSERT_EQ(cursor.at_end(), expected == made.ordinals.end());
      if (cursor.at_end()) break;
      const auto i = static_cast<std::size_t>(expected - made.ordinals.begin());
      ASSERT_EQ(cursor.ordinal(), *expected);
      ASSERT_EQ(cursor.fields(), made.fields[i]);
      if (random() % 2 == 0) { ASSERT_EQ(decode_positions(cursor.positions()), made.positions[i]); }
    }
  }
}

TEST(PostingsTest, RunsStopAndGoOn) {
  std::mt19937 random(3);
  const Made made = make(3'000, 9, 3, random);
  std::vector<std::uint32_t> seen;
  PostingCursor cursor = made.cursor();
  for (std::uint32_t end = 0; end < made.documents + 700; end += 700) {
    cursor.for_runs_below(end, [&](std::span<const std::uint32_t> ordinals, const std::uint8_t* fields) {
      for (std::size_t i = 0; i < ordinals.size(); ++i) {
        EXPECT_LT(ordinals[i], end);
        EXPECT_EQ(fields[i], made.fields[seen.size()]);
        seen.push_back(ordinals[i]);
      }
    });
  }
  EXPECT_EQ(seen, made.ordinals);
}

// Segments of before blocks: LEB128 of the difference, then the fields.
TEST(PostingsTest, TheOlderLayoutIsRead) {
  std::string bytes;
  std::vector<std::uint32_t> ordinals;
  for (std::uint32_t i = 0; i < 300; ++i) {
    ordinals.push_back(200 * i);
    if (i == 0) bytes += '\0';
    else bytes += "\xC8\x01";
    bytes += static_cast<char>(1 + i % 3);
  }
  PostingCursor cursor(bytes, 300, 60'000, PostingLayout::kVarints);
  for (std::uint32_t i = 0; i < 300; ++i, cursor.next()) {
    ASSERT_FALSE(cursor.at_end());
    ASSERT_EQ(cursor.ordinal(), ordinals[i]);
    ASSERT_EQ(cursor.fields(), 1 + i % 3);
    ASSERT_TRUE(cursor.positions().empty());
  }
  EXPECT_TRUE(cursor.at_end());
  PostingCursor far(bytes, 300, 60'000, PostingLayout::kVarints);
  far.seek(200 * 250 - 1);
  EXPECT_EQ(far.ordinal(), 200U * 250);
}

TEST(PostingsTest, NonsenseEndsTheWalk) {
  std::mt19937 random(4);
  for (int round = 0; round < 3'000; ++round) {
    Made made = make(1 + random() % 400, 50, 4, random);
    for (int i = 0; i < 4; ++i) made.bytes[random() % (made.bytes.size() - kPostingsPadding)] = static_cast<char>(random());
    std::size_t steps = 0;
    std::int64_t before = -1;
    for (PostingCursor cursor = made.cursor(); !cursor.at_end(); cursor.next(), ++steps) {
      ASSERT_LT(cursor.ordinal(), made.documents);
      ASSERT_GT(cursor.ordinal(), before);
      before = cursor.ordinal();
      decode_positions(cursor.positions());
      if (random() % 50 == 0) {
        const std::uint32_t wanted = random() % made.documents;
        cursor.seek(wanted);
        if (cursor.at_end()) break;
        ASSERT_GE(cursor.ordinal(), wanted);
        before = cursor.ordinal();
      }
      ASSERT_LE(steps, made.ordinals.size());
    }
  }
}

}  // namespace
}  // namespace magpie::index

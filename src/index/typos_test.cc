#include "index/typos.h"

#include <gtest/gtest.h>

namespace magpie::index {
namespace {

TEST(TyposTest, EditsAreCounted) {
  EXPECT_EQ(edits_between(U"dress", U"dress", 2), 0U);
  EXPECT_EQ(edits_between(U"dress", U"dres", 2), 1U);
  EXPECT_EQ(edits_between(U"dress", U"dresss", 2), 1U);
  EXPECT_EQ(edits_between(U"dress", U"drass", 2), 1U);
  EXPECT_EQ(edits_between(U"dress", U"drses", 2), 1U) << "neighbours exchanged";
  EXPECT_EQ(edits_between(U"sweater", U"swaeters", 2), 2U);
  EXPECT_EQ(edits_between(U"kitten", U"sitting", 3), 3U);
  EXPECT_EQ(edits_between(U"kitten", U"sitting", 2), 3U) << "no further than asked";
  EXPECT_EQ(edits_between(U"", U"ab", 2), 2U);
  EXPECT_EQ(edits_between(std::u32string(40, U'a'), std::u32string(40, U'a'), 2), 3U) << "too long to look at";
  EXPECT_EQ(edits_between(U"größe", U"große", 2), 1U) << "characters, not bytes";
}

}  // namespace
}  // namespace magpie::index

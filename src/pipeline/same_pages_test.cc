#include "pipeline/same_pages.h"

#include <gtest/gtest.h>

namespace magpie::pipeline {
namespace {

TEST(SamePages, TheFirstOnesAreContentAndHostsAreApart) {
  SamePages pages(2);
  EXPECT_FALSE(pages.is_one_too_many("a.test", 7));
  EXPECT_FALSE(pages.is_one_too_many("a.test", 7));
  EXPECT_FALSE(pages.is_one_too_many("b.test", 7));
  EXPECT_FALSE(pages.is_one_too_many("a.test", 8));
  EXPECT_TRUE(pages.is_one_too_many("a.test", 7));
  EXPECT_TRUE(pages.is_one_too_many("a.test", 7));
}

TEST(SamePages, NoShapeIsLikeNoOther) {
  SamePages pages(1);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(pages.is_one_too_many("a.test", 0));
}

}  // namespace
}  // namespace magpie::pipeline

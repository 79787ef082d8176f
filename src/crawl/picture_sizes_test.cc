#include "crawl/picture_sizes.h"

#include <gtest/gtest.h>

namespace magpie::crawl {
namespace {

struct Spelt {
  const char* url;
  const char* original;  // nullptr: none
  std::uint32_t side;
};
class SpeltSizes : public testing::TestWithParam<Spelt> {};
TEST_P(SpeltSizes, AreRead) {
  const auto spelt = spelt_size(GetParam().url);
  ASSERT_EQ(spelt.has_value(), GetParam().original != nullptr) << GetParam().url;
  if (!spelt) return;
  EXPECT_EQ(spelt->original, GetParam().original);
  EXPECT_EQ(spelt->side, GetParam().side);
}
INSTANTIATE_TEST_SUITE_P(
    Addresses, SpeltSizes,
    testing::Values(Spelt{"https://a.test/up/lamp-300x200.jpg", "https://a.test/up/lamp.jpg", 300},
                    Spelt{"https://a.test/files/lamp_600x.jpg?v=17", "https://a.test/files/lamp.jpg?v=17", 600},
                    Spelt{"https://a.test/lenovo-x200.jpg", nullptr, 0},
                    Spelt{"https://a.test/lamp.jpg?width=300&v=17&height=400", "https://a.test/lamp.jpg?v=17", 400},
                    Spelt{"https://a.test/lamp.jpg?w=300&fit=crop", "https://a.test/lamp.jpg", 300},
                    Spelt{"https://a.test/lamp?imwidth=156", "https://a.test/lamp", 156},
                    Spelt{"https://a.test/image/upload/w_300,c_fill/v1/lamp.jpg", "https://a.test/image/upload/v1/lamp.jpg", 300},
                    Spelt{"https://a.test/cache/300x300/lamp.jpg", "https://a.test/cache/lamp.jpg", 300},
                    Spelt{"https://a.test/I/71abc._AC_SX300_.jpg", "https://a.test/I/71abc.jpg", 300},
                    Spelt{"https://a.test/lamp_thumb.jpg", "https://a.test/lamp.jpg", 0},
                    Spelt{"https://a.test/_next/image?url=%2Fp%2Flamp.jpg&w=640&q=75", "https://a.test/p/lamp.jpg", 640},
                    Spelt{"https://a.test/_next/image?url=https%3A%2F%2Fcdn.test%2Flamp.jpg&w=96&q=75", "https://cdn.test/lamp.jpg", 96},
                    // Large enough, signed, or no size at all.
                    Spelt{"https://a.test/lamp.jpg?width=2000", nullptr, 0}, Spelt{"https://a.test/lamp.jpg?w=300&sig=abc", nullptr, 0},
                    Spelt{"https://a.test/lamp-120.jpg", nullptr, 0}, Spelt{"https://a.test/p/4x4/jeep.jpg", nullptr, 0},
                    Spelt{"https://a.test/lamp-300x200.html", nullptr, 0}, Spelt{"https://a.test/-300x200.jpg", nullptr, 0},
                    Spelt{"https://a.test/lamp.jpg?size=XL", nullptr, 0}, Spelt{"data:image/gif;base64,R0lG", nullptr, 0},
                    Spelt{"https://a.test/a_b,c_d/lamp.jpg", nullptr, 0}));

constexpr std::int64_t kToday = 20'000;
std::string small(int i) { return "https://a.test/" + std::to_string(i) + "-300x300.jpg"; }
std::string large(int i) { return "https://a.test/" + std::to_string(i) + ".jpg"; }
Sha256 digest(int i) { return sha256(std::to_string(i)); }

TEST(PictureSizes, TwoLargerOnesProveAWay) {
  PictureSizes sizes(kToday);
  EXPECT_EQ(sizes.larger(small(1)), large(1));
  EXPECT_EQ(sizes.larger(small(1)), large(1)) << "one trial";
  EXPECT_EQ(sizes.larger(small(2)), large(2));
  sizes.note(large(1), 1'200, digest(1));
  EXPECT_FALSE(sizes.is_proved("a.test suffix -#x#"));
  sizes.note(large(2), 800, digest(2));
  EXPECT_TRUE(sizes.is_proved("a.test suffix -#x#"));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(sizes.larger(small(i)), large(i));
  EXPECT_EQ(sizes.larger("https://a.test/x_300x300.jpg"), "https://a.test/x.jpg") << "another way has trials of its own";
}

TEST(PictureSizes, ThreeThatFailOrAreNoLargerDisproveIt) {
  PictureSizes sizes(kToday);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sizes.larger(small(i)));
  sizes.note_failure(large(0), Cause::kNotFound);
  sizes.note(large(1), 300, digest(1));
  EXPECT_TRUE(sizes.larger(small(4)));
  sizes.note(large(2), 310, digest(2));
  EXPECT_FALSE(sizes.larger(small(5)));
  EXPECT_EQ(sizes.larger(small(4)), large(4)) << "under way already";
}

TEST(PictureSizes, OnePictureForAllProvesNothing) {
  PictureSizes sizes(kToday);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(sizes.larger(small(i)));
    sizes.note(large(i), 900, digest(7));
  }
  EXPECT_FALSE(sizes.larger(small(9)));
}

TEST(PictureSizes, AnUnknownWayIsTriedOnFewPictures) {
  PictureSizes sizes(kToday);
  std::uint32_t tried = 0;
  for (int i = 0; i < 100; ++i) tried += sizes.larger(small(i)) ? 1 : 0;
  EXPECT_EQ(tried, PictureSizes::kTrialsMax);
}

TEST(PictureSizes, VerdictsComeBackFromText) {
  PictureSizes sizes(kToday);
  for (int i = 0; i < 2; ++i) sizes.larger(small(i)), sizes.note(large(i), 1'000, digest(i));
  for (int i = 0; i < 3; ++i)
    sizes.larger("https://b.test/p?w=" + std::to_string(100 + i)), sizes.note_failure("https://b.test/p", Cause::kNotFound);
  PictureSizes next(kToday + 1);
  next.add_text(sizes.to_text());
  next.add_text("rubbish\n1\n1 2\n");
  EXPECT_EQ(next.to_text(), sizes.to_text());
  EXPECT_EQ(next.larger(small(50)), large(50));
  EXPECT_FALSE(next.larger("https://b.test/p?w=300"));
  PictureSizes later(kToday + 31);
  later.add_text(sizes.to_text());
  EXPECT_TRUE(later.larger("https://b.test/p?w=300")) << "tried anew";
}

TEST(PictureSizes, AMomentsTroubleSaysNothing) {
  PictureSizes sizes(kToday);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(sizes.larger(small(i)));
    sizes.note_failure(large(i), i % 2 == 0 ? Cause::kTimeout : Cause::kThrottled);
  }
}

TEST(PictureSizes, AServerThatNoLongerHasThemIsNoticed) {
  PictureSizes sizes(kToday);
  for (int i = 0; i < 40; ++i) sizes.larger(small(i)), sizes.note(large(i), 1'000, digest(i));
  std::size_t asked = 0;
  for (int i = 100; i < 2'000 && sizes.larger(small(i)); ++i, ++asked) sizes.note_failure(large(i), Cause::kNotFound);
  EXPECT_LT(asked, 600U);
}

TEST(PictureSizes, AHostOfManyWaysLeavesRoomForOthers) {
  PictureSizes sizes(kToday);
  std::size_t tried = 0;
  for (int i = 0; i < 500; ++i)
    tried += sizes.larger("https://a.test/300x300/" + std::to_string(i) + ".jpg?W=100&w=" + std::to_string(i)) ? 1 : 0;
  EXPECT_LE(tried, PictureSizes::kTrialsMax) << "one way, however its names are written";
  EXPECT_TRUE(sizes.larger("https://b.test/1-300x300.jpg"));
}

}  // namespace
}  // namespace magpie::crawl

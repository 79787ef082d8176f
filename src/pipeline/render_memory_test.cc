#include "pipeline/render_memory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace magpie::pipeline {
namespace {

TEST(RenderMemory, KindsThatGainNothingAreLeftAlone) {
  RenderMemory memory;
  for (std::uint32_t i = 0; i < RenderMemory::kTriesMin; ++i) {
    EXPECT_TRUE(memory.is_worth("https://a.test/about/us"));
    memory.note(fmt::format("https://a.test/about/{}", i), false);
    memory.note(fmt::format("https://a.test/product/{}-cup", i), true);
  }
  EXPECT_FALSE(memory.is_worth("https://a.test/about/99"));
  EXPECT_TRUE(memory.is_worth("https://a.test/product/99-jug"));
  EXPECT_TRUE(memory.is_worth("https://b.test/about/99")) << "another host";
}

TEST(RenderMemory, AKindThatGainsNowAndThenIsTriedOn) {
  RenderMemory memory;
  for (int i = 0; i < 10; ++i) memory.note("https://a.test/p/1", i % 4 == 0);
  EXPECT_TRUE(memory.is_worth("https://a.test/p/2"));
  for (int i = 0; i < 10; ++i) memory.note("https://a.test/p/1", false);
  EXPECT_FALSE(memory.is_worth("https://a.test/p/2"));
}

TEST(RenderMemory, SayingMoreIsAProductAPictureLinksOrWords) {
  const Page shell{.app_shell = true};
  Page shown = shell;
  EXPECT_FALSE(says_more(shown, shell));
  shown.images.push_back({.url = "https://a.test/icon.png", .origin = ImageOrigin::kIcon});
  EXPECT_FALSE(says_more(shown, shell));
  shown.images.push_back({.url = "https://a.test/1.jpg"});
  EXPECT_TRUE(says_more(shown, shell));
  shown.verdict.cause = Cause::kCaptcha;
  EXPECT_FALSE(says_more(shown, shell));
  EXPECT_TRUE(says_more({.products = {Product{}}, .app_shell = true}, shell));
  EXPECT_TRUE(says_more({.links = std::vector<Link>(5), .app_shell = true}, shell));
  EXPECT_FALSE(says_more({.links = std::vector<Link>(4), .app_shell = true}, shell));
  EXPECT_TRUE(says_more({.app_shell = false}, shell));
}

}  // namespace
}  // namespace magpie::pipeline

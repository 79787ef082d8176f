#include "app/bridge_lessons.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "base/hash.h"
#include "embedded/catalog.h"

namespace magpie {
namespace {

constexpr std::size_t kPictures = 60;

Fetch fetch_of(std::string url, UrlKind kind) {
  Fetch fetch;
  fetch.url = std::move(url);
  fetch.kind = kind;
  fetch.status = 200;
  fetch.fetched_at = Timestamp(std::chrono::milliseconds(1'795'000'000'000));
  return fetch;
}

/// Pictures on a page each, number i called "Thing number i of <group>", and all of the same class.
class Gathering : public testing::Test {
 protected:
  Gathering() : folder_(fs::temp_directory_path() / fmt::format("magpie-lessons-{}", ::getpid())) {
    fs::create_directories(folder_);
    catalog = *open_catalog(folder_ / "catalog.db");
    const auto transaction = *catalog->begin();
    for (std::size_t i = 0; i < kPictures; ++i) add_picture(*transaction, i);
    EXPECT_TRUE(transaction->commit());
  }
  ~Gathering() override {
    catalog.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  std::unique_ptr<Catalog> catalog;

 private:
  static void add_picture(CatalogTransaction& transaction, std::size_t i) {
    ImageRef ref;
    ref.url = fmt::format("http://a.test/{}.jpg", i);
    ref.alt = fmt::format("Thing number {}", i);
    ref.caption = fmt::format("Kind {}", i % 4);
    Page page;
    page.url = fmt::format("http://a.test/{}", i);
    page.title = "The shop of things";
    page.images = {ref};
    Image image;
    image.sha256 = sha256(ref.url);
    image.format = "jpeg";
    image.width = image.height = 500;
    EXPECT_TRUE(transaction.record_page(fetch_of(page.url, UrlKind::kPage), page, 1));
    EXPECT_TRUE(transaction.record_image(fetch_of(ref.url, UrlKind::kImage), image, {}, 1));
  }
  fs::path folder_;
};

TEST_F(Gathering, TakesWhatIsSaidOfPicturesAndNotOfTheSite) {
  const auto sayings = gather_sayings(*catalog, {});
  ASSERT_TRUE(sayings) << sayings.error().message;
  const std::set<std::string> texts(sayings->texts.begin(), sayings->texts.end());
  EXPECT_EQ(texts.size(), kPictures + 4);
  EXPECT_TRUE(texts.contains("Thing number 7") && texts.contains("Kind 3"));
  EXPECT_FALSE(texts.contains("The shop of things")) << "said of all";
  EXPECT_EQ(sayings->pictures.size(), kPictures);
}

TEST_F(Gathering, KeepsToEveryLimit) {
  const auto few_texts = gather_sayings(*catalog, {.texts = 10});
  ASSERT_TRUE(few_texts);
  EXPECT_EQ(few_texts->texts.size(), 10U);

  const auto few_read = gather_sayings(*catalog, {.read = 20});
  ASSERT_TRUE(few_read);
  EXPECT_EQ(few_read->pictures.size(), 20U);
  EXPECT_EQ(few_read->pictures, gather_sayings(*catalog, {.read = 20})->pictures) << "the same sample every time";

  // Sixty texts of one picture each and four of fifteen: 120 references without a limit.
  const auto few_pictures = gather_sayings(*catalog, {.pictures = 70});
  ASSERT_TRUE(few_pictures);
  std::size_t said = 0;
  for (const auto& pictures : few_pictures->said) {
    EXPECT_GE(pictures.size(), 1U);
    said += pictures.size();
  }
  EXPECT_EQ(few_pictures->texts.size(), kPictures + 4);
  EXPECT_LE(said, 70U);
  EXPECT_GE(said, kPictures + 2 * 4);
}

TEST_F(Gathering, EndsWhenItIsStopped) {
  std::stop_source stop;
  stop.request_stop();
  const auto sayings = gather_sayings(*catalog, {}, stop.get_token());
  ASSERT_FALSE(sayings);
  EXPECT_EQ(sayings.error().code, Code::kCancelled);
}

}  // namespace
}  // namespace magpie

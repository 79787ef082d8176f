#include "pipeline/look_around.h"

#include <gtest/gtest.h>

#include <cmath>

#include "embedded/archive.h"
#include "embedded/catalog.h"
#include "embedded/frontier.h"
#include "embedded/index.h"
#include "embedded/variants.h"
#include "pipeline/inherited_words.h"
#include "pipeline/recorder.h"

namespace magpie::pipeline {
namespace {

constexpr std::string_view kSpace = "a";
constexpr std::size_t kDims = 32;

/// Pictures along one axis are alike, the less the further `aside` they are; those along different ones are not.
std::vector<float> vector_along(std::size_t axis, float aside) {
  std::vector<float> vector(kDims);
  vector[axis % (kDims / 2)] = 1;
  vector[kDims / 2 + axis % (kDims / 2)] = aside;
  const float length = std::sqrt(1 + aside * aside);
  for (float& value : vector) value /= length;
  return vector;
}

/// A collection in a folder of its own, with the stage behind its index as the program has it.
class LookAroundTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "magpie-look-around-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    archive_ = *open_archive(folder_ / "archive");
    variants_ = *open_variant_store(folder_ / "variants");
    catalog_ = *open_catalog(folder_ / "catalog.db");
    frontier_ = *open_frontier(folder_ / "frontier");
    index_ = *embedded::open_index(folder_ / "index");
    RecorderOptions options;
    options.space = kSpace;
    options.on_indexed = [this](const std::vector<ImageId>& images) {
      if (looking_) looking_->add(images);
    };
    recorder_ = *Recorder::start({*archive_, archive_writing_, *variants_, *catalog_, *frontier_, index_->text(), index_->vectors()},
                                 std::move(options));
    looking_ = *LookAround::start({*catalog_, index_->vectors(), *recorder_});
    for (std::size_t axis = 4; axis < kDims / 2; ++axis) add("other" + std::to_string(axis), axis, 0);  // what is not alike
  }
  void TearDown() override {
    looking_->stop();
    recorder_.reset();
    looking_.reset();
    index_.reset();
    frontier_.reset();
    catalog_.reset();
    fs::remove_all(folder_);
  }

  static std::string url_of(const std::string& name) { return "http://a.test/" + name + ".jpg"; }
  /// A page that shows one picture and says this of it.
  static Result<void> say(CatalogTransaction& transaction, const std::string& name, const std::string& words) {
    Page page;
    page.url = "http://a.test/" + name;
    page.images.push_back({.url = url_of(name), .alt = words});
    Fetch fetch;
    fetch.url = page.url;
    MAGPIE_TRY_DO(transaction.record_page(fetch, page, 1));
    return {};
  }
  ImageId add(const std::string& name, std::size_t axis, float aside, const std::string& words = "") {
    ImageId id = kNoId;
    write([&](CatalogTransaction& transaction) -> Result<void> {
      MAGPIE_TRY_DO(say(transaction, name, words));
      Image image;
      image.sha256 = sha256(name);
      image.width = image.height = 500;
      Fetch fetch;
      fetch.url = url_of(name);
      fetch.kind = UrlKind::kImage;
      const std::vector<float> vector = vector_along(axis, aside);
      const ImageEmbedding embedding{kSpace, vector};
      MAGPIE_TRY(const RecordedImage recorded, transaction.record_image(fetch, image, std::span(&embedding, 1), 1));
      id = recorded.id;
      return {};
    });
    return id;
  }
  void write(const std::function<Result<void>(CatalogTransaction&)>& what) {
    const auto done = recorder_->transact(what);
    ASSERT_TRUE(done) << done.error().message;
  }
  /// Until all that was written is findable, looked at, and findable by that.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(recorder_->flush());
      looking_->finish({});
    }
    ASSERT_TRUE(recorder_->flush());
  }
  std::vector<std::string> inherited(ImageId id) {
    std::vector<std::string> words;
    const auto found = *catalog_->inherited_words(id);
    for (const InheritedWord& one : found) words.push_back(one.word);
    return words;
  }

  using Words = std::vector<std::string>;
  fs::path folder_;
  std::mutex archive_writing_;
  std::unique_ptr<Archive> archive_;
  std::unique_ptr<VariantStore> variants_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Frontier> frontier_;
  std::unique_ptr<embedded::Index> index_;
  std::unique_ptr<LookAround> looking_;
  std::unique_ptr<Recorder> recorder_;
};

TEST_F(LookAroundTest, APictureWithoutWordsHasThoseOfItsLookAlikesWhoeverComesFirst) {
  const ImageId first = add("mute", 1, 0);
  settle();
  EXPECT_EQ(inherited(first), Words());
  const ImageId one = add("one", 1, 0.1F, "penny stamp");
  add("two", 1, 0.2F, "stamp");
  settle();
  EXPECT_EQ(inherited(first), Words{"stamp"});
  const ImageId later = add("later", 1, 0.15F);
  settle();
  EXPECT_EQ(inherited(later), Words{"stamp"});
  EXPECT_EQ(inherited(one), Words()) << "it says it itself";
  EXPECT_FLOAT_EQ(catalog_->surroundings(add("alone", 2, 0))->value_or(Surroundings()).rarity, 1);
}

TEST_F(LookAroundTest, WordsThatNobodySaysAnyMoreAreNotInherited) {
  const ImageId mute = add("mute", 1, 0);
  add("one", 1, 0.1F, "stamp");
  add("two", 1, 0.2F, "stamp");
  settle();
  ASSERT_EQ(inherited(mute), Words{"stamp"});
  write([](CatalogTransaction& transaction) { return say(transaction, "one", "coin"); });
  write([](CatalogTransaction& transaction) { return say(transaction, "two", "coin"); });
  settle();
  EXPECT_EQ(inherited(mute), Words{"coin"});
}

// What was found by the words of before must not pass for what is found by those of now.
TEST_F(LookAroundTest, APictureThatChangedWhileItWasLookedAtIsLookedAtAgain) {
  add("one", 1, 0.1F, "stamp");
  add("two", 1, 0.2F, "stamp");
  const ImageId mute = add("mute", 1, 0);
  settle();
  ASSERT_EQ(inherited(mute), Words{"stamp"});
  const Surroundings found = **catalog_->surroundings(mute);
  const Onlooker from{mute, (*catalog_->image(mute))->copy_group, {}};
  write([&](CatalogTransaction& transaction) -> Result<void> {
    MAGPIE_TRY_DO(say(transaction, "mute", "silver spoon handle"));
    return transaction.set_surroundings(from, found);  // written behind the change, and before the index had it
  });
  settle();
  const auto known = *catalog_->surroundings(mute);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->own_words, 3u);
  EXPECT_EQ(inherited(mute), Words()) << "it has enough of its own";
}

TEST_F(LookAroundTest, ACopyIsHeardThoughManyLookMoreAlike) {
  for (std::size_t i = 0; i <= kHeardMax; ++i) add("near" + std::to_string(i), 1, 0.01F * static_cast<float>(i), "stamp");
  const ImageId copy = add("copy", 1, 0.9F, "coin"), mute = add("mute", 1, 0);
  write([&](CatalogTransaction& transaction) { return transaction.set_copy_group(mute, copy); });
  settle();
  EXPECT_EQ(inherited(mute), Words{"coin"});
}

}  // namespace
}  // namespace magpie::pipeline

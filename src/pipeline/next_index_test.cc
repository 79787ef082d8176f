#include "pipeline/next_index.h"

#include <gtest/gtest.h>

#include "pipeline/recorder_for_test.h"

namespace magpie::pipeline {
namespace {

constexpr std::string_view kOther = "b";
const Embedding kEast{1, 0, 0}, kNorth{0, 1, 0}, kLong{1, 0, 0, 0};

class NextIndexTest : public RecorderFixture {
 protected:
  void SetUp() override {
    RecorderFixture::SetUp();
    next_ = *embedded::open_index(folder_ / "index-2", {.vector_space = std::string(kOther)});
  }
  void TearDown() override {
    recorder_.reset();
    next_.reset();
    RecorderFixture::TearDown();
  }

  ImageId add_both(const std::string& name, const std::string& words) {
    const ImageId id = add(name, kEast, words);
    look(id, kNorth);
    return id;
  }
  /// As a worker's second look at it comes.
  void look(ImageId id, const Embedding& vector) {
    Finished finished;
    finished.outcome = SecondLook{.image = id, .space = std::string(kOther), .vector = vector};
    recorder_->record(std::move(finished));
    ASSERT_TRUE(recorder_->flush());
  }
  void begin() { ASSERT_TRUE(recorder_->begin_next({next_->text(), next_->vectors()}, std::string(kOther))); }
  void change_over() {
    ASSERT_TRUE(recorder_->switch_to_next([](CatalogTransaction& transaction) { return transaction.set_meta("which", kOther); }));
  }
  static std::size_t found(embedded::Index& index, const std::string& word) {
    return (*index.text().snapshot())->match({.words = word})->scores.ids().count();
  }
  static std::optional<Embedding> vector_in(embedded::Index& index, ImageId id) { return *(*index.vectors().snapshot())->embedding(id); }

  std::unique_ptr<embedded::Index> next_;
};

TEST_F(NextIndexTest, WhatChangesBeforeAndBehindItsTurnIsInBothAndTheSwitchIsOne) {
  const ImageId first = add_both("first", "penny"), second = add_both("second", "crown"), third = add_both("third", "florin");
  begin();
  const Recorder::Filled filled = *recorder_->fill_next(2);
  EXPECT_EQ(filled.pictures, second);
  EXPECT_FALSE(filled.whole);
  write([](CatalogTransaction& transaction) { return say(transaction, "first", "guinea"); });
  write([](CatalogTransaction& transaction) { return say(transaction, "third", "guinea"); });
  ASSERT_TRUE(recorder_->flush());
  EXPECT_TRUE(recorder_->fill_next(2)->whole);
  const ImageId late = add_both("late", "guinea");
  EXPECT_EQ(found(*index_, "guinea"), 3u);
  EXPECT_EQ(found(*next_, "guinea"), 3u);
  EXPECT_EQ(found(*next_, "penny") + found(*next_, "florin"), 0u);
  for (const ImageId id : {first, second, third, late}) {
    EXPECT_EQ(vector_in(*index_, id), kEast);
    EXPECT_EQ(vector_in(*next_, id), kNorth);
  }
  change_over();
  EXPECT_EQ(*catalog_->meta("which"), kOther);
  EXPECT_EQ(recorder_->space(), kOther);
  write([](CatalogTransaction& transaction) { return say(transaction, "second", "guinea"); });
  ASSERT_TRUE(recorder_->flush());
  EXPECT_EQ(found(*next_, "guinea"), 4u);
  EXPECT_EQ(found(*index_, "guinea"), 3u) << "is left as it was";
}

TEST_F(NextIndexTest, VectorsThatNoIndexIsOfAreWrittenDownAndNothingElse) {
  const ImageId id = add("first", kEast, "penny");
  ASSERT_TRUE(recorder_->flush());
  const std::uint64_t indexed = recorder_->counts().indexed;
  look(id, kNorth);
  EXPECT_EQ(*catalog_->embedding(id, kOther), kNorth);
  EXPECT_EQ(recorder_->counts().indexed, indexed);
  look(id + 7, kNorth);
  EXPECT_EQ(*catalog_->embedding(id + 7, kOther), std::nullopt) << "nothing is kept of one that is gone";
}

TEST_F(NextIndexTest, WhatIsHiddenByNowIsInNeitherAndGivesNoWords) {
  const ImageId source = add_both("source", "penny"), heir = add_both("heir", "");
  ASSERT_TRUE(recorder_->flush());
  write([&](CatalogTransaction& transaction) {
    return transaction.set_surroundings({heir, heir, {}}, {.space = std::string(kSpace), .words = {{"penny", 1, source}}});
  });
  begin();
  ASSERT_TRUE(recorder_->fill_next(10)->whole);
  EXPECT_EQ(found(*next_, "penny"), 2u);
  write([](CatalogTransaction& transaction) -> Result<void> {
    Page page;
    page.url = "http://a.test/source";
    page.images.push_back({.url = url_of("source"), .alt = "penny"});
    page.robots.noimageindex = true;
    Fetch fetch;
    fetch.url = page.url;
    MAGPIE_TRY_DO(transaction.record_page(fetch, page, 1));
    return {};
  });
  ASSERT_TRUE(recorder_->flush());
  for (embedded::Index* index : {index_.get(), next_.get()}) {
    EXPECT_EQ(found(*index, "penny"), 0u);
    EXPECT_EQ(vector_in(*index, source), std::nullopt);
  }
}

TEST_F(NextIndexTest, AnErrorOfItsOwnEndsItAndNothingElse) {
  add_both("first", "penny");
  const ImageId odd = add("odd", kEast, "crown");
  look(odd, kLong);  // not as long as the others
  begin();
  EXPECT_EQ(recorder_->fill_next(10).error().code, Code::kBadInput);
  EXPECT_EQ(recorder_->fill_next(10).error().code, Code::kBadInput) << "whoever asks again hears of it";
  EXPECT_FALSE(recorder_->switch_to_next([](CatalogTransaction&) -> Result<void> { return {}; }));
  EXPECT_EQ(recorder_->space(), kSpace);
  add("later", kEast, "florin");
  ASSERT_TRUE(recorder_->flush());
  EXPECT_EQ(recorder_->failure(), "");
  EXPECT_EQ(found(*index_, "florin"), 1u);
}

}  // namespace
}  // namespace magpie::pipeline

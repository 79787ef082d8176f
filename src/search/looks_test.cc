#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <map>

#include "core/words_placer.h"
#include "embedded/index.h"
#include "search/searcher.h"

namespace magpie {
namespace {

/// Places the words it was told about.
class KnownWords final : public WordsPlacer {
 public:
  std::map<std::string, WordsPlace, std::less<>> places;
  bool broken = false;
  mutable int asked = 0;
  Result<std::optional<WordsPlace>> place(std::string_view words) const override {
    ++asked;
    if (broken) return fail(Code::kUnavailable, "no worker");
    const auto found = places.find(words);
    return found == places.end() ? std::optional<WordsPlace>() : std::optional(found->second);
  }
};

/// Pictures 1..100 lie around in four directions; every fourth has the first one, and so on.
class LooksTest : public testing::Test {
 protected:
  static constexpr ImageId kPictures = 100;

  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "magpie-looks-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    auto opened = embedded::open_index(folder_ / "index");
    ASSERT_TRUE(opened) << opened.error().message;
    index_ = *std::move(opened);
    for (ImageId id = 1; id <= kPictures; ++id) {
      const std::size_t kind = id % 4;
      IndexDocument document{.id = id, .shop = id <= 50 ? "a.test" : "b.test", .fetched_at_seconds = 1'700'000'000 + id, .copy_group = id};
      document.title = kind == 0 && id <= 8 ? "red dress" : kind == 1 ? "blue chair" : "";
      if (kind == 0) document.price_micros = 1'000'000 * id, document.currency = "EUR";
      Embedding vector(4, 0.1F * static_cast<float>(id % 7) / 7);
      vector[kind] = 1;
      ASSERT_TRUE(index_->text().add(document) && index_->vectors().add(id, vector));
    }
    ASSERT_TRUE(index_->text().commit());
    placer_.places["red dress"] = placer_.places["rotes Kleid"] = {{1, 0, 0, 0}, 0.4F};
    placer_.places["dress rack"] = {{0, 1, 0, 0}, 0.4F};
  }
  void TearDown() override {
    index_.reset();
    fs::remove_all(folder_);
  }

  SearchAnswer search(SearchQuery query) {
    const Searcher searcher(index_->text(), index_->vectors(), settings_, nullptr, &placer_);
    auto answer = searcher.search(query);
    EXPECT_TRUE(answer) << answer.error().message;
    return *answer;
  }
  SearchAnswer search(const std::string& words) { return search(SearchQuery{.words = words, .limit = 200}); }

  fs::path folder_;
  std::unique_ptr<embedded::Index> index_;
  SearchSettings settings_;
  KnownWords placer_;
};

TEST_F(LooksTest, WordsOfNoPageFindWhatLooksSo) {
  const SearchAnswer answer = search("rotes Kleid");
  EXPECT_EQ(answer.total, 25U);
  for (const SearchHit& hit : answer.hits) {
    EXPECT_EQ(hit.id % 4, 0U);
    EXPECT_TRUE(hit.by_looks);
    EXPECT_FALSE(hit.text);
    EXPECT_GT(hit.score, 0);
  }
  EXPECT_FALSE(answer.any_word);
}

TEST_F(LooksTest, WhatHasTheWordsComesFirstInEveryOrder) {
  for (const SortOrder sort : {SortOrder::kRelevance, SortOrder::kNewest, SortOrder::kPriceAsc, SortOrder::kPriceDesc}) {
    const SearchAnswer answer = search(SearchQuery{.words = "red dress", .sort = sort, .limit = 200});
    ASSERT_EQ(answer.hits.size(), 25U);
    for (std::size_t i = 0; i < 25; ++i) EXPECT_EQ(answer.hits[i].by_looks, i >= 2) << to_string(sort) << i;
    EXPECT_LE(answer.hits[0].id, 8U);
    EXPECT_LE(answer.hits[1].id, 8U);
  }
  const SearchAnswer ranked = search("red dress");
  EXPECT_GT(ranked.hits[1].score, ranked.hits[2].score);
}

TEST_F(LooksTest, ACopyWithoutTheWordsDoesNotStandForOneThatHasThem) {
  IndexDocument copy{.id = 12, .shop = "a.test", .fetched_at_seconds = 1'700'000'000, .copy_group = 4};
  copy.pixels = 1'000'000;
  ASSERT_TRUE(index_->text().add(copy) && index_->text().commit());
  const SearchAnswer answer = search("red dress");
  const auto shown = std::ranges::find(answer.hits, 4U, &SearchHit::id);
  ASSERT_NE(shown, answer.hits.end());
  EXPECT_FALSE(shown->by_looks);
  EXPECT_EQ(shown->copies, std::vector<ImageId>{12});
}

TEST_F(LooksTest, WhereNoPageHasAllTheWordsBothRankByPlace) {
  const SearchAnswer answer = search("dress rack");
  EXPECT_TRUE(answer.any_word);
  ASSERT_GE(answer.hits.size(), 4U);
  int by_words = 0;
  for (std::size_t i = 0; i < 4; ++i) by_words += answer.hits[i].text ? 1 : 0;
  EXPECT_EQ(by_words, 2);  // both that have "dress", and the two that look most like a rack
}

TEST_F(LooksTest, ThereBeingEnoughByWordsLooksAreNotAsked) {
  for (ImageId id = 101; id <= 100 + kEnoughByWords; ++id)
    ASSERT_TRUE(index_->text().add({.id = id, .title = "red dress", .copy_group = id}));
  ASSERT_TRUE(index_->text().commit());
  EXPECT_EQ(search("red dress").total, kEnoughByWords + 2);
  EXPECT_EQ(search("red drses").total, kEnoughByWords + 2) << "a mended word is as good";
  EXPECT_EQ(placer_.asked, 0);
}

TEST_F(LooksTest, AMistypedWordIsMendedWhereNothingLooksSo) {
  placer_.places["drses"] = {{0, 1, 0, 0}, 2.0F};
  const SearchAnswer answer = search("drses");
  ASSERT_EQ(answer.total, 2U);
  EXPECT_EQ(answer.meant.size(), 1U);
  for (const SearchHit& hit : answer.hits) {
    EXPECT_GT(hit.score, 0);
    EXPECT_FALSE(hit.by_looks);
  }
}

TEST_F(LooksTest, AFilterNarrowsAndChangesNothingElse) {
  SearchQuery query{.words = "rotes Kleid", .limit = 200};
  const SearchAnswer all = search(query);
  query.filter.shops = {"b.test"};
  const SearchAnswer some = search(query);
  std::vector<ImageId> expected, found;
  for (const SearchHit& hit : all.hits) {
    if (hit.id > 50) expected.push_back(hit.id);
  }
  for (const SearchHit& hit : some.hits) found.push_back(hit.id);
  EXPECT_EQ(found, expected);
  const auto count = std::ranges::find(all.facets.front().values, "b.test", &FacetValue::value);
  ASSERT_NE(count, all.facets.front().values.end());
  EXPECT_EQ(count->count, some.total);
}

TEST_F(LooksTest, NonsenseAndTroubleFindWhatWordsFind) {
  EXPECT_EQ(search("qwertz").total, 0U);
  placer_.broken = true;
  EXPECT_EQ(search("rotes Kleid").total, 0U);
  EXPECT_EQ(search("red dress").total, 2U);
  placer_.broken = false;
  settings_.looks.value = false;
  EXPECT_EQ(search("rotes Kleid").total, 0U);
}

}  // namespace
}  // namespace magpie

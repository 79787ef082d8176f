// What core/text_index.h promises, held against every implementation that is available.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "contract_folder.h"
#include "core/text_index.h"
#include "embedded/index.h"

namespace magpie {
namespace {

IndexDocument document(ImageId id, std::string title) {
  IndexDocument made{.id = id, .title = std::move(title), .language = "en", .shop = "shop.test"};
  made.copy_group = id;
  return made;
}

class TextIndexContract : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    index_.reset();
    auto opened = embedded::open_index(folder_.path());
    ASSERT_TRUE(opened) << opened.error().message;
    index_ = std::move(*opened);
  }
  TextIndex& index() { return index_->text(); }
  std::shared_ptr<const TextSnapshot> snapshot() { return *index().snapshot(); }
  void add(IndexDocument made) { ASSERT_TRUE(index().add(std::move(made))); }
  std::vector<ImageId> match(const std::string& words, WordRule rule = WordRule::kAll) {
    return snapshot()->match({.words = words, .rule = rule})->scores.ids().to_vector();
  }
  std::vector<ImageId> filter(const Filter& wanted) { return snapshot()->filter(wanted)->to_vector(); }

  ContractFolder folder_;
  std::unique_ptr<embedded::Index> index_;
};

using Ids = std::vector<ImageId>;

TEST_F(TextIndexContract, AnEmptyIndexAnswersEverythingWithNothing) {
  EXPECT_EQ(snapshot()->size(), 0U);
  EXPECT_EQ(match("horse"), Ids{});
  EXPECT_EQ(filter({}), Ids{});
}

TEST_F(TextIndexContract, WordsOfAPictureMayBeInAnotherLanguageThanItsPage) {
  IndexDocument made = document(1, "Häuser");
  made.language = "de";
  made.alt = "running shoes";
  made.alt_language = "en";
  add(std::move(made));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(match("shoe"), Ids{1});
  EXPECT_EQ(match("Haus"), Ids{1});
  // Also behind a merge, though no document as a whole is in that language.
  for (ImageId id = 2; id < 12; ++id) {
    IndexDocument other = document(id, "Wald");
    other.language = "de";
    add(std::move(other));
    ASSERT_TRUE(index().commit());
  }
  open();
  EXPECT_EQ(match("shoe"), Ids{1});
}

TEST_F(TextIndexContract, NothingIsVisibleBeforeCommitAndAllAfter) {
  const auto before = snapshot();
  add(document(1, "horse"));
  add(document(2, "horse"));
  EXPECT_EQ(match("horse"), Ids{});
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(match("horse"), (Ids{1, 2}));
  EXPECT_EQ(before->size(), 0U);
  EXPECT_GT(snapshot()->version(), before->version());
}

TEST_F(TextIndexContract, ACommitWithoutChangesKeepsTheVersion) {
  add(document(1, "horse"));
  ASSERT_TRUE(index().commit());
  const auto version = snapshot()->version();
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(snapshot()->version(), version);
}

TEST_F(TextIndexContract, AddingAgainReplaces) {
  add(document(1, "horse"));
  ASSERT_TRUE(index().commit());
  add(document(1, "lighthouse"));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(match("horse"), Ids{});
  EXPECT_EQ(match("lighthouse"), Ids{1});
  EXPECT_EQ(snapshot()->size(), 1U);
}

TEST_F(TextIndexContract, RemovingForgetsAlsoWhatWasJustAdded) {
  add(document(1, "horse"));
  ASSERT_TRUE(index().commit());
  add(document(2, "horse"));
  ASSERT_TRUE(index().remove(1));
  ASSERT_TRUE(index().remove(2));
  ASSERT_TRUE(index().remove(3));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(match("horse"), Ids{});
  add(document(1, "horse"));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(match("horse"), Ids{1});
}

TEST_F(TextIndexContract, CommittedDocumentsSurviveReopening) {
  add(document(1, "horse"));
  ASSERT_TRUE(index().commit());
  add(document(2, "horse"));
  open();
  EXPECT_EQ(match("horse"), Ids{1});
}

TEST_F(TextIndexContract, WordsMeetWhateverTheirForm) {
  add(document(1, "Übergröße Kleider"));
  add(document(2, "running shoes"));
  add(document(3, "赤いドレス"));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(match("ubergrosse"), Ids{1});
  EXPECT_EQ(match("SHOE run"), Ids{2});
  EXPECT_EQ(match("ドレス"), Ids{3});
  EXPECT_EQ(match("?!"), Ids{});
}

TEST_F(TextIndexContract, AllMeansEveryWordAndAnyMeansOne) {
  add(document(1, "red chair"));
  add(document(2, "red table"));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(match("red chair"), Ids{1});
  EXPECT_EQ(match("red chair", WordRule::kAny), (Ids{1, 2}));
}

TEST_F(TextIndexContract, ATitleCountsMoreThanADescriptionAndARareWordMore) {
  IndexDocument described = document(1, "thing");
  described.description = "chair";
  add(described);
  add(document(2, "chair"));
  add(document(3, "thing"));
  add(document(4, "thing sofa"));
  ASSERT_TRUE(index().commit());
  const WordMatches chairs = *snapshot()->match({.words = "chair"});
  ASSERT_EQ(chairs.scores.ids().to_vector(), (Ids{1, 2}));
  EXPECT_LT(chairs.scores.get(1), chairs.scores.get(2));
  EXPECT_EQ(chairs.best, chairs.scores.get(2));
  const WordMatches any = *snapshot()->match({.words = "thing sofa", .rule = WordRule::kAny});
  ASSERT_EQ(any.scores.ids().to_vector(), (Ids{1, 3, 4}));
  EXPECT_GT(any.scores.get(4), any.scores.get(3));
}

TEST_F(TextIndexContract, APhraseIsItsWordsOneAfterTheOtherInOneField) {
  add(document(1, "a red silk dress"));
  add(document(2, "silk and a red dress"));
  IndexDocument apart = document(3, "something red");
  apart.alt = "silk";
  add(apart);
  IndexDocument described = document(4, "thing");
  described.description = "Red silk, or silk that is red: red, red silk.";
  add(described);
  const auto phrase = [&](TextQuery query) { return snapshot()->match(query)->scores.ids().to_vector(); };
  for (const bool merged : {false, true}) {
    ASSERT_TRUE(index().commit());
    if (merged) { ASSERT_TRUE(index_->merge_all()); }
    EXPECT_EQ(phrase({.phrases = {"red silk"}}), (Ids{1, 4}));
    EXPECT_EQ(phrase({.phrases = {"RED, silk!"}}), (Ids{1, 4}));
    EXPECT_EQ(phrase({.phrases = {"silk red"}}), Ids{});
    EXPECT_EQ(phrase({.phrases = {"red red"}}), Ids{4});
    EXPECT_EQ(phrase({.phrases = {"reds silk"}}), Ids{});
    EXPECT_EQ(phrase({.words = "dresses", .phrases = {"red silk"}}), Ids{1});
    EXPECT_EQ(phrase({.words = "thing dress", .rule = WordRule::kAny, .phrases = {"red silk"}}), (Ids{1, 4}));
    EXPECT_EQ(phrase({.words = "dress", .phrases = {"red"}}), (Ids{1, 2}));
    EXPECT_EQ(phrase({.phrases = {"dresses"}}), Ids{});
    add(document(9, "more"));
  }
}

TEST_F(TextIndexContract, WordsAndPhrasesCanBeRuledOut) {
  add(document(1, "a red silk dress"));
  add(document(2, "silk and a red dress"));
  add(document(3, "shoes"));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(filter({.without = {"dress"}}), Ids{3});
  EXPECT_EQ(filter({.without = {"shoe"}}), (Ids{1, 2}));
  EXPECT_EQ(filter({.without = {"red silk"}}), (Ids{2, 3}));
  EXPECT_EQ(filter({.without = {"red silk", "shoes"}}), Ids{2});
  EXPECT_EQ(filter({.without = {"horse", "?!"}}), (Ids{1, 2, 3}));
}

TEST_F(TextIndexContract, OfAWordsFormsTheBestCounts) {
  add(document(1, "dress other"));
  add(document(2, "dress dresses"));
  add(document(3, "other dresses"));
  ASSERT_TRUE(index().commit());
  const WordMatches matches = *snapshot()->match({.words = "dress", .language = "en"});
  EXPECT_EQ(matches.scores.get(1), matches.scores.get(2));
  EXPECT_LT(matches.scores.get(3), matches.scores.get(2));
}

TEST_F(TextIndexContract, AWordThatNobodyHasIsTakenForTheOneMeant) {
  add(document(1, "red dress"));
  add(document(2, "red dresser"));
  add(document(3, "blue dresses 4711y lampe2"));
  ASSERT_TRUE(index().commit());
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  const auto ask = [&](const std::string& words, Typos typos) { return *snapshot()->match({.words = words, .typos = typos}); };
  EXPECT_TRUE(ask("red drses", Typos::kKeep).empty());
  const WordMatches mended = ask("red drses", Typos::kMendBesideKnown);
  EXPECT_EQ(mended.scores.ids().to_vector(), Ids{1});
  EXPECT_EQ(mended.meant, (Pairs{{"drses", "dress"}}));
  EXPECT_EQ(ask("dreses", Typos::kMend).scores.ids().to_vector(), (Ids{1, 3})) << "its stems, too";
  EXPECT_TRUE(ask("dreses", Typos::kMendBesideKnown).empty()) << "nothing tells that it is of this language";
  EXPECT_TRUE(ask("rde", Typos::kMend).empty()) << "too short";
  EXPECT_TRUE(ask("red 4711x", Typos::kMend).empty());
  EXPECT_TRUE(ask("red lampe", Typos::kMend).empty());
  EXPECT_TRUE(ask("red submarine", Typos::kMend).empty());
  EXPECT_EQ(ask("dress drses", Typos::kMend).best, ask("dress", Typos::kMend).best) << "one word, said twice";
  EXPECT_TRUE(snapshot()->match({.words = "red", .typos = Typos::kMend, .phrases = {"drses"}})->empty()) << "what is quoted is meant";
  EXPECT_EQ(ask("red dress", Typos::kMend).meant, Pairs{});
  ASSERT_TRUE(index().remove(1));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(ask("dreses", Typos::kMend).meant, (Pairs{{"dreses", "dresses"}})) << "what no living document has is not meant";
}

TEST_F(TextIndexContract, MatchesAreThoseOfEveryDocumentLookedAt) {
  const std::vector<std::string> words{"red", "blue", "chair", "table", "lamp", "dress", "oak", "silk"};
  std::mt19937 random(11);
  std::map<ImageId, std::set<std::string>> held;
  for (ImageId id = 1; id <= 9'000; ++id) {  // several windows and blocks
    std::string title;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (random() % (1 << i) != 0 || (i == 6 && id < 5'000)) continue;
      title += words[i] + " ";
      held[id].insert(words[i]);
    }
    add(document(id, title));
    if (id % 2'500 == 0) { ASSERT_TRUE(index().commit()); }
  }
  ASSERT_TRUE(index().commit());
  for (ImageId id = 7; id <= 9'000; id += 13) {
    ASSERT_TRUE(index().remove(id));
    held.erase(id);
  }
  ASSERT_TRUE(index().commit());
  for (int asked = 0; asked < 60; ++asked) {
    std::vector<std::string> query;
    for (std::size_t i = 1 + random() % 3; i > 0; --i) query.push_back(words[random() % words.size()]);
    for (const WordRule rule : {WordRule::kAll, WordRule::kAny}) {
      Ids expected;
      for (const auto& [id, has] : held) {
        const auto holds = [&](const std::string& word) { return has.contains(word); };
        if (rule == WordRule::kAll ? std::ranges::all_of(query, holds) : std::ranges::any_of(query, holds)) expected.push_back(id);
      }
      std::string typed;
      for (const std::string& word : query) typed += word + " ";
      EXPECT_EQ(match(typed, rule), expected) << typed;
    }
  }
}

TEST_F(TextIndexContract, CopiesAreThoseOfGroupsWithSeveral) {
  for (ImageId id = 1; id <= 5; ++id) {
    IndexDocument made = document(id, "x");
    made.copy_group = id <= 2 ? 2 : id == 5 ? 4 : 3;  // 4 is alone in group 3 after 3 is removed, 5 in a group named after another
    add(made);
  }
  ASSERT_TRUE(index().commit());
  EXPECT_EQ((*snapshot()->copies())->to_vector(), (Ids{1, 2, 3, 4}));
  ASSERT_TRUE(index().remove(3));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ((*snapshot()->copies())->to_vector(), (Ids{1, 2}));
}

TEST_F(TextIndexContract, FiltersHoldTogether) {
  IndexDocument one = document(1, "a");
  one.colours = {"red", "blue"};
  one.brand = "Nord";
  one.price_micros = 10'000'000;
  one.currency = "EUR";
  one.fetched_at_seconds = 100;
  IndexDocument two = document(2, "b");
  two.shop = "other.test";
  two.colours = {"blue"};
  two.price_micros = 0;
  two.currency = "USD";
  two.fetched_at_seconds = 200;
  add(one);
  add(two);
  add(document(3, "c"));
  ASSERT_TRUE(index().commit());
  EXPECT_EQ(filter({}), (Ids{1, 2, 3}));
  EXPECT_EQ(filter({.colours = {"blue"}}), (Ids{1, 2}));
  EXPECT_EQ(filter({.colours = {"red", "green"}}), Ids{1});
  EXPECT_EQ(filter({.shops = {"other.test"}, .colours = {"red"}}), Ids{});
  EXPECT_EQ(filter({.brands = {"Nord"}, .currencies = {"EUR"}}), Ids{1});
  EXPECT_EQ(filter({.price_min_micros = 0}), (Ids{1, 2}));
  EXPECT_EQ(filter({.price_max_micros = 9'999'999}), Ids{2});
  EXPECT_EQ(filter({.since_seconds = 200}), Ids{2});
  EXPECT_EQ(filter({.ids = {{3, 1, 99}}}), (Ids{1, 3}));
  EXPECT_EQ(filter({.ids = Ids{}}), Ids{});
}

TEST_F(TextIndexContract, FacetsCountGroupsOfCopies) {
  for (ImageId id = 1; id <= 5; ++id) {
    IndexDocument made = document(id, "x");
    made.copy_group = id <= 3 ? 1 : id;
    made.shop = id == 3 ? "other.test" : "shop.test";
    made.colours = {"red", "red"};
    add(made);
    if (id == 2) { ASSERT_TRUE(index().commit()); }
  }
  ASSERT_TRUE(index().commit());
  const Facet wanted[] = {Facet::kColour, Facet::kShop, Facet::kBrand};
  const auto all = *snapshot()->filter({});
  const auto counts = *snapshot()->facets(wanted, all, 10);
  ASSERT_EQ(counts.size(), 3U);
  EXPECT_EQ(counts[0].values, (std::vector<FacetValue>{{"red", 3}}));
  EXPECT_EQ(counts[1].values, (std::vector<FacetValue>{{"shop.test", 3}, {"other.test", 1}}));
  EXPECT_TRUE(counts[2].values.empty());
  const auto first = *snapshot()->facets(wanted, all, 1);
  EXPECT_EQ(first[1].values.size(), 1U);
  EXPECT_EQ(first[1].values_total, 2U);
}

TEST_F(TextIndexContract, RowsGiveEachDocumentOnce) {
  IndexDocument made = document(7, "x");
  made.copy_group = kNoId;
  made.pixels = 42;
  made.price_micros = -1;
  made.currency = "EUR";
  add(made);
  add(document(9, "y"));
  ASSERT_TRUE(index().commit());
  IdSet ids;
  for (const ImageId id : {7U, 8U, 9U}) ids.add(id);
  std::vector<IndexRow> rows;
  const auto view = snapshot();
  ASSERT_TRUE(view->rows(ids, [&](std::span<const IndexRow> batch) { rows.insert(rows.end(), batch.begin(), batch.end()); }));
  ASSERT_EQ(rows.size(), 2U);
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  EXPECT_EQ(rows[0].copy_group, 7U);
  EXPECT_EQ(rows[0].pixels, 42U);
  EXPECT_EQ(rows[0].price_micros, -1);
  EXPECT_EQ(rows[0].currency, "EUR");
  EXPECT_FALSE(rows[1].price_micros);
}

TEST_F(TextIndexContract, WrongDocumentsAreRefused) {
  EXPECT_EQ(index().add(document(kNoId, "x")).error().code, Code::kBadInput);
  EXPECT_EQ(index().add(document(1, std::string((1 << 20) + 1, 'x'))).error().code, Code::kTooLarge);
}

TEST_F(TextIndexContract, ReadersKeepTheirViewWhileTheWriterGoesOn) {
  std::jthread writer([&] {
    for (ImageId id = 1; id <= 40; ++id) {
      EXPECT_TRUE(index().add(document(id, "horse")));
      EXPECT_TRUE(index().commit());
    }
  });
  std::uint64_t last = 0;
  while (last < 40) {
    const auto view = snapshot();
    EXPECT_GE(view->size(), last);
    last = view->size();
    EXPECT_EQ(view->match({.words = "horse"})->scores.ids().count(), last);
    EXPECT_EQ(view->filter({})->count(), last);
  }
}

}  // namespace
}  // namespace magpie

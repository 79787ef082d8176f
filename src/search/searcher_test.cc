#include "search/searcher.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "embedded/index.h"
#include "search/prices.h"
#include "search/recall_monitor.h"

namespace magpie {
namespace {

constexpr std::size_t kDims = 24;
constexpr float kCut = 0.55F;

struct Picture {
  IndexDocument document;
  Embedding embedding;  // empty: none
};
using Collection = std::map<ImageId, Picture>;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "magpie-search-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

template <class T>
const T& pick(const std::vector<T>& values, std::mt19937& random) {
  return values[random() % values.size()];
}

const std::vector<std::string> kWords{"red", "blue", "chair", "table", "lamp", "dress", "shoe", "ring", "oak", "silk"};
const std::vector<std::string> kShops{"a.test", "b.test", "c.test:8080"};
const std::vector<std::string> kCategories{"", "Animals", "Chairs", "Shoes"};
const std::vector<std::string> kBrands{"", "Nord", "Süd"};
const std::vector<std::string> kColours{"red", "green", "blue", "white"};
const std::vector<std::string> kCurrencies{"EUR", "USD", "JPY"};
const std::vector<std::string> kLanguages{"", "de", "en"};
const std::vector<std::string> kSizes{"S", "M", "L", "38"};
const std::vector<std::string> kLabels{"cat", "dog"};
const std::vector<std::string> kLicences{"CC BY", "CC0"};
constexpr std::int64_t kDay = 86'400;

Embedding embedding_near(const Embedding& centre, float spread, std::mt19937& random) {
  std::normal_distribution<float> normal(0, spread);
  Embedding vector(kDims);
  float squares = 0;
  for (std::size_t i = 0; i < kDims; ++i) {
    vector[i] = (centre.empty() ? 0 : centre[i]) + normal(random);
    squares += vector[i] * vector[i];
  }
  for (float& value : vector) value /= std::sqrt(squares);
  return vector;
}

class World {
 public:
  explicit World(std::uint32_t seed) : random(seed) {
    for (int i = 0; i < 4; ++i) centres.push_back(embedding_near({}, 1, random));
  }
  Picture picture(ImageId id) {
    Picture made;
    IndexDocument& document = made.document;
    document.id = id;
    for (int i = static_cast<int>(random() % 4); i > 0; --i) document.title += pick(kWords, random) + " ";
    for (int i = static_cast<int>(random() % 4); i > 0; --i) document.alt += pick(kWords, random) + ", ";
    for (int i = static_cast<int>(random() % 6); i > 0; --i) document.description += pick(kWords, random) + ". ";
    document.shop = pick(kShops, random);
    document.category = pick(kCategories, random);
    document.brand = pick(kBrands, random);
    for (int i = static_cast<int>(random() % 4); i > 0; --i) document.colours.push_back(pick(kColours, random));
    if (random() % 3 != 0) {
      document.price_micros = static_cast<std::int64_t>(random() % 500) * 500'000;
      document.currency = pick(kCurrencies, random);
      if (random() % 2 == 0) document.old_price_micros = *document.price_micros + static_cast<std::int64_t>(random() % 100) * 500'000;
    }
    document.language = pick(kLanguages, random);
    for (auto i = random() % 4; i > 0; --i) document.sizes.push_back(pick(kSizes, random));
    for (auto i = random() % 3; i > 0; --i) document.labels.push_back(pick(kLabels, random));
    for (auto i = random() % 2; i > 0; --i) document.licences.push_back(pick(kLicences, random));
    document.fetched_at_seconds = 1'700'000'000 + static_cast<std::int64_t>(random() % 50);
    if (random() % 2 == 0) document.fetched_at_seconds -= static_cast<std::int64_t>(random() % 500) * kDay;
    document.copy_group = random() % 4 == 0 && id > 1 ? static_cast<ImageId>(1 + random() % (id - 1)) : id;
    document.pixels = 1'000 * (1 + random() % 5);
    if (random() % 8 != 0) made.embedding = embedding_near(pick(centres, random), 0.2F, random);
    return made;
  }
  SearchQuery query() {
    SearchQuery query;
    const auto kind = random() % 5;
    if (kind == 1 || kind >= 3) query.words = pick(kWords, random) + (random() % 2 == 0 ? "" : " " + pick(kWords, random));
    if (random() % 12 == 0 && !query.words.empty()) query.words = "unheardof " + pick(kWords, random);
    if (kind == 2 || kind == 3) query.picture = embedding_near(pick(centres, random), 0.2F, random);
    if (kind == 4) query.combine = Combine::kEither, query.picture = embedding_near(pick(centres, random), 0.2F, random);
    query.similarity_min = kCut;
    if (random() % 3 == 0) query.filter.shops = {pick(kShops, random)};
    if (random() % 4 == 0) query.filter.categories = {pick(kCategories, random), "Chairs"};
    if (random() % 5 == 0) query.filter.brands = {"Süd"};
    if (random() % 4 == 0) query.filter.colours = {pick(kColours, random), pick(kColours, random)};
    if (random() % 5 == 0) query.filter.currencies = {pick(kCurrencies, random)};
    if (random() % 5 == 0) query.filter.price_min_micros = static_cast<std::int64_t>(random() % 200) * 1'000'000;
    if (random() % 5 == 0) query.filter.price_max_micros = static_cast<std::int64_t>(random() % 300) * 1'000'000;
    if (random() % 6 == 0) query.filter.since_seconds = 1'700'000'000 + static_cast<std::int64_t>(random() % 50);
    if (random() % 6 == 0) query.limits.until_seconds = 1'700'000'000 - static_cast<std::int64_t>(random() % 400) * kDay;
    if (random() % 6 == 0) query.filter.languages = {pick(kLanguages, random), "en"};
    if (random() % 6 == 0) query.filter.sizes = {pick(kSizes, random)};
    if (random() % 6 == 0) query.filter.labels = {pick(kLabels, random), "horse"};
    if (random() % 8 == 0) query.filter.licences = {pick(kLicences, random)};
    query.dates_at_seconds = 1'700'000'025;
    query.sort = static_cast<SortOrder>(random() % 5);
    return query;
  }

  std::mt19937 random;
  std::vector<Embedding> centres;
};

// ---- the same, by brute force and without any cleverness ----

bool has_word(const IndexDocument& document, const std::string& word) {
  const std::string text = " " + document.title + " " + document.alt + " " + document.description + " ";
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    if (!std::isalpha(static_cast<unsigned char>(text[at - 1])) && !std::isalpha(static_cast<unsigned char>(text[at + word.size()])))
      return true;
  }
  return false;
}

bool one_of(const std::vector<std::string>& values, const std::string& value) {
  return values.empty() || (!value.empty() && std::find(values.begin(), values.end(), value) != values.end());
}

bool any_of(const std::vector<std::string>& values, const std::vector<std::string>& names) {
  return values.empty() || std::any_of(names.begin(), names.end(), [&](const auto& name) { return one_of(values, name); });
}

bool passes(const IndexDocument& document, const Filter& filter) {
  const bool lists = any_of(filter.colours, document.colours) && any_of(filter.sizes, document.sizes) &&
                     any_of(filter.labels, document.labels) && any_of(filter.licences, document.licences);
  const bool low = !filter.price_min_micros || (document.price_micros && *document.price_micros >= *filter.price_min_micros);
  const bool high = !filter.price_max_micros || (document.price_micros && *document.price_micros <= *filter.price_max_micros);
  const bool recent = !filter.since_seconds || document.fetched_at_seconds >= *filter.since_seconds;
  return one_of(filter.shops, document.shop) && one_of(filter.categories, document.category) && one_of(filter.brands, document.brand) &&
         one_of(filter.currencies, document.currency) && one_of(filter.languages, document.language) && lists && low && high && recent;
}

double cosine(const Embedding& a, const Embedding& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

std::vector<std::string> words_of(const std::string& words) {
  const std::size_t space = words.find(' ');
  if (words.empty()) return {};
  if (space == std::string::npos) return {words};
  return {words.substr(0, space), words.substr(space + 1)};
}

/// Ids that answer words and picture, filter aside.
std::set<ImageId> brute_candidates(const Collection& collection, const SearchQuery& query) {
  const std::vector<std::string> words = words_of(query.words);
  std::set<ImageId> all_words, any_word, similar, everything;
  for (const auto& [id, picture] : collection) {
    std::size_t held = 0;
    for (const std::string& word : words) held += has_word(picture.document, word) ? 1 : 0;
    if (held == words.size()) all_words.insert(id);
    if (held > 0) any_word.insert(id);
    if (!query.picture.empty() && !picture.embedding.empty() && cosine(query.picture, picture.embedding) >= kCut) similar.insert(id);
    everything.insert(id);
  }
  const std::set<ImageId>& by_words = all_words.empty() ? any_word : all_words;
  if (words.empty()) return query.picture.empty() ? everything : similar;
  if (query.picture.empty()) return by_words;
  std::set<ImageId> joined;
  if (query.combine == Combine::kBoth) {
    std::set_intersection(by_words.begin(), by_words.end(), similar.begin(), similar.end(), std::inserter(joined, joined.end()));
  } else {
    std::set_union(by_words.begin(), by_words.end(), similar.begin(), similar.end(), std::inserter(joined, joined.end()));
  }
  return joined;
}

std::vector<const IndexDocument*> brute_found(const Collection& collection, const SearchQuery& query, const std::set<ImageId>& candidates) {
  std::vector<const IndexDocument*> found;
  for (const ImageId id : candidates) {
    const IndexDocument& document = collection.at(id).document;
    const bool early = !query.limits.until_seconds || document.fetched_at_seconds < *query.limits.until_seconds;
    if (early && passes(document, query.filter)) found.push_back(&document);
  }
  return found;
}

std::uint64_t groups_in(const std::vector<const IndexDocument*>& found) {
  std::set<ImageId> groups;
  for (const IndexDocument* document : found) groups.insert(document->copy_group);
  return groups.size();
}

std::vector<std::string> values_of(const IndexDocument& document, Facet facet) {
  switch (facet) {
    case Facet::kShop: return {document.shop};
    case Facet::kCategory: return {document.category};
    case Facet::kBrand: return {document.brand};
    case Facet::kColour: return document.colours;
    case Facet::kClass: return document.classes;
    case Facet::kCurrency: return {document.currency};
    case Facet::kLanguage: return {document.language};
    case Facet::kSize: return document.sizes;
    case Facet::kLabel: return document.labels;
    case Facet::kLicence: return document.licences;
  }
  return {};
}

/// Millionths off the old price; -1 without both.
std::int64_t discount_of(const IndexDocument& document) {
  if (!document.price_micros || !document.old_price_micros || *document.price_micros == 0) return -1;
  const std::int64_t off = *document.old_price_micros - *document.price_micros;
  return off > 0 ? off * 1'000'000 / *document.old_price_micros : -1;
}

/// By the very words of the contract: the total one gets on choosing only that value in that facet.
std::map<std::string, std::uint64_t> brute_facet(const Collection& collection, SearchQuery query, const std::set<ImageId>& candidates,
                                                 Facet facet) {
  std::set<std::string> values;
  for (const auto& [id, picture] : collection) {
    for (const std::string& value : values_of(picture.document, facet)) values.insert(value);
  }
  std::map<std::string, std::uint64_t> counts;
  for (const std::string& value : values) {
    if (value.empty()) continue;
    query.filter.values(facet) = {value};
    if (const std::uint64_t total = groups_in(brute_found(collection, query, candidates)); total > 0) counts[value] = total;
  }
  return counts;
}

/// The total one gets on choosing only that range.
void expect_true_dates(const Collection& collection, SearchQuery query, const std::set<ImageId>& candidates,
                       const std::vector<DateRange>& ranges) {
  ASSERT_EQ(ranges.size(), 6U);
  for (const DateRange& range : ranges) {
    query.filter.since_seconds = range.since_seconds;
    query.limits.until_seconds = range.until_seconds;
    EXPECT_EQ(range.count, groups_in(brute_found(collection, query, candidates))) << range.name;
  }
  EXPECT_EQ(ranges[2].since_seconds, 1'700'000'025 - 7 * kDay);
  EXPECT_EQ(ranges[5].until_seconds, ranges[4].since_seconds);
}

class Searches : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  /// Adds, replaces and removes pictures over several commits, and keeps the model in step.
  void fill() {
    auto opened = embedded::open_index(folder.path(), {.merge_in_background = false});
    ASSERT_TRUE(opened) << opened.error().message;
    index = std::move(*opened);
    const ImageId last = 60 + world.random() % 200;
    for (int commit = 0; commit < 12; ++commit) {
      for (int change = 0; change < 30; ++change) this->change(1 + static_cast<ImageId>(world.random() % last));
      ASSERT_TRUE(index->text().commit());
    }
  }
  void change(ImageId id) {
    if (world.random() % 6 == 0) {
      collection.erase(id);
      ASSERT_TRUE(index->text().remove(id));
      ASSERT_TRUE(index->vectors().remove(id));
      return;
    }
    Picture picture = world.picture(id);
    ASSERT_TRUE(index->text().add(picture.document));
    const Result<void> done = picture.embedding.empty() ? index->vectors().remove(id) : index->vectors().add(id, picture.embedding);
    ASSERT_TRUE(done);
    collection[id] = std::move(picture);
  }
  void compare(const SearchQuery& query);
  void compare_pages(SearchQuery query, const SearchAnswer& whole);
  void compare_order(const SearchQuery& query, const SearchAnswer& whole);

  World world{GetParam()};
  Folder folder;
  std::unique_ptr<embedded::Index> index;
  Collection collection;
  SearchSettings settings;
};

void Searches::compare(const SearchQuery& query) {
  const Searcher searcher(index->text(), index->vectors(), settings);
  const std::set<ImageId> candidates = brute_candidates(collection, query);
  const auto expected = brute_found(collection, query, candidates);
  SearchQuery all = query;
  all.limit = kSearchLimitMax;
  const auto answer = searcher.search(all);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->total, groups_in(expected));
  EXPECT_EQ(answer->exactness, Exactness::kExact);
  ASSERT_EQ(answer->facets.size(), query.facets.size());
  for (std::size_t i = 0; i < query.facets.size(); ++i) {
    std::map<std::string, std::uint64_t> counts;
    for (const FacetValue& value : answer->facets[i].values) counts[value.value] = value.count;
    EXPECT_EQ(counts, brute_facet(collection, query, candidates, query.facets[i])) << to_string(query.facets[i]);
    EXPECT_EQ(answer->facets[i].values_total, counts.size());
  }
  expect_true_dates(collection, query, candidates, answer->dates);
  compare_pages(query, *answer);
  compare_order(query, *answer);
}

// Pages follow each other without gap or double, and say the same totals.
void Searches::compare_pages(SearchQuery query, const SearchAnswer& whole) {
  const Searcher searcher(index->text(), index->vectors(), settings);
  std::set<ImageId> seen;
  query.limit = 7;
  for (query.offset = 0; query.offset < whole.total + 7 && query.offset < 60; query.offset += 7) {
    const auto page = searcher.search(query);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->total, whole.total);
    EXPECT_EQ(page->facets[0].values, whole.facets[0].values);
    for (std::size_t i = 0; i < page->hits.size(); ++i) {
      EXPECT_TRUE(seen.insert(page->hits[i].id).second) << "twice: " << page->hits[i].id;
      if (query.offset + i < whole.hits.size()) { EXPECT_EQ(page->hits[i].id, whole.hits[query.offset + i].id); }
    }
    EXPECT_EQ(page->hits.size(), std::min<std::size_t>(7, whole.total > query.offset ? whole.total - query.offset : 0));
  }
}

void Searches::compare_order(const SearchQuery& query, const SearchAnswer& whole) {
  // A group stands where its newest picture stands, whichever of them is shown.
  const auto newest_fetch = [&](const SearchHit& hit) {
    std::int64_t newest = collection.at(hit.id).document.fetched_at_seconds;
    for (const ImageId copy : hit.copies) newest = std::max(newest, collection.at(copy).document.fetched_at_seconds);
    return newest;
  };
  std::set<ImageId> groups;
  for (std::size_t i = 0; i < whole.hits.size(); ++i) {
    const SearchHit& hit = whole.hits[i];
    const IndexDocument& document = collection.at(hit.id).document;
    EXPECT_TRUE(groups.insert(document.copy_group).second) << "two hits of one group";
    EXPECT_EQ(hit.copies.size(), hit.copies_total);
    if (query.sort == SortOrder::kRelevance || query.sort == SortOrder::kNewest) {
      for (const ImageId copy : hit.copies) {
        const IndexDocument& other = collection.at(copy).document;
        EXPECT_GE(std::make_pair(document.price_micros.has_value(), document.pixels),
                  std::make_pair(other.price_micros.has_value(), other.pixels))
            << "a better copy than the one shown";
      }
    }
    for (const ImageId copy : hit.copies) EXPECT_EQ(collection.at(copy).document.copy_group, document.copy_group);
    if (hit.similarity) { EXPECT_NEAR(*hit.similarity, cosine(query.picture, collection.at(hit.id).embedding), 1e-5); }
    if (i == 0) continue;
    const IndexDocument& before = collection.at(whole.hits[i - 1].id).document;
    const bool browsing = query.words.empty() && query.picture.empty();
    if (query.sort == SortOrder::kRelevance && !browsing) { EXPECT_GE(whole.hits[i - 1].score, hit.score); }
    if (query.sort == SortOrder::kNewest || (query.sort == SortOrder::kRelevance && browsing)) {
      EXPECT_GE(newest_fetch(whole.hits[i - 1]), newest_fetch(hit));
    }
    if (query.sort == SortOrder::kDiscount) { EXPECT_GE(discount_of(before), discount_of(document)); }
    if (query.sort == SortOrder::kPriceAsc || query.sort == SortOrder::kPriceDesc) {
      EXPECT_GE(before.price_micros.has_value(), document.price_micros.has_value());
      if (!before.price_micros || !document.price_micros || before.currency != document.currency) continue;
      const std::int64_t sign = query.sort == SortOrder::kPriceAsc ? 1 : -1;
      EXPECT_LE(sign * *before.price_micros, sign * *document.price_micros);
    }
  }
}

TEST_P(Searches, AgreeWithBruteForce) {
  fill();
  for (int i = 0; i < 60; ++i) {
    SCOPED_TRACE(fmt::format("seed {}, query {}", GetParam(), i));
    compare(world.query());
    if (HasFatalFailure()) return;
  }
}

TEST_P(Searches, StayTheSameAfterMergingAndReopening) {
  fill();
  std::vector<SearchQuery> queries;
  std::vector<SearchAnswer> before;
  for (int i = 0; i < 10; ++i) {
    queries.push_back(world.query());
    auto answer = Searcher(index->text(), index->vectors(), settings).search(queries.back());
    ASSERT_TRUE(answer);
    before.push_back(std::move(*answer));
  }
  ASSERT_TRUE(index->merge_all());
  ASSERT_TRUE(index->verify());
  index.reset();
  auto reader = embedded::open_index(folder.path(), {.read_only = true});
  ASSERT_TRUE(reader) << reader.error().message;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    auto after = Searcher((*reader)->text(), (*reader)->vectors(), settings).search(queries[i]);
    ASSERT_TRUE(after);
    EXPECT_EQ(after->total, before[i].total);
    ASSERT_EQ(after->hits.size(), before[i].hits.size());
    for (std::size_t hit = 0; hit < after->hits.size(); ++hit) {
      EXPECT_EQ(after->hits[hit].id, before[i].hits[hit].id);
      EXPECT_NEAR(after->hits[hit].score, before[i].hits[hit].score, 1e-4);
    }
    for (std::size_t facet = 0; facet < after->facets.size(); ++facet) {
      EXPECT_EQ(after->facets[facet].values, before[i].facets[facet].values);
    }
  }
}

/// Brute force over the whole order: the first so many of each shop and brand.
TEST_P(Searches, SpreadHitsOverShopsAndBrandsTheSameOnEveryPage) {
  fill();
  const Searcher searcher(index->text(), index->vectors(), settings);
  for (int i = 0; i < 20; ++i) {
    SCOPED_TRACE(fmt::format("seed {}, query {}", GetParam(), i));
    SearchQuery query = world.query();
    query.offset = 0;
    query.limit = kSearchLimitMax;
    const auto whole = searcher.search(query);
    ASSERT_TRUE(whole);
    if (whole->total > kSearchLimitMax) continue;
    query.per_shop = 2;
    query.per_brand = 3;
    std::map<std::string, std::size_t> shops, brands;
    std::vector<ImageId> wanted;
    for (const SearchHit& hit : whole->hits) {
      const IndexDocument& document = collection.at(hit.id).document;
      if (shops.contains(document.shop) && shops[document.shop] == 2) continue;
      if (!document.brand.empty() && brands[document.brand] == 3) continue;
      ++shops[document.shop], ++brands[document.brand];
      wanted.push_back(hit.id);
    }
    std::vector<ImageId> found;
    std::uint64_t held_back = 0, of_listed_shops = 0;
    for (const SearchHit& hit : whole->hits) of_listed_shops += shops.contains(collection.at(hit.id).document.shop) ? 1 : 0;
    query.limit = 2;
    for (query.offset = 0; query.offset < wanted.size() + 2; query.offset += 2) {
      const auto page = searcher.search(query);
      ASSERT_TRUE(page);
      EXPECT_EQ(page->total, whole->total);
      EXPECT_EQ(page->listed, wanted.size());
      for (const SearchHit& hit : page->hits) found.push_back(hit.id), held_back += hit.more_of_shop;
    }
    EXPECT_EQ(found, wanted);
    EXPECT_EQ(held_back + wanted.size(), of_listed_shops);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Searches, ::testing::Range(1U, 9U));

class SmallSearch : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = embedded::open_index(folder.path());
    ASSERT_TRUE(opened);
    index = std::move(*opened);
    add(1, "brown horse", {1, 0, 0}, 1);
    add(2, "horse, brown, larger", {0.99F, 0.1F, 0}, 1);
    add(3, "pony", {0.9F, 0.4F, 0}, 3);
    add(4, "lighthouse", {0, 0, 1}, 4);
    ASSERT_TRUE(index->text().commit());
  }
  void add(ImageId id, std::string title, Embedding vector, ImageId group) {
    IndexDocument document{.id = id, .title = std::move(title), .language = "en", .shop = "a.test"};
    document.copy_group = group;
    document.pixels = id * 100;
    document.price_micros = id * 10'000'000;
    document.currency = "EUR";
    ASSERT_TRUE(index->text().add(document));
    ASSERT_TRUE(index->vectors().add(id, vector));
  }
  SearchAnswer search(SearchQuery query) {
    auto answer = Searcher(index->text(), index->vectors(), settings).search(query);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *answer : SearchAnswer{};
  }
  Folder folder;
  std::unique_ptr<embedded::Index> index;
  SearchSettings settings;
};

TEST_F(SmallSearch, LikeLeavesOutThePictureAndItsCopies) {
  const SearchAnswer answer = search({.like = {{.id = 1}}});
  ASSERT_EQ(answer.total, 1U);
  EXPECT_EQ(answer.hits[0].id, 3U);
}

TEST_F(SmallSearch, UnlikeDrawsAwayFromWhatIsLiked) {
  add(5, "between pony and lighthouse", {0.7F, 0.3F, 0.6F}, 5);
  ASSERT_TRUE(index->text().commit());
  const std::vector<QueryPicture> like = {{.vector = {0.8F, 0, 0.6F}}};
  EXPECT_EQ(search({.like = like, .beyond = true}).hits[0].id, 5U);
  const SearchAnswer away = search({.like = like, .unlike = {{.id = 4, .weight = 0.5F}}, .beyond = true});
  ASSERT_FALSE(away.hits.empty());
  EXPECT_EQ(away.hits[0].id, 2U) << "away from the lighthouse, towards horses";
  for (const SearchHit& hit : away.hits) EXPECT_NE(hit.id, 4U) << "what hits are to be unlike is none";
}

TEST_F(SmallSearch, UnlikeAloneLeavesOutWhatItWouldFind) {
  const auto ids = [&](SearchQuery query) {
    query.sort = SortOrder::kPriceAsc;
    std::vector<ImageId> found;
    for (const SearchHit& hit : search(query).hits) found.push_back(hit.id);
    return found;
  };
  const std::vector<QueryPicture> lighthouse = {{.id = 4}}, horse = {{.id = 2}};
  EXPECT_EQ(ids({.unlike = lighthouse}), (std::vector<ImageId>{1, 3}));
  EXPECT_EQ(ids({.unlike = horse}), std::vector<ImageId>{4}) << "its copy and the pony that looks like it, too";
  EXPECT_EQ(ids({.words = "pony", .unlike = horse}), std::vector<ImageId>{});
  EXPECT_EQ(ids({.words = "pony", .unlike = lighthouse}), std::vector<ImageId>{3});
}

TEST_F(SmallSearch, PercentilesSayHowUnusualASimilarityIs) {
  const SearchAnswer answer = search({.picture = {1, 0, 0}, .why = true});
  ASSERT_EQ(answer.hits.size(), 2U);
  EXPECT_FLOAT_EQ(answer.hits[0].percentile.value_or(-1), 0.4F) << "pony and lighthouse, of four, are less like the larger horse";
  EXPECT_FLOAT_EQ(answer.hits[1].percentile.value_or(-1), 0.2F) << "the lighthouse alone is";
  EXPECT_FALSE(search({.picture = {1, 0, 0}}).hits[0].percentile) << "nobody asked";
  EXPECT_FALSE(search({.words = "pony", .why = true}).hits[0].percentile) << "nothing was compared";
}

TEST_F(SmallSearch, LimitsHoldForTotalsAndFacets) {
  const SearchAnswer large = search({.limits = {.pixels_min = 300, .pixels_max = 400, .until_seconds = 1}});
  EXPECT_EQ(large.total, 2U);
  ASSERT_FALSE(large.facets.empty());
  EXPECT_EQ(large.facets[0].values, (std::vector<FacetValue>{{"a.test", 2}}));
  EXPECT_EQ(search({.limits = {.pixels_max = 100}}).total, 1U);
  EXPECT_EQ(search({.limits = {.until_seconds = 0}}).total, 0U) << "fetched before it, not at it";
}

TEST_F(SmallSearch, WeightsAndNumbersOfPicturesAreBounded) {
  const Searcher searcher(index->text(), index->vectors(), settings);
  const std::vector<QueryPicture> many(kUnlikeMax + 1, {.id = 1}), weightless = {{.id = 1, .weight = 0}};
  EXPECT_EQ(searcher.search({.unlike = many}).error().code, Code::kBadInput);
  EXPECT_EQ(searcher.search({.like = weightless}).error().code, Code::kBadInput);
}

TEST_F(SmallSearch, LikeOfAnUnknownPictureIsNamed) {
  SearchQuery query;
  query.like = {{.id = 77}};
  const auto answer = Searcher(index->text(), index->vectors(), settings).search(query);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kNotFound);
  EXPECT_NE(answer.error().message.find("77"), std::string::npos);
}

TEST_F(SmallSearch, CopiesAreOneHitThatNamesThem) {
  const SearchAnswer answer = search({.words = "horse"});
  ASSERT_EQ(answer.total, 1U);
  EXPECT_EQ(answer.hits[0].copies.size(), 1U);
  EXPECT_EQ(answer.hits[0].copies_total, 1U);
}

TEST_F(SmallSearch, AmongEqualCopiesTheLargestIsShown) {
  SearchQuery query;
  query.sort = SortOrder::kNewest;  // all fetched at the same time
  const SearchAnswer answer = search(query);
  ASSERT_EQ(answer.total, 3U);
  EXPECT_EQ(answer.hits[0].id, 2U);
}

TEST_F(SmallSearch, AllWordsMustMatchUnlessNothingHasThemAll) {
  EXPECT_EQ(search({.words = "brown larger"}).hits.at(0).id, 2U);
  EXPECT_FALSE(search({.words = "brown larger"}).any_word);
  const SearchAnswer some = search({.words = "brown lighthouse"});
  EXPECT_TRUE(some.any_word);
  EXPECT_EQ(some.total, 2U);
  const SearchAnswer none = search({.words = "submarine"});
  EXPECT_EQ(none.total, 0U);
  EXPECT_FALSE(none.any_word);
}

TEST_F(SmallSearch, OtherFormsOfAWordAreFound) {
  EXPECT_EQ(search({.words = "horses"}).total, 1U);
  EXPECT_EQ(search({.words = "HORSE"}).total, 1U);
  EXPECT_EQ(search({.words = "ponies"}).total, 1U);
}

TEST_F(SmallSearch, WhatIsRuledOutIsInNoGround) {
  SearchQuery query{.filter = {.without = {"lighthouse"}}};
  EXPECT_EQ(search(query).total, 2U);
  query.filter.shops = {"nowhere.test"};
  const SearchAnswer answer = search(query);
  EXPECT_EQ(answer.total, 0U);
  std::uint64_t elsewhere = 0;
  for (const FacetValue& value : answer.facets.front().values) elsewhere += value.count;
  EXPECT_EQ(elsewhere, 2U) << "shops are counted as if none were chosen, and without the lighthouse all the same";
}

TEST_F(SmallSearch, LookingBeyondDoesNotLeaveOutMore) {
  add(5, "barn", {0.35F, 0, 0.937F}, 5);  // between the background and where relevance ends
  ASSERT_TRUE(index->text().commit());
  SearchQuery query;
  query.unlike = {{.id = 1}};
  const std::uint64_t total = search(query).total;
  query.beyond = true;
  EXPECT_EQ(search(query).total, total);
}

TEST_F(SmallSearch, AMistypedWordFindsWhatWasMeant) {
  const SearchAnswer answer = search({.words = "brown lihgthouse"});
  EXPECT_EQ(answer.meant, (std::vector<std::pair<std::string, std::string>>{{"lihgthouse", "lighthouse"}}));
  EXPECT_TRUE(answer.any_word) << "no picture has both, mended or not";
  EXPECT_EQ(search({.words = "lihgthouse"}).hits.at(0).id, search({.words = "lighthouse"}).hits.at(0).id);
}

TEST_F(SmallSearch, PunctuationAloneIsBrowsing) { EXPECT_EQ(search({.words = " ?! "}).total, 3U); }

TEST_F(SmallSearch, AFilterDoesNotChangeTheRuleForWords) {
  SearchQuery query{.words = "brown lighthouse"};
  query.filter.ids = {{4}};
  EXPECT_EQ(search(query).total, 1U);
  query.words = "brown horse";
  EXPECT_EQ(search(query).total, 0U);  // others have both words, so any word alone is not enough
}

TEST_F(SmallSearch, PricesAreCountedWithoutThePriceFilter) {
  SearchQuery query;
  query.filter.price_min_micros = 35'000'000;
  const SearchAnswer answer = search(query);
  EXPECT_EQ(answer.total, 1U);
  ASSERT_EQ(answer.prices.size(), 1U);
  EXPECT_EQ(answer.prices[0].currency, "EUR");
  EXPECT_EQ(answer.prices[0].count, 3U);
  EXPECT_EQ(answer.prices[0].min_micros, 10'000'000);
  EXPECT_EQ(answer.prices[0].max_micros, 40'000'000);
  ASSERT_EQ(answer.prices[0].ranges.size(), 2U);    // 10-20 and from 20
  EXPECT_EQ(answer.prices[0].ranges[0].count, 1U);  // picture 1
  EXPECT_EQ(answer.prices[0].ranges[1].count, 3U);  // its copy 2, and 3, and 4
}

TEST_F(SmallSearch, AHitNamesTheRegionThatIsAlike) {
  const Embedding whole{0, 1, 0}, dress{1, 0, 0}, shoe{0, 0, 1};
  ASSERT_TRUE(index->vectors().add(3, std::vector<PictureVector>{{whole, 0, ""}, {dress, 1, "dress"}, {shoe, 2, "shoe"}}));
  ASSERT_TRUE(index->text().commit());
  const auto found = [&](const VectorScope& scope) {
    std::vector<std::pair<ImageId, int>> hits;
    for (const SearchHit& hit : search({.picture = {0, 0, 1}, .similarity_min = 0.5F, .scope = scope}).hits)
      hits.emplace_back(hit.id, hit.region);
    return hits;
  };
  using Hits = std::vector<std::pair<ImageId, int>>;
  EXPECT_EQ(found({}), (Hits{{3, 2}, {4, 0}}));
  EXPECT_EQ(found({VectorPart::kWhole, ""}), (Hits{{4, 0}}));
  EXPECT_EQ(found({VectorPart::kRegion, ""}), (Hits{{3, 2}}));
  EXPECT_EQ(found({VectorPart::kRegion, "dress"}), Hits{});
}

// Where relevance ends is judged by the few that there are of the class, not as if they were all pictures.
TEST_F(SmallSearch, ARegionOfARareClassFindsTheOtherOne) {
  const Embedding horse{0.9F, 0.4F, 0}, house{0, 0, 1}, hat{0, 0.6F, 0.8F}, other{0.6F, 0.8F, 0};
  ASSERT_TRUE(index->vectors().add(3, std::vector<PictureVector>{{horse, 0, ""}, {hat, 1, "hat"}}));
  ASSERT_TRUE(index->vectors().add(4, std::vector<PictureVector>{{house, 0, ""}, {other, 1, "hat"}}));
  for (ImageId id = 10; id < 800; ++id) add(id, "field", {1, static_cast<float>(id) / 1'000, 0}, id);
  ASSERT_TRUE(index->text().commit());
  const SearchAnswer answer = search({.like = {{.id = 3, .region = 1}}, .scope = {VectorPart::kRegion, "hat"}});
  ASSERT_EQ(answer.hits.size(), 1U);
  EXPECT_EQ(answer.hits[0].id, 4U);
  EXPECT_EQ(answer.hits[0].region, 1U);
}

void expect_same_hits(const SearchAnswer& answer, const SearchAnswer& other) {
  EXPECT_EQ(answer.total, other.total);
  EXPECT_EQ(answer.exactness, other.exactness);
  ASSERT_EQ(answer.hits.size(), other.hits.size());
  for (std::size_t i = 0; i < answer.hits.size(); ++i) {
    EXPECT_EQ(answer.hits[i].id, other.hits[i].id);
    EXPECT_EQ(answer.hits[i].score, other.hits[i].score);
  }
}

/// 6,000 pictures in clusters, a tenth of them copies, in an index that walks graphs.
class NearestSearch : public ::testing::Test {
 protected:
  static constexpr ImageId kCount = 6'000;
  static std::int64_t price_of(ImageId id) { return id * 7'919 % 1'000; }
  void SetUp() override {
    auto opened = embedded::open_index(folder.path(), {.merge_in_background = false, .graph_vectors_min = 3'000});
    ASSERT_TRUE(opened);
    index = std::move(*opened);
    std::vector<Embedding> centres;
    for (int i = 0; i < 30; ++i) centres.push_back(embedding_near({}, 1, random));
    for (ImageId id = 1; id <= kCount; ++id) {
      IndexDocument document{.id = id, .title = "thing", .language = "en", .shop = id % 3 == 0 ? "a.test" : "b.test"};
      const std::int64_t price = price_of(id);
      document.price_micros = price * 1'000'000;
      document.currency = "EUR";
      document.brand = std::to_string(price / 100);
      document.category = price < 10 ? "cheap" : "dear";
      if (price == 0) document.colours = {"red"};
      document.copy_group = id % 10 == 0 ? id - 1 : id;
      ASSERT_TRUE(index->text().add(document));
      vectors.push_back(embedding_near(pick(centres, random), 0.3F, random));
      ASSERT_TRUE(index->vectors().add(id, vectors.back()));
    }
    ASSERT_TRUE(index->text().commit());
  }
  SearchAnswer search(SearchQuery query, RecallMonitor* monitor = nullptr) {
    query.facets.clear();
    query.prices = false;
    auto answer = Searcher(index->text(), index->vectors(), settings, monitor).search(query);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *answer : SearchAnswer{};
  }

  std::mt19937 random{21};
  Folder folder;
  SearchSettings settings;
  std::vector<Embedding> vectors;
  std::unique_ptr<embedded::Index> index;
};

TEST_F(NearestSearch, FirstHitsAreThoseOfTheExactAnswer) {
  double same = 0, wanted = 0;
  for (int round = 0; round < 40; ++round) {
    SearchQuery query{.picture = pick(vectors, random), .limit = 20};
    if (round % 2 == 0) query.filter.shops = {"a.test"};
    const SearchAnswer exact = search(query);
    query.exact = false;
    const SearchAnswer fast = search(query);
    EXPECT_EQ(exact.exactness, Exactness::kExact);
    EXPECT_EQ(exact.plan, VectorPlan::kScan);
    EXPECT_LE(fast.total, exact.total);
    if (fast.exactness == Exactness::kExact) { EXPECT_EQ(fast.total, exact.total); }
    ASSERT_EQ(fast.hits.size(), exact.hits.size());
    for (const SearchHit& hit : exact.hits) {
      wanted += 1;
      same += std::ranges::any_of(fast.hits, [&](const SearchHit& one) { return one.id == hit.id && one.copies_total == hit.copies_total; })
                  ? 1
                  : 0;
    }
  }
  EXPECT_GE(same, 0.95 * wanted);
}

// From all pictures to one in a thousand: the search that need not be exact loses next to nothing to a filter, and one filter gives one
// answer in whatever way it is written: as values, as a range, as ids.
TEST_F(NearestSearch, FiltersCostNoRecallHoweverTheyAreWritten) {
  for (const std::int64_t prices : {1'000, 100, 10, 1}) {
    std::vector<Filter> ways(4);
    ways[0].price_max_micros = (prices - 1) * 1'000'000;
    ways[1].price_min_micros = 0;
    ways[1].price_max_micros = prices * 1'000'000 - 1;
    ways[1].currencies = {"EUR"};
    if (prices == 1'000) ways[2] = {};
    else if (prices == 100) ways[2].brands = {"0"};
    else if (prices == 10) ways[2].categories = {"cheap"};
    else ways[2].colours = {"red"};
    ways[3].ids.emplace();
    for (ImageId id = kCount; id > 0; --id) {
      if (price_of(id) < prices) ways[3].ids->push_back(id);
    }
    double found = 0, wanted = 0;
    for (int round = 0; round < 20; ++round) {
      SearchQuery query{.picture = pick(vectors, random), .beyond = true, .limit = 10};
      std::vector<SearchAnswer> exact, fast;
      for (const Filter& filter : ways) {
        query.filter = filter;
        query.exact = true;
        exact.push_back(search(query));
        query.exact = false;
        fast.push_back(search(query));
        expect_same_hits(exact.back(), exact.front());
        expect_same_hits(fast.back(), fast.front());
      }
      for (const SearchHit& hit : exact.front().hits) {
        wanted += 1;
        found += std::ranges::any_of(fast.front().hits, [&](const SearchHit& one) { return one.id == hit.id; }) ? 1 : 0;
      }
    }
    EXPECT_GT(wanted, 0);
    EXPECT_GE(found, 0.95 * wanted) << prices << " in 1,000";
  }
}

TEST_F(NearestSearch, PagesFitTogetherAndEndTogether) {
  SearchQuery query{.picture = vectors[5], .beyond = true, .limit = 200, .exact = false};
  const SearchAnswer whole = search(query);
  ASSERT_EQ(whole.hits.size(), 200U);
  EXPECT_EQ(whole.total, kNearestHits);
  EXPECT_EQ(whole.exactness, Exactness::kAtLeast);
  query.limit = 60;
  std::set<ImageId> seen;
  for (query.offset = 0; query.offset < 360; query.offset += 60) {
    const SearchAnswer page = search(query);
    EXPECT_EQ(page.total, whole.total);
    EXPECT_EQ(page.exactness, whole.exactness);
    EXPECT_EQ(page.hits.size(), query.offset < 240 ? 60U : query.offset == 240 ? kNearestHits - 240 : 0U);
    for (std::size_t i = 0; i < page.hits.size(); ++i) {
      EXPECT_TRUE(seen.insert(page.hits[i].id).second);
      if (query.offset + i < 200) { EXPECT_EQ(page.hits[i].id, whole.hits[query.offset + i].id); }
    }
  }
}

TEST_F(NearestSearch, HitsSpreadOverShopsAreThoseOfAllPictures) {
  SearchQuery query{.picture = vectors[5], .beyond = true, .limit = 40, .exact = false, .per_shop = 3};
  for (query.offset = 0; query.offset <= 40; query.offset += 40) {
    const SearchAnswer fast = search(query);
    SearchQuery slow = query;
    slow.exact = true;
    const SearchAnswer all = search(slow);
    EXPECT_GT(all.total, kNearestHits) << "or there is nothing to tell apart";
    EXPECT_EQ(fast.total, all.total);
    EXPECT_EQ(fast.listed, all.listed);
    EXPECT_EQ(fast.exactness, Exactness::kExact);
    ASSERT_EQ(fast.hits.size(), all.hits.size());
    for (std::size_t i = 0; i < fast.hits.size(); ++i) {
      EXPECT_EQ(fast.hits[i].id, all.hits[i].id);
      EXPECT_EQ(fast.hits[i].more_of_shop, all.hits[i].more_of_shop);
    }
  }
}

TEST_F(NearestSearch, FacetsAreOfTheNearestAndLeaveThePagesAsTheyAre) {
  const Searcher searcher(index->text(), index->vectors(), settings);
  SearchQuery query{.picture = vectors[5], .beyond = true, .limit = 50, .facets = {Facet::kShop}, .prices = false, .exact = false};
  query.filter.shops = {"a.test"};
  const auto counted = *searcher.search(query);
  query.facets.clear();
  const auto plain = *searcher.search(query);
  EXPECT_EQ(plain.total, counted.total);
  EXPECT_EQ(counted.exactness, Exactness::kAtLeast);
  ASSERT_EQ(plain.hits.size(), counted.hits.size());
  for (std::size_t i = 0; i < plain.hits.size(); ++i) EXPECT_EQ(plain.hits[i].id, counted.hits[i].id);
  query.exact = true;
  query.facets = {Facet::kShop};
  const auto exact = *searcher.search(query);
  // Of the nearest in both shops, though the hits are of one.
  ASSERT_EQ(counted.facets.at(0).values.size(), 2U);
  for (const FacetValue& value : counted.facets[0].values) {
    const auto all = std::ranges::find(exact.facets.at(0).values, value.value, &FacetValue::value);
    ASSERT_NE(all, exact.facets[0].values.end());
    EXPECT_GT(value.count, 0U);
    EXPECT_LT(value.count, all->count);
  }
}

TEST_F(NearestSearch, WhatNeedsEveryPictureComparesEveryPicture) {
  settings.exact.value = false;
  const SearchQuery plain{.picture = vectors[5], .beyond = true, .limit = 20};
  EXPECT_EQ(search(plain).exactness, Exactness::kAtLeast);
  std::vector<SearchQuery> others(4, plain);
  others[0].exact = true;
  others[1].sort = SortOrder::kNewest;
  others[2].words = "thing";
  others[3].like = {{.id = 7}, {.id = 8}};
  others[3].exact = true;
  for (const SearchQuery& query : others) EXPECT_EQ(search(query).exactness, Exactness::kExact);
}

TEST_F(NearestSearch, PagesFullOfCopiesAreFilledFromAllPictures) {
  for (ImageId id = 1; id <= 700; ++id) {  // one picture, 700 times
    IndexDocument document{.id = kCount + id, .title = "copy", .language = "en", .shop = "c.test"};
    document.copy_group = kCount + 1;
    ASSERT_TRUE(index->text().add(document));
    ASSERT_TRUE(index->vectors().add(kCount + id, vectors[0]));
  }
  ASSERT_TRUE(index->text().commit());
  SearchQuery query{.picture = vectors[0], .beyond = true, .limit = 30, .exact = false};
  const SearchAnswer answer = search(query);
  EXPECT_EQ(answer.hits.size(), 30U);
  EXPECT_TRUE(std::ranges::any_of(answer.hits, [](const SearchHit& hit) { return hit.copies_total == 699; }));
  EXPECT_EQ(answer.exactness, Exactness::kExact);
}

TEST_F(NearestSearch, RecallIsMeasuredOnWhatIsSearched) {
  MetricsRegistry metrics;
  RecallMonitor monitor(metrics, std::chrono::milliseconds(0));
  EXPECT_EQ(metrics.text().find("magpie_search_recall_ratio"), std::string::npos);
  // At this size a search for hundreds is a scan; one for ten is a walk.
  const std::shared_ptr<const VectorSnapshot> view = *index->vectors().snapshot();
  for (int round = 0; round < 20; ++round) {
    const VectorQuery query{.vector = pick(vectors, random), .k = 10, .exact = false};
    monitor.saw(view, query, *view->search(query));
    monitor.settle();
  }
  search({.picture = vectors[1], .limit = 20}, &monitor);
  const std::uint64_t walked = metrics.counter("magpie_search_by_picture_total", "", "plan=\"graph\"").value();
  EXPECT_GT(walked, 0U);
  EXPECT_EQ(walked + metrics.counter("magpie_search_by_picture_total", "", "plan=\"scan\"").value(), 21U);
  const std::uint64_t expected = metrics.counter("magpie_search_recall_expected_total", "").value();
  const std::uint64_t found = metrics.counter("magpie_search_recall_found_total", "").value();
  EXPECT_EQ(expected, 10 * walked);
  EXPECT_LE(found, expected);
  EXPECT_GE(static_cast<double>(found), 0.95 * static_cast<double>(expected));
}

// An index that misses what it is told to: the monitor must say so.
TEST(RecallMonitor, TellsWhatIsMissing) {
  class Forgetful : public VectorSnapshot {
   public:
    Result<VectorMatches> search(const VectorQuery& query) const override {
      VectorMatches matches{.plan = query.exact ? VectorPlan::kScan : VectorPlan::kGraph};
      for (ImageId id = 1; id <= 10; ++id)
        matches.hits.push_back({query.exact || id > 3 ? id : id + 100, 1.0F - 0.01F * static_cast<float>(id)});
      return matches;
    }
    Result<Background> background(std::span<const float>, const VectorScope&) const override { return Background(); }
    Result<std::optional<Embedding>> embedding(ImageId, std::uint16_t) const override { return std::optional<Embedding>(); }
    std::uint64_t size() const override { return 10; }
    std::size_t dims() const override { return 3; }
    std::uint64_t version() const override { return 1; }
  };
  MetricsRegistry metrics;
  RecallMonitor monitor(metrics, std::chrono::hours(1));
  const auto view = std::make_shared<Forgetful>();
  const Embedding vector{1, 0, 0};
  const VectorQuery query{.vector = vector, .k = 10, .exact = false};
  for (int i = 0; i < 5; ++i) monitor.saw(view, query, *view->search(query));
  monitor.settle();
  EXPECT_EQ(metrics.counter("magpie_search_recall_expected_total", "").value(), 10U);  // one an hour
  EXPECT_EQ(metrics.counter("magpie_search_recall_found_total", "").value(), 7U);
  EXPECT_DOUBLE_EQ(metrics.gauge("magpie_search_recall_ratio", "").value(), 0.7);
}

TEST_F(SmallSearch, LimitsAreChecked) {
  SearchQuery query;
  query.limit = kSearchLimitMax + 1;
  const Searcher searcher(index->text(), index->vectors(), settings);
  EXPECT_EQ(searcher.search(query).error().code, Code::kBadInput);
  query.limit = 1;
  query.picture = {1, 0};
  EXPECT_EQ(searcher.search(query).error().code, Code::kBadInput);
}

// In one collection all pictures are much alike, in the other hardly: the same five stand out in both.
TEST(Boundary, FitsTheQuery) {
  for (const float in_common : {0.2F, 1.5F}) {
    std::mt19937 random(5);
    Folder folder;
    auto index = embedded::open_index(folder.path());
    ASSERT_TRUE(index);
    constexpr std::size_t kSize = 64;
    const auto drawn = [&](const Embedding& centre, float weight, float spread) {
      std::normal_distribution<float> normal(0, spread / std::sqrt(static_cast<float>(kSize)));
      Embedding vector(kSize);
      for (std::size_t i = 0; i < kSize; ++i) vector[i] = (centre.empty() ? 0 : weight * centre[i]) + normal(random);
      const float length = std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0F));
      for (float& value : vector) value /= length;
      return vector;
    };
    const Embedding common = drawn({}, 0, 1), wanted = drawn(common, in_common, 1);
    for (ImageId id = 1; id <= 400; ++id) {
      ASSERT_TRUE((*index)->text().add({.id = id, .shop = "a.test", .copy_group = id}));
      ASSERT_TRUE((*index)->vectors().add(id, id <= 5 ? drawn(wanted, 1, 0.5F) : drawn(common, in_common, 1)));
    }
    ASSERT_TRUE((*index)->vectors().commit());
    const SearchSettings settings;
    const Searcher searcher((*index)->text(), (*index)->vectors(), settings);
    const auto relevant = searcher.search({.picture = wanted});
    ASSERT_TRUE(relevant) << relevant.error().message;
    EXPECT_GE(relevant->total, 5U) << in_common;
    EXPECT_LE(relevant->total, 150U) << in_common;  // of 400 that all are above .4 where they have most in common
    for (std::size_t i = 0; i < 5; ++i) EXPECT_LE(relevant->hits.at(i).id, 5U) << in_common;
    const auto beyond = searcher.search({.picture = wanted, .beyond = true});
    EXPECT_GT(beyond->total, relevant->total) << in_common;
    EXPECT_LT(beyond->total, 350U) << in_common;
    EXPECT_EQ(beyond->hits.at(0).id, relevant->hits.at(0).id);
  }
}

TEST(PriceRanges, CoverAllPricesWithRoundStarts) {
  EXPECT_EQ(price_range_starts(12'000'000, 130'000'000), (std::vector<std::int64_t>{10'000'000, 20'000'000, 50'000'000, 100'000'000}));
  EXPECT_EQ(price_range_starts(0, 0), (std::vector<std::int64_t>{0}));
  for (const auto& [min, max] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {0, 1}, {1, INT64_MAX}, {0, INT64_MAX}, {-5, 7}, {999'999, 1'000'000}, {10'000, 90'000'000'000'000}}) {
    const auto starts = price_range_starts(min, max);
    ASSERT_FALSE(starts.empty());
    EXPECT_LE(starts.size(), kPriceRangesMax);
    EXPECT_LE(starts.front(), std::max<std::int64_t>(min, 0));
    EXPECT_LE(starts.back(), max);
    EXPECT_TRUE(std::is_sorted(starts.begin(), starts.end()));
    EXPECT_EQ(std::adjacent_find(starts.begin(), starts.end()), starts.end());
  }
}

TEST(SortOrders, NamesGoThereAndBack) {
  for (const SortOrder order : {SortOrder::kRelevance, SortOrder::kNewest, SortOrder::kPriceAsc, SortOrder::kPriceDesc}) {
    EXPECT_EQ(sort_order_from_string(to_string(order)), order);
  }
  EXPECT_FALSE(sort_order_from_string("random"));
}

}  // namespace
}  // namespace magpie

#pragma once
// Answers one search: words, a picture, pictures already known ("more like this"), or words and pictures together, within a filter.
//
// How an answer comes about, step by step (each step is a file of src/search):
//   filter      the documents that pass SearchQuery::filter and SearchQuery::limits
//   candidates  words: documents with every word; where no document of the whole index has all of them, documents with any
//               (SearchAnswer::any_word says so). A word that no document has is taken for the one that was probably meant, if one is
//               near (SearchAnswer::meant): where another word of the query is known, or where nothing was found, not even by looks;
//               before that the words may as well be another language's. What is quoted is taken as it is. All this is settled before the
//               filter, so that a filter never changes it. Phrases must be there under either rule. pictures: similarity (cosine) at or
//               above similarity_min. Several pictures, and those that hits are to be unlike, make one vector (search/query_vector.h).
//               similarity_min is where relevance ends for this query: background + relevance_min x (1 - background), the background being
//               the query's mean similarity to the collection, so that a picture like all others does not find all others. A picture is as
//               alike as the best of its vectors within SearchQuery::scope: the whole picture's and its regions'. words and pictures:
//               Combine::kBoth keeps what is in both sets, kEither what is in one. neither: every document (browsing); all scores are then
//               0. Where no picture says what to be like, `unlike` leaves out what each of its pictures would find.
//   looks       for words alone, where a WordsPlacer knows where they lie among the pictures, and fewer than kEnoughByWords documents
//               have all of them: the kLooksMax pictures nearest to that place, down to where pictures drawn at random begin, are
//               candidates, too. This is settled before the filter as well. Where documents have all the words, they come first in every
//               order; where some have any, or none has one, both rank by their places (looks.cc). SearchHit::by_looks says so.
//   fusion      text part = BM25 score / best score of the index for these words, 0..1
//               picture part = (similarity - similarity_min) / (1 - similarity_min), 0..1
//               score = the part there is; with both kinds text_weight × text + (1 - text_weight) × picture
//   collapse    near-copies (same copy_group) become one hit at the place of the first of them. It shows the one with an offer, then
//               most pixels, then the lowest id (ordered by price or discount: the first itself). SearchHit::copies names the others.
//   count       `total` counts hits after collapse. A facet's count for a value is the total one would get by choosing only
//               that value in that facet, everything else of the query unchanged: so a facet's own selection does not narrow
//               its own counts ("drill sideways"). Prices and dates are counted in the same way, a copy group once per range.
//   order, page deterministic: ties go by id. total and facets do not depend on offset and limit.
//   spread      per_shop and per_brand hold back what is beyond them in the whole order, so that pages follow each other. total and facets
//               count what is held back, too; `listed` does not.
//   nearest     a query that need not be exact, by pictures alone and by relevance: candidates are then the nearest pictures above the
//               boundary that pass the filter, twice kNearestHits, in place of all. That is a search in a graph where the index has one.
//               Hits are those of the exact answer but for few (RecallMonitor measures them). Where there are more, the answer ends
//               after kNearestHits hits; total and facets are then at least what they say, a facet in a wider ground of its nearest, too.
//               All pages of a query are of one answer, with facets or without. Where the nearest are so full of copies that they make
//               fewer hits, all pictures are compared.
// Pictures given in `like` and `unlike`, and their copies, are left out of the answer. A picture needs a document to be found.
//
// Thread-safe: any number of threads may search while others commit; every call works on one snapshot.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "core/records.h"
#include "core/text_index.h"
#include "core/vector_index.h"

namespace magpie {

class RecallMonitor;
class WordsPlacer;
struct CandidateOptions;
struct SearchView;

inline constexpr std::size_t kSearchLimitMax = 200;  // hits on one page
inline constexpr std::size_t kNearestHits = 250;     // of a search that need not be exact
inline constexpr std::size_t kLikeMax = 50;          // pictures in SearchQuery::like
inline constexpr std::size_t kUnlikeMax = 10;        // and in `unlike`: each may be a search of its own
inline constexpr std::size_t kCopiesListed = 50;     // ids in SearchHit::copies
inline constexpr std::size_t kEnoughByWords = 50;    // documents with all the words: looks need not be asked
inline constexpr std::size_t kLooksMax = 200;        // pictures found by looks

struct SearchSettings {
  Setting<double> relevance_min{"search.relevance_min",
                                0.2,
                                {0.0, 0.99},
                                "Where pictures found by a picture end: 0 is as alike as the collection is on average, 1 the very same."};
  Setting<double> text_weight{
      "search.text_weight", 0.5, {0.0, 1.0}, "Share of the words in the score of a search by words and picture together."};
  Setting<bool> exact{
      "search.exact",
      true,
      {},
      "Compare every picture for a search by picture that does not say whether it must. False: by relevance, the 250 nearest "
      "come from a graph, and totals and facets are a least."};
  Setting<bool> looks{
      "search.looks", true, {}, "Let words also find pictures that look like what is called so, where the collection has a bridge."};
  Setting<bool> typos{"search.typos", true, {}, "For a word that no page uses, look for the one that was probably meant."};
  Setting<std::int64_t> facet_values{"search.facet_values", 50, {1, 1'000}, "Values listed per facet."};
  template <class Visitor>
  void visit(Visitor&& each) {
    each(relevance_min);
    each(text_weight);
    each(exact);
    each(looks);
    each(typos);
    each(facet_values);
  }
};

enum class SortOrder : std::uint8_t {
  kRelevance,  // highest score first; while browsing, as kNewest
  kNewest,     // latest fetch first
  kPriceAsc,   // without a price last. Prices compare within a currency only: the currency most of the pictures found have
  kPriceDesc,  // comes first, the others after it
  kDiscount,   // greatest share off the old price first; without one last
};
/// "relevance", "newest", "price-asc", "price-desc", "discount".
std::string_view to_string(SortOrder order);
std::optional<SortOrder> sort_order_from_string(std::string_view name);

enum class Combine : std::uint8_t { kBoth, kEither };

/// A picture, or one of its regions, that hits are to look like or not.
struct QueryPicture {
  ImageId id = kNoId;        // of the collection; kNoId for another, of which there is `vector` alone
  std::uint16_t region = 0;  // 0 the whole, else what was detected under this number
  float weight = 1;          // above 0
  Embedding vector{};        // in place of what the index has, unit length: of another picture, or of a part of this one
};

/// What a picture must be besides SearchQuery::filter, told by its row.
struct RowLimits {
  std::optional<std::uint64_t> pixels_min, pixels_max;  // width x height, inclusive
  std::optional<std::int64_t> until_seconds;            // fetched before this Unix time

  bool any() const { return pixels_min || pixels_max || until_seconds; }
  bool pass(const IndexRow& row) const {
    return (!pixels_min || row.pixels >= *pixels_min) && (!pixels_max || row.pixels <= *pixels_max) &&
           (!until_seconds || row.fetched_at_seconds < *until_seconds);
  }
};

struct SearchQuery {
  std::string words;                       // UTF-8 as typed; white space or ASCII punctuation alone is no words
  std::string language;                    // BCP 47 primary tag of the words, "" unknown
  std::vector<std::string> phrases;        // each must be there, its words one after the other; words to exclude: Filter::without
  Embedding picture;                       // one more that hits are to be like, unit length; empty: none
  std::vector<QueryPicture> like, unlike;  // what hits are to look like, and what not
  Combine combine = Combine::kBoth;
  bool beyond = false;                  // also pictures beyond the relevance boundary, down to the background
  std::optional<float> similarity_min;  // cosine; in place of the boundary
  VectorScope scope;                    // whole pictures, regions, or regions of one class: what must be alike
  Filter filter;
  RowLimits limits;
  SortOrder sort = SortOrder::kRelevance;
  std::size_t offset = 0;
  std::size_t limit = 50;  // 0..kSearchLimitMax; 0 asks for totals and facets only
  std::vector<Facet> facets = {Facet::kShop,  Facet::kCategory, Facet::kBrand, Facet::kColour, Facet::kCurrency,
                               Facet::kClass, Facet::kLanguage, Facet::kSize,  Facet::kLabel,  Facet::kLicence};
  bool prices = true;                            // whether SearchAnswer::prices is wanted
  std::optional<std::int64_t> dates_at_seconds;  // whether SearchAnswer::dates is, as seen from this Unix time
  std::optional<bool> exact;                     // false: the nearest may do (see above); else search.exact says
  std::size_t per_shop = 0;                      // hits of one shop at most, the best ones, and of one brand; 0 any number
  std::size_t per_brand = 0;
  bool why = false;  // whether SearchHit::percentile is wanted
};

enum class Exactness : std::uint8_t { kExact, kAtLeast };  // kAtLeast: the vector search was not complete

struct SearchHit {
  ImageId id = kNoId;
  float score = 0;                                    // 0..1
  std::optional<float> text;                          // text part, 0..1, when words were asked for and found here
  std::optional<float> similarity;                    // cosine, when a picture was asked for and this one is near enough
  std::uint16_t region = 0;                           // what of the picture is that similar: 0 the whole, else the region of this number
  std::vector<ImageId> copies;                        // other found pictures of its group, lowest id first, at most kCopiesListed
  std::uint64_t copies_total = 0;                     // how many there are
  bool by_looks = false;                              // it has none of the words, but looks like what is called so
  std::uint64_t more_of_shop = 0, more_of_brand = 0;  // held back behind this one, which is the last that is listed (search/spread.h)
  std::optional<float> percentile;                    // share of the collection, 0..1, that is less similar (search/percentile.h)
};

/// Hits with a price from `from_micros` up to, but not including, `to_micros`; the last range of a currency has no end.
struct PriceRange {
  std::int64_t from_micros = 0;
  std::optional<std::int64_t> to_micros;
  std::uint64_t count = 0;
};
/// Prices of one currency. Ranges begin at 1, 2 and 5 times powers of ten (powers of ten alone where that would be too many), follow
/// each other without gaps, at most kPriceRangesMax, first and last not empty.
struct PriceFacet {
  std::string currency;
  std::uint64_t count = 0;
  std::int64_t min_micros = 0, max_micros = 0;
  std::vector<PriceRange> ranges;
};
inline constexpr std::size_t kPriceRangesMax = 10;

/// Hits fetched from `since_seconds` on, or before `until_seconds`, Unix times: what the filter of that bound alone would leave.
struct DateRange {
  std::string_view name;  // "hour", "day", "week", "month", "year", "older"
  std::optional<std::int64_t> since_seconds, until_seconds;
  std::uint64_t count = 0;
};

struct SearchAnswer {
  std::uint64_t total = 0;   // hits after collapse
  std::uint64_t listed = 0;  // those on all pages: `total` without what per_shop and per_brand hold back
  Exactness exactness = Exactness::kExact;
  VectorPlan plan = VectorPlan::kScan;                     // how pictures were compared
  bool cut_off = false;                                    // only the nearest were looked for, and there were more
  bool any_word = false;                                   // no document has all the words; these have some
  std::vector<std::pair<std::string, std::string>> meant;  // words that no document has, and those looked for in their place
  std::vector<SearchHit> hits;
  std::vector<FacetCounts> facets;  // in the order of SearchQuery::facets
  std::vector<PriceFacet> prices;   // most hits first; counted without the filter's price bounds and currencies
  std::vector<DateRange> dates;     // search/dates.h; counted without the query's bounds of time
  std::uint64_t version = 0;        // of the snapshot: equal versions and queries give equal answers on every page
  std::chrono::microseconds took{};
};

class Searcher {
 public:
  /// Both ports, the settings, the monitor and the placer must outlive the searcher. Monitor and placer may be null.
  Searcher(const TextIndex& text, const VectorIndex& vectors, const SearchSettings& settings, RecallMonitor* monitor = nullptr,
           const WordsPlacer* placer = nullptr);

  /// kBadInput: limit over kSearchLimitMax, more than kLikeMax or kUnlikeMax pictures, a weight that is not above 0, an
  /// embedding of other dims than the index's; kNotFound: a picture has no embedding (the message names it); kUnavailable or kCorrupt
  /// from a backend.
  /// Cost (embedded, 100,000 pictures × 1,280): see docs in src/search/README.md; measured by bench/search_bench.cc.
  Result<SearchAnswer> search(const SearchQuery& query) const;

 private:
  Result<SearchAnswer> answer(const SearchView& view, const SearchQuery& query, CandidateOptions options) const;

  const TextIndex& text_;
  const VectorIndex& vectors_;
  const SearchSettings& settings_;
  RecallMonitor* monitor_;
  const WordsPlacer* placer_;
};

}  // namespace magpie

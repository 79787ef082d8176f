#pragma once
// Port: what can be asked of the words and the facts of pictures. src/embedded implements it over src/index (segments on the local
// disk), src/cluster over Solr; tests/contract/text_index_contract_test.cc runs on every one of them.
//
// One document per picture: adding a document with a known id replaces it. Nothing added or removed can be seen before commit(),
// all of it can be seen after. Readers take a snapshot and never wait for the writer:
//   MAGPIE_TRY_DO(index.add(document));
//   MAGPIE_TRY_DO(index.commit());
//   MAGPIE_TRY(std::shared_ptr<const TextSnapshot> snapshot, index.snapshot());
//   MAGPIE_TRY(IdSet red, snapshot->filter({.colours = {"red"}}));
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/id_set.h"
#include "core/records.h"
#include "core/score_map.h"

namespace magpie {

/// Facts that results are counted by. Persisted: append only.
enum class Facet : std::uint8_t {
  kShop = 0,
  kCategory = 1,
  kBrand = 2,
  kColour = 3,
  kCurrency = 4,
  kClass = 5,
  kLanguage = 6,
  kSize = 7,
  kLabel = 8,
  kLicence = 9
};
inline constexpr std::size_t kFacetCount = 10;
/// "shop", "category", "brand", "colour", "currency", "class", "language", "size", "label", "licence".
std::string_view to_string(Facet facet);

/// What a picture must be. Values of one list are alternatives (any of them); everything given must hold together.
/// Values are compared byte for byte with the document's. An empty filter lets every document pass.
struct Filter {
  std::vector<std::string> shops, categories, brands, colours, currencies, classes, languages, sizes, labels, licences;
  std::optional<std::int64_t> price_min_micros;  // inclusive, in the picture's own currency: give `currencies` too
  std::optional<std::int64_t> price_max_micros;  // inclusive; a picture without a price fails either bound
  std::optional<std::int64_t> since_seconds;     // fetched at this Unix time or later
  std::optional<std::vector<ImageId>> ids;       // one of these; an empty list lets nothing pass
  std::vector<std::string> without;              // words it must not have; an entry of several words: not one after the other
  std::string without_language;                  // BCP 47 primary tag of those, "" unknown

  /// The list that belongs to a facet.
  std::vector<std::string>& values(Facet facet);
  const std::vector<std::string>& values(Facet facet) const;
};

/// Whether a document must hold every word of the query, or any.
enum class WordRule : std::uint8_t { kAll, kAny };

/// Whether a word that no document has is taken for the one that was probably meant: never; where another word of the query is known,
/// which tells that the words are of the collection's language; always.
enum class Typos : std::uint8_t { kKeep, kMendBesideKnown, kMend };

struct TextQuery {
  std::string words;     // as typed, UTF-8; at most kQueryBytesMax are read. Analysed the way documents were
  std::string language;  // BCP 47 primary tag of the words, "" unknown: then every language of the index is tried
  WordRule rule = WordRule::kAll;
  Typos typos = Typos::kKeep;
  std::vector<std::string> phrases;  // each must stand in one field, its words as they are one after the other, whatever the rule
};
inline constexpr std::size_t kQueryBytesMax = 4'096;

/// Every document that holds the words.
struct WordMatches {
  ScoreMap scores;                                         // above 0; comparable within one answer only
  float best = 0;                                          // the highest of them; 0 where there is none
  std::vector<std::pair<std::string, std::string>> meant;  // words that no document has, folded, and what was looked for in their place
  bool empty() const { return best <= 0; }
};

/// The facts of one picture that ordering and collapsing need. `currency` lives as long as the snapshot.
struct IndexRow {
  ImageId id = kNoId;
  ImageId copy_group = kNoId;  // never kNoId: a document without a group is its own
  std::uint64_t pixels = 0;
  std::int64_t fetched_at_seconds = 0;
  std::optional<std::int64_t> price_micros;
  std::optional<std::int64_t> old_price_micros;  // before a discount, above price_micros
  std::string_view currency;
};

struct FacetValue {
  std::string value;
  std::uint64_t count = 0;
  bool operator==(const FacetValue&) const = default;
};
struct FacetCounts {
  Facet facet = Facet::kShop;
  std::vector<FacetValue> values;  // highest count first, then by value; empty values of documents are not listed
  std::uint64_t values_total = 0;  // different values, also those beyond values_max
};

/// An unchanging view of one commit. Thread-safe; any number of readers; keeps the files it needs. Errors of every function:
/// kUnavailable when a remote backend does not answer, kCorrupt when stored bytes are damaged.
class TextSnapshot {
 public:
  virtual ~TextSnapshot() = default;
  /// The documents that pass. Cost (embedded): one pass over a column per condition, about 0.1 ns × documents each.
  virtual Result<IdSet> filter(const Filter& filter) const = 0;
  /// Every document that holds the words, with its score: BM25 over fields, title above alt above keywords above description. A query
  /// without any word (only punctuation) matches nothing. Cost (embedded): about 2 ns for each use of a word, 10 ns for each match.
  virtual Result<WordMatches> match(const TextQuery& query) const = 0;
  /// Counts copy groups, not pictures: a value's count is the number of groups with at least one picture of `ids` that has it.
  /// So it is the total one gets on choosing that value. Ids without a document are passed over. At most `values_max` values each;
  /// answers stand in the order of `facets`.
  virtual Result<std::vector<FacetCounts>> facets(std::span<const Facet> facets, const IdSet& ids, std::size_t values_max) const = 0;
  /// Documents that share their copy group with another of the view: all others are hits of their own. Borrowed; lives as long as the view.
  /// Cost (embedded): found once a commit, a few nanoseconds a document.
  virtual Result<const IdSet*> copies() const = 0;
  /// Hands over the rows of `ids` in batches, each once, in no order; ids without a document are passed over. The span is borrowed.
  virtual Result<void> rows(const IdSet& ids, const std::function<void(std::span<const IndexRow>)>& take) const = 0;
  /// Tells a facet's value of each of `ids`, in no order: of several the first, "" of none. Ids without a document are passed over. Values
  /// live as long as the snapshot. Cost (embedded): as rows().
  virtual Result<void> values(Facet facet, const IdSet& ids, const std::function<void(ImageId, std::string_view)>& take) const = 0;
  /// Documents in the view.
  virtual std::uint64_t size() const = 0;
  /// Grows with every commit that changed something; equal versions give equal answers.
  virtual std::uint64_t version() const = 0;
};

/// The writer's side. add, remove and commit come from one thread at a time (calls are serialised inside; commits of two threads
/// wait for each other); snapshot() from any thread, and never waits for a commit.
class TextIndex {
 public:
  virtual ~TextIndex() = default;
  /// Takes the document over any earlier one of that id. kBadInput for kNoId; kTooLarge for text over 1 MiB; kForbidden when
  /// the index was opened for reading. Cost: analysis of the text, no disk.
  virtual Result<void> add(IndexDocument document) = 0;
  /// Forgets the id; unknown ids are no error.
  virtual Result<void> remove(ImageId id) = 0;
  /// Makes everything before it durable and visible at once; all or nothing after a crash. Where one engine stands behind both
  /// this and a VectorIndex, one commit covers both. Cost (embedded): about 0.1 s for 1,000 documents with vectors.
  virtual Result<void> commit() = 0;
  virtual Result<std::shared_ptr<const TextSnapshot>> snapshot() const = 0;
};

}  // namespace magpie

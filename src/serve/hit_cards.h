#pragma once
// Hits as the API writes them. What the catalog knows of a picture is turned into text once per version of the index and kept, so
// that an answer of 50 hits is 50 copies of text and not 50 catalog queries.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "base/guarded.h"
#include "core/catalog.h"
#include "core/text_index.h"

namespace magpie {

/// What of a Hit depends on the query.
struct HitScore {
  ImageId id = kNoId;
  float score = 0;  // 0..1
  std::uint64_t copies = 0;
  bool by_looks = false;     // none of its words are the query's
  std::uint16_t region = 0;  // that is like the query's picture; 0: the whole
  std::uint64_t more_of_shop = 0, more_of_brand = 0;
  std::string why{};  // a HitWhy object; "" where nobody asked
};

/// Thread-safe. Catalog and index must outlive it.
class HitCards {
 public:
  HitCards(const Catalog& catalog, const TextIndex& text) : catalog_(catalog), text_(text) {}

  /// A JSON array of `Hit`, in order. A picture the catalog does not have is left out.
  Result<std::string> array(std::span<const HitScore> hits);
  /// One Hit as a JSON object; kNotFound.
  Result<std::string> object(const HitScore& hit);

 private:
  using Card = std::shared_ptr<const std::string>;  // members of the object behind score and copies, without braces
  static constexpr std::size_t kCardsMax = 20'000;  // about 700 bytes each
  struct State {
    std::uint64_t version = 0;
    std::unordered_map<ImageId, Card> cards;
  };

  /// In order; null for a picture the catalog does not have.
  Result<std::vector<Card>> cards(std::span<const HitScore> hits);
  Result<std::uint64_t> version() const;

  const Catalog& catalog_;
  const TextIndex& text_;
  Guarded<State> state_;
};

/// "/api/v1/images/7/thumbnail".
std::string variant_link(ImageId id, std::string_view variant);
/// Width and height of the upright picture.
struct UprightSize {
  std::uint32_t width = 0, height = 0;
};
UprightSize upright_size(const Image& image);
/// The product's name, else the page's title, else the last part of the address; never empty.
std::string title_of(const ImageDetails& details);
/// The page the picture is shown as belonging to: the first of its showings, or its own address when only a seed named it.
std::string page_url_of(const ImageDetails& details);
std::string shop_of(const ImageDetails& details);
/// The main colour.
std::string colour_of(const Image& image);

}  // namespace magpie

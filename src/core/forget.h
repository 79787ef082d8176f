#pragma once
// Forgetting: a picture, a page with its products, a whole host, or what a source labelled, removed from everything that is kept.
//   target  what a person names                     Catalog::plan_forgetting()  →  plan   everything that this comes to
//   CatalogTransaction::forget(plan)                rows, and refusals (core/refusals.h), so that nothing of it is fetched again
//   Archive::rewrite, VariantStore::rewrite, Frontier::forget, and the index by its to-index list
// The plan is written down before the first step and each step may be done twice, so a forgetting that was cut short is finished later.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "core/records.h"

namespace magpie {

enum class ForgetKind : std::uint8_t { kPicture, kPage, kHost, kLabel, kArtist };
/// "picture", "page", "host", "label", "artist".
std::string_view to_string(ForgetKind kind);
std::optional<ForgetKind> forget_kind_from(std::string_view name);

struct ForgetTarget {
  ForgetKind kind = ForgetKind::kPicture;
  /// A picture's id, SHA-256 or address; a page's address; a host with its port where that is not the scheme's own; "source/label"; an
  /// artist.
  std::string name;
  bool copies = false;  // of a picture: its near-copies, too
};

/// Everything that a target comes to.
///   picture  the bytes, and every address that gave them
///   page     it, what redirects to it, pages that name it as their canonical one; its products and their pictures, unless another
///            product has them; near-copies of those on the same host; pictures that no other page shows
///   host     all its addresses and pages; pictures that only it gives, or that only its pages show
///   label, artist   the pictures that the source labelled so, with every address of theirs
struct ForgetPlan {
  ForgetTarget target;
  std::string host;               // of ForgetKind::kHost: every address of it
  std::vector<std::string> urls;  // others that go, canonical, each once
  std::vector<ImageId> images;    // pictures that go altogether
  std::vector<Sha256> contents;   // theirs, in the same order
};
/// As bytes, to be written down, and back: kCorrupt for what encode did not write.
std::string encode(const ForgetPlan& plan);
Result<ForgetPlan> decode_forget_plan(std::string_view bytes);

/// Which addresses a plan takes away, and the places where a text names them. A value; reading is thread-safe.
class GoneAddresses {
 public:
  explicit GoneAddresses(const ForgetPlan& plan);

  bool has(std::string_view canonical_url) const;
  /// Overwrites, byte for byte, what names a gone address: "about:xxxx…", which leads nowhere. Understands HTML (&amp;), JSON (\/), and
  /// what is relative to `base`, the text's own address or "". How many there were. Cost: one pass, and a URL parse for each word that ends
  /// as a gone address does. Not found: what is percent-encoded into another address, or put together by a script.
  std::size_t overwrite(std::string& text, std::string_view base) const;

 private:
  bool names_gone(std::string_view word, std::string_view base) const;
  std::string host_;
  std::unordered_set<std::string> urls_;
  std::unordered_set<std::string> last_parts_;  // of their paths
};

/// Rows of the catalog that went.
struct ForgetCounts {
  std::uint64_t addresses = 0, pages = 0, products = 0, showings = 0, pictures = 0, vectors = 0, labels = 0;
  std::uint64_t changes = 0, visits = 0, selectors = 0, jobs = 0;
  std::uint64_t mentions = 0;   // of gone addresses in rows that stay
  std::uint64_t regrouped = 0;  // pictures that stay whose group of near-copies has lost one
};

/// A file that is written anew under another number, and where what it keeps lies there.
struct MovedPlace {
  ArchivePlace from, to;
};
enum class Store : std::uint8_t { kArchive, kVariants };
/// What happens around one file's rewriting. begins: before anything of `to` can be seen; moved: it is whole and on the disk, and `from`
/// goes once this returns; an error stops all. Should the process die in between, one of the two is to be removed: `from` when somebody
/// refers to `to`, else `to`.
class FileMoves {
 public:
  virtual ~FileMoves() = default;
  virtual Result<void> begins(std::uint32_t from, std::uint32_t to) = 0;
  virtual Result<void> moved(std::uint32_t from, std::uint32_t to, const std::vector<MovedPlace>& places) = 0;
};
struct RewriteCounts {
  std::uint64_t looked_at = 0, removed = 0, changed = 0, bytes_removed = 0, files = 0;
};

}  // namespace magpie

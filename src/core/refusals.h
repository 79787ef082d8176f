#pragma once
// What was forgotten (core/forget.h) and must not come back: addresses, hosts, pictures by content, labels and artists. Kept as marks of 64
// bits that the collection's own seed goes into, so that the list itself names nothing of what it is there to keep out; somebody who has
// the collection and guesses a name can ask whether it is on it, and no more. Two different names have one mark once in 10^19 pairs.
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/hash.h"

namespace magpie {

/// Persisted: append only.
enum class RefusedKind : std::uint8_t { kAddress = 1, kHost = 2, kPicture = 3, kLabel = 4, kArtist = 5 };

/// `what`: a canonical address; a host with its port where that is not the scheme's own; 64 hex digits of a picture's SHA-256;
/// "source/label"; an artist's name.
std::uint64_t refusal_mark(std::uint64_t seed, RefusedKind kind, std::string_view what);

/// A value; reading is thread-safe. Cost of a question: two hashes, or nothing while nothing was forgotten.
class Refusals {
 public:
  Refusals() = default;
  explicit Refusals(std::uint64_t seed) : seed_(seed) {}
  void add(std::uint64_t mark) { marks_.insert(mark); }

  bool empty() const { return marks_.empty(); }
  bool has(RefusedKind kind, std::string_view what) const { return !marks_.empty() && marks_.contains(refusal_mark(seed_, kind, what)); }
  /// The address itself, or its host.
  bool refuses(std::string_view canonical_url) const;
  bool refuses(const Sha256& picture) const { return !marks_.empty() && has(RefusedKind::kPicture, to_hex(picture)); }

 private:
  std::uint64_t seed_ = 0;
  std::unordered_set<std::uint64_t> marks_;
};

}  // namespace magpie

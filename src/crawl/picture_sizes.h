#pragma once
// Pictures whose address spells a smaller size than their server has ("lamp-300x200.jpg", "lamp.jpg?width=300", "/w_300,c_fill/lamp.jpg"):
// the address without it is asked for first, and for as long as that brings larger pictures.
//
//   if (auto larger = sizes.larger(ref.url)) use(*larger), with ref.url to fall back to;
//   sizes.note(*larger, {width, height});                  // once it was fetched: what it turned out to be
//
// What holds for one way of spelling holds for a whole host, so each is proved on a few pictures: two that are larger than the size that
// was taken out prove it, three that are not there, are no larger or are the same for two addresses disprove it. Until then only kTrialsMax
// are tried. Of a proved way one in kAskedLater is looked at still, and what was disproved is tried anew after kDaysMax.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "core/records.h"

namespace magpie::crawl {

/// An address that spells a picture's size.
struct SpeltSize {
  std::string original;    // the address without it
  std::string way;         // how it is spelt, for all of a host: "shop.test query width", "shop.test suffix -#x#"
  std::uint32_t side = 0;  // the larger number, in pixels; 0 when a word stands for it ("thumb")
};

/// Nothing when the address spells no size, or one of 1,600 pixels and more, or the rest would be no address of a picture. Thread-safe.
std::optional<SpeltSize> spelt_size(std::string_view url);

/// Not thread-safe: the recorder's.
class PictureSizes {
 public:
  static constexpr std::uint32_t kTrialsMax = 20;
  static constexpr std::uint32_t kProofs = 2, kDisproofs = 3;
  static constexpr std::uint32_t kAskedLater = 16;
  static constexpr std::int64_t kDaysMax = 30;
  static constexpr std::size_t kWaysOfHostMax = 32;
  static constexpr std::size_t kWaysMax = 20'000, kWaitingMax = 100'000;

  enum class Verdict : std::uint8_t { kUnknown, kLarger, kNot };

  /// The address to ask for in place of this one, if it is known or worth a trial to be larger.
  std::optional<std::string> larger(std::string_view url);
  /// Whether that is known, without a trial.
  bool is_proved(std::string_view way) const;

  /// `today`: days since 1970.
  explicit PictureSizes(std::int64_t today) : today_(today) {}

  /// What came of an address that larger() gave; others are none of its business. `side`: the larger side of its picture, in pixels.
  void note(std::string_view original, std::uint32_t side, const Sha256& sha256);
  /// It could not be had: for a reason that lies in the address (not found, no picture), or in the moment (a time-out), which says nothing.
  void note_failure(std::string_view original, Cause cause);

  /// Ways and what is known of each, as text for the catalog, and taken up again.
  std::string to_text() const;
  void add_text(std::string_view text);

 private:
  struct Way {
    std::uint32_t trials = 0, proofs = 0, disproofs = 0, asked = 0;
    std::int64_t day = 0;  // of the last proof or disproof
    std::optional<Sha256> last;
    void count(bool proof, std::int64_t today);
    Verdict verdict() const;
  };
  struct Waiting {
    std::string way;
    std::uint32_t side = 0;
  };
  Way* way_of(const std::string& name);
  std::int64_t today_;
  std::map<std::string, Way, std::less<>> ways_;
  std::unordered_map<std::string, Waiting> waiting_;  // originals by address
};

}  // namespace magpie::crawl
